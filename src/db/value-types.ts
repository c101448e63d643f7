// How column values come back: numbers where they fit, else the text PostgreSQL wrote, so nothing is rounded, shifted or parsed unasked.
import pg from 'pg';

type Parser = (value: string) => unknown;

/** pg's own parsers; its typings know only the ids in an enum. */
const parserOf = pg.types.getTypeParser as (oid: number) => Parser;

/** bool, bytea, int2, int4, oid, float4, float8, and arrays of bool, int2, int4, text, varchar, float4, float8. */
const PARSED = [16, 17, 21, 23, 26, 700, 701, 1000, 1005, 1007, 1009, 1015, 1021, 1022];
const INT8 = 20;
const INT8_ARRAY = 1016;

const PARSERS = new Map<number, Parser>([
  ...PARSED.map((oid) => [oid, parserOf(oid)] as const),
  // Milliseconds and versions stay far below 2^53; 64-bit hashes are compared in SQL and never come back.
  [INT8, Number],
  [INT8_ARRAY, parseNumbers],
]);

/** An int8[] is written {1,NULL,-3}. */
function parseNumbers(value: string): (number | null)[] {
  if (value === '{}') return [];
  return value.slice(1, -1).split(',').map((item) => (item === 'NULL' ? null : Number(item)));
}

const asText = (value: string): string => value;

export const VALUE_TYPES = { getTypeParser: (oid: number): Parser => PARSERS.get(oid) ?? asText };
