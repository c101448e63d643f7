// A search parameter is switched on while clients write through two servers on one database, of which the one is killed again and again:
// no search ever answers in part, and in the end each resource is found.
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '../../src/db/pool.js';
import { startTwoServers, type TwoServers } from './two-servers.js';

jest.setTimeout(300_000);

const BEFORE = 2500;
let two: TwoServers;
beforeAll(async () => {
  two = await startTwoServers();
});
afterAll(() => two.end());

const basic = (id: string): object => ({ resourceType: 'Basic', id, code: { text: 'x' }, extension: [{ url: 'http://e.example/mark', valueString: `mark ${id}` }] });

test('two servers, one killed in the middle of the reindex, and writes on both', async () => {
  for (let from = 0; from < BEFORE; from += 500) {
    const entry = Array.from({ length: 500 }, (_, index) => ({ resource: basic(`old-${from + index}`), request: { method: 'PUT', url: `Basic/old-${from + index}` } }));
    expect((await two.send(0, 'POST', '', { body: { resourceType: 'Bundle', type: 'transaction', entry } })).status).toBe(200);
  }
  await two.send(0, 'PUT', 'SearchParameter/mark', {
    body: { resourceType: 'SearchParameter', id: 'mark', url: 'http://e.example/sp/mark', name: 'mark', status: 'active', description: 'x', code: 'mark', base: ['Basic'], type: 'string', expression: "Basic.extension('http://e.example/mark').value" },
  });

  let ended = false;
  const wrong: string[] = [];
  const written: string[] = [];
  /** Writes on each of the servers, of which one always knows first. */
  const writer = async (which: number): Promise<void> => {
    for (let count = 0; !ended; count += 1) {
      const id = `new-${which}-${count}`;
      const answer = await two.send(which, 'PUT', `Basic/${id}`, { body: basic(id) });
      if (![200, 201].includes(answer.status)) wrong.push(`${id}: ${answer.status} ${answer.text}`);
      else written.push(id);
      // One of before is changed as well: the reindex must leave its newer rows alone.
      await two.send(which, 'PUT', `Basic/old-${(count * 7 + which) % BEFORE}`, { body: basic(`old-${(count * 7 + which) % BEFORE}`) });
    }
  };
  /** Whoever answers a search must have looked at everything. */
  const searcher = async (which: number): Promise<void> => {
    while (!ended) {
      const known = written.length;
      const answer = await two.send(which, 'GET', 'Basic?mark=mark&_summary=count', { headers: { prefer: 'handling=strict' } });
      if (answer.status === 200 && answer.body.total < BEFORE + known) wrong.push(`${answer.body.total} of ${BEFORE + known}`);
      else if (![200, 400].includes(answer.status)) wrong.push(`${answer.status} ${answer.text}`);
      await sleep(30);
    }
  };
  const database = openDatabase({ url: two.clone.url, size: 2, prepared: false });
  const position = async (): Promise<number> => (await database.query<{ position: number }>({ text: "select position from fhir.job where type = 'reindex'", values: [] })).rows[0]?.position ?? 0;
  const all = [writer(0), writer(1)];
  const activated = await two.send(1, 'POST', 'SearchParameter/mark/$activate');
  expect(activated.status).toBe(202);
  const job = /_jobs\/[^/]+$/.exec(activated.headers['content-location'] ?? '')?.[0] ?? '';
  while ((await position()) < 400) await sleep(5);
  const at = await position();
  await two.killAndRestart(1);
  expect(at).toBeLessThan(BEFORE);
  all.push(searcher(1), searcher(0));
  // The other one goes on when nothing has been heard of the dead.
  for (let tries = 0; (await two.send(0, 'GET', job)).status !== 200; tries += 1) {
    expect(tries).toBeLessThan(600);
    await sleep(100);
  }
  await sleep(2500);
  ended = true;
  await Promise.all(all);
  expect(wrong).toEqual([]);
  expect(written.length).toBeGreaterThan(10);
  for (const which of [0, 1]) {
    const { body } = await two.send(which, 'GET', 'Basic?mark=mark&_summary=count');
    expect(body.total).toBe(BEFORE + written.length);
    for (const id of ['old-0', `old-${BEFORE - 1}`, written[0], written.at(-1)]) expect((await two.send(which, 'GET', `Basic?mark:exact=mark ${id}`)).body.entry.map((entry: any) => entry.resource.id)).toEqual([id]);
  }
  expect((await database.query<{ count: number }>({ text: 'select count(*) as count from (select id from fhir.string_index group by id, param, value having count(*) > 1) d', values: [] })).rows[0]?.count).toBe(0);
  await database.close();
});
