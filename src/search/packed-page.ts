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

/**
 * Packs the rows of `source`, in their order: its columns id, type (where `typed`), k0 to k(keys - 1) and res. The long one stands last,
 * so that PostgreSQL copies it once for each row.
 */
export function packed(source: string, keys: number, typed: boolean): string {
  const nullable = [...(typed ? ['type'] : []), ...Array.from({ length: keys }, (_, index) => `k${index}`)].map((name) => `coalesce(${name}, E'\\x1d')`);
  return `select string_agg(${['id', ...nullable, 'res'].join(` || E'\\x1f' || `)}, E'\\x1e') as page from ${source} p`;
}

/** The rows of a packed page, packed with the same `keys` and `typed`. */
export function unpack(rows: readonly PackedRow[], keys: number, typed: boolean): SearchRow[] {
  const page = rows[0]?.page ?? null;
  return page === null ? [] : page.split(ROW).map((row) => unpackRow(row, keys, typed));
}

/** By positions, not by splitting: this runs for every row of every page. */
function unpackRow(row: string, keys: number, typed: boolean): SearchRow {
  const idEnd = row.indexOf(COLUMN);
  const typeEnd = typed ? row.indexOf(COLUMN, idEnd + 1) : idEnd;
  let end = typeEnd;
  for (let key = 0; key < keys; key += 1) end = row.indexOf(COLUMN, end + 1);
  const type = typed ? (unmark(row.slice(idEnd + 1, typeEnd)) ?? undefined) : undefined;
  return { type, id: row.slice(0, idEnd), keys: row.slice(typeEnd, end), res: row.slice(end + 1) };
}

/** The sort keys of a row, null where it has none. */
export const keysOf = ({ keys }: SearchRow): (string | null)[] => keys.split(COLUMN).slice(1).map(unmark);

const unmark = (cell: string): string | null => (cell === NULL ? null : cell);
