// A page as one value: its rows and columns in one text. Twenty rows of three columns cost the driver and PostgreSQL 60 µs more than one of 25 KB.
// JSON text without white space holds no control character, so the three used here stand apart from every resource.

/** One row of a search's answer. Matches come first and in order, at most count + 1 of them; then what was included. */
export interface SearchRow {
  /** Of what was included; a match has none: it is of the type that was searched. */
  readonly type: string | undefined;
  readonly id: string;
  /** Sort keys as text; of a match only. */
  readonly keys: readonly (string | null)[];
  readonly res: string;
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

/** Packs the rows of `source`, in their order: its columns type (where `typed`), id, k0 to k(keys - 1) and res. */
export function packed(source: string, keys: number, typed: boolean): string {
  const nullable = [...(typed ? ['type'] : []), ...Array.from({ length: keys }, (_, index) => `k${index}`)].map((name) => `coalesce(${name}, E'\\x1d')`);
  return `select string_agg(${['id', ...nullable, 'res'].join(` || E'\\x1f' || `)}, E'\\x1e') as page from ${source} p`;
}

/** The rows of a packed page. */
export function unpack(rows: readonly PackedRow[], typed: boolean): SearchRow[] {
  const page = rows[0]?.page ?? null;
  return page === null ? [] : page.split(ROW).map((row) => unpackRow(row.split(COLUMN), typed));
}

function unpackRow(cells: readonly string[], typed: boolean): SearchRow {
  const first = typed ? 2 : 1;
  const type = typed ? unmark(cells[1]) : null;
  return { type: type ?? undefined, id: cells[0] ?? '', keys: cells.slice(first, -1).map(unmark), res: cells.at(-1) ?? '' };
}

const unmark = (cell: string | undefined): string | null => (cell === undefined || cell === NULL ? null : cell);
