// How column values come back: numbers where they fit, else the text PostgreSQL wrote, so nothing is rounded, shifted or parsed unasked.
import pg from 'pg';

const { BOOL, BYTEA, INT2, INT4, INT8, FLOAT4, FLOAT8, OID } = pg.types.builtins;
const INT8_ARRAY = 1016;

/** Arrays of these element types keep pg's own parsers: bool, int2, int4, float4, float8, text, varchar. */
const PLAIN_ARRAYS = [1000, 1005, 1007, 1021, 1022, 1009, 1015];

type Parser = (value: string) => unknown;

/** Milliseconds and versions stay far below 2^53; 64-bit hashes are compared in SQL and never come back. */
const PARSERS = new Map<number, Parser>([
  [INT8, Number],
  // An int8[] is written {1,NULL,-3}.
  [INT8_ARRAY, (value) => (value === '{}' ? [] : value.slice(1, -1).split(',').map((item) => (item === 'NULL' ? null : Number(item))))],
  ...[BOOL, BYTEA, INT2, INT4, FLOAT4, FLOAT8, OID, ...PLAIN_ARRAYS].map((oid) => [oid, parserOf(oid)] as const),
]);

function parserOf(oid: number): Parser {
  return pg.types.getTypeParser(oid) as Parser;
}

const asText = (value: string): string => value;

export const VALUE_TYPES = { getTypeParser: (oid: number) => PARSERS.get(oid) ?? asText };
