// What a page's resources refer to, under the same Grant: found in their texts, since of an `_include` of everything
// each of the many types would be planned for each of them (2.7 s for a patient's compartment; this takes a query per type that is there).
import type { Clause } from '../search/query.js';
import type { Found } from '../store/store.js';
import type { Context } from './context.js';

const REFERENCE = /"reference":"([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/[^"]*)?"/g;
/** Where the rest of a record is to be had stands one step further: Patient, practice, its Endpoint. */
const FURTHER: ReadonlySet<string> = new Set(['Endpoint']);

/** The resources that those of `rows` refer to, each once, without themselves. */
export async function referredBy(rows: readonly Found[], context: Context): Promise<readonly Found[]> {
  const known = new Set(rows.map(({ type, id }) => `${type}/${id}`));
  const first = await resourcesOf(referencesIn(rows, known), context);
  const further = referencesIn(first, known);
  const second = new Map([...further].filter(([type]) => FURTHER.has(type)));
  return [...first, ...(await resourcesOf(second, context))];
}

/** Ids by type, of those not known yet; they are from then on. */
export function referencesIn(rows: readonly Found[], known: Set<string>): Map<string, string[]> {
  const ids = new Map<string, string[]>();
  for (const { text } of rows) {
    for (const [, type = '', id = ''] of text.matchAll(REFERENCE)) {
      if (known.has(`${type}/${id}`)) continue;
      known.add(`${type}/${id}`);
      ids.set(type, [...(ids.get(type) ?? []), id]);
    }
  }
  return ids;
}

/** Those of them that are there, and that the Grant shows. */
export async function resourcesOf(wanted: ReadonlyMap<string, readonly string[]>, { store, grant, parts: { definitions } }: Context): Promise<Found[]> {
  const found: Found[] = [];
  for (const [type, ids] of wanted) {
    if (!definitions.resourceTypes.includes(type)) continue;
    const where: Clause = { kind: 'ids', ids };
    const page = await store.search(grant, { type, where, sort: [], count: ids.length, includes: [], total: 'none', self: [] });
    found.push(...page.matches);
  }
  return found;
}
