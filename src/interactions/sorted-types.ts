// Several types in one order: a page of each is asked for, and the first of all of them are given. https://hl7.org/fhir/R4/search.html#sort
import { idDescends } from '../search/order.js';
import type { Start } from '../search/page-link.js';
import type { Cursor, Query, SortKey } from '../search/query.js';
import type { Found, SearchPage } from '../store/store.js';
import type { Context } from './context.js';

/** The same order of each type's rows. */
export function haveOneOrder(queries: readonly Query[]): boolean {
  const orders = new Set(queries.map(({ sort }) => sort.map(({ parameter, descending }) => `${descending ? '-' : ''}${parameter.code} ${kindOf(parameter)}`).join()));
  return orders.size <= 1 && queries.every(({ sort }) => sort.length > 0);
}

type Kind = 'number' | 'text';
const NUMBERS: ReadonlySet<string> = new Set(['date', 'number', 'quantity']);
const kindOf = ({ type }: SortKey['parameter']): Kind => (NUMBERS.has(type) ? 'number' : 'text');

interface Placed {
  readonly found: Found;
  readonly place: Cursor;
  /** Of its type among those searched: of rows with the same keys the earlier type comes first. */
  readonly index: number;
}

interface SortedPage {
  readonly matches: readonly Found[];
  readonly includes: readonly Found[];
  readonly next?: Start & { readonly in: string };
  readonly cut: boolean;
}

const AT_ONCE = 8;

export async function gatherSorted(queries: readonly Query[], context: Context, start: Start | undefined): Promise<SortedPage> {
  const [first] = queries;
  if (!first || first.count === 0) return { matches: [], includes: [], cut: false };
  const pages: SearchPage[] = [];
  for (let from = 0; from < queries.length; from += AT_ONCE) {
    pages.push(...await Promise.all(queries.slice(from, from + AT_ONCE).map((query, place) => {
      const after = afterOf(queries, from + place, start);
      return context.store.search(context.grant, { ...query, includes: [], total: 'none', placed: true, ...(after && { after }) });
    })));
  }
  const all = pages.flatMap(({ matches, places = [] }, index) => matches.flatMap((found, at): Placed[] => {
    const place = places[at];
    return place ? [{ found, place, index }] : [];
  }));
  const shown = all.sort(byKeys(first.sort)).slice(0, first.count);
  const last = shown.at(-1);
  const more = all.length > shown.length || pages.some(({ next }) => next !== undefined);
  const matches = shown.map(({ found }) => found);
  return { matches, ...await includesOf(queries, matches, context), ...(more && last && { next: { in: last.found.type, after: last.place } }) };
}

/** Before and after every id there can be. */
const [LEAST, GREATEST] = ['', '~'];

/** Of rows with the keys of the last one shown, those of earlier types have been shown, and those of later types have not. */
function afterOf(queries: readonly Query[], index: number, start: Start | undefined): Cursor | undefined {
  if (!start?.after) return undefined;
  const at = queries.findIndex(({ type }) => type === start.in);
  if (index === at) return start.after;
  const { sort } = queries[index] ?? { sort: [] };
  const { keys } = start.after;
  const later = index > at;
  const own = sort.findIndex(({ parameter: { code } }) => code === '_id');
  if (own < 0) return { keys, id: later === idDescends(sort) ? GREATEST : LEAST };
  const id = besideId(String(keys[own]), later, sort[own]?.descending ?? false);
  return { keys: keys.map((key, place) => (place === own ? id : key)), id };
}

/** Where the rows with this id are yet to come, a place before them and after all that come before: no id has a `~` or a `!`. */
function besideId(id: string, before: boolean, descending: boolean): string {
  if (!before) return id;
  return descending ? `${id}!` : `${id.slice(0, -1)}${String.fromCharCode(id.charCodeAt(id.length - 1) - 1)}~`;
}

function byKeys(sort: readonly SortKey[]): (a: Placed, b: Placed) => number {
  const kinds = sort.map(({ parameter }) => kindOf(parameter));
  const sign = idDescends(sort) ? -1 : 1;
  return (a, b) => {
    for (const [index, { descending }] of sort.entries()) {
      const order = compare(a.place.keys[index] ?? null, b.place.keys[index] ?? null, kinds[index] ?? 'text', descending);
      if (order !== 0) return order;
    }
    return a.index - b.index || sign * (a.place.id < b.place.id ? -1 : 1);
  };
}

/** A key that is null comes last, whatever the direction. Texts are ordered by their bytes, as the database has them. */
function compare(a: string | number | null, b: string | number | null, kind: Kind, descending: boolean): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  const order = kind === 'number' ? Number(a) - Number(b) : Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
  return descending ? -order : order;
}

/** Only of what is shown. */
async function includesOf(queries: readonly Query[], matches: readonly Found[], { store, grant }: Context): Promise<Pick<SortedPage, 'includes' | 'cut'>> {
  const included = new Map<string, Found>();
  let cut = false;
  for (const query of queries) {
    const ids = matches.flatMap(({ type, id }) => (type === query.type ? [id] : []));
    if (query.includes.length === 0 || ids.length === 0) continue;
    const page = await store.search(grant, { ...query, where: { kind: 'ids', ids }, sort: [], count: ids.length, total: 'none' });
    for (const one of page.includes) included.set(`${one.type}/${one.id}`, one);
    cut ||= page.cut === true;
  }
  for (const { type, id } of matches) included.delete(`${type}/${id}`);
  return { includes: [...included.values()], cut };
}
