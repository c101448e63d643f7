// The resources that name another by a reference: which budgets a plan is linked to, which purchases cite it, which plan takes its place.
import type { Definitions } from '../definitions/model.js';
import type { Resource } from '../fhir/resource.js';
import { serverGrant, type Grant } from '../search/grant.js';
import type { Clause } from '../search/query.js';
import type { Reader } from '../store/store.js';

/** References of a type, by the code of a search parameter. All must hold. */
export type Named = readonly (readonly [code: string, reference: string])[];

/** `code` of a `type` is `text`, as a query string has it. */
export function clauseOf(definitions: Definitions, type: string, code: string, text: string): Clause {
  const parameter = definitions.searchParameters(type).get(code);
  if (!parameter) throw new Error(`${type} has no search parameter ${code}`);
  return { kind: 'parameter', parameter, values: [{ text, parts: [{ text }] }] };
}

export interface Ask {
  readonly definitions: Definitions;
  readonly reader: Pick<Reader, 'search'>;
  /** Whose rows; without one, the server's own: for rules that must hold whoever asks. */
  readonly grant?: Grant;
}

const PAGE = 500;

/** Page by page, in the order of their ids, until `enough` of them are there. */
export async function referring(type: string, named: Named, { definitions, reader, grant = serverGrant() }: Ask, enough = Infinity): Promise<Resource[]> {
  const where: Clause = { kind: 'and', of: named.map(([code, reference]) => clauseOf(definitions, type, code, reference)) };
  const query = { type, where, sort: [], count: Math.min(PAGE, enough), includes: [], total: 'none', self: [] } as const;
  const found: Resource[] = [];
  let page = await reader.search(grant, query);
  for (;;) {
    found.push(...page.matches.map(({ text }) => JSON.parse(text) as Resource));
    if (!page.next || found.length >= enough) return found;
    page = await reader.search(grant, { ...query, after: page.next });
  }
}
