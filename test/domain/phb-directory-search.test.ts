// C32E9: the directory is searched by name, category, type, provider, area, price, words and distance (domain.md 2.1 E9, ruling 19).
import fc from 'fast-check';
import { expectRefusal } from '../api/refusal.js';
import { startServer, type TestServer } from '../server.js';
import { gbp, organization } from './budgets.js';
import { directory, entry, entryBody, price, type EntryBody } from './directories.js';
import { coded, put } from './world.js';

let server: TestServer;
let list: string;
let other: string;
let [shop, gym, leeds, york] = ['', '', '', ''];
const place = (name: string, latitude: number, longitude: number): Promise<string> => put(server, { resourceType: 'Location', name, position: { longitude, latitude } });

beforeAll(async () => {
  server = await startServer();
  const owner = await organization(server, 'QWE');
  [shop, gym] = [await organization(server, 'SHOP1', 'provider'), await organization(server, 'GYM1', 'provider')];
  [leeds, york] = [await place('Leeds', 53.7976, -1.5437), await place('York', 53.9583, -1.0803)];
  [list, other] = [await directory(server, owner), await directory(server, owner)];
  const at = (...locations: string[]): object => ({ location: locations.map((id) => ({ reference: `Location/${id}` })) });
  const make = (name: string, rest: Partial<EntryBody>): Promise<any> => entry(server, { directory: list, provider: shop, name, ...rest });
  await make('Riser recliner chair', { price: 649.99, rest: { ...at(leeds), comment: 'Helps to stand up', type: [coded('http://snomed.info/sct', '228869008')] } });
  await make('Shower chair', { price: 50, rest: { ...at(york), coverageArea: [{ reference: `Location/${york}` }] } });
  await make('Chair yoga', { category: 'activity', provider: gym, price: 12.5, unit: 'session', rest: at(leeds, york) });
  await make('Chairlift', { price: 2000, rest: { active: false } });
  await make('Élan walking frame', { rest: { comment: 'Folds; stands beside a chair' } });
  await entry(server, { directory: other, provider: shop, name: 'Chair of another directory', price: 1 });
});
afterAll(() => server.close());

const search = (query: string) => server.send('GET', `HealthcareService?${query}`, { token: server.tokens.admin });
async function names(query: string): Promise<string[]> {
  const { status, body, text } = await search(`directory=List/${list}&_sort=name&${query}`);
  if (status !== 200) throw new Error(text);
  return (body.entry ?? []).filter(({ search: { mode } }: any) => mode === 'match').map(({ resource }: any) => resource.name);
}

test.each<[string, string[]]>([
  ['name:contains=chair&service-category=equipment', ['Chairlift', 'Riser recliner chair', 'Shower chair']],
  ['name:contains=chair&service-category=equipment&active=true', ['Riser recliner chair', 'Shower chair']],
  ['name=chair', ['Chair yoga', 'Chairlift']],
  ['name=elan', ['Élan walking frame']],
  ['name:exact=Chair yoga', ['Chair yoga']],
  ['service-category=activity', ['Chair yoga']],
  ['service-type=228869008', ['Riser recliner chair']],
  ['description:contains=stand', ['Élan walking frame', 'Riser recliner chair']],
  ['organization.identifier=GYM1', ['Chair yoga']],
  ['price=lt50', ['Chair yoga']],
  ['price=le50', ['Chair yoga', 'Shower chair']],
  ['price=ge50&price=le1000', ['Riser recliner chair', 'Shower chair']],
  ['price=gt649.99', ['Chairlift']],
  ['price=649.99|urn:iso:std:iso:4217|GBP', ['Riser recliner chair']],
  ['price=649.99||GBP', ['Riser recliner chair']],
  ['price=649.99||EUR', []],
  ['price:missing=true', ['Élan walking frame']],
  ['location.near=53.8|-1.55|5|km', ['Chair yoga', 'Riser recliner chair']],
  ['location.near=53.8|-1.55|5000|m', ['Chair yoga', 'Riser recliner chair']],
  ['location.near=53.8|-1.55|40|km', ['Chair yoga', 'Riser recliner chair', 'Shower chair']],
  ['location.near=53.8|-1.55|20|mi', ['Chair yoga', 'Riser recliner chair']],
  ['location.near=51.5|-0.1|5|km', []],
  ['location.near=51.5|-0.1|5|km,53.9583|-1.0803|0.1', ['Chair yoga', 'Shower chair']],
  ['name=no such thing', []],
])('%s', async (query, expected) => {
  expect(await names(query)).toEqual(expected.sort((a, b) => fold(a).localeCompare(fold(b), 'en')));
});
const fold = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

test('by provider, area and place', async () => {
  expect(await names(`organization=Organization/${gym}`)).toEqual(['Chair yoga']);
  expect(await names(`coverage-area=Location/${york}`)).toEqual(['Shower chair']);
  expect(await names(`location=Location/${leeds}`)).toEqual(['Chair yoga', 'Riser recliner chair']);
  expect((await search(`directory=List/${other}`)).body.entry.length).toBe(1);
});

test('a total that is exact, and none of what does not match', async () => {
  for (const [query, total] of [['name:contains=chair', 4], ['name:contains=chair&_count=1', 4], ['name=nothing', 0]] as const) {
    expect((await search(`directory=List/${list}&${query}&_total=accurate`)).body.total).toBe(total);
  }
  for (const [query, total] of [['name:contains=chair', 4], ['name:contains=chair&_sort=name&_count=1', 4], ['name=nothing', 0], ['name:contains=chair&_count=1&_total=none', undefined]] as const) expect((await search(`directory=List/${list}&${query}`)).body.total).toBe(total);
});

