// How many resources a search matches: counted, or as PostgreSQL's planner guesses. https://hl7.org/fhir/R4/search.html#total
import { totalStatement } from '../search/compile.js';
import type { Grant } from '../search/grant.js';
import type { Query } from '../search/query.js';
import type { FrequencyOf } from '../search/token-frequency.js';
import type { Ground } from './visible-rows.js';

/** The members of EXPLAIN's JSON that are read. https://www.postgresql.org/docs/current/sql-explain.html */
interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Plan Rows': number;
  readonly 'Workers Planned'?: number;
  readonly Plans?: readonly PlanNode[];
}

export async function countOf({ db, definitions }: Ground, frequencyOf: FrequencyOf, grant: Grant, query: Query): Promise<number> {
  const { rows } = await db.query<{ total: number }>(totalStatement(definitions, query, grant, frequencyOf));
  return rows[0]?.total ?? 0;
}

export async function estimateOf({ db, definitions }: Ground, frequencyOf: FrequencyOf, grant: Grant, query: Query): Promise<number> {
  const { text, values } = totalStatement(definitions, query, grant, frequencyOf);
  const { rows } = await db.query<{ 'QUERY PLAN': string }>({ text: `explain (format json) ${text}`, values });
  const [explained] = JSON.parse(rows[0]?.['QUERY PLAN'] ?? '[]') as readonly { readonly Plan: PlanNode }[];
  return explained ? rowsBelowCount(explained.Plan) : 0;
}

/** The rows that the count at the top is fed; of a parallel plan each worker, and the leader, has its share. */
function rowsBelowCount(node: PlanNode, share = 1): number {
  const below = node.Plans?.find((plan) => !('Subplan Name' in plan));
  if (below && ['Aggregate', 'Gather', 'Gather Merge'].includes(node['Node Type'])) {
    return rowsBelowCount(below, share * (1 + (node['Workers Planned'] ?? 0)));
  }
  return Math.round(node['Plan Rows'] * share);
}
