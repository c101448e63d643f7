// Arrays as PostgreSQL reads them from text: one parameter carries a column of many rows.
// https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO

/** ASCII's unit separator: JSON text cannot hold one unescaped, so resources can be joined with it. */
const SEPARATOR = '\x1f';
const NOTHING = '\x1e';

/** PostgreSQL holds no NUL in text; FHIR allows none, but index rows are made of strings as they came. */
const SPECIAL = /["\\\0]/g;
const HAS_SPECIAL = /["\\\0]/;

/** Of numbers, decimals as text and 64-bit integers. */
export function numberArray(values: readonly (number | bigint | string | null)[]): string {
  let text = '';
  for (const value of values) text += `,${value ?? 'NULL'}`;
  return `{${text.slice(1)}}`;
}

export function textArray(values: readonly (string | null)[]): string {
  let text = '';
  for (const value of values) text += `,${quoted(value)}`;
  return `{${text.slice(1)}}`;
}

function quoted(value: string | null): string {
  if (value === null) return 'NULL';
  return HAS_SPECIAL.test(value) ? `"${value.replace(SPECIAL, escaped)}"` : `"${value}"`;
}

function escaped(character: string): string {
  return character === '\0' ? '' : `\\${character}`;
}

/**
 * The rows that arrays of one length make, each a column: SQL of an array by the column's name. In the target list all arrays are stepped through
 * together; in FROM each would be laid aside first, at 3 µs a column however few its rows.
 */
export function rowsSql(arrays: Readonly<Record<string, string>>): string {
  return `(select ${Object.entries(arrays).map(([name, array]) => `unnest(${array}) as ${name}`).join(', ')})`;
}

/** Many JSON texts in one parameter, to be read by `jsonTextArray`: a third of the work of quoting and unquoting each. */
export function joinedJson(texts: readonly (string | null)[]): string {
  return texts.map((text) => text ?? NOTHING).join(SEPARATOR);
}

/** The SQL that makes text[] of what joinedJson made. */
export function joinedJsonSql(parameter: string): string {
  return `string_to_array(${parameter}::text, E'\\x1f', E'\\x1e')`;
}
