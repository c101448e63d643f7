// A full file says all that its source holds. What it leaves out is counted and reported, and changes nothing: nobody has ruled that
// silence withdraws a statement, and a file cut short must not take a thousand people's status away (domain.md ruling 5).
import type { Queryable } from '../db/database.js';

const ADD = { name: 'job-keys-add', text: 'insert into fhir.job_key (job, key) select $1, key from unnest($2::text[]) as key on conflict do nothing' };
const ABSENT = {
  name: 'job-keys-absent',
  text: 'select count(*) as count from fhir.home_office_key where source = $2 and key not in (select key from fhir.job_key where job = $1)',
};

export async function addJobKeys(db: Queryable, job: string, keys: readonly string[]): Promise<void> {
  if (keys.length > 0) await db.query({ ...ADD, values: [job, keys] });
}

/** How many keys of the source the file did not hold. */
export async function absentCount(db: Queryable, job: string, source: string): Promise<number> {
  const { rows } = await db.query<{ count: number }>({ ...ABSENT, values: [job, source] });
  return rows[0]?.count ?? 0;
}
