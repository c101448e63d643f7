// The links of a search's pages: where they lead, and that they lead there still when others write. https://hl7.org/fhir/R4/http.html#paging
import { startServer, type Answer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';

const TOTAL = 23;

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  const entry = Array.from({ length: TOTAL }, (_, index) => [
    { resource: { resourceType: 'Basic', id: `b${String(index).padStart(2, '0')}`, code: { text: 'x' }, identifier: [{ value: 'private-9000000009' }] }, request: { method: 'PUT', url: `Basic/b${String(index).padStart(2, '0')}` } },
    ...(index < 5 ? [{ resource: { resourceType: 'Group', id: `g${index}`, type: 'person', actual: true }, request: { method: 'PUT', url: `Group/g${index}` } }] : []),
  ]).flat();
  const { status, text } = await server.send('POST', '', { token: server.tokens.admin, body: { resourceType: 'Bundle', type: 'transaction', entry } });
  if (status !== 200) throw new Error(text);
});
afterAll(() => server.close());

const get = (url: string, headers: Record<string, string> = {}) => server.send('GET', url.replace(`${server.base}/`, '').replace(`${server.base}?`, '?'), { token: server.tokens.admin, headers });
const ids = ({ body }: Answer): string[] => (body.entry ?? []).map((entry: any) => entry.resource.id);
const link = ({ body }: Answer, relation: string): string | undefined => body.link.find((one: any) => one.relation === relation)?.url;
const relations = ({ body }: Answer): string[] => body.link.map((one: any) => one.relation);

async function forward(query: string): Promise<Answer[]> {
  const pages = [await get(query)];
  for (let next = link(pages[0] as Answer, 'next'); next !== undefined; next = link(pages.at(-1) as Answer, 'next')) pages.push(await get(next));
  return pages;
}

test.each(['Basic?_count=5', 'Basic?_count=5&_sort=-_id', 'Basic?_count=4&_sort=-_lastUpdated', 'Basic?_count=5&_sort=author', 'Basic?identifier=private-9000000009&_count=5', '?_type=Basic,Group&_count=6'])('%s: back is the way that was come', async (query) => {
  const pages = await forward(query);
  expect(pages.length).toBeGreaterThan(4);
  expect(relations(pages[0] as Answer)).toEqual(['self', 'next']);
  expect(relations(pages[1] as Answer)).toEqual(['self', 'first', 'previous', 'next']);
  expect(relations(pages.at(-1) as Answer)).toEqual(['self', 'first', 'previous']);
  let page = pages.at(-1) as Answer;
  for (let number = pages.length - 2; number >= 0; number -= 1) {
    page = await get(link(page, 'previous') ?? '');
    expect(ids(page)).toEqual(ids(pages[number] as Answer));
  }
  expect(link(page, 'previous')).toBeUndefined();
  for (const other of pages.slice(1)) {
    expect(ids(await get(link(other, 'first') ?? ''))).toEqual(ids(pages[0] as Answer));
    expect(ids(await get(link(other, 'self') ?? ''))).toEqual(ids(other));
  }
});

test('a page begins where it began, whoever writes meanwhile', async () => {
  const pages = await forward('Basic?_count=5&_sort=_id');
  await server.send('PUT', 'Basic/a', { token: server.tokens.admin, body: { resourceType: 'Basic', id: 'a', code: { text: 'x' } } });
  const back = await get(link(pages[2] as Answer, 'previous') ?? '');
  expect(ids(back)).toEqual(ids(pages[1] as Answer));
  await server.send('DELETE', 'Basic/a', { token: server.tokens.admin });
});

test('links are whole URLs, and those of pages carry no value of the search', async () => {
  for (const page of (await forward('Basic?identifier=private-9000000009&_count=5')).slice(1)) {
    for (const { url } of page.body.link) {
      expect(url).toMatch(/^http:\/\/[^/]+\/fhir\/R4\/Basic\?_page=[\w-]+$/);
      expect(Buffer.from(url.split('=')[1], 'base64url').toString('latin1')).not.toContain('9000000009');
    }
  }
});

