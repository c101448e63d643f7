// Pages of a search, by the next link alone. https://hl7.org/fhir/R4/http.html#paging
import { startServer, type Answer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';

const SYSTEM = 'https://ids.example';
const TOTAL = 53;

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  await load('p', TOTAL);
});
afterAll(() => server.close());

const patient = (id: string, index: number) => ({
  resourceType: 'Patient', id, identifier: [{ system: SYSTEM, value: 'secret-value' }], ...(index % 7 && { name: [{ family: `Fam${index % 5}` }] }), ...(index % 4 && { birthDate: `19${50 + (index % 9)}` }),
});
async function load(prefix: string, count: number): Promise<void> {
  const entry = Array.from({ length: count }, (_, index) => ({ resource: patient(`${prefix}${index}`, index), request: { method: 'PUT', url: `Patient/${prefix}${index}` } }));
  const { status, text } = await server.send('POST', '', { token: server.tokens.admin, body: { resourceType: 'Bundle', type: 'transaction', entry } });
  if (status !== 200) throw new Error(text);
}
const get = (url: string, token = server.tokens.admin) => server.send('GET', url.replace(`${server.base}/`, ''), { token });
const ids = ({ body }: Answer): string[] => (body.entry ?? []).map((entry: any) => entry.resource.id);
const next = ({ body }: Answer): string | undefined => body.link.find((one: any) => one.relation === 'next')?.url;

/** Follows the next links from a first page; `between` runs before each. */
async function allPages(url: string, between: (page: number) => Promise<unknown> = () => Promise.resolve()): Promise<string[]> {
  const seen: string[] = [];
  let page = await get(url);
  for (let number = 1; ; number++) {
    expect(page.status).toBe(200);
    seen.push(...ids(page));
    const link = next(page);
    if (link === undefined) return seen;
    await between(number);
    page = await get(link);
  }
}

test.each(['', '_sort=_id', '_sort=-_id', '_sort=birthdate', '_sort=-birthdate', '_sort=family,birthdate', '_sort=-family,_id', '_sort=_lastUpdated', '_sort=-_lastUpdated', `identifier=${SYSTEM}|secret-value`, 'birthdate=lt1955'])(
  'pages of "%s" hold every match once',
  async (query) => {
    const whole = ids(await get(`Patient?${query}&_count=1000`));
    expect(new Set(whole).size).toBe(whole.length);
    for (const count of [1, 7, 10]) {
      if (count === 1 && query !== '') continue;
      expect(await allPages(`Patient?${query}&_count=${count}`)).toEqual(whole);
    }
  },
);

test('a page that is exactly full is the last', async () => {
  expect(next(await get(`Patient?_count=${TOTAL}`))).toBeUndefined();
  expect(next(await get(`Patient?_count=${TOTAL - 1}`))).toBeDefined();
});

test('what is written while someone pages neither repeats nor hides another', async () => {
  const before = ids(await get('Patient?_sort=_id&_count=1000'));
  const seen = await allPages('Patient?_sort=_id&_count=5', (page) =>
    server.send('PUT', `Patient/new${page}`, { token: server.tokens.admin, body: patient(`new${page}`, page) }));
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen).toEqual(expect.arrayContaining(before));
  const deleted = await allPages('Patient?_sort=_id&_count=5', (page) => server.send('DELETE', `Patient/new${page}`, { token: server.tokens.admin }));
  expect(new Set(deleted).size).toBe(deleted.length);
  expect(deleted).toEqual(expect.arrayContaining(before));
});

test('the next link carries no value of the search', async () => {
  const link = next(await get(`Patient?identifier=${SYSTEM}|secret-value&_count=5`)) ?? '';
  expect(link).toMatch(/^http:\/\/[^/]+\/fhir\/R4\/Patient\?_page=[A-Za-z0-9_-]+$/);
  expect(Buffer.from(link.slice(link.indexOf('=') + 1), 'base64url').toString('latin1')).not.toContain('secret');
});

test('a POST search pages by GET, with the same matches', async () => {
  const whole = ids(await get('Patient?_sort=_id&_count=1000'));
  const first = await server.send('POST', 'Patient/_search', { token: server.tokens.admin, body: '_sort=_id&_count=20', headers: { 'content-type': 'application/x-www-form-urlencoded' } });
  expect([...ids(first), ...(await allPages(next(first) ?? ''))]).toEqual(whole);
});

test('included resources are those of the page', async () => {
  await server.send('PUT', 'Organization/o', { token: server.tokens.admin, body: { resourceType: 'Organization', id: 'o', name: 'x' } });
  const page = await get('Patient?_count=3&_include=Patient:organization');
  expect(ids(page)).toHaveLength(3);
  expect(ids(await get(next(page) ?? ''))).toHaveLength(3);
});

test.each([
  ['changed', (word: string) => `${word.slice(0, -3)}AAA`],
  ['cut', (word: string) => word.slice(0, 30)],
  ['empty', () => ''],
  ['made up', () => Buffer.from('{"type":"Patient","pairs":[],"after":{"keys":[],"id":"x"}}').toString('base64url')],
  ['not base64', () => '%%%'],
])('a page word that is %s is refused', async (_what, change) => {
  const [, word = ''] = /_page=(.*)$/.exec(next(await get('Patient?_count=5')) ?? '') ?? [];
  expectRefusal(await get(`Patient?_page=${encodeURIComponent(change(word))}`), 400, { code: 'value' });
});

test('a page word of one type is refused at another', async () => {
  const link = next(await get('Patient?_count=5')) ?? '';
  expectRefusal(await get(link.replace('/Patient?', '/Observation?')), 400, { code: 'value' });
});

test('a page word gives nobody more than their own rights', async () => {
  const link = next(await get('Patient?_count=5')) ?? '';
  expectRefusal(await get(link, server.tokens.supplier), 403);
  expectRefusal(await get(link, server.tokens.homeOffice), 403);
});
