// The order by a code of which there can be few: the rows that have the first, then those that have the next, each by a search of its own, which ends
// where the page is full. Reading the code of every row took 43 times as long for each result of 25,000 as of 250. https://hl7.org/fhir/R4/search.html#sort
import type { Order, OrderColumn } from './order.js';
import type { Clause, Cursor, Query, SortKey } from './query.js';
import type { SqlScope } from './sql-scope.js';

/** As much of a page as is asked here. */
interface Sorted {
  readonly writing: { readonly sql: SqlScope };
  readonly query: Query;
  readonly order: Order;
  readonly more: readonly string[];
}

/** The rows with one code; those without any that is known come last, and have null. */
interface Part {
  readonly code: string | null;
  readonly clause: Clause;
  readonly after?: Cursor;
}

/** `select`: the page of a search in the order that is left within one code. */
export function codesText({ writing: { sql }, query, order, more }: Sorted, select: (query: Query) => string): string {
  const [key, ...others] = query.sort;
  const [column] = order.columns;
  if (!key || !column) return select(query);
  if (query.after) sql.constant = false;
  const rest: readonly SortKey[] = others.length > 0 ? others : [{ parameter: ID, descending: key.descending }];
  const keys = order.columns.slice(1).map((_, index) => `, a.k${index} as k${index + 1}`).join('');
  const columns = ['id', 'res', ...more].map((name) => `a.${name}`).join(', ');
  const parts = partsOf(query, key, column).map(({ code, clause, after }) => {
    const { after: _place, ...all } = query;
    const text = select({ ...all, where: { kind: 'and', of: [query.where, clause] }, sort: rest, ...(after && { after }) });
    return `(select ${columns}, ${sql.bind(code, 'text')} as k0${keys} from (${text}) a)`;
  });
  return `select * from (${parts.join(' union all ')}) c limit ${query.count + 1}`;
}

const ID: SortKey['parameter'] = { url: 'http://hl7.org/fhir/SearchParameter/Resource-id', code: '_id', type: 'token', expression: 'Resource.id' };

/** From the place on. Values that are none of the codes are looked for with those that are missing, so that no row is lost. */
function partsOf({ after }: Query, { parameter }: SortKey, { codes = [], descending }: OrderColumn): readonly Part[] {
  const values = codes.map((text) => ({ text: text.replaceAll('\\', '\\\\').replaceAll('|', '\\|') }));
  const each = codes.map((code, index): Part => ({ code, clause: { kind: 'parameter', parameter, values: values.slice(index, index + 1) } }));
  const none: Part = { code: null, clause: { kind: 'parameter', parameter, modifier: 'not', values } };
  const all = [...(descending ? each.reverse() : each), none];
  if (!after) return all;
  const [at = null, ...keys] = after.keys;
  // Where nothing is left of the order but the id.
  const rest = { keys: keys.length > 0 ? keys : [after.id], id: after.id };
  if (at === null) return [{ ...none, after: rest }];
  return all.flatMap((part) => (part.code === at ? [{ ...part, after: rest }] : part.code === null || (part.code < String(at)) === descending ? [part] : []));
}