test('a long way does not make long links', async () => {
  const pages = await forward('Basic?_count=1&_sort=-_lastUpdated');
  expect(pages).toHaveLength(TOTAL);
  expect((link(pages.at(-2) as Answer, 'next') ?? '').length).toBeLessThan(3000);
  let page = pages.at(-1) as Answer;
  for (let step = 1; step <= 10; step += 1) page = await get(link(page, 'previous') ?? '');
  expect(ids(page)).toEqual(ids(pages.at(-11) as Answer));
});

test('the total stays what it is from page to page, and back', async () => {
  const pages = await forward('Basic?_count=10&_total=accurate');
  expect(pages.map(({ body }) => body.total)).toEqual([TOTAL, TOTAL, TOTAL]);
  const first = await get(link(pages[2] as Answer, 'first') ?? '');
  expect(first.body.total).toBe(TOTAL);
  const plain = await forward('Basic?_count=10');
  expect(plain.map(({ body }) => body.total)).toEqual([undefined, undefined, undefined]);
});

test('a POST search pages by GET, forth and back', async () => {
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const first = await server.send('POST', 'Basic/_search?_count=10', { token: server.tokens.admin, body: '_sort=_id', headers: form });
  const second = await get(link(first, 'next') ?? '');
  expect(ids(await get(link(second, 'previous') ?? ''))).toEqual(ids(first));
  const system = await server.send('POST', '_search', { token: server.tokens.admin, body: '_type=Group&_count=2', headers: form });
  expect(ids(system)).toEqual(['g0', 'g1']);
  expect(ids(await get(link(system, 'next') ?? ''))).toEqual(['g2', 'g3']);
});

test('the self link of several types lists what was used', async () => {
  const answer = await get('?_type=Basic,Group&_count=2&shoe-size=43&_sort=_id');
  expect(link(answer, 'self')).toBe(`${server.base}?_type=Basic%2CGroup&_count=2&_sort=_id`);
  expect(answer.body.entry.at(-1).search.mode).toBe('outcome');
  expectRefusal(await get('?_type=Basic&shoe-size=43', { prefer: 'handling=strict' }), 400, { expression: 'shoe-size' });
});

test('HEAD is GET without the body', async () => {
  const answer = await server.send('HEAD', 'Basic?_count=5', { token: server.tokens.admin });
  expect(answer.status).toBe(200);
  expect(answer.text).toBe('');
  expect(answer.headers['content-type']).toMatch(/fhir\+json/);
  expect((await server.send('HEAD', 'Basic?_count=x', { token: server.tokens.admin })).status).toBe(400);
});

test.each(['first', 'previous'])('a %s link that was changed is refused', async (relation) => {
  const second = await get(link(await get('Basic?_count=5'), 'next') ?? '');
  const url = link(second, relation) ?? '';
  expectRefusal(await get(`${url.slice(0, -4)}AAAA`), 400);
  expectRefusal(await get(url.replace('/Basic?', '/Group?')), 400);
});

test.each(['Basic?_count=5', '?_type=Basic,Group&_count=6', 'Basic/_history?_count=5', 'Basic/b00/_history?_count=1', 'Patient/$everything?_count=1'])('%s: the pages of what was asked for in XML come in XML', async (query) => {
  if (query.includes('everything')) for (const id of ['e1', 'e2', 'e3']) await server.send('PUT', `Patient/${id}`, { token: server.tokens.admin, body: { resourceType: 'Patient', id } });
  if (query.includes('b00')) for (const text of ['y', 'z']) await server.send('PUT', 'Basic/b00', { token: server.tokens.admin, body: { resourceType: 'Basic', id: 'b00', code: { text } } });
  const linkOf = ({ text }: Answer, relation: string): string => (new RegExp(`<relation value="${relation}"/><url value="([^"]*)"`).exec(text)?.[1] ?? '').replaceAll('&amp;', '&');
  const first = await get(`${query}&_format=application/fhir%2Bxml&_pretty=false`);
  const second = await get(linkOf(first, 'next'), { accept: 'application/fhir+json' });
  const back = await get(linkOf(second, 'previous'));
  for (const answer of [first, second, back, await get(linkOf(second, 'first')), await get(linkOf(second, 'self'))]) {
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/fhir+xml; charset=utf-8']);
  }
  const plain = link(await get(query), 'next') ?? '';
  expect(plain).not.toContain('_format');
  expect((await get(plain, { accept: 'application/fhir+xml' })).headers['content-type']).toBe('application/fhir+xml; charset=utf-8');
});
