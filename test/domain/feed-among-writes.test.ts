// A file is judged before its transaction: whatever comes between is met, and leaves the same as if one had come after the other.
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer, type TestServer } from '../server.js';
import { csv, finished, reportOf, row, send, type Report } from './feed-files.js';
import { assessed, codeOf, deliver, newKey, numbers, register, shownBy, state, statementBody, statusOf } from './people.js';

let server: TestServer;
const newNumber = numbers(999_800_000);
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const versionsOf = async (id: string): Promise<number[]> =>
  (await server.send('GET', `Patient/${id}/_history`, { token: server.tokens.admin })).body.entry.map(({ resource }: any) => Number(resource.meta.versionId)).sort();

async function waitsForKey(): Promise<void> {
  const text = 'select 1 from pg_stat_activity where datname = current_database() and wait_event_type = \'Lock\' and query like \'%home_office_key%\'';
  for (let tries = 0; tries < 500; tries += 1) {
    if ((await server.database.query({ text, values: [] })).count > 0) return;
    await sleep(20);
  }
  throw new Error('the file is not held up');
}

function signal(): [Promise<void>, () => void] {
  let give: () => void = () => undefined;
  return [new Promise<void>((resolve) => { give = resolve; }), () => { give(); }];
}

/** Takes a file in of which one key is held by another transaction, so that it stands still after it was judged; `act` comes then, and the key is given up. */
async function ingestAround(file: string, key: string, act: () => Promise<unknown>): Promise<Report> {
  const [held, hold] = signal();
  const [over, giveUp] = signal();
  const holding = server.database.transaction(async (db) => {
    await db.query({ text: 'insert into fhir.home_office_key (key, source, statement) values ($1, \'HO\', \'nobody\')', values: [key] });
    hold();
    await over;
    throw new Error('given up');
  });
  holding.catch(() => undefined);
  await held;
  const accepted = await send(server, file);
  await waitsForKey();
  await act();
  giveUp();
  await expect(holding).rejects.toThrow('given up');
  return reportOf(server, await finished(server, accepted), server.tokens.admin);
}

const DATE = '2026-04-01T00:00:00Z';

test('a Patient who is changed in between keeps the change and gets the status', async () => {
  const [number, other] = [newNumber(), newNumber()];
  const [id, beside] = [await register(server, number), await register(server, other)];
  const key = newKey();
  const file = csv(row(key, 'likely-chargeable', DATE, number), row(newKey(), 'paid-or-exempt', DATE, other));
  const { counts } = await ingestAround(file, key, () => server.send('PATCH', `Patient/${id}`, { token: server.tokens.admin, body: [{ op: 'replace', path: '/gender', value: 'male' }], headers: { 'content-type': 'application/json-patch+json' } }));
  expect(counts).toMatchObject({ received: 2, accepted: 2, matched: 2, refused: 0 });
  const { body } = await server.send('GET', `Patient/${id}`, { token: server.tokens.admin });
  expect([body.gender, body.meta.versionId, codeOf((await statusOf(server, number))['basic'])]).toEqual(['male', '3', 'Y']);
  expect([await versionsOf(id), await versionsOf(beside)]).toEqual([[1, 2, 3], [1, 2]]);
});

test('an assessment in between that changes no answer is still counted, and answers when the statement is taken back', async () => {
  const number = newNumber();
  const id = await register(server, number);
  await state(server, number, 'paid-or-exempt', '2026-03-01T00:00:00Z');
  const key = newKey();
  await ingestAround(csv(row(key, 'likely-chargeable', DATE, number)), key, () => assessed(server, id, 'A', '2026-02-01T00:00:00Z'));
  expect(codeOf((await statusOf(server, number))['basic'])).toBe('Y');
  const { rows } = await server.database.query<{ assertions: string }>({ text: 'select assertions from fhir.chargeable_status where patient = $1', values: [id] });
  expect(JSON.parse(rows[0]?.assertions ?? '[]').map(({ decidedAt }: any) => new Date(decidedAt).getUTCMonth())).toEqual([2, 1, 3]);
});

