// How PostgreSQL answers a search: its text, its values and its plan. https://www.postgresql.org/docs/current/sql-explain.html
import { inUsualOrder } from '../search/along-targets.js';
import { searchStatement, totalStatement } from '../search/compile.js';
import type { Grant } from '../search/grant.js';
import type { Query } from '../search/query.js';
import type { FrequencyOf } from '../search/token-frequency.js';
import type { Ground } from './visible-rows.js';

export interface Explained {
  readonly sql: string;
  /** $1, $2 and on, as texts. */
  readonly values: readonly string[];
  readonly plan: string;
}

export async function explain({ db, definitions }: Ground, frequencyOf: FrequencyOf, grant: Grant, query: Query): Promise<Explained> {
  const { text, values } = query.count === 0 ? totalStatement(definitions, query, grant, frequencyOf) : searchStatement(definitions, inUsualOrder({ definitions, frequencyOf }, query), grant, frequencyOf);
  const options = query.explain === 'analyze' ? 'analyze, buffers' : 'costs';
  const { rows } = await db.query<{ 'QUERY PLAN': string }>({ text: `explain (${options}) ${text}`, values });
  return { sql: text, values: values.map(String), plan: rows.map((row) => row['QUERY PLAN']).join('\n') };
}
