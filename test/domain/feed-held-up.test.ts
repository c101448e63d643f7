// A file meets rows that others hold for longer than a statement may take: it waits its turn again, and nothing of it is lost or done twice.
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer, type TestServer } from '../server.js';
import { csv, finished, reportOf, row, send } from './feed-files.js';
import { newKey, numbers, register, statusOf } from './people.js';

const STATEMENT_TIMEOUT_MS = 400;
const DATE = '2026-04-01T00:00:00Z';

let server: TestServer;
const newNumber = numbers(999_810_000);
beforeAll(async () => {
  server = await startServer({ STATEMENT_TIMEOUT_MS: String(STATEMENT_TIMEOUT_MS) });
});
afterAll(() => server.close());

test('a patient that is held for twice as long as a statement may take gets the status all the same', async () => {
  const [number, other] = [newNumber(), newNumber()];
  const id = await register(server, number);
  await register(server, other);
  const accepted = await server.database.transaction(async (db) => {
    await db.query({ text: 'select from fhir."Patient" where id = $1 for update', values: [id] });
    const sent = await send(server, csv(row(newKey(), 'likely-chargeable', DATE, number), row(newKey(), 'paid-or-exempt', DATE, other)));
    await sleep(2 * STATEMENT_TIMEOUT_MS);
    return sent;
  });
  const { counts } = await reportOf(server, await finished(server, accepted), server.tokens.admin);
  expect(counts).toMatchObject({ received: 2, accepted: 2, matched: 2, refused: 0 });
  expect((await statusOf(server, number)).basic).toMatchObject({ code: 'Y' });
  expect((await statusOf(server, other)).basic).toMatchObject({ code: 'N' });
});
