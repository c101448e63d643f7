// The history of a type and of everything. https://hl7.org/fhir/R4/http.html#history
import { startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';

let server: TestServer;
const moments: string[] = [];
beforeAll(async () => {
  server = await startServer();
  const pause = () => new Promise((resolve) => setTimeout(resolve, 5));
  const step = async (method: string, path: string, body?: object): Promise<void> => {
    const { status, text } = await server.send(method, path, { token: server.tokens.admin, ...(body && { body }) });
    if (status >= 400) throw new Error(text);
    await pause();
    moments.push(new Date().toISOString());
    await pause();
  };
  await step('PUT', 'Basic/a', { resourceType: 'Basic', id: 'a', code: { text: 'one' } });
  await step('PUT', 'Flag/f', { resourceType: 'Flag', id: 'f', status: 'active', code: { text: 'f' }, subject: { display: 'x' } });
  await step('PUT', 'Basic/a', { resourceType: 'Basic', id: 'a', code: { text: 'two' } });
  await step('PUT', 'Basic/b', { resourceType: 'Basic', id: 'b', code: { text: 'b' } });
  await step('DELETE', 'Basic/a');
});
afterAll(() => server.close());

const get = (path: string, headers: Record<string, string> = {}) => server.send('GET', path, { token: server.tokens.admin, headers });
const ALL = '_type=Basic,Flag';
const shown = (bundle: any): string[] => (bundle.entry ?? []).map((entry: any) => `${entry.fullUrl.slice(server.base.length + 1)} ${entry.response.etag} ${entry.request.method}`);
const next = (bundle: any): string | undefined => bundle.link.find((link: any) => link.relation === 'next')?.url.slice(server.base.length + 1);

test('a type has its versions newest first, a deletion without a resource', async () => {
  const { status, body } = await get('Basic/_history');
  expect(status).toBe(200);
  expect(body).toMatchObject({ resourceType: 'Bundle', type: 'history', total: 4 });
  expect(shown(body)).toEqual(['Basic/a W/"3" DELETE', 'Basic/b W/"1" PUT', 'Basic/a W/"2" PUT', 'Basic/a W/"1" PUT']);
  expect(body.entry[0].resource).toBeUndefined();
  expect(body.entry[3].resource.code.text).toBe('one');
});

test('everything has its versions in one order, and the page links meet all once', async () => {
  const whole = shown((await get(`_history?${ALL}`)).body);
  expect(whole).toEqual(['Basic/a W/"3" DELETE', 'Basic/b W/"1" PUT', 'Basic/a W/"2" PUT', 'Flag/f W/"1" PUT', 'Basic/a W/"1" PUT']);
  for (const order of ['-_lastUpdated', '_lastUpdated']) {
    const paged: string[] = [];
    for (let url: string | undefined = `_history?${ALL}&_count=2&_sort=${order}`; url !== undefined;) {
      const { body } = await get(url);
      expect(body.entry.length).toBeLessThanOrEqual(2);
      paged.push(...shown(body));
      url = next(body);
    }
    expect(paged).toEqual(order === '_lastUpdated' ? [...whole].reverse() : whole);
  }
});

test('_since leaves out what is older', async () => {
  expect(shown((await get(`_history?${ALL}&_since=${moments[2]}`)).body)).toEqual(['Basic/a W/"3" DELETE', 'Basic/b W/"1" PUT']);
});

test('_at gives the versions that were current at a moment', async () => {
  expect(shown((await get(`_history?${ALL}&_at=${moments[3]}`)).body)).toEqual(['Basic/b W/"1" PUT', 'Basic/a W/"2" PUT', 'Flag/f W/"1" PUT']);
  expect(shown((await get(`Basic/_history?_at=${moments[0]}`)).body)).toEqual(['Basic/a W/"1" PUT']);
});

test('one resource has its versions at a moment, and oldest first', async () => {
  expect(shown((await get(`Basic/a/_history?_at=${moments[2]}`)).body)).toEqual(['Basic/a W/"2" PUT']);
  expect(shown((await get('Basic/a/_history?_sort=_lastUpdated')).body)).toEqual(['Basic/a W/"1" PUT', 'Basic/a W/"2" PUT', 'Basic/a W/"3" DELETE']);
  expect((await get('Basic/a/_history?_at=2001-01-01')).body.entry).toBeUndefined();
  expectRefusal(await get('Basic/nobody/_history?_at=2001-01-01'), 404, { code: 'not-found' });
});

test('the history of everything without _type holds all types', async () => {
  const { status, body } = await get('_history?_count=5');
  expect(status).toBe(200);
  expect(shown(body)).toHaveLength(5);
  expect(shown(body)[0]).toBe('Basic/a W/"3" DELETE');
});

test('a version waits until no write that could come before it is open', async () => {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => { release = resolve; });
  const open = server.database.transaction(async (tx) => {
    await tx.query({ text: `insert into fhir.resource_key (key, touched) values ('held', 0)`, values: [] });
    await server.send('PUT', 'Basic/late', { token: server.tokens.admin, body: { resourceType: 'Basic', id: 'late', code: { text: 'late' } } });
    expect(shown((await get('Basic/_history')).body)[0]).toBe('Basic/a W/"3" DELETE');
    release();
  });
  await held;
  await open;
  expect(shown((await get('Basic/_history')).body)[0]).toBe('Basic/late W/"1" PUT');
});

test('only what the caller may see is in it', async () => {
  const { status, body } = await server.send('GET', '_history', { token: server.tokens.ovm });
  expect(status).toBe(200);
  expect(shown(body).filter((line) => line.startsWith('Basic') || line.startsWith('Flag'))).toEqual([]);
  expectRefusal(await server.send('GET', 'Basic/_history', { token: server.tokens.ovm }), 403, { code: 'forbidden' });
});

test('bad parameters are refused by name', async () => {
  for (const query of ['_since=yesterday', '_at=x', '_count=0', '_sort=name']) expectRefusal(await get(`Basic/_history?${query}`), 400, { code: 'value' });
  expectRefusal(await get('Basic/_history?name=x', { prefer: 'handling=strict' }), 400, { code: 'not-supported' });
});
