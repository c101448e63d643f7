// A page as one value: its rows and columns in one text. Twenty rows of three columns cost the driver and PostgreSQL 60 µs more than one of 25 KB.
// JSON text without white space holds no control character, so the three used here stand apart from every resource.

/** One row of a search's answer. Matches come first and in order, at most count + 1 of them; then what was included. */
export interface SearchRow {
  /** Of what was included; a match has none: it is of the type that was searched. */
  readonly type: string | undefined;
  readonly id: string;
  readonly res: string;
  /** The sort keys as packed: read of the last match alone, by `keysOf`. */
  readonly keys: string;
}

/** The one row of a packed answer; null where the page is empty. */
export interface PackedRow {
  readonly page: string | null;
}

const ROW = '\x1e';
const COLUMN = '\x1f';
const NULL = '\x1d';
/** Folded text may hold them, where a client wrote them as escapes: they go from the key, which is only a place to go on from. */
const MARKS = `E'\\x1d\\x1e\\x1f'`;

/** SQL for a sort key that is a column, as it is packed. */
export const keyText = (expression: string, isText: boolean): string => (isText ? `translate(${expression}, ${MARKS}, '')` : `${expression}::text`);

/** Packs the rows of `source`, in their order: its columns id, type (where `typed`), res, and k0 to k(keys - 1). */
export function packed(source: string, keys: number, typed: boolean): string {
  const nullable = (name: string): string => `coalesce(${name}, E'\\x1d')`;
  const columns = ['id', ...(typed ? [nullable('type')] : []), 'res', ...Array.from({ length: keys }, (_, index) => nullable(`k${index}`))];
  return `select string_agg(${columns.join(` || E'\\x1f' || `)}, E'\\x1e') as page from ${source} p`;
}

/** The rows of a packed page. */
export function unpack(rows: readonly PackedRow[], typed: boolean): SearchRow[] {
  const page = rows[0]?.page ?? null;
  return page === null ? [] : page.split(ROW).map((row) => unpackRow(row, typed));
}

/** By positions, not by splitting: this runs for every row of every page. */
function unpackRow(row: string, typed: boolean): SearchRow {
  const idEnd = row.indexOf(COLUMN);
  const start = typed ? row.indexOf(COLUMN, idEnd + 1) + 1 : idEnd + 1;
  const end = row.indexOf(COLUMN, start);
  const type = typed ? (unmark(row.slice(idEnd + 1, start - 1)) ?? undefined) : undefined;
  const id = row.slice(0, idEnd);
  return end < 0 ? { type, id, res: row.slice(start), keys: '' } : { type, id, res: row.slice(start, end), keys: row.slice(end) };
}

/** The sort keys of a row, null where it has none. */
export const keysOf = ({ keys }: SearchRow): (string | null)[] => keys.split(COLUMN).slice(1).map(unmark);

const unmark = (cell: string): string | null => (cell === NULL ? null : cell);