test('pages by name, each entry once, while others come and go', async () => {
  const own = await directory(server, await organization(server, 'QXX'));
  const bundle = (from: number, count: number): object => ({ resourceType: 'Bundle', type: 'transaction', entry: Array.from({ length: count }, (_, index) => ({
    resource: entryBody({ directory: own, provider: shop, name: `Aid ${String((from + index) % 40).padStart(3, '0')}` }), request: { method: 'POST', url: 'HealthcareService' } })) });
  expect((await server.send('POST', '', { token: server.tokens.admin, body: bundle(0, 95) })).status).toBe(200);
  const seen: string[] = [];
  let url = `HealthcareService?directory=List/${own}&_sort=name&_count=10&_total=accurate`;
  for (let page = 0; ; page += 1) {
    const { body } = await server.send('GET', url, { token: server.tokens.admin });
    seen.push(...body.entry.map(({ resource }: any) => `${resource.name} ${resource.id}`));
    if (page === 0) {
      expect(body.total).toBe(95);
      await server.send('POST', '', { token: server.tokens.admin, body: { resourceType: 'Bundle', type: 'transaction', entry: [{ resource: entryBody({ directory: own, provider: shop, name: 'Aid 000' }), request: { method: 'POST', url: 'HealthcareService' } }] } });
    }
    const next = body.link.find(({ relation }: any) => relation === 'next');
    if (!next) break;
    url = next.url.slice(server.base.length + 1);
  }
  expect([seen.length, new Set(seen).size]).toEqual([95, 95]);
  expect(seen.map((one) => one.slice(0, 7))).toEqual(seen.map((one) => one.slice(0, 7)).sort());
});

test('what can\'t be searched by is refused by name', async () => {
  const strict = { token: server.tokens.admin, headers: { prefer: 'handling=strict' } };
  expectRefusal(await server.send('GET', 'HealthcareService?colour=red', strict), 400, { code: 'not-supported', expression: 'colour' });
  for (const near of ['53.8', '53.8|-1.5|5|furlongs', '91|0|1|km', '0|181|1|km', '53.8|-1.5|-5|km', 'a|b|1|km', '1|2|3|km|x', '|']) expectRefusal(await search(`location.near=${encodeURIComponent(near)}`), 400, { code: 'value' });
  expectRefusal(await search('price=cheap'), 400, { code: 'value' });
});

test('near finds just the places that the distance on the sphere says, on all the earth', async () => {
  const spots: { id: string; latitude: number; longitude: number }[] = [];
  const spread = fc.sample(fc.tuple(fc.double({ min: -90, max: 90, noNaN: true }), fc.double({ min: -180, max: 180, noNaN: true })), { numRuns: 120, seed: 7 });
  for (const [latitude, longitude] of [...spread, [0, 180], [0, -180], [0, 179.99], [90, 0], [-90, 12], [89.9, -170], [53.7976, -1.5437], [53.8, -1.5]] as [number, number][]) {
    const [lat, lon] = [Number(latitude.toFixed(6)), Number(longitude.toFixed(6))];
    spots.push({ id: await place('Somewhere', lat, lon), latitude: lat, longitude: lon });
  }
  const rad = (angle: number): number => (angle * Math.PI) / 180;
  // By the angle between two vectors: another formula than the server's.
  const distance = (a: { latitude: number; longitude: number }, b: { latitude: number; longitude: number }): number => {
    const vector = ({ latitude, longitude }: { latitude: number; longitude: number }): [number, number, number] => [Math.cos(rad(latitude)) * Math.cos(rad(longitude)), Math.cos(rad(latitude)) * Math.sin(rad(longitude)), Math.sin(rad(latitude))];
    const [x, y] = [vector(a), vector(b)];
    const cross = Math.hypot(x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]);
    return 6371.0088 * Math.atan2(cross, x[0] * y[0] + x[1] * y[1] + x[2] * y[2]);
  };
  const from = fc.record({ latitude: fc.oneof(fc.constantFrom(0, 53.8, 90, -90, 89.95), fc.double({ min: -90, max: 90, noNaN: true })), longitude: fc.oneof(fc.constantFrom(180, -180, 179.9, -1.55, 0), fc.double({ min: -180, max: 180, noNaN: true })) });
  await fc.assert(fc.asyncProperty(from, fc.constantFrom(0.5, 10, 250, 1500, 7000, 15000, 20100), async ({ latitude, longitude }, km) => {
    const centre = { latitude: Number(latitude.toFixed(6)), longitude: Number(longitude.toFixed(6)) };
    const expected = spots.filter((spot) => distance(spot, centre) <= km).map(({ id }) => id);
    // A metre either way is nobody's mistake.
    const doubtful = new Set(spots.filter((spot) => Math.abs(distance(spot, centre) - km) < 0.001).map(({ id }) => id));
    const { body } = await server.send('GET', `Location?name=Somewhere&near=${centre.latitude}|${centre.longitude}|${km}|km&_count=200`, { token: server.tokens.admin });
    const found = (body.entry ?? []).map(({ resource }: any) => resource.id).filter((id: string) => !doubtful.has(id));
    expect(found.sort()).toEqual(expected.filter((id) => !doubtful.has(id)).sort());
  }), { numRuns: 60, seed: 11 });
});

test('every price of an entry finds it', async () => {
  const own = await directory(server, await organization(server, 'QYY'));
  const body = entryBody({ directory: own, provider: shop });
  await put(server, { ...body, extension: [...body.extension, price(gbp(50), 'hour', { end: '2026-06-30' }), price(gbp(55.5), 'hour', { start: '2026-07-01' })] });
  const count = async (query: string): Promise<number> => (await search(`directory=List/${own}&${query}&_summary=count`)).body.total;
  expect([await count('price=50'), await count('price=55.5'), await count('price=51'), await count('price=gt50')]).toEqual([1, 1, 0, 1]);
});
