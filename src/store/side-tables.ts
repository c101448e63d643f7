// The narrow tables of ordered values that repeat: how a write adds a resource's rows to them and takes its old ones away.
import type { Definitions } from '../definitions/model.js';
import type { QuantityRow } from '../search/index-rows.js';
import { slotsOf } from '../search/slots.js';
import { bigintArray } from './array-bytes.js';
import { numberArray, textArray } from './array-text.js';
import type { Change } from './store.js';

export interface SideTable {
  readonly name: 'string_index' | 'date_index' | 'quantity_index';
  /** Names a statement by the tables it fills. */
  readonly letter: string;
  /** Without id. */
  readonly columns: string;
  /** The array type of each column. */
  readonly arrays: readonly string[];
  rowCount(change: Change): number;
  /** One array per column, all rows of all changes in order. */
  values(changes: readonly Change[]): (string | Buffer)[];
}

const STRINGS: SideTable = {
  name: 'string_index',
  letter: 's',
  columns: 'param, value, raw',
  arrays: ['integer[]', 'text[]', 'text[]'],
  rowCount: ({ rows }) => rows?.strings.length ?? 0,
  values(changes) {
    const rows = changes.flatMap((change) => change.rows?.strings ?? []);
    return [numberArray(rows.map((row) => row.param)), textArray(rows.map((row) => row.value)), textArray(rows.map((row) => row.raw))];
  },
};

export const DATES: SideTable = {
  name: 'date_index',
  letter: 'd',
  columns: 'param, lo, hi',
  arrays: ['integer[]', 'bigint[]', 'bigint[]'],
  rowCount: ({ rows, shift }) => (rows ?? shift)?.dates.length ?? 0,
  values(changes) {
    const rows = changes.flatMap(({ rows: all, shift }) => (all ?? shift)?.dates ?? []);
    return [numberArray(rows.map((row) => row.param)), numberArray(rows.map((row) => row.lo)), numberArray(rows.map((row) => row.hi))];
  },
};

const QUANTITY_COLUMNS: Readonly<Record<string, readonly [array: string, of: keyof QuantityRow]>> = {
  param: ['integer[]', 'param'], key: ['bigint[]', 'key'], value: ['numeric[]', 'value'], unit: ['bigint[]', 'unit'], code: ['bigint[]', 'code'], display: ['bigint[]', 'display'],
  other: ['numeric[]', 'other'], dimension: ['bigint[]', 'dimension'], canonical: ['numeric[]', 'canonical'], canonical_other: ['numeric[]', 'canonicalOther'],
};

const QUANTITY_CELLS = Object.values(QUANTITY_COLUMNS);

const QUANTITIES: SideTable = {
  name: 'quantity_index',
  letter: 'q',
  columns: Object.keys(QUANTITY_COLUMNS).join(', '),
  arrays: Object.values(QUANTITY_COLUMNS).map(([array]) => array),
  rowCount: ({ rows }) => rows?.quantities.length ?? 0,
  values(changes) {
    const rows = changes.flatMap((change) => change.rows?.quantities ?? []);
    return QUANTITY_CELLS.map(([array, of]) => (
      array === 'bigint[]' ? bigintArray(rows.map((row) => (row[of] as bigint | undefined) ?? null)) : numberArray(rows.map((row) => row[of] ?? null))
    ));
  },
};

export const SIDE_TABLES: readonly SideTable[] = [STRINGS, DATES, QUANTITIES];

/** The side tables that these changes have rows for; a statement leaves out the others: each costs 20 µs, even of no rows. */
export function sideTablesOf(changes: readonly Change[]): readonly SideTable[] {
  return SIDE_TABLES.filter((side) => changes.some((change) => side.rowCount(change) > 0));
}

/** The id of each row that `side.values` gives, in the same order. */
export function sideIds(side: SideTable, changes: readonly Change[]): string {
  return textArray(changes.flatMap((change) => new Array<string>(side.rowCount(change)).fill(change.id)));
}

/** An array literal of the `param`s that rows of this type can have: what tells them from those of another type's resource with the same id. */
export function paramsOf(definitions: Definitions, type: string): string {
  return numberArray([...slotsOf(definitions, type).byCode.values()].map(({ key }) => key));
}
