// `:text` on codes: the words of displays and texts, matched from the start. https://hl7.org/fhir/R4/search.html#token
// A dictionary (fhir.code_text) holds each distinct text once, with the token that the resources which say it have.
import { unescape } from '../escape.js';
import { fold } from '../fold.js';
import type { SearchValue } from '../query.js';
import type { Slot } from '../slots.js';
import { anyOf, MANY, paramIs, type PredicateScope, type SqlScope } from '../sql-scope.js';
import { startsWith } from './string.js';

/** Tokens looked for at once: for each row found, the GIN goes through the whole list. */
const CHUNK = 200;

export function codeTextPredicate(slot: Slot, values: readonly SearchValue[], scope: PredicateScope): string {
  return rowsOfTexts(slot, scope, (column) => values.map((value) => `(${startsWith(scope.sql, column, fold(unescape(value.text)))})`));
}

/** Rows that say a text of the dictionary which passes any of the tests; `testsOf` is given its column. */
export function rowsOfTexts(slot: Slot, scope: PredicateScope, testsOf: (column: string) => readonly string[]): string {
  const { sql, row, use } = scope;
  const text = sql.alias('s');
  const tests = testsOf(`${text}.value`);
  const dictionary = `fhir.code_text ${text} where ${paramIs(sql, text, slot.readers.map(({ key }) => key))} and ${anyOf(sql, tests)}`;
  if (use === 'filter') {
    return rowHasAny(sql, row, `select ${text}.token from ${dictionary}`);
  }
  const ids = idsOfTokens(slot.type, `select ${text}.token from ${dictionary}`);
  if (use === 'drive') return `${row}.id = any(array(${ids}))`;
  // Of a text that is known to be common, the rows need not be looked for to see that they are many.
  const common = scope.common?.() ?? [];
  if (common.length === 0) return ids;
  return `select '' as id from (select from ${dictionary} and ${text}.token = any(${sql.bindTokens(common)}) limit 1) c, generate_series(1, ${MANY + 1}) union all ${ids}`;
}

/** Words that many texts begin with make a long list: hashed, each row is one look-up per token. */
function rowHasAny(sql: SqlScope, row: string, tokens: string): string {
  const token = sql.alias('f');
  return `(select true from unnest(${row}.tokens) ${token} where (${token} in (${tokens})) is true limit 1) is true`;
}

/** The ids of rows with any of the tokens that the select gives. `offset 0` keeps the planner from anything but one look into the GIN for each chunk. */
function idsOfTokens(type: string, tokens: string): string {
  const numbered = `select t.token, (row_number() over () - 1) / ${CHUNK} as chunk from (${tokens}) t (token)`;
  return `select x.id from (select array_agg(n.token) as tokens from (${numbered}) n group by n.chunk) g`
    + ` cross join lateral (select x.id from fhir."${type}" x where x.tokens && g.tokens offset 0) x`;
}

/** Rows with any of a long list of tokens: what a value set holds. */
export function longListPredicate({ type }: Slot, tokens: readonly bigint[], { sql, row, use }: PredicateScope): string {
  const list = `select unnest(${sql.bindTokens(tokens)})`;
  if (use === 'filter') return rowHasAny(sql, row, list);
  const ids = idsOfTokens(type, list);
  return use === 'drive' ? `${row}.id = any(array(${ids}))` : ids;
}

/** More tokens than this are looked for in chunks. */
export const LONG_LIST = CHUNK;
