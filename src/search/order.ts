// The order of a search's rows: sort keys as SQL, and the place where a page goes on (keyset paging; there is no OFFSET).
// https://hl7.org/fhir/R4/search.html#sort
import type { Definitions, SearchType } from '../definitions/model.js';
import { fail } from '../fhir/errors.js';
import type { Cursor, Query, SortKey } from './query.js';
import { slotOf } from './clause.js';
import { elementPaths } from './element-path.js';
import type { SqlScope } from './sql-scope.js';
import type { Slot } from './slots.js';
import { sortPaths } from './sort-path.js';

export interface OrderColumn {
  /** As an index holds it. */
  readonly plain: string;
  /** The same value, which no index matches: the rows are found another way and sorted. */
  readonly opaque: string;
  readonly cast: 'text' | 'bigint' | 'numeric';
  readonly descending: boolean;
  /** Null keys go last in either direction. */
  readonly nullable: boolean;
  /** The column of the row whose index has this order. */
  readonly walks?: 'id' | 'updated' | 'date' | 'subject';
  /** The text of every row is read for it. */
  readonly reads?: boolean;
  /** All values there can be of one token parameter, least first: few enough that the rows of each are asked for in turn. */
  readonly codes?: readonly string[];
  /** The side table whose index has this order. */
  readonly side?: Side;
}

/** One parameter's rows of a side table, which lie in the order of its values. */
export interface Side {
  readonly table: string;
  readonly column: string;
  /** `param` of the rows. */
  readonly key: number;
  /** Whose values the rows are. */
  readonly slot: Pick<Slot, 'position' | 'presence'>;
  /** No resource has two. */
  readonly single: boolean;
}

export interface Order {
  readonly columns: readonly OrderColumn[];
  /** Direction of the id that breaks ties; an index can be read both ways, but only as a whole. */
  readonly idDescending: boolean;
}

const COLUMNS: Readonly<Record<'id' | 'updated' | 'date' | 'subject', (row: string) => Omit<OrderColumn, 'descending' | 'walks'>>> = {
  id: (row) => ({ plain: `${row}.id`, opaque: `(${row}.id || '')`, cast: 'text', nullable: false }),
  updated: (row) => ({ plain: `${row}.updated`, opaque: `(${row}.updated + 0)`, cast: 'bigint', nullable: false }),
  date: (row) => ({ plain: `${row}.date_lo`, opaque: `(${row}.date_lo + 0)`, cast: 'bigint', nullable: true }),
  subject: (row) => ({ plain: `${row}.subject`, opaque: `(${row}.subject || '')`, cast: 'text', nullable: true }),
};

const SIDES: Partial<Record<SearchType, { readonly table: string; readonly column: string; readonly cast: 'text' | 'bigint' | 'numeric' }>> = {
  string: { table: 'string_index', column: 'value', cast: 'text' },
  date: { table: 'date_index', column: 'lo', cast: 'bigint' },
  number: { table: 'quantity_index', column: 'value', cast: 'numeric' },
  quantity: { table: 'quantity_index', column: 'value', cast: 'numeric' },
};

/** Hashes have no order: of these the resource itself is asked. */
const HASHED: ReadonlySet<SearchType> = new Set(['token', 'reference', 'uri']);

/** Can rows be ordered by this parameter? */
export function isSortable(definitions: Definitions, { type, column, parameter }: Slot): boolean {
  if (column !== undefined || SIDES[parameter.type] !== undefined) return true;
  return HASHED.has(parameter.type) && sortPaths(definitions, type, parameter.expression ?? '') !== undefined;
}

/** Keys after `_id` decide nothing and are left out. */
export function orderOf(definitions: Definitions, sql: SqlScope, { type, sort }: Pick<Query, 'type' | 'sort'>, row: string): Order {
  const last = sort.findIndex(({ parameter }) => parameter.code === '_id');
  const keys = last < 0 ? sort : sort.slice(0, last + 1);
  return {
    columns: keys.map((key) => orderColumn(definitions, sql, slotOf(definitions, type, key.parameter.code), key, row)),
    idDescending: idDescends(keys),
  };
}

/** The last key's direction: what is left of an order without its first keys is an order of its own. */
export const idDescends = (sort: readonly SortKey[]): boolean => sort.at(-1)?.descending ?? false;

function orderColumn(definitions: Definitions, sql: SqlScope, slot: Slot, { descending }: SortKey, row: string): OrderColumn {
  const { column } = slot;
  if (column) return { ...COLUMNS[column](row), descending, walks: column };
  const side = SIDES[slot.parameter.type];
  if (!side) return jsonColumn(definitions, slot, descending, row);
  const alias = sql.alias('s');
  const of = descending ? 'max' : 'min';
  const text = `(select ${of}(${alias}.${side.column}) from fhir.${side.table} ${alias} where ${alias}.id = ${row}.id and ${ofSlot(alias, slot)})`;
  const [only, ...others] = slot.readers;
  const walked = only && others.length === 0 ? { side: { table: side.table, column: side.column, key: only.key, slot, single: isSingle(definitions, slot) } } : {};
  return { plain: text, opaque: text, cast: side.cast, nullable: true, descending, ...walked };
}

