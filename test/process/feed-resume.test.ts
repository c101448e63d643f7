// A file of statements outlives the process that takes it in: killed at any row and started again, it ends with the same tables and counts
// as in one run; and two processes on one database never work on it both.
import { setTimeout as sleep } from 'node:timers/promises';
import { isNhsNumber } from '../../src/fhir/nhs-number.js';
import { openDatabase } from '../../src/db/pool.js';
import type { Database } from '../../src/db/database.js';
import { cloneDatabase, type TestDatabase } from '../database.js';
import { build, startServer, temporaryFolder, tokenFor, type ServerProcess } from './server-process.js';

jest.setTimeout(300_000);

const ROWS = 6000;
const KNOWN = 300;
const NHS = 'https://fhir.nhs.uk/Id/nhs-number';

function nhsNumbers(count: number): string[] {
  const found: string[] = [];
  for (let stem = 999_600_000; found.length < count; stem += 1) for (let digit = 0; digit < 10; digit += 1) if (isNhsNumber(`${stem}${digit}`)) found.push(`${stem}${digit}`);
  return found;
}

const numbers = nhsNumbers(KNOWN + 50);
const statuses = ['paid-or-exempt', 'likely-chargeable', 'british-citizen', 'nonsense'];
const file = ['key,status,statusDate,nhsNumber', ...Array.from({ length: ROWS }, (_, row) => `K${row % 5900},${statuses[(row * 7) % 11 === 0 ? 3 : row % 3]},2026-0${1 + (row % 6)}-1${row % 10},${numbers[row % numbers.length]}`)].join('\n');

let folder: { path: string; remove(): Promise<void> };
let tokens: { admin: string; homeOffice: string };
beforeAll(async () => {
  await build();
  folder = await temporaryFolder();
  tokens = { admin: await tokenFor('admin', folder.path), homeOffice: await tokenFor('home-office', folder.path) };
});
afterAll(() => folder.remove());

const serverOn = (clone: TestDatabase): Promise<ServerProcess> => startServer({ dataDir: folder.path, environment: { DATABASE_URL: clone.url, DATABASE_POOL_SIZE: '6', LOG_LEVEL: 'silent' } });
const ask = (url: string, method: string, token: string, type = 'application/fhir+json', body?: string): Promise<Response> =>
  fetch(url, { method, headers: { authorization: `Bearer ${token}`, 'content-type': type }, ...(body !== undefined && { body }) });

/** A database with the known patients, a server on it, and the file handed in; gives the id of the job. */
async function begin(): Promise<{ clone: TestDatabase; database: Database; server: ServerProcess; job: string }> {
  const clone = await cloneDatabase();
  const database = openDatabase({ url: clone.url, size: 2, prepared: false });
  const server = await serverOn(clone);
  const entry = numbers.slice(0, KNOWN).map((value, index) => ({ resource: { resourceType: 'Patient', id: `p${index}`, identifier: [{ system: NHS, value }] }, request: { method: 'PUT', url: `Patient/p${index}` } }));
  expect((await ask(server.base, 'POST', tokens.admin, undefined, JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry }))).status).toBe(200);
  const answer = await ask(`${server.base}/$ingest-status-feed?mode=full`, 'POST', tokens.homeOffice, 'text/csv', file);
  expect(answer.status).toBe(202);
  return { clone, database, server, job: (answer.headers.get('content-location') ?? '').split('/').at(-1) ?? '' };
}

async function ended(base: string, job: string): Promise<any> {
  for (let tries = 0; tries < 1200; tries += 1) {
    const answer = await ask(`${base}/_jobs/${job}`, 'GET', tokens.admin);
    if (answer.status === 200) return (await answer.json() as any).parameter;
    if (answer.status !== 202) throw new Error(await answer.text());
    await sleep(100);
  }
  throw new Error('the job does not end');
}

/** What the tables hold, without what differs from run to run: made-up ids and moments. */
async function tables(database: Database): Promise<unknown> {
  const list = async (text: string): Promise<readonly unknown[]> => (await database.query({ text, values: [] })).rows;
  return {
    statements: await list('select s.source, s.number, s.patient, s.claim, s.settled, k.key from fhir.home_office_statement s join fhir.home_office_key k on k.statement = s.id order by k.key'),
    statuses: await list('select c.patient, c.number, c.changes, c.source, c.basic, c.category, c.decided, jsonb_array_length(c.assertions::jsonb) as asserted, k.key from fhir.chargeable_status c left join fhir.home_office_key k on k.statement = c.winner order by c.patient'),
    observations: await list('select count(*) as count, sum(version) as versions from fhir."Observation"'),
    patients: await list('select id, version from fhir."Patient" order by id'),
    history: await list('select type, id, version from fhir.history where type = \'Patient\' order by id, version'),
    tasks: await list('select count(*) as count from fhir."Task"'),
    conflicts: await list('select key, id from fhir.home_office_conflict order by key, id'),
    litter: await list('select job from fhir.job_file union all select job from fhir.job_key'),
  };
}

async function end(run: { clone: TestDatabase; database: Database }, servers: readonly ServerProcess[]): Promise<void> {
  for (const { child, exited } of servers) {
    child.kill('SIGTERM');
    await exited();
  }
  await run.database.close();
  await run.clone.drop();
}

test('killed at a random row and started again, by two processes at once, it ends as an unbroken run does', async () => {
  const whole = await begin();
  const counts = await ended(whole.server.base, whole.job);
  const expected = await tables(whole.database);
  await end(whole, [whole.server]);
  const count = (name: string): number => counts.find((one: any) => one.name === name).valueInteger;
  expect([count('received'), count('accepted') + count('refused') + count('unchanged')]).toEqual([ROWS, ROWS]);
  expect(Math.min(count('accepted'), count('refused'), count('conflicting'), count('quarantined'))).toBeGreaterThan(0);

  const broken = await begin();
  const position = async (): Promise<number> => (await broken.database.query<{ position: number }>({ text: 'select position from fhir.job where id = $1', values: [broken.job] })).rows[0]?.position ?? 0;
  const stopAt = Math.random() * file.length * 0.8;
  while ((await position()) < stopAt) await sleep(5);
  broken.server.child.kill('SIGKILL');
  await broken.server.exited();
  expect(await position()).toBeLessThan(file.length);
  const two = await Promise.all([serverOn(broken.clone), serverOn(broken.clone)]);
  expect(await ended(two[0].base, broken.job)).toEqual(counts);
  expect(await tables(broken.database)).toEqual(expected);
  await end(broken, two);
});
