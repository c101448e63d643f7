// A bulk export while clients write through two servers, both killed in its course: its files are of one moment, with all that was answered before it.
import { setTimeout as sleep } from 'node:timers/promises';
import { startTwoServers, type TwoServers } from './two-servers.js';

jest.setTimeout(300_000);

const MANY = 3000;
let two: TwoServers;
beforeAll(async () => {
  two = await startTwoServers();
});
afterAll(() => two.end());

const basic = (id: string, number: number): object => ({ resourceType: 'Basic', id, code: { text: `number ${number}` } });
const puts = (resources: readonly any[]): object => ({ resourceType: 'Bundle', type: 'transaction', entry: resources.map((resource) => ({ resource, request: { method: 'PUT', url: `Basic/${resource.id}` } })) });
const jobPath = (url = ''): string => /_jobs\/.+$/.exec(url)?.[0] ?? '';

async function manifestOf(job: string): Promise<any> {
  for (;;) {
    const answer = await two.send(1, 'GET', job);
    if (answer.status === 200) return answer.body;
    expect(answer.status).toBe(202);
    await sleep(20);
  }
}

/** The number of each, by id. */
async function numbersOf(manifest: any): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const { url, count } of manifest.output) {
    const { text } = await two.send(0, 'GET', jobPath(url));
    const lines = text.trimEnd().split('\n');
    expect(lines).toHaveLength(count);
    for (const line of lines) {
      const { id, code } = JSON.parse(line);
      expect(found.has(id)).toBe(false);
      found.set(id, Number(code.text.slice('number '.length)));
    }
  }
  return found;
}

test('what is written together is exported together, and nothing answered before is missing', async () => {
  for (let from = 0; from < MANY; from += 500) {
    expect((await two.send(0, 'POST', '', { body: puts(Array.from({ length: 500 }, (_, index) => basic(`old-${from + index}`, 0))) })).status).toBe(200);
  }
  let ended = false;
  const answered: { id: string; at: number }[] = [];
  const writer = async (which: number): Promise<void> => {
    for (let count = 1; !ended; count += 1) {
      const id = `new-${which}-${count}`;
      // A pair at either end of what is gone through, and one that is new.
      const answer = await two.send(which, 'POST', '', { body: puts([basic(`a-pair-${which}`, count), basic(id, count), basic(`z-pair-${which}`, count)]) });
      if (answer.status === 200) answered.push({ id, at: Date.now() });
    }
  };
  const writers = [writer(0), writer(1)];
  await sleep(500);
  let since = '';
  const known = new Map<string, number>();
  for (const victim of [0, 1]) {
    const before = answered.map(({ id }) => id);
    const accepted = await two.send(victim, 'GET', `$export?_type=Basic${since === '' ? '' : `&_since=${since}`}`, { headers: { prefer: 'respond-async' } });
    expect(accepted.status).toBe(202);
    await two.killAndRestart(victim);
    const manifest = await manifestOf(jobPath(accepted.headers['content-location']));
    const found = await numbersOf(manifest);
    for (const [id, number] of found) known.set(id, number);
    since = manifest.transactionTime;
    for (const which of [0, 1]) expect([which, known.get(`a-pair-${which}`)]).toEqual([which, known.get(`z-pair-${which}`)]);
    expect(before.filter((id) => !known.has(id))).toEqual([]);
    const moment = Date.parse(since);
    expect(answered.filter(({ id }) => !known.has(id)).every(({ at }) => at > moment)).toBe(true);
  }
  ended = true;
  await Promise.all(writers);
  const last = await manifestOf(jobPath((await two.send(0, 'GET', `$export?_type=Basic&_since=${since}`, { headers: { prefer: 'respond-async' } })).headers['content-location']));
  for (const [id, number] of await numbersOf(last)) known.set(id, number);
  // One export and what changed since are all there is.
  expect(known.size).toBe((await two.send(0, 'GET', 'Basic?_summary=count')).body.total);
  expect(two.failures).toEqual([]);
});
