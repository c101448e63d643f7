// A search as it was asked, with the codes of `:in`, `:not-in`, `:above` and `:below` looked up in the terminology service.
// https://hl7.org/fhir/R4/search.html#token
import type { ValueSet } from '@medplum/fhirtypes';
import { fail, FhirError } from '../fhir/errors.js';
import type { FhirRequest } from '../fhir/request.js';
import { needsLists, withCodeLists, type CodeLists } from '../search/code-lists.js';
import type { ParsedSearch } from '../search/parse.js';
import type { Coded } from '../search/params/token.js';
import { readSearch } from '../search/search-request.js';
import type { Context } from './context.js';

/** Codes of one value; each is looked for in the index. */
const MOST_CODES = 20_000;
const PAGE = 10_000;

const LOCAL = /^ValueSet\/([A-Za-z0-9\-.]{1,64})$/;

/** At once where no list has to be looked up. `contained`: may the search ask for what resources contain? */
export function readListed(request: FhirRequest, context: Context, type: string, pairs: readonly (readonly [string, string])[], contained = false): ParsedSearch | Promise<ParsedSearch> {
  const { parts, now } = context;
  const parsed = readSearch(request, { parts, now, lists: true, words: true, contained }, type, pairs);
  return needsLists(parsed.query) ? listed(parsed, listsFor(request, context)) : parsed;
}

const listed = async ({ query, warnings }: ParsedSearch, lists: CodeLists): Promise<ParsedSearch> => ({ query: await withCodeLists(query, lists), warnings });

function listsFor({ base }: FhirRequest, context: Context): CodeLists {
  const { terminology } = context.parts;
  return {
    members: (name) => asValue(name, async () => codesOf(await valueSetOf(name.startsWith(`${base}/`) ? name.slice(base.length + 1) : name, context), context)),
    line: (way, system, code) => asValue(`${system}|${code}`, async () => {
      await terminology.lookup({ system, code, properties: ['parent'] });
      const filter = [{ property: 'concept', op: way === 'below' ? 'is-a' : 'generalizes', value: code } as const];
      return codesOf({ resourceType: 'ValueSet', status: 'active', compose: { include: [{ system, filter }] } }, context);
    }),
  };
}

async function valueSetOf(name: string, { store, grant, parts }: Context): Promise<ValueSet> {
  const [, id] = LOCAL.exec(name) ?? [];
  if (id === undefined) return parts.terminology.valueSet(name);
  const found = await store.read(grant, 'ValueSet', id);
  if (typeof found?.text !== 'string') throw grant.absent('ValueSet', id);
  return JSON.parse(found.text) as ValueSet;
}

async function codesOf(valueSet: ValueSet, { now, parts: { terminology, newId } }: Context): Promise<readonly Coded[]> {
  const codes: Coded[] = [];
  for (let total = 1; codes.length < total;) {
    const { expansion } = await terminology.expand(valueSet, { offset: codes.length, count: PAGE, excludeNested: true }, { now, identifier: `urn:uuid:${newId()}` });
    const { contains = [] } = expansion ?? {};
    total = contains.length === 0 ? 0 : (expansion?.total ?? 0);
    if (total > MOST_CODES) throw fail('too-costly', { text: `The list has ${total} codes, and a search looks for ${MOST_CODES} at most: name a smaller value set` });
    codes.push(...contains.flatMap(({ system, code }) => (code === undefined ? [] : [{ system, code }])));
  }
  return codes;
}

/** What is not found is the value of a parameter, not what was searched for. */
async function asValue<T>(value: string, look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof FhirError && error.status === 404) throw fail('invalid-parameter', { text: `"${value}" can't be searched by: ${error.message}` });
    throw error;
  }
}
