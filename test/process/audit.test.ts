// The record of who did what through a stop, a crash and the command that verifies it.
import { setTimeout as sleep } from 'node:timers/promises';
import { build, runCommand, type ServerProcess, startServer, temporaryFolder, tokenFor } from './server-process.js';

jest.setTimeout(180_000);

let data: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess | undefined;
beforeAll(build, 120_000);
beforeEach(async () => {
  data = await temporaryFolder();
  token = undefined;
});
afterEach(async () => {
  server?.child.kill('SIGTERM');
  await server?.exited();
  server = undefined;
  await data.remove();
});

let token: string | undefined;
const fhir = async (path: string): Promise<any> => {
  token ??= await tokenFor('admin', data.path);
  return (await fetch(`${server?.base ?? ''}${path}`, { headers: { authorization: `Bearer ${token}` } })).json();
};
const events = async (query: string): Promise<any[]> => ((await fhir(`/AuditEvent?${query}`)).entry ?? []).map(({ resource }: any) => resource);
const DICOM = 'http://dicom.nema.org/resources/ontology/DCM';

test('what was read just before SIGTERM is on record, the stop is told, and nothing is said to be missing', async () => {
  server = await startServer({ dataDir: data.path });
  await fhir('/metadata');
  await Promise.all(Array.from({ length: 30 }, (_, index) => fhir(`/Basic/last-${index}`)));
  server.child.kill('SIGTERM');
  expect(await server.exited()).toBe(0);
  server = await startServer({ dataDir: data.path });
  expect(await events('subtype=read&outcome=4&_count=100')).toHaveLength(30);
  expect(await events(`subtype=${DICOM}|110121`)).toHaveLength(1);
  expect(await events(`subtype=${DICOM}|110120`)).toHaveLength(2);
  expect(await events(`type=${DICOM}|110113`)).toEqual([]);
});

test('after kill -9 the gap is on record, and since when events may be missing', async () => {
  server = await startServer({ dataDir: data.path });
  await fhir('/Basic/first');
  await sleep(3000);
  const killed = Date.now();
  server.child.kill('SIGKILL');
  await server.exited();
  server = await startServer({ dataDir: data.path });
  let gaps: any[] = [];
  for (let tries = 0; tries < 160 && gaps.length === 0; tries += 1) {
    await sleep(500);
    gaps = await events(`type=${DICOM}|110113`);
  }
  expect(gaps).toHaveLength(1);
  const since = /unclean stop; events since (\S+) may be missing/.exec(gaps[0].outcomeDesc)?.[1] ?? '';
  expect(killed - Date.parse(since)).toBeGreaterThanOrEqual(0);
  expect(killed - Date.parse(since)).toBeLessThan(6000);
  expect(await events('subtype=read&entity=Basic/first')).toHaveLength(1);
});

test('audit verify tells that the trail is whole, holds it to a head noted before, and ends with 1 where it is not', async () => {
  server = await startServer({ dataDir: data.path });
  await fhir('/Basic/first');
  await sleep(200);
  const verify = (...args: string[]) => runCommand(['audit', 'verify', ...args], { DATA_DIR: data.path });
  const whole = await verify();
  expect([whole.code, whole.stdout]).toEqual([0, expect.stringMatching(/The audit trail is whole: \d+ events\. Its head is \d+:[0-9a-f]{64};/)]);
  const head = /head is (\S+);/.exec(whole.stdout)?.[1] ?? '';
  expect((await verify('--head', head)).code).toBe(0);
  const other = await verify('--head', `1:${'0'.repeat(64)}`);
  expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('The audit trail is broken: the chain does not hold')]);
});
