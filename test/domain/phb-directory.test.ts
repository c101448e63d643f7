// C32E8: a directory of what budgets can buy is made, seen, amended, and its entries removed (domain.md 2.1 E8, rulings 2, 15, 58).
import { expectRefusal } from '../api/refusal.js';
import { startServer, type Answer, type TestServer } from '../server.js';
import { extension, gbp } from './budgets.js';
import { directory, directoryBody, entry, entryBody, price, type EntryBody } from './directories.js';
import { opened, purchaseBody, record } from './purchases.js';
import { coded, makeWorld, put, type World } from './world.js';

let server: TestServer;
let world: World;
let owner: string;
let provider: string;
let list: string;
beforeAll(async () => {
  server = await startServer();
  world = await makeWorld(server);
  owner = world.organizations.icb;
  provider = world.organizations.provider;
  list = await directory(server, owner);
});
afterAll(() => server.close());

const admin = (): string => server.tokens.admin;
const body = (rest: Partial<EntryBody> = {}): any => entryBody({ directory: list, provider, ...rest });
const post = (resource: any, token = admin()): Promise<Answer> => server.send('POST', resource.resourceType, { token, body: resource });
const get = (path: string, token = admin()): Promise<Answer> => server.send('GET', path, { token });
const change = (service: any, rest: object, { token = admin(), version = `W/"${service.meta.versionId}"` }: { token?: string; version?: string | undefined } = {}): Promise<Answer> =>
  server.send('PUT', `HealthcareService/${service.id}`, { token, headers: version === '' ? {} : { 'if-match': version }, body: { ...service, ...rest } });
const bundle = (resources: readonly any[]): object => ({ resourceType: 'Bundle', type: 'transaction', entry: resources.map((resource, index) => ({ fullUrl: `urn:uuid:00000000-0000-4000-8000-00000000000${index}`, resource, request: { method: 'POST', url: resource.resourceType } })) });

