// A clause as a condition on one row, for reads under a Grant: the row is found already, so nothing here drives an index.
import type { Definitions } from '../definitions/model.js';
import { clauseText } from './clause.js';
import type { Clause } from './query.js';
import { SqlScope } from './sql-scope.js';

/** `ids`: a select of the id that the caller looks for, so that the clause costs what that row costs. `alias` is the row of fhir."type" in the caller's text. Appends to `values`, whose first are the caller's own. */
export function clauseSql(definitions: Definitions, type: string, clause: Clause, alias: string, values: unknown[], ids?: string): string {
  return clauseText({ definitions, sql: new SqlScope(values), frequencyOf: () => undefined }, { type, alias, ...(ids !== undefined && { ids }) }, clause, 'filter');
}
