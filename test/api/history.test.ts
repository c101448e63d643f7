// history of one resource. https://hl7.org/fhir/R4/http.html#history
import { startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';

let server: TestServer;
beforeAll(async () => { server = await startServer(); });
afterAll(() => server.close());

const put = (id: string, version: number) =>
  server.send('PUT', `Patient/${id}`, { token: server.tokens.admin, body: { resourceType: 'Patient', id, name: [{ text: `version ${version}` }] } });
const get = (path: string, headers: Record<string, string> = {}) => server.send('GET', path, { token: server.tokens.admin, headers });
const del = (id: string) => server.send('DELETE', `Patient/${id}`, { token: server.tokens.admin });
const versions = (bundle: any): string[] => bundle.entry.map((entry: any) => entry.response.etag);
const link = (bundle: any, relation: string): string | undefined => bundle.link.find((one: any) => one.relation === relation)?.url;

test('lists the versions newest first, a deletion without a resource', async () => {
  await put('a', 1);
  await put('a', 2);
  await del('a');
  await put('a', 4);
  const { status, body } = await get('Patient/a/_history');
  expect(status).toBe(200);
  expect(body).toMatchObject({ resourceType: 'Bundle', type: 'history', total: 4 });
  expect(versions(body)).toEqual(['W/"4"', 'W/"3"', 'W/"2"', 'W/"1"']);
  expect(body.entry.map((entry: any) => [entry.request.method, entry.request.url, entry.response.status.slice(0, 3), entry.resource?.name[0].text])).toEqual([
    ['PUT', 'Patient/a', '200', 'version 4'],
    ['DELETE', 'Patient/a', '204', undefined],
    ['PUT', 'Patient/a', '200', 'version 2'],
    ['PUT', 'Patient/a', '201', 'version 1'],
  ]);
  for (const entry of body.entry) {
    expect(entry.fullUrl).toBe(`${server.base}/Patient/a`);
    expect(entry.response.lastModified).toMatch(/Z$/);
  }
  expect(link(body, 'self')).toBe(`${server.base}/Patient/a/_history`);
});

test('a created resource begins with a POST to its type', async () => {
  const { body: created } = await server.send('POST', 'Patient', { token: server.tokens.admin, body: { resourceType: 'Patient' } });
  const { body } = await get(`Patient/${created.id}/_history`);
  expect(body.entry).toEqual([expect.objectContaining({ resource: created, request: { method: 'POST', url: 'Patient' } })]);
});

test('pages hold every version once, by the next link', async () => {
  for (let version = 1; version <= 7; version++) await put('paged', version);
  const seen: string[] = [];
  let url: string | undefined = 'Patient/paged/_history?_count=3';
  while (url !== undefined) {
    const { status, body } = await get(url.replace(`${server.base}/`, ''));
    expect(status).toBe(200);
    expect(body.total).toBe(7);
    seen.push(...versions(body));
    url = link(body, 'next');
  }
  expect(seen).toEqual([7, 6, 5, 4, 3, 2, 1].map((version) => `W/"${version}"`));
});

test('pages lead back by their previous links, and to the first, in every order', async () => {
  const at = async (url: string) => (await get(url.replace(`${server.base}/`, ''))).body;
  const falling = [7, 6, 5, 4, 3, 2, 1];
  for (const [id, query, order] of [['back-a', '_count=3', falling], ['back-b', '_count=3&_sort=_lastUpdated', falling.toReversed()], ['back-c', '_count=3&_elements=name', falling]] as const) {
    for (let version = 1; version <= 7; version++) await put(id, version);
    const wanted = order.map((version) => `W/"${version}"`);
    const first = await at(`Patient/${id}/_history?${query}`);
    const second = await at(link(first, 'next') ?? '');
    const third = await at(link(second, 'next') ?? '');
    expect([first, second, third].flatMap(versions)).toEqual(wanted);
    expect([first, second, third].map((page) => page.link.map(({ relation }: any) => relation))).toEqual([['self', 'next'], ['self', 'first', 'previous', 'next'], ['self', 'first', 'previous']]);
    await put(id, 8);
    const back = await at(link(third, 'previous') ?? '');
    expect(versions(back)).toEqual(wanted.slice(3, 6));
    // The first page is made anew, and so holds what came meanwhile.
    expect(versions(await at(link(back, 'previous') ?? ''))).toEqual(query.includes('_sort') ? wanted.slice(0, 3) : ['W/"8"', 'W/"7"', 'W/"6"']);
    expect(versions(await at(link(third, 'first') ?? ''))).toEqual(query.includes('_sort') ? wanted.slice(0, 3) : ['W/"8"', 'W/"7"', 'W/"6"']);
  }
});

test('a page link of one history opens no other', async () => {
  for (let version = 1; version <= 3; version++) await put('sealed', version);
  const next = (link((await get('Patient/sealed/_history?_count=1')).body, 'next') ?? '').replace(`${server.base}/`, '');
  expectRefusal(await get(next.replace('Patient/sealed', 'Patient/both-ways')), 400);
  expectRefusal(await get(next.replace('/sealed/_history', '')), 400);
});

test('a version that comes while someone pages neither repeats nor hides another', async () => {
  for (let version = 1; version <= 4; version++) await put('moving', version);
  const first = (await get('Patient/moving/_history?_count=2')).body;
  await put('moving', 5);
  const second = (await get((link(first, 'next') ?? '').replace(`${server.base}/`, ''))).body;
  expect([...versions(first), ...versions(second)]).toEqual([4, 3, 2, 1].map((version) => `W/"${version}"`));
});

test('_since leaves out what is older, and may leave nothing', async () => {
  await put('since', 1);
  await new Promise((resolve) => setTimeout(resolve, 5));
  const { body } = await put('since', 2);
  const since = async (moment: string) => (await get(`Patient/since/_history?_since=${encodeURIComponent(moment)}`)).body;
  expect(versions(await since(body.meta.lastUpdated))).toEqual(['W/"2"']);
  const future = await get('Patient/since/_history?_since=2999-01-01T00:00:00Z');
  expect(future).toMatchObject({ status: 200, body: { type: 'history', total: 0 } });
  expect(future.body.entry).toBeUndefined();
});

test('the history of a deleted resource can be read', async () => {
  await put('deleted', 1);
  await del('deleted');
  expect(versions((await get('Patient/deleted/_history')).body)).toEqual(['W/"2"', 'W/"1"']);
});

test('a resource that was never there has none: 404', async () => expectRefusal(await get('Patient/nobody/_history'), 404, { code: 'not-found' }));

test.each(['_count=0', '_count=x', '_count=-1', '_since=yesterday', '_page=x'])('%s is refused', async (query) => {
  await put('queries', 1);
  expectRefusal(await get(`Patient/queries/_history?${query}`), 400, { code: 'value' });
});

test('an unknown parameter is ignored, under handling=strict refused', async () => {
  await put('queries', 1);
  expect((await get('Patient/queries/_history?colour=red')).status).toBe(200);
  expectRefusal(await get('Patient/queries/_history?colour=red', { prefer: 'handling=strict' }), 400, { code: 'not-supported', text: /colour/ });
});

test('shows as much of each version as is asked for, and nothing of a deletion', async () => {
  await server.send('PUT', 'Patient/cut', { token: server.tokens.admin, body: { resourceType: 'Patient', id: 'cut', active: true, gender: 'other', photo: [{ title: 'x' }] } });
  await del('cut');
  const summary = (await get('Patient/cut/_history?_summary=true')).body;
  expect(summary.entry.map((entry: any) => entry.resource && Object.keys(entry.resource).sort())).toEqual([undefined, ['active', 'gender', 'id', 'meta', 'resourceType']]);
  expect(summary.entry[1].resource.meta.tag[0].code).toBe('SUBSETTED');
  expect((await get('Patient/cut/_history?_elements=gender')).body.entry[1].resource).toEqual({ resourceType: 'Patient', id: 'cut', meta: expect.anything(), gender: 'other' });
  expect((await get('Patient/_history?_elements=gender&_count=2')).body.entry[1].resource).toEqual({ resourceType: 'Patient', id: 'cut', meta: expect.anything(), gender: 'other' });
  expect((await get('Patient/cut/_history?_summary=data')).body.entry[1].resource).toMatchObject({ photo: [{ title: 'x' }] });
  expect((await get('Patient/cut/_history?_summary=false')).body.entry[1].resource.meta.tag).toBeUndefined();
  expectRefusal(await get('Patient/cut/_history?_summary=some'), 400);
});

test('counts the versions of one resource alone', async () => {
  await put('counted', 1);
  await put('counted', 2);
  const { body } = await get('Patient/counted/_history?_summary=count');
  expect(body).toMatchObject({ resourceType: 'Bundle', type: 'history', total: 2 });
  expect(body.entry).toBeUndefined();
  expect(body.link.map((one: any) => one.relation)).toEqual(['self']);
  expectRefusal(await get('Patient/nobody/_history?_summary=count'), 404);
  expectRefusal(await get('Patient/_history?_summary=count'), 400, { expression: '_summary' });
});
