// How many rows each table of the service holds: a refused request must leave all of them as they were.
import type { TestServer } from '../server.js';

interface Counted {
  readonly name: string;
  readonly rows: number;
}

/** Rows by table of the schema `fhir`, of all tables that hold any; but what is recorded of requests grows with the refused ones, too. */
export async function rowCounts({ database }: Pick<TestServer, 'database'>): Promise<Readonly<Record<string, number>>> {
  await untilSwept(database);
  const tables = await database.query<{ name: string }>({ text: `select tablename as name from pg_tables where schemaname = 'fhir' and tablename not like 'audit\\_%' order by 1`, values: [] });
  const counts = tables.rows.map(({ name }) => `select '${name}' as name, count(*)::int as rows from fhir."${name}"`);
  const { rows } = await database.query<Counted>({ text: counts.join(' union all '), values: [] });
  return Object.fromEntries(rows.filter((one) => one.rows > 0).map((one) => [one.name, one.rows]));
}

/** The sweep that every start begins leaves a row of its own, which is nobody's request. */
async function untilSwept(database: TestServer['database']): Promise<void> {
  while ((await database.query({ text: 'select from fhir.person_sweep', values: [] })).count === 0) await new Promise((resolve) => setTimeout(resolve, 20));
}
