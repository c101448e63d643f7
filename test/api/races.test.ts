// Many clients at once: one identity stays one, one version has one successor, and nothing fails.
import { startServer, type Answer, type TestServer } from '../server.js';

const SYSTEM = 'https://ids.example';
const MANY = 1000;
const AT_ONCE = 64;

let server: TestServer;
beforeAll(async () => { server = await startServer(); });
afterAll(() => server.close());

const ask = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => server.send(method, path, { token: server.tokens.admin, ...(body !== undefined && { body }), headers });
const patient = (value: string, members: object = {}) => ({ resourceType: 'Patient', identifier: [{ system: SYSTEM, value }], ...members });
const by = (value: string): string => `identifier=${encodeURIComponent(`${SYSTEM}|${value}`)}`;

/** `many` requests by 64 clients. */
async function race(many: number, one: (turn: number) => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = [];
  let next = 0;
  const client = async (): Promise<void> => {
    for (let turn = next++; turn < many; turn = next++) answers.push(await one(turn));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
  return answers;
}

const statusesOf = (answers: readonly Answer[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};

/** The versions of a resource, newest first, over all pages. */
async function versionsOf(path: string): Promise<number[]> {
  const { body } = await ask('GET', `${path}/_history?_count=1000`);
  return body.entry.map(({ response }: any) => Number(/\d+/.exec(response.etag)?.[0]));
}

const downFrom = (highest: number): number[] => Array.from({ length: highest }, (_, index) => highest - index);

test(`${MANY} conditional creates of one identity leave one`, async () => {
  const words = [by('one'), `identifier=${SYSTEM}|one`, `Patient?${by('one')}`, `${by('one')}&active=true`, 'identifier=one'];
  const answers = await race(MANY, (turn) => ask('POST', 'Patient', patient('one', { active: true }), { 'if-none-exist': words[turn % words.length] ?? '', prefer: 'return=minimal' }));
  expect(statusesOf(answers)).toEqual({ 200: MANY - 1, 201: 1 });
  expect(new Set(answers.map(({ headers }) => headers['location'])).size).toBe(1);
  expect((await ask('GET', `Patient?${by('one')}&_total=accurate`)).body.total).toBe(1);
}, 120_000);

test('conditional creates, updates and transactions of one identity leave one, whose versions have no gap', async () => {
  const entry = (method: string, url: string, turn: number, more: object = {}) => ({ resource: patient('mixed', { birthDate: `20${String(10 + (turn % 90))}` }), request: { method, url, ...more } });
  const answers = await race(300, (turn) => {
    if (turn % 3 === 0) return ask('POST', 'Patient', patient('mixed'), { 'if-none-exist': by('mixed') });
    if (turn % 3 === 1) return ask('PUT', `Patient?${by('mixed')}`, patient('mixed', { birthDate: `19${String(10 + (turn % 90))}` }));
    return ask('POST', '', { resourceType: 'Bundle', type: 'transaction', entry: [turn % 2 ? entry('POST', 'Patient', turn, { ifNoneExist: by('mixed') }) : entry('PUT', `Patient?${by('mixed')}`, turn)] });
  });
  expect(answers.every(({ status }) => [200, 201, 409].includes(status))).toBe(true);
  const { body } = await ask('GET', `Patient?${by('mixed')}&_total=accurate`);
  expect(body.total).toBe(1);
  const versions = await versionsOf(`Patient/${body.entry[0].resource.id}`);
  expect(versions).toEqual(downFrom(versions.length));
}, 120_000);

test('of updates with the same If-Match one wins', async () => {
  await ask('PUT', 'Patient/won', { resourceType: 'Patient', id: 'won' });
  const answers = await race(200, (turn) => ask('PUT', 'Patient/won', { resourceType: 'Patient', id: 'won', birthDate: `19${String(10 + (turn % 90))}` }, { 'if-match': 'W/"1"' }));
  const { 200: wins = 0, 409: conflicts = 0, 412: stale = 0 } = statusesOf(answers);
  expect([wins, conflicts + stale]).toEqual([1, 199]);
  expect(await versionsOf('Patient/won')).toEqual([2, 1]);
}, 120_000);

test('of patches, puts and deletes each that succeeds is a version, and the history neither forks nor has gaps', async () => {
  await ask('PUT', 'Patient/busy', { resourceType: 'Patient', id: 'busy', identifier: [{ system: SYSTEM, value: 'busy' }] });
  const answers = await race(300, (turn) => {
    if (turn % 10 === 0) return ask('DELETE', turn % 20 ? 'Patient/busy' : `Patient?${by('busy')}`);
    if (turn % 2) return ask('PUT', 'Patient/busy', { resourceType: 'Patient', id: 'busy', identifier: [{ system: SYSTEM, value: 'busy' }], name: [{ text: String(turn) }] });
    return ask('PATCH', 'Patient/busy', [{ op: 'add', path: '/birthDate', value: `19${String(10 + (turn % 90))}` }], { 'content-type': 'application/json-patch+json' });
  });
  expect(answers.every(({ status }) => [200, 201, 204, 404, 409, 410].includes(status))).toBe(true);
  const versions = await versionsOf('Patient/busy');
  expect(versions).toEqual(downFrom(versions.length));
  const told = answers.flatMap(({ headers, status }) => (status < 300 && headers['etag'] !== undefined ? [Number(/\d+/.exec(headers['etag'])?.[0])] : []));
  expect(new Set([1, ...told])).toEqual(new Set(versions));
}, 120_000);

test('of conditional deletes one deletes, and what comes after makes no version', async () => {
  await ask('PUT', 'Patient/once', { resourceType: 'Patient', id: 'once', identifier: [{ system: SYSTEM, value: 'once' }] });
  const answers = await race(100, () => ask('DELETE', `Patient?${by('once')}`));
  expect(answers.filter(({ headers }) => headers['etag'] !== undefined)).toHaveLength(1);
  expect(await versionsOf('Patient/once')).toEqual([2, 1]);
}, 120_000);