test('an NHS number that goes to another Patient in between takes the statement along', async () => {
  const number = newNumber();
  const id = await register(server, number);
  const key = newKey();
  let heir = '';
  const { counts } = await ingestAround(csv(row(key, 'likely-chargeable', DATE, number)), key, async () => {
    const { status } = await server.send('PUT', `Patient/${id}`, { token: server.tokens.admin, body: { resourceType: 'Patient', id, name: [{ family: 'Sample' }] } });
    expect(status).toBe(200);
    heir = await register(server, number);
  });
  expect(counts).toMatchObject({ accepted: 1, matched: 1 });
  expect(codeOf((await statusOf(server, number))['basic'])).toBe('Y');
  expect([await shownBy(server, id), (await shownBy(server, heir)) !== undefined]).toEqual([undefined, true]);
});

test('a Patient who is deleted in between leaves the statement to whoever comes with the number', async () => {
  const number = newNumber();
  const id = await register(server, number);
  const key = newKey();
  const { counts } = await ingestAround(csv(row(key, 'likely-chargeable', DATE, number)), key, () => server.send('DELETE', `Patient/${id}`, { token: server.tokens.admin }));
  expect(counts).toMatchObject({ accepted: 1, matched: 0, quarantined: 1 });
  await register(server, number);
  expect(codeOf((await statusOf(server, number))['basic'])).toBe('Y');
});

test('a key that comes in between by a single statement is known to the file', async () => {
  const [number, other, third] = [newNumber(), newNumber(), newNumber()];
  for (const one of [number, other, third]) await register(server, one);
  // Keys are taken in their order: behind the first, the others are still free.
  const [held, key, another] = ['AMONG-1', 'AMONG-2', 'AMONG-3'] as const;
  const file = csv(row(held, 'likely-chargeable', DATE, number), row(key, 'likely-chargeable', DATE, other), row(another, 'likely-chargeable', DATE, third));
  const { counts, lines } = await ingestAround(file, held, async () => {
    await deliver(server, statementBody(other, 'likely-chargeable', DATE, key));
    await deliver(server, statementBody(third, 'british-citizen', DATE, another));
  });
  expect(counts).toMatchObject({ received: 3, accepted: 1, unchanged: 1, conflicting: 1 });
  expect(Object.keys(lines)).toEqual(['4']);
  expect(codeOf((await statusOf(server, number))['basic'])).toBe('Y');
});

test('one person meant by two numbers, by number and by demographics, and twice by one, is told all of it in the order of the file', async () => {
  const [number, second, other] = [newNumber(), newNumber(), newNumber()];
  const two = [number, second].map((value) => ({ system: 'https://fhir.nhs.uk/Id/nhs-number', value }));
  const id = await register(server, number, { identifier: two, name: [{ family: 'Twice', given: ['Ada'] }], address: [{ postalCode: 'LS9 9ZZ' }] });
  const plain = await register(server, other);
  const keys = Array.from({ length: 5 }, () => newKey());
  const file = csv(
    row(keys[0]!, 'likely-chargeable', '2026-01-01', number), row(keys[1]!, 'paid-or-exempt', '2026-01-02', second), row(keys[2]!, 'british-citizen', '2026-01-03', '', 'Twice,Ada,1980-02-29,female,LS9 9ZZ'),
    row(keys[3]!, 'likely-chargeable', '2026-01-02', other), row(keys[4]!, 'paid-or-exempt', '2026-01-01', other),
  );
  const { counts } = await reportOf(server, await finished(server, await send(server, file)), server.tokens.admin);
  expect(counts).toMatchObject({ received: 5, accepted: 5, matched: 5 });
  expect([await versionsOf(id), await versionsOf(plain)]).toEqual([[1, 2, 3, 4], [1, 2]]);
  expect([codeOf((await statusOf(server, number))['basic']), codeOf((await statusOf(server, other))['basic'])]).toEqual(['N', 'Y']);
});