describe('a directory is made', () => {
  const LIST = 'urn:uuid:00000000-0000-4000-8000-000000000003';
  const services = (): any[] => ['One', 'Two', 'Three'].map((name) => entryBody({ directory: LIST, provider, name }));

  test('with its entries, in one transaction, whatever their order', async () => {
    for (const bearer of ['manager', 'coordinator'] as const) {
      const { status, body: answer } = await server.send('POST', '', { token: world.tokens[bearer], body: bundle([...services(), directoryBody(owner)]) });
      expect([status, answer.entry.map(({ response }: any) => response.status)]).toEqual([200, ['201 Created', '201 Created', '201 Created', '201 Created']]);
      const id = answer.entry[3].response.location.match(/List\/([^/]+)/)[1];
      expect((await get(`HealthcareService?directory=List/${id}&active=true`, world.tokens.ada)).body.entry.length).toBe(3);
    }
  });

  test('or not at all where one entry fails', async () => {
    const [one, two, three] = services();
    const { category: _category, ...bad } = two;
    const before = (await get('List?code=phb-directory&_summary=count')).body.total;
    expectRefusal(await server.send('POST', '', { token: world.tokens.manager, body: bundle([one, bad, three, directoryBody(owner)]) }), 422);
    expect((await get('List?code=phb-directory&_summary=count')).body.total).toBe(before);
  });

  test('by those who keep one: not by patients, nominees, providers or commissioners', async () => {
    for (const bearer of ['ada', 'nominee', 'provider', 'commissioner', 'broker', 'isf'] as const) {
      expectRefusal(await post(directoryBody(owner), world.tokens[bearer]), 403);
      expectRefusal(await post(body(), world.tokens[bearer]), 403);
    }
  });

  test('an entry has category, provider, name and directory; each leads somewhere', async () => {
    for (const member of ['category', 'providedBy', 'name', 'active']) {
      const { [member]: _left, ...rest } = body();
      expectRefusal(await post(rest), 422);
    }
    expectRefusal(await post(body({ category: 'alcohol' })), 422, { code: 'code-invalid' });
    expectRefusal(await post(body({ provider: 'nobody' })), 422, { code: 'not-found', expression: 'HealthcareService.providedBy' });
    for (const words of [{ display: 'A shop' }, { identifier: { system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: 'QWE' } }]) {
      expectRefusal(await post({ ...body(), providedBy: words }), 422, { code: 'not-found', expression: 'HealthcareService.providedBy' });
      expectRefusal(await post({ ...directoryBody(owner), extension: [extension('directory-owner', { valueReference: words })] }), 422, { code: 'not-found', expression: 'List.extension' });
    }
    expectRefusal(await post(body({ directory: 'nowhere' })), 422, { code: 'not-found', expression: 'HealthcareService.extension[0].valueReference' });
    const plain = await put(server, { resourceType: 'List', status: 'current', mode: 'working' });
    expectRefusal(await post(body({ directory: plain })), 422, { code: 'business-rule', text: 'phb-directory' });
    const retired = await directory(server, owner, { status: 'retired' });
    expectRefusal(await post(body({ directory: retired })), 422, { text: 'no more entries' });
    const { extension: _extension, ...ownerless } = directoryBody(owner);
    expectRefusal(await post(ownerless), 422);
    expectRefusal(await post(directoryBody('nobody')), 422, { code: 'not-found' });
    // A service that names no directory is plain R4.
    expect((await post({ resourceType: 'HealthcareService', name: 'A clinic' })).status).toBe(201);
  });

  test('a price is in pounds, in whole pence, not below zero, and one of its unit at a time', async () => {
    expect((await post(body({ price: 0 }))).status).toBe(201);
    expect((await post({ ...body(), extension: [...body().extension, price(50, 'hour', { start: '2026-01-01', end: '2026-06-30' }), price(55, 'hour', { start: '2026-07-01' }), price(300, 'week')] })).status).toBe(201);
    expectRefusal(await post(body({ price: -1 })), 422, { code: 'business-rule', text: 'below zero', expression: 'HealthcareService.extension[1].extension[0].valueMoney.value' });
    expectRefusal(await post(body({ price: { value: 1, currency: 'USD' } })), 422);
    expectRefusal(await post(body({ price: 1.005 })), 422, { text: 'whole pence' });
    expectRefusal(await post(body({ price: 1, unit: 'dozen' })), 422, { code: 'code-invalid' });
    expectRefusal(await post({ ...body(), extension: [...body().extension, price(50, 'hour'), price(55, 'hour')] }), 422, { text: 'by the hour' });
  });
});

describe('a directory is seen', () => {
  test('by every role around a budget', async () => {
    const service = await entry(server, { directory: list, provider });
    for (const bearer of ['ada', 'nominee', 'coordinator', 'broker', 'manager', 'commissioner', 'provider', 'isf'] as const) {
      const token = world.tokens[bearer];
      const found = await get(`HealthcareService?directory=List/${list}&active=true&_id=${service.id}`, token);
      expect([bearer, (await get(`List/${list}`, token)).status, found.body.entry?.length]).toEqual([bearer, 200, 1]);
    }
  });

  test('not by those around a status, and not what is not there', async () => {
    for (const token of [server.tokens.supplier, server.tokens.homeOffice, world.tokens.practice]) {
      expect([(await get(`List/${list}`, token)).status, (await get(`HealthcareService?directory=List/${list}`, token)).status]).toEqual([403, 403]);
    }
    // Ruling 22: what somebody offers is no secret to an Overseas Visitors Manager; what a budget may buy is not their business.
    const service = await entry(server, { directory: list, provider });
    for (const [path, status] of [[`List/${list}`, 403], [`HealthcareService?directory=List/${list}&active=true`, 403], ['HealthcareService?directory.status=current', 403], [`HealthcareService/${service.id}`, 200], [`HealthcareService?_id=${service.id}`, 200]] as const) {
      expect([path, (await get(path, server.tokens.ovm)).status]).toEqual([path, status]);
    }
    expectRefusal(await get('List/nowhere', world.tokens.ada), 404);
    expect((await get('HealthcareService?directory=List/nowhere')).body).toMatchObject({ resourceType: 'Bundle', total: 0 });
  });
});

