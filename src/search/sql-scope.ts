// One SQL statement in the making: its values, its aliases, and the row that a predicate speaks of.

/**
 * How a predicate is to be used. `drive`: written so that an index can find the rows. `filter`: written so that no index
 * can, for rows found another way; the planner is left no choice that it would make from default estimates. `ids`: not a
 * predicate but the select of the ids themselves, for clauses that a side table answers.
 */
export type Use = 'drive' | 'filter' | 'ids';

export class SqlScope {
  private aliases = 0;
  /** The text is the same for other values of the same shape, so that it is worth preparing. */
  constant = true;

  constructor(readonly values: unknown[]) {}

  /** `$3::bigint[]`, holding `value`. */
  bind(value: unknown, cast: 'text' | 'text[]' | 'bigint' | 'bigint[]' | 'integer' | 'integer[]' | 'numeric'): string {
    this.values.push(value);
    return `$${this.values.length}::${cast}`;
  }

  bindTokens(tokens: readonly bigint[]): string {
    return this.bind(`{${tokens.join(',')}}`, 'bigint[]');
  }

  alias(letter: string): string {
    this.aliases += 1;
    return `${letter}${this.aliases}`;
  }
}

/** What a search type is handed to write its predicate. */
export interface PredicateScope {
  readonly sql: SqlScope;
  /** Alias of the resource's row. */
  readonly row: string;
  readonly use: Use;
  /** The tokens that so many rows have that they had better not be gathered; none where that is not known. */
  readonly common?: () => readonly bigint[];
}

/** A clause that names so many rows names perhaps too many to be gathered; fewer are never probed for. */
export const MANY = 1000;

export type SideTable = 'string_index' | 'date_index' | 'quantity_index';

/**
 * Rows of a side table that belong to the resource. `where` is given the alias of the side row.
 * Driving, the ids are gathered once from the index on (param, …); filtering, each row looks up its own by (id).
 */
export function sidePredicate(scope: PredicateScope, table: SideTable, where: (alias: string) => string): string {
  const { sql, row, use } = scope;
  const side = sql.alias('s');
  if (use !== 'filter') return gathered(scope, `select ${side}.id from fhir.${table} ${side} where ${where(side)}`);
  return `(select true from fhir.${table} ${side} where ${side}.id = ${row}.id and ${where(side)} limit 1) is true`;
}

/** The rows that have one of the ids that are selected. */
export const gathered = ({ row, use }: PredicateScope, ids: string): string => (use === 'ids' ? ids : `${row}.id = any(array(${ids}))`);

/** `param` of a slot, or of the slots that answer for it. */
export function paramIs(sql: SqlScope, side: string, keys: readonly number[]): string {
  const [only, ...others] = keys;
  if (others.length === 0) return `${side}.param = ${sql.bind(only, 'integer')}`;
  return `${side}.param = any(${sql.bind(`{${keys.join(',')}}`, 'integer[]')})`;
}

/** The tests of a comma list; more than one makes a text that few other searches share. */
export function anyOf(sql: SqlScope, tests: readonly string[]): string {
  if (tests.length === 1) return tests[0] as string;
  sql.constant = false;
  return `(${tests.join(' or ')})`;
}
