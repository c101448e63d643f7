// A Grant's rows of a type as a condition on them, for the statements that find a row by its id.
import type { Statement } from '../db/database.js';
import { clauseSql } from '../search/clause-sql.js';
import type { Grant } from '../search/grant.js';

/** A statement with a place for the condition: `where` is '' or begins with `and`; its values follow those given. */
export interface GuardedStatement {
  readonly name: string;
  readonly values: readonly unknown[];
  text(where: string): string;
}

/** Undefined where the Grant shows no row of the type: there is nothing to ask. The row's table is `t` in the text. */
export function guarded(grant: Grant, type: string, { name, values, text }: GuardedStatement): Statement | undefined {
  const clause = grant.rows(type);
  if (clause.kind === 'none') return undefined;
  if (clause.kind === 'all') return { name, text: text(''), values };
  const all = [...values];
  const where = `and (${clauseSql(type, clause, 't', all)})`;
  return { text: text(where), values: all };
}