describe('an entry is amended', () => {
  test('the price changes, and what was bought keeps the old one', async () => {
    const service = await entry(server, { directory: list, provider, price: 50 });
    const budget = await opened(server, { owner, provider });
    const item = { extension: [extension('directory-entry', { valueReference: { reference: `HealthcareService/${service.id}` } })], sequence: 1, productOrService: { text: 'Chair' }, unitPrice: gbp(50), net: gbp(50) };
    const claim = (await record(server, purchaseBody({ ...budget, amount: 50, rest: { item: [item] } }))).body;
    const answer = await change(service, { extension: body({ price: 55 }).extension }, { token: world.tokens.manager });
    expect([answer.status, answer.body.meta.versionId]).toEqual([200, '2']);
    const kept = (await get(`Claim/${claim.id}`)).body;
    expect([kept.item[0].unitPrice.value, kept.item[0].net.value, kept.meta.versionId]).toEqual([50, 50, '1']);
    const patched = await server.send('PATCH', `HealthcareService/${service.id}`, { token: world.tokens.coordinator, headers: { 'content-type': 'application/json-patch+json', 'if-match': 'W/"2"' }, body: JSON.stringify([{ op: 'replace', path: '/active', value: false }]) });
    expect([patched.status, patched.body.active]).toEqual([200, false]);
  });

  test('with If-Match, by those who keep it, and it stays an entry', async () => {
    const service = await entry(server, { directory: list, provider, price: 50 });
    expectRefusal(await change(service, {}, { version: '' }), 412, { code: 'required' });
    expectRefusal(await change(service, {}, { version: 'W/"9"' }), 412, { code: 'conflict' });
    expectRefusal(await change(service, {}, { token: world.tokens.ada }), 403);
    expectRefusal(await change(service, { extension: [price(50)] }), 422, { code: 'business-rule', expression: 'HealthcareService.extension' });
    expectRefusal(await change(service, { extension: body({ price: -0.01 }).extension }), 422, { text: 'below zero' });
    expectRefusal(await server.send('PUT', `List/${list}`, { token: admin(), body: { ...directoryBody(owner), id: list, code: coded('http://example.org/lists', 'x') } }), 422, { expression: 'List.code' });
    expect((await get(`HealthcareService/${service.id}`)).body.meta.versionId).toBe('1');
  });
});

