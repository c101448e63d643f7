// The register of clients: who may write it, what it takes, and that a client which is switched off is refused at once (domain.md ruling 29).
import { NHS, TRACED, vmPath } from '../domain/people.js';
import { startServer, type TestServer } from '../server.js';
import { assertion, call, exchange, keyPair, origin, registerClient, supplier, type KeyPair } from './client-fixture.js';
import { expectRefusal } from './refusal.js';

let server: TestServer;
let key: KeyPair;
beforeAll(async () => {
  server = await startServer();
  key = await keyPair('ES384', 'k1');
});
afterAll(() => server.close());

const admin = () => ({ authorization: `Bearer ${server.tokens.admin}` });
const clients = (path = '', init: Omit<RequestInit, 'headers'> & { headers?: Record<string, string> } = {}) => call(`${origin(server)}/admin/clients${path}`, { ...init, headers: { ...admin(), ...init.headers } });
const ask = async (token: string): Promise<number> => (await server.send('GET', vmPath('9990000018'), { token, headers: TRACED })).status;

test('a client is registered, listed, read and replaced', async () => {
  const put = await registerClient(server, 'one', supplier(key, { rate: 50 }));
  expect([put.status, put.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
  expect(put.body).toMatchObject({ id: 'one', issuer: 'one', roles: ['supplier'], asid: '200000000115', organization: 'RR8', rate: 50, active: true, jwks: { keys: [key.jwk] } });
  expect((await clients('/one')).body).toEqual(put.body);
  expect((await clients()).body.clients).toContainEqual(put.body);
  await registerClient(server, 'one', supplier(key, { name: 'Renamed' }));
  expect((await clients('/one')).body).toMatchObject({ name: 'Renamed' });
  expect((await clients('/one')).body).not.toHaveProperty('rate');
  expectRefusal({ ...(await clients('/nobody')), headers: { 'content-type': 'application/fhir+json; charset=utf-8' } }, 404);
});

test.each(['ovm', 'supplier', 'homeOffice'] as const)('%s neither reads nor writes it', async (role) => {
  expect((await registerClient(server, 'mine', supplier(key), server.tokens[role])).status).toBe(403);
  const headers = { authorization: `Bearer ${server.tokens[role]}` };
  expect([(await clients('', { headers })).status, (await clients('/one', { headers })).status, (await clients('/one', { method: 'DELETE', headers })).status]).toEqual([403, 403, 403]);
  expect((await clients('', { headers: { authorization: '' } })).status).toBe(401);
  expect((await clients('/mine')).status).toBe(404);
});

test.each<[string, object, RegExp]>([
  ['without roles', { roles: undefined }, /roles/],
  ['of a role that is none', { roles: ['king'] }, /roles/],
  ['of a supplier without ASID', { asid: undefined }, /asid/],
  ['with letters for an ASID', { asid: 'A1' }, /asid/],
  ['with a name for an ODS code', { organization: 'King\'s College' }, /ODS/],
  ['with a member that is none', { admin: true }, /admin/],
  ['with a private key', { jwks: { keys: [{ kty: 'EC', crv: 'P-384', kid: 'k', x: 'a', y: 'b', d: 'secret' }] } }, /private/],
  ['with a shared secret', { jwks: { keys: [{ kty: 'oct', kid: 'k', k: 'secret' }] } }, /secret/],
  ['with a key without kid', { jwks: { keys: [{ kty: 'EC' }] } }, /kid/],
  ['with two keys of one kid', { jwks: { keys: [{ kty: 'EC', kid: 'k' }, { kty: 'RSA', kid: 'k' }] } }, /kid/],
  ['with keys in two places', { jwksUri: 'https://a.example/jwks' }, /not both/],
  ['with keys fetched in the clear', { jwks: undefined, jwksUri: 'http://a.example/jwks' }, /https/],
  ['with keys in a file', { jwks: undefined, jwksUri: 'file:///etc/passwd' }, /https/],
  ['with half a request per second', { rate: 0.5 }, /rate/],
  ['with the issuer of another', { issuer: 'one' }, /issuer/],
  ['with our issuer', { issuer: 'urn:entitle-fhir:development' }, /issuer/],
])('a registration %s is refused with words', async (_what, change, words) => {
  const { status, body } = await registerClient(server, 'bad', supplier(key, change));
  expect([status, body.resourceType]).toEqual([422, 'OperationOutcome']);
  expect(body.issue[0].details.text).toMatch(words);
  expect(JSON.stringify(body)).not.toContain('"secret"');
});

test('the development client is nobody\'s to register or switch off', async () => {
  expect((await registerClient(server, 'development', supplier(key))).status).toBe(422);
  expect((await clients('/development', { method: 'DELETE' })).status).toBe(422);
  expect(await ask(server.tokens.supplier)).toBe(404);
});

test('a body that is no JSON is 400', async () => {
  expect((await clients('/bad', { method: 'PUT', body: '{' })).status).toBe(400);
  expect((await clients('/bad', { method: 'PUT' })).status).toBe(422);
});

test('once a client is switched off, its next request is 403, by whichever token, and no token is given; switched on again, it goes on', async () => {
  await registerClient(server, 'off', supplier(key));
  const { body } = await exchange(server, assertion(server, 'off', key));
  const tokens = [body.access_token, await server.token('supplier', { client: 'off' })];
  for (const token of tokens) expect(await ask(token)).toBe(404);
  expect((await clients('/off', { method: 'DELETE' })).body.active).toBe(false);
  for (const token of tokens) {
    expect(await ask(token)).toBe(403);
    expect((await server.send('GET', `Patient/$chargeable-status?identifier=${NHS}|9990000018`, { token })).status).toBe(403);
    expectRefusal(await server.send('GET', 'StructureDefinition', { token }), 403, { text: /switched off/ });
  }
  expect((await exchange(server, assertion(server, 'off', key))).body.error).toBe('invalid_client');
  await registerClient(server, 'off', supplier(key));
  for (const token of tokens) expect(await ask(token)).toBe(404);
});

test('what another server switches off is refused here within a second', async () => {
  await registerClient(server, 'far', supplier(key));
  const token = await server.token('supplier', { client: 'far' });
  expect(await ask(token)).toBe(404);
  await server.database.query({ text: 'update fhir.client set active = false where id = $1', values: ['far'] });
  await new Promise((resolve) => setTimeout(resolve, 1050));
  expect(await ask(token)).toBe(403);
});

test('a supplier whom nobody registered is 401; a registered client comes in its roles alone', async () => {
  expect(await ask(await server.token('supplier', { client: 'nobody' }))).toBe(401);
  await registerClient(server, 'feeder', { roles: ['feed'] });
  expect(await ask(await server.token('supplier', { client: 'feeder' }))).toBe(403);
  expect((await server.send('GET', 'Patient', { token: await server.token('admin', { client: 'feeder' }) })).status).toBe(403);
});

test('for the operation as for the search a supplier must be registered', async () => {
  await registerClient(server, 'searcher', supplier(key, { interactions: ['urn:nhs:names:services:visitorsandmigrants:Observation.read:1'] }));
  const token = await server.token('supplier', { client: 'searcher' });
  expect(await ask(token)).toBe(404);
  const answer = await server.send('GET', `Patient/$chargeable-status?identifier=${NHS}|9990000018`, { token });
  expect([answer.status, answer.body.issue[0].details.coding[0].code]).toEqual([403, 'ASID_CHECK_FAILED']);
  await registerClient(server, 'searcher', supplier(key, { interactions: ['urn:nhs:names:services:visitorsandmigrants:fhir:operation:chargeable-status'] }));
  expect((await server.send('GET', `Patient/$chargeable-status?identifier=${NHS}|9990000018`, { token })).status).toBe(404);
  expect(await ask(token)).toBe(403);
});

test('a supplier\'s Bundles hold GET alone, the Home Office\'s POST alone', async () => {
  const entry = (method: string, url: string) => ({ resourceType: 'Bundle', type: 'batch', entry: [{ request: { method, url } }] });
  const status = async (token: string, method: string, url: string): Promise<string> => (await server.send('POST', '', { token, body: entry(method, url), headers: TRACED })).body.entry[0].response.status.slice(0, 3);
  expect(await status(server.tokens.supplier, 'GET', vmPath('9990000018'))).toBe('404');
  expect(await status(server.tokens.supplier, 'POST', 'Patient/$chargeable-status')).toBe('403');
  expect(await status(server.tokens.homeOffice, 'PUT', 'Observation?identifier=x')).toBe('403');
  const transaction = await server.send('POST', '', { token: server.tokens.supplier, body: { ...entry('POST', 'Patient/$chargeable-status'), type: 'transaction' }, headers: TRACED });
  expectRefusal(transaction, 403, { text: /GET alone/ });
});

describe('what is registered bounds every token of the client', () => {
  const path = 'Patient?_count=1';
  const status = async (token: string): Promise<number> => (await server.send('GET', path, { token })).status;

  test('its scopes, from the next second on', async () => {
    await registerClient(server, 'bounded', { roles: ['admin'], jwks: { keys: [key.jwk] } });
    const token = await server.token('admin', { client: 'bounded' });
    expect(await status(token)).toBe(200);
    await registerClient(server, 'bounded', { roles: ['admin'], jwks: { keys: [key.jwk] }, scope: 'system/Observation.rs' });
    expect(await status(token)).toBe(403);
    expect((await server.send('GET', 'Observation?_count=1', { token })).status).toBe(200);
    expect(await status(await server.token('admin', { client: 'bounded', scope: 'system/Patient.rs' }))).toBe(403);
  });

  test('its organisation', async () => {
    await registerClient(server, 'placed', { roles: ['ovm'], organization: 'RR8', jwks: { keys: [key.jwk] } });
    expect([await status(await server.token('ovm', { client: 'placed', organization: 'RR8' })), await status(await server.token('ovm', { client: 'placed', organization: 'RX1' }))]).toEqual([200, 403]);
  });

  test('an administrator\'s token for some resources is not for the register', async () => {
    for (const scope of ['system/*.rs', 'system/Patient.cruds', 'patient/*.cruds', 'openid', 'system/*.cruds?_tag=x']) expect((await registerClient(server, 'mine', supplier(key), await server.token('admin', { scope }))).status).toBe(403);
    expect((await registerClient(server, 'mine', supplier(key), await server.token('admin', { scope: 'system/*.cruds' }))).status).toBe(200);
  });

  test.each<[string, object, RegExp]>([
    ['in the clear', { redirectUris: ['http://app.example/'] }, /https/], ['with a fragment', { redirectUris: ['https://app.example/#x'] }, /fragment/], ['that is script', { redirectUris: ['javascript:alert(1)'] }, /https/],
    ['that is none', { redirectUris: ['/callback'] }, /https/], ['of a public client with a key', { public: true }, /no key/],
  ])('a redirect %s is not registered', async (_what, change, words) => {
    const { status: code, body } = await registerClient(server, 'bad', { roles: ['patient'], jwks: { keys: [key.jwk] }, ...change });
    expect([code, body.issue[0].details.text]).toEqual([422, expect.stringMatching(words)]);
  });
});

test('a modern token does not pass for a legacy one, nor the other way round', async () => {
  const legacy = await startServer({ VM_PROFILE: 'both' });
  try {
    const ssp = { 'ssp-traceid': 't', 'ssp-from': '200000000115', 'ssp-to': '200000000116', 'ssp-interactionid': 'urn:nhs:names:services:visitorsandmigrants:fhir:rest:search:observation' };
    const { status, body } = await legacy.send('GET', vmPath('9990000018'), { token: legacy.tokens.supplier, headers: ssp });
    expect([400, 401]).toContain(status);
    expect(body.resourceType).toBe('OperationOutcome');
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{"iss":"sup","role":"admin"}').toString('base64url')}.`;
    expect((await legacy.send('GET', 'Patient', { token: unsigned, headers: ssp })).status).toBe(401);
  } finally {
    await legacy.close();
  }
});
