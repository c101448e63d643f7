// The columns of a resource table as parameters of a statement: one row as plain values, many as one array per column.
import type { IndexRows } from '../search/index-rows.js';
import type { RowShift } from '../search/shift.js';
import { bigintArray, joinedBigints } from './array-bytes.js';
import { joinedJson, joinedJsonSql, numberArray, rowsSql, textArray } from './array-text.js';
import type { Change } from './store.js';

interface Column {
  readonly name: string;
  readonly type: 'text' | 'bigint' | 'text[]' | 'bigint[]';
  of(change: Change, rows: IndexRows | undefined): string | number | bigint | Buffer | null;
}

const COLUMNS: readonly Column[] = [
  { name: 'id', type: 'text', of: ({ id }) => id },
  { name: 'version', type: 'bigint', of: ({ version }) => version },
  { name: 'updated', type: 'bigint', of: ({ updated }) => updated },
  { name: 'method', type: 'text', of: ({ method }) => method },
  { name: 'res', type: 'text', of: ({ text }) => text },
  { name: 'tokens', type: 'bigint[]', of: (_, rows) => bigintArray(rows?.tokens ?? []) },
  { name: 'refs', type: 'text[]', of: (_, rows) => textArray(rows?.refs ?? []) },
  { name: 'present', type: 'text', of: (_, rows) => rows?.present ?? '' },
  // A deletion has no rows to take it from, and keeps what was there.
  { name: 'self', type: 'bigint', of: (_, rows) => rows?.self ?? null },
  { name: 'subject', type: 'text', of: (_, rows) => rows?.subject?.replaceAll('\0', '') ?? null },
  { name: 'date_lo', type: 'bigint', of: (_, rows) => rows?.dateLo ?? null },
  { name: 'date_hi', type: 'bigint', of: (_, rows) => rows?.dateHi ?? null },
];

const BEFORE: Column = { name: 'before', type: 'bigint', of: ({ before }) => before ?? null };

export const ROW_COLUMNS = COLUMNS.map(({ name }) => name).join(', ');

/** How many parameters come before those of the side tables. */
export const rowParameters = (kind: 'create' | 'change', many: boolean): number => columnsOf(kind).length + (many ? BOUNDS.length : 0);

/** Of each row's tokens among those of all, which travel as one array. */
const BOUNDS = ['tokens_from', 'tokens_to'] as const;

/**
 * Raises 22012 where the search parameters are not those that the rows are made of, as another server may have added one: of a write
 * under the old ones nothing may stay. Division by nothing is the one error that a plain condition can raise. It costs 6 µs of a create's 40.
 */
const fence = (generation: number): string => `where (select 1 / (generation = ${generation})::integer from fhir.search_generation) = 1`;

/** A query that gives back the rows handed in as parameters from $1; with `before` last for changes of rows already there. */
export function givenRows(kind: 'create' | 'change', many: boolean, generation: number): string {
  const columns = columnsOf(kind);
  if (!many) return `select ${columns.map(({ name, type }, index) => `$${String(index + 1)}::${type} as ${name}`).join(', ')} ${fence(generation)}`;
  const given = columns.map(({ name, type }, index) => ({ name, type, parameter: `$${String(index + 1)}` }));
  const arrays = given.filter(({ name }) => name !== 'tokens').map(({ name, type, parameter }) => [name, arraySql(parameter, name, type)] as const);
  const bounds = BOUNDS.map((name, index) => [name, `$${String(columns.length + index + 1)}::integer[]`] as const);
  const cells = given.map(({ name, type, parameter }) => (
    name === 'tokens' ? `(${parameter}::bigint[])[tokens_from:tokens_to] as tokens` : type.endsWith('[]') ? `${name}::${type} as ${name}` : name
  ));
  return `select ${cells.join(', ')} from ${rowsSql(Object.fromEntries([...arrays, ...bounds]))} as given ${fence(generation)}`;
}

const SHIFT_TYPES = ['text', 'bigint', 'bigint', 'text', 'text', 'bigint[]', 'bigint[]', 'text', 'bigint'] as const;
const SHIFT_NAMES = ['id', 'version', 'updated', 'method', 'res', 'gone', 'come', 'present', 'before'] as const;
export const SHIFT_PARAMETERS = SHIFT_NAMES.length;

/** The rows that shiftValues hands in, from $1. */
export function shiftedRows(generation: number): string {
  const arrays = Object.fromEntries(SHIFT_NAMES.map((name, index) => [name, arraySql(`$${String(index + 1)}`, name, SHIFT_TYPES[index] ?? 'text')]));
  const cells = SHIFT_NAMES.map((name, index) => (SHIFT_TYPES[index] === 'bigint[]' ? `${name}::bigint[] as ${name}` : name));
  return `select ${cells.join(', ')} from ${rowsSql(arrays)} as given ${fence(generation)}`;
}

/** Of changes that shift their rows. */
export function shiftValues(changes: readonly Change[]): unknown[] {
  const tokens = (cell: (shift: RowShift) => readonly bigint[]): string => textArray(changes.map(({ shift }) => numberArray(shift ? cell(shift) : [])));
  return [
    textArray(changes.map(({ id }) => id)), numberArray(changes.map(({ version }) => version)), numberArray(changes.map(({ updated }) => updated)),
    textArray(changes.map(({ method }) => method)), joinedJson(changes.map(({ text }) => text)), tokens(({ gone }) => gone), tokens(({ come }) => come),
    textArray(changes.map(({ shift }) => shift?.present ?? '')), numberArray(changes.map(({ before }) => before ?? null)),
  ];
}

function arraySql(parameter: string, name: string, type: Column['type']): string {
  if (name === 'res') return joinedJsonSql(parameter);
  // Rows of arrays differ in length, which PostgreSQL's own arrays of arrays do not: each travels as text.
  return `${parameter}::${type.endsWith('[]') ? 'text' : type}[]`;
}

/** The values of givenRows' parameters; one change makes plain values, several make arrays. */
export function givenValues(kind: 'create' | 'change', changes: readonly Change[]): unknown[] {
  const columns = columnsOf(kind);
  const [only] = changes;
  if (only && changes.length === 1) return columns.map((column) => column.of(only, only.rows));
  const values: unknown[] = columns.map((column) => {
    if (column.name === 'res') return joinedJson(changes.map(({ text }) => text));
    if (column.name === 'tokens') return joinedBigints(changes.map(({ rows }) => rows?.tokens ?? []));
    const cells = changes.map((change) => column.of(change, change.rows));
    return column.type === 'bigint' ? numberArray(cells as (number | bigint | null)[]) : textArray(cells as (string | null)[]);
  });
  values.push(...boundsOf(changes));
  return values;
}

/** The first and the last place of each row's tokens, counted from 1. */
function boundsOf(changes: readonly Change[]): string[] {
  const from: number[] = [];
  const to: number[] = [];
  let before = 0;
  for (const { rows } of changes) {
    from.push(before + 1);
    before += rows?.tokens.length ?? 0;
    to.push(before);
  }
  return [numberArray(from), numberArray(to)];
}

function columnsOf(kind: 'create' | 'change'): readonly Column[] {
  return kind === 'create' ? COLUMNS : [...COLUMNS, BEFORE];
}
