// The lines of a job's file that were refused, and why: read back some at a time.
import type { Queryable } from '../db/database.js';

export interface JobLine {
  readonly line: number;
  readonly text: string;
}

const ADD = { name: 'job-lines-add', text: 'insert into fhir.job_line (job, line, text) select $1, line, text from unnest($2::bigint[], $3::text[]) as given (line, text)' };
const READ = { name: 'job-lines-read', text: 'select line, text from fhir.job_line where job = $1 and line > $2 order by line limit $3' };

export async function addLines(db: Queryable, job: string, lines: readonly JobLine[]): Promise<void> {
  if (lines.length === 0) return;
  await db.query({ ...ADD, values: [job, lines.map(({ line }) => line), lines.map(({ text }) => text)] });
}

/** The first `most` of those behind the line `after`. */
export async function readLines(db: Queryable, job: string, after: number, most: number): Promise<JobLine[]> {
  const { rows } = await db.query<JobLine>({ ...READ, values: [job, after, most] });
  return [...rows];
}
