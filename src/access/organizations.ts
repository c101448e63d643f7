// Which organisations a caller speaks for: the one of the token, and those below it by Organization.partOf. A commissioner that was merged
// into another is below it, so its accounts stay within reach of the successor.
import type { Definitions } from '../definitions/model.js';
import type { Caller } from '../fhir/caller.js';
import { ODS_CODE } from '../fhir/ods-code.js';
import type { Clause } from '../search/query.js';
import type { WriteContext } from '../store/rule.js';
import { NONE, type Clauses } from './clauses.js';

const ROLES = 'https://fhir.entitle.example/CodeSystem/organization-role';

/** On Organization: the one whose ODS code the token has. */
export function ownOrganization(clauses: Clauses, { organization }: Caller): Clause {
  return organization === undefined ? NONE : clauses.coded('Organization', 'identifier', odsToken(organization));
}

/** On Organization: that one and all below it. */
export function ownTree(clauses: Clauses, caller: Caller): Clause {
  return clauses.below('Organization', 'partof', ownOrganization(clauses, caller));
}

/** On Organization: commissioners, by the name of today or of 2013. */
export const commissioners = (clauses: Clauses): Clause => clauses.coded('Organization', 'type', `${ROLES}|icb`, `${ROLES}|ccg`);

/** An ODS code with its system, as a search writes it. */
export const odsToken = (code: string): string => `${ODS_CODE}|${escaped(code)}`;

/** Those held here that have the code and that the Grant shows, two at most: `Organization/1`. */
export async function organizationsOf(code: string, definitions: Pick<Definitions, 'searchParameters'>, { tx, grant }: Pick<WriteContext, 'tx' | 'grant'>): Promise<readonly string[]> {
  const parameter = definitions.searchParameters('Organization').get('identifier');
  if (!parameter) return [];
  const where = { kind: 'parameter', parameter, values: [{ text: odsToken(code) }] } as const;
  const { matches } = await tx.search(grant, { type: 'Organization', where, sort: [], count: 2, includes: [], total: 'none', self: [] });
  return matches.map(({ id }) => `Organization/${id}`);
}

/** A token's value as a search writes it. */
const escaped = (text: string): string => text.replace(/[\\,|$]/g, '\\$&');
