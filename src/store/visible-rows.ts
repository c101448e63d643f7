// A Grant's rows of a type as a condition on them, for the statements that find a row by its id.
import type { Queryable, Statement } from '../db/database.js';
import type { Definitions } from '../definitions/model.js';
import { clauseSql } from '../search/clause-sql.js';
import type { Grant } from '../search/grant.js';
import { statementName } from '../search/statement-name.js';

/** What a reading function needs beside the Grant: a connection, and what a clause is made of. */
export interface Ground {
  readonly db: Queryable;
  readonly definitions: Definitions;
}

/** A statement with a place for the condition, whose first value is the id of the row: `where` is '' or begins with `and`; its values follow those given. */
export interface GuardedStatement {
  readonly name: string;
  readonly values: readonly unknown[];
  text(where: string): string;
  /** The same for an array of ids. */
  readonly together?: (where: string) => string;
}

/** Undefined where the Grant shows no row of the type: there is nothing to ask. The row's table is `t` in the text. */
export function guarded(definitions: Definitions, grant: Grant, type: string, { name, values, text, together }: GuardedStatement): Statement | undefined {
  const clause = grant.rows(type);
  if (clause.kind === 'none') return undefined;
  if (clause.kind === 'all') return { name, text: text(''), values, ...(together && { together: together('') }) };
  const all = [...values];
  const where = `and (${clauseSql(definitions, type, clause, 't', all, 'select $1::text')})`;
  // All callers of a role have the same text, with other values: it is worth preparing.
  const guardedText = text(where);
  return { name: statementName(guardedText), text: guardedText, values: all };
}