/** Unbound: an order that is written twice, or not at all, leaves no value behind. */
function ofSlot(alias: string, { readers }: Slot): string {
  return `${alias}.param = any('{${readers.map(({ key }) => key).join()}}'::integer[])`;
}

function isSingle(definitions: Definitions, { type, parameter }: Slot): boolean {
  const paths = elementPaths(definitions, type, parameter.expression ?? '');
  const [only, ...others] = paths ?? [];
  return only !== undefined && others.length === 0 && only.single && only.types.length === 1 && ['string', 'markdown', 'date', 'dateTime', 'instant', 'decimal', 'integer'].includes(only.types[0] ?? '');
}

/** The least or greatest of the codes, references or URLs in the resource. */
function jsonColumn(definitions: Definitions, slot: Slot, descending: boolean, row: string): OrderColumn {
  const groups = sortPaths(definitions, slot.type, slot.parameter.expression ?? '');
  if (!groups) throw fail('invalid-parameter', { text: `Results can't be sorted by ${slot.code}`, expression: '_sort' });
  const texts = groups.map((paths) => {
    const values = paths.map((path) => `select jsonb_path_query(${row}.res::jsonb, '${path.replaceAll("'", "''")}') #>> '{}'`).join(' union all ');
    return `(select ${descending ? 'max' : 'min'}(v.v collate "C") from (${values}) v (v))`;
  });
  const text = texts.length === 1 ? texts.join('') : `coalesce(${texts.join(', ')})`;
  const codes = codesOf(definitions, slot);
  return { plain: text, opaque: text, cast: 'text', nullable: true, descending, reads: true, ...(codes && { codes }) };
}

const MOST_CODES = 20;

/** Undefined where a resource may have several values, or any. */
function codesOf(definitions: Definitions, { type, bare, bareCodes, readers, parameter }: Slot): readonly string[] | undefined {
  const [only, ...others] = bare && readers.length === 1 ? elementPaths(definitions, type, parameter.expression ?? '') ?? [] : [];
  if (!only?.single || others.length > 0) return undefined;
  const codes = only.types.join() === 'boolean' ? ['false', 'true'] : [...bareCodes ?? []].map((member) => member.slice(member.lastIndexOf('|') + 1));
  return codes.length > 0 && codes.length <= MOST_CODES ? [...new Set(codes)].sort(byBytes) : undefined;
}

/** As the collation "C" has them. */
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** The list for ORDER BY. Written for an index to be walked, or so that none is. */
export function orderText({ columns, idDescending }: Order, row: string, use: 'plain' | 'opaque'): string {
  const keys = columns.map((column) => `${column[use]} ${column.descending ? 'desc' : 'asc'}${column.nullable ? ' nulls last' : ''}`);
  if (columns.at(-1)?.walks === 'id') return keys.join(', ');
  const id = use === 'plain' ? `${row}.id` : `(${row}.id || '')`;
  return [...keys, `${id} ${idDescending ? 'desc' : 'asc'}`].join(', ');
}

/** Rows that come after the cursor's, key by key. A key that is null comes after all that are not. */
export function afterText(order: Order, sql: SqlScope, cursor: Cursor, row: string, index = 0): string {
  const column = order.columns[index];
  if (!column) return `${row}.id ${order.idDescending ? '<' : '>'} ${sql.bind(cursor.id, 'text')}`;
  const key = cursor.keys[index] ?? null;
  if (key === null) {
    sql.constant = false;
    return `(${column.plain} is null and ${afterText(order, sql, cursor, row, index + 1)})`;
  }
  const value = sql.bind(key, column.cast);
  const beyond = `${column.plain} ${column.descending ? '<' : '>'} ${value}`;
  const nulls = column.nullable ? ` or ${column.plain} is null` : '';
  return `(${beyond}${nulls} or (${column.plain} = ${value} and ${afterText(order, sql, cursor, row, index + 1)}))`;
}

/** The same for a walk of one index on (key, id), which can begin at the place. */
export function rowAfterText({ columns: [column], idDescending }: Order, sql: SqlScope, cursor: Cursor, row: string): string {
  const sign = idDescending ? '<' : '>';
  const id = sql.bind(cursor.id, 'text');
  if (!column || column.walks === 'id') return `${row}.id ${sign} ${id}`;
  return `(${column.plain}, ${row}.id) ${sign} (${sql.bind(cursor.keys[0] ?? null, column.cast)}, ${id})`;
}
