// The range that a decimal as written stands for, as exact decimal text. https://hl7.org/fhir/R4/search.html#number
import { decimalText, implicitRange, parseSearchDecimal } from '../../fhir/decimal.js';
import type { Prefix } from '../query.js';
import type { SqlScope } from '../sql-scope.js';

export interface DecimalRange {
  readonly value: string;
  /** Half a unit of the last digit written: 100 is 99.5 to 100.5, 100.00 is 99.995 to 100.005. hi is exclusive. */
  readonly lo: string;
  readonly hi: string;
  /** A tenth of the value to either side, or the above where that is wider; both inclusive. */
  readonly about: { readonly lo: string; readonly hi: string };
}

/** Undefined where the text is no decimal. */
export function decimalRange(text: string): DecimalRange | undefined {
  const decimal = parseSearchDecimal(text);
  const range = implicitRange(text);
  if (!decimal || !range) return undefined;
  const { digits } = decimal;
  const scale = decimal.scale + 1;
  const tenth = digits < 0n ? -digits : digits;
  const reach = tenth > 5n ? tenth : 5n;
  const about = { lo: decimalText({ digits: digits * 10n - reach, scale }), hi: decimalText({ digits: digits * 10n + reach, scale }) };
  return { value: decimalText(decimal), lo: range.lower, hi: range.upper, about };
}

/** Prefixes other than eq, ne and ap take the value as exact; sa and eb are gt and lt of a point. */
const TESTS: Readonly<Record<Prefix, (sql: SqlScope, column: string, range: DecimalRange) => string>> = {
  eq: (sql, column, { lo, hi }) => `${column} >= ${sql.bind(lo, 'numeric')} and ${column} < ${sql.bind(hi, 'numeric')}`,
  ne: (sql, column, { lo, hi }) => `(${column} < ${sql.bind(lo, 'numeric')} or ${column} >= ${sql.bind(hi, 'numeric')})`,
  gt: (sql, column, { value }) => `${column} > ${sql.bind(value, 'numeric')}`,
  lt: (sql, column, { value }) => `${column} < ${sql.bind(value, 'numeric')}`,
  ge: (sql, column, { value }) => `${column} >= ${sql.bind(value, 'numeric')}`,
  le: (sql, column, { value }) => `${column} <= ${sql.bind(value, 'numeric')}`,
  sa: (sql, column, { value }) => `${column} > ${sql.bind(value, 'numeric')}`,
  eb: (sql, column, { value }) => `${column} < ${sql.bind(value, 'numeric')}`,
  ap: (sql, column, { about }) => `${column} between ${sql.bind(about.lo, 'numeric')} and ${sql.bind(about.hi, 'numeric')}`,
};

export function decimalTest(sql: SqlScope, column: string, prefix: Prefix, range: DecimalRange): string {
  return TESTS[prefix](sql, column, range);
}