describe('a provider proposes', () => {
  test('a change of its own entry: 202 with a task for who keeps the directory, and no change', async () => {
    const service = await entry(server, { directory: list, provider, name: 'Hydrotherapy', price: 40 });
    const proposed = await change(service, { extension: body({ price: 45 }).extension }, { token: world.tokens.provider });
    expect([proposed.status, proposed.body.resourceType, proposed.body.status, proposed.body.focus.reference]).toEqual([202, 'Task', 'requested', `HealthcareService/${service.id}`]);
    expect(proposed.body.contained[0].extension[1].extension[0].valueMoney.value).toBe(45);
    expect((await get(`HealthcareService/${service.id}`)).body).toMatchObject({ meta: { versionId: '1' } });
    const patched = await server.send('PATCH', `HealthcareService/${service.id}`, { token: world.tokens.provider, headers: { 'content-type': 'application/json-patch+json', 'if-match': 'W/"1"' }, body: JSON.stringify([{ op: 'replace', path: '/name', value: 'Pool' }]) });
    expect([patched.status, patched.body.contained[0].name]).toEqual([202, 'Pool']);
    for (const bearer of ['manager', 'commissioner'] as const) expect((await get(`Task/${proposed.body.id}`, world.tokens[bearer])).status).toBe(200);
    expect((await get(`Task/${proposed.body.id}`, world.tokens.otherCommissioner)).status).toBe(404);
    expect((await change(service, { extension: body({ price: 45 }).extension }, { token: world.tokens.manager })).status).toBe(200);
  });

  test('a price as it was written', async () => {
    const service = await entry(server, { directory: list, provider, name: 'Watsu', price: 40 });
    const value = '[{"op":"replace","path":"/extension/1/extension/0/valueMoney/value","value":60.50}]';
    const proposed = await server.send('PATCH', `HealthcareService/${service.id}`, { token: world.tokens.provider, headers: { 'content-type': 'application/json-patch+json', 'if-match': 'W/"1"' }, body: value });
    expect([proposed.status, proposed.text]).toEqual([202, expect.stringContaining('{"value":60.50,"currency":"GBP"}')]);
  });

  test('not of another\'s entry, not a stale or a wrong one, and no deletion', async () => {
    const others = await entry(server, { directory: list, provider: world.organizations.isf });
    expectRefusal(await change(others, { name: 'Mine now' }, { token: world.tokens.provider }), 403);
    const own = await entry(server, { directory: list, provider });
    const token = world.tokens.provider;
    expectRefusal(await change(own, { providedBy: { reference: `Organization/${world.organizations.isf}` } }, { token }), 403);
    expectRefusal(await change(own, { name: 'x' }, { token, version: '' }), 412);
    expectRefusal(await change(own, { name: 'x' }, { token, version: 'W/"7"' }), 412);
    expectRefusal(await change(own, { extension: body({ price: -1 }).extension }, { token }), 422);
    expectRefusal(await change(own, { category: undefined }, { token }), 422);
    expectRefusal(await server.send('PUT', 'HealthcareService/nothing', { token, headers: { 'if-match': 'W/"1"' }, body: { ...body(), id: 'nothing' } }), 404);
    expect((await get(`Task?focus=HealthcareService/${own.id}`)).body.total).toBe(0);
  });
});

describe('an entry is removed', () => {
  test('gone from search and read, its history kept, what was bought intact, nothing new bought', async () => {
    const service = await entry(server, { directory: list, provider, name: 'Walking frame', price: 20 });
    const budget = await opened(server, { owner, provider });
    const item = { extension: [extension('directory-entry', { valueReference: { reference: `HealthcareService/${service.id}` } })], sequence: 1, productOrService: { text: 'Frame' }, net: gbp(20) };
    const purchase = purchaseBody({ ...budget, amount: 20, rest: { item: [item] } });
    const claim = (await record(server, purchase)).body;
    const remove = (token = world.tokens.manager): Promise<Answer> => server.send('DELETE', `HealthcareService/${service.id}`, { token });
    expectRefusal(await remove(world.tokens.ada), 403);
    expectRefusal(await remove(world.tokens.provider), 403);
    expect((await remove()).status).toBe(204);
    expect((await get(`HealthcareService?directory=List/${list}&_id=${service.id}`)).body.total).toBe(0);
    expectRefusal(await get(`HealthcareService/${service.id}`, world.tokens.ada), 410);
    const history = await get(`HealthcareService/${service.id}/_history`, world.tokens.manager);
    expect([history.status, history.body.entry.length]).toEqual([200, 2]);
    expect((await get(`HealthcareService/${service.id}/_history/1`, world.tokens.manager)).body.name).toBe('Walking frame');
    expect((await get(`Claim/${claim.id}`)).body).toMatchObject({ status: 'active', item: [{ net: { value: 20 }, extension: [{ valueReference: { reference: `HealthcareService/${service.id}` } }] }] });
    expect((await remove()).status).toBe(204);
    expect((await get(`HealthcareService/${service.id}/_history`, world.tokens.manager)).body.entry.length).toBe(2);
  });

  test('a directory goes once it lists nothing', async () => {
    const own = await directory(server, owner);
    const service = await entry(server, { directory: own, provider });
    expectRefusal(await server.send('DELETE', `List/${own}`, { token: admin() }), 409, { code: 'business-rule', text: 'entries' });
    expect((await server.send('DELETE', `HealthcareService/${service.id}`, { token: admin() })).status).toBe(204);
    expect((await server.send('DELETE', `List/${own}`, { token: admin() })).status).toBe(204);
  });
});
