// Tokens of several external issuers: their keys, their audience, and whom their claims stand for. NHS login, CIS2, applications, and our own claims.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT, type JWTPayload } from 'jose';
import { BadIssuers, readIssuers } from '../../src/identity/external-issuer.js';
import { startServer, type Answer, type TestServer } from '../server.js';
import { keyPair, type KeyPair } from './client-fixture.js';

const NHS = 'https://fhir.nhs.uk/Id/nhs-number';
const AUDIENCE = 'https://fhir.entitle.example';
let keys: Record<'login' | 'cis2' | 'platform' | 'plain', KeyPair>;
let host: Server;
let hosted = '';
let asked: string[] = [];
let server: TestServer;
const folder = mkdtempSync(join(tmpdir(), 'issuers-'));

const issuerOf = (name: keyof typeof keys): string => (name === 'plain' ? 'urn:plain' : `${hosted}/${name}`);

beforeAll(async () => {
  keys = { login: await keyPair('RS512', 'k1'), cis2: await keyPair('RS256', 'k1'), platform: await keyPair('RS512', 'k1'), plain: await keyPair('ES256', 'k1') };
  host = createServer((request, response) => {
    asked.push(request.url ?? '');
    const [, name = '', ...rest] = (request.url ?? '').split('/');
    const pair = (keys as Partial<Record<string, KeyPair>>)[name];
    if (rest.join('/') === '.well-known/openid-configuration') response.end(JSON.stringify({ issuer: `${hosted}/${name}`, jwks_uri: `${hosted}/${name}/keys` }));
    else response.end(JSON.stringify({ keys: pair ? [pair.jwk] : [] }));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => { host.once('listening', resolve); });
  hosted = `http://127.0.0.1:${(host.address() as AddressInfo).port}`;
  const file = join(folder, 'issuers.json');
  writeFileSync(file, JSON.stringify([
    { issuer: issuerOf('login'), audience: AUDIENCE, algorithms: ['RS512'], rules: [{ when: { vot: ['P9.*'], identity_proofing_level: 'P9' }, role: 'patient', patient: { nhsNumber: 'nhs_number' }, scope: 'role' }] },
    { issuer: issuerOf('cis2'), audience: AUDIENCE, jwksUrl: `${hosted}/cis2/keys`, cis2: { roles: { 'S8000:G8000:R8000': 'ovm', R8003: 'care-coordinator' }, scope: 'role' } },
    { issuer: issuerOf('platform'), audience: [AUDIENCE, 'other'], rules: [{ when: { kind: 'application' }, role: 'registered', client: 'app_id' }, { role: 'feed', when: { kind: 'feed' }, scope: 'system/Patient.r' }] },
    { issuer: 'urn:plain', audience: AUDIENCE, jwksUrl: `${hosted}/plain/keys` },
  ]));
  server = await startServer({ AUTH_ISSUERS: file });
  await server.seed([
    { resourceType: 'Patient', id: 'ada', identifier: [{ system: NHS, value: '9990000018' }] }, { resourceType: 'Patient', id: 'bob', identifier: [{ system: NHS, value: '9990000026' }] },
    { resourceType: 'PractitionerRole', id: 'coordinator', active: true, identifier: [{ system: 'https://fhir.nhs.uk/Id/sds-role-profile-id', value: '555' }] },
    { resourceType: 'PractitionerRole', id: 'gone', active: false, identifier: [{ system: 'https://fhir.nhs.uk/Id/sds-role-profile-id', value: '666' }] },
    { resourceType: 'CareTeam', id: 't', status: 'active', subject: { reference: 'Patient/ada' }, participant: [{ member: { reference: 'PractitionerRole/coordinator' } }] },
  ]);
});
afterAll(async () => {
  await server.close();
  host.close();
  rmSync(folder, { recursive: true });
});

function sign(name: keyof typeof keys, claims: Record<string, unknown>, { key = keys[name], header = {} }: { key?: KeyPair; header?: object } = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT(JSON.parse(JSON.stringify({ iss: issuerOf(name), aud: AUDIENCE, sub: 'someone', iat: now, exp: now + 300, ...claims }))).setProtectedHeader({ alg: key.alg, kid: key.kid, ...header }).sign(key.privateKey);
}
const get = async (path: string, token: string | Promise<string>, headers: Record<string, string> = {}): Promise<Answer> => server.send('GET', path, { token: await token, headers });
const status = async (path: string, token: string | Promise<string>, headers: Record<string, string> = {}): Promise<number> => (await get(path, token, headers)).status;

describe('NHS login', () => {
  const login = (claims: Record<string, unknown> = {}, more = {}): Promise<string> => sign('login', { vot: 'P9.Cp.Cd', identity_proofing_level: 'P9', nhs_number: '9990000018', ...claims }, more);

  test('P9 is the patient with the NHS number, and nobody else', async () => {
    expect([await status('Patient/ada', login()), await status('Patient/bob', login()), await status('Patient/bob', login({ nhs_number: '9990000026' }))]).toEqual([200, 404, 200]);
    expect(asked).toContain('/login/.well-known/openid-configuration');
  });

  test.each<[string, Record<string, unknown>, number]>([
    ['a lower proof', { vot: 'P5.Cp.Cd', identity_proofing_level: 'P5' }, 403], ['a lower level alone', { identity_proofing_level: 'P5' }, 403], ['a vector that only ends so', { vot: 'XP9.Cp' }, 403], ['no vector', { vot: undefined }, 403], ['no NHS number', { nhs_number: undefined }, 401],
    ['the number of nobody', { nhs_number: '9990000034' }, 403], ['a number of another kind', { nhs_number: 9990000018 }, 401], ['a role of its own making', { role: 'admin', vot: 'P0' }, 403], ['a patient of its own making', { patient: 'bob' }, 404],
    ['another audience', { aud: 'https://elsewhere.example' }, 401], ['no audience', { aud: undefined }, 401], ['another issuer\'s name', { iss: 'urn:plain' }, 401], ['an issuer that nobody trusts', { iss: 'https://evil.example' }, 401], ['no issuer', { iss: undefined }, 401],
    ['an end in the past', { exp: 1 }, 401], ['no end', { exp: undefined }, 401], ['a beginning in the future', { nbf: Math.floor(Date.now() / 1000) + 3600 }, 401],
  ])('with %s is refused', async (_what, claims, expected) => {
    const answer = await get('Patient/bob', login(claims));
    expect(answer.status).toBe(expected);
    if (expected === 401) expect(answer.headers['www-authenticate']).toContain('error="invalid_token"');
  });

  test.each(['cis2', 'platform', 'plain'] as const)('signed by the key of %s is refused', async (other) => expect(await status('Patient/ada', login({}, { key: keys[other] }))).toBe(401));
  test('by an algorithm that is not this issuer\'s is refused', async () => expect(await status('Patient/ada', login({}, { key: { ...keys.login, alg: 'PS256' } }).catch(() => 'x'))).toBe(401));
  test('with a kid or a jku of its own is refused, and nothing is fetched from there', async () => {
    asked = [];
    for (const header of [{ kid: '../../etc/passwd' }, { kid: 'x\' or 1=1 --' }, { kid: 'k1', jku: `${hosted}/evil/keys` }, { kid: 'k1', x5u: `${hosted}/evil/cert` }, { kid: 'k1', jwk: keys.plain.jwk }])
      expect(await status('Patient/ada', login({}, { key: keys.platform, header }))).toBe(401);
    expect(asked.filter((path) => path.includes('evil') || path.includes('passwd'))).toEqual([]);
  });
});

describe('CIS2', () => {
  const role = (profile: string, code: string, rest: object = {}) => ({ person_roleid: profile, role_code: code, org_code: 'RR8', ...rest });
  const staff = (roles: unknown, rest: object = {}): Promise<string> => sign('cis2', { nhsid_useruid: '123456', nhsid_nrbac_roles: roles, ...rest });

  test('the national role is ours, with its organisation and its PractitionerRole', async () => {
    const coordinator = staff([role('555', 'S8001:G8003:R8003')]);
    expect([await status('Patient/ada', coordinator), await status('Patient/bob', coordinator)]).toEqual([200, 403]);
    expect(await status('Patient/bob', staff([role('1', 'S8000:G8000:R8000')]))).toBe(200);
  });

  test('of several roles the header says which, or the token', async () => {
    const both = () => staff([role('1', 'S8000:G8000:R8000'), role('555', 'S8001:G8003:R8003')]);
    expect(await status('Patient/bob', both())).toBe(400);
    const token = await both();
    expect([await status('Patient/bob', token, { 'nhsd-session-urid': '1' }), await status('Patient/bob', token, { 'nhsd-session-urid': '555' }), await status('Patient/bob', token, { 'nhsd-session-urid': '1' })]).toEqual([200, 403, 200]);
    expect(await status('Patient/bob', token, { 'nhsd-session-urid': '777' })).toBe(403);
    expect(await status('Patient/bob', staff([role('1', 'S8000:G8000:R8000'), role('2', 'R8003')], { selected_roleid: '1' }))).toBe(200);
  });

  test('an activity code carries what it stands for', async () => {
    const path = 'Patient/ada/$chargeable-status';
    expect(await status(path, staff([role('555', 'R8003')]))).toBe(403);
    expect(await status(path, staff([role('555', 'R8003', { activity_codes: ['B0259'] })]))).toBe(200);
  });

  test.each<[string, unknown, number]>([['a role that is not mapped', [role('1', 'S8000:G8000:R9999')], 403], ['no roles', undefined, 401], ['an empty list', [], 403], ['roles that are none', ['admin', { role_code: 'R8003' }], 403], ['a code that is a member of all objects', [role('1', 'constructor')], 403]])(
    'with %s is refused', async (_what, roles, expected) => expect(await status('Patient/ada', staff(roles))).toBe(expected));
  test('whose PractitionerRole is inactive is refused', async () => expect(await status('Patient/ada', staff([role('666', 'R8003')]))).toBe(403));
});

describe('an application', () => {
  const app = (claims: JWTPayload): Promise<string> => sign('platform', { kind: 'application', ...claims });
  beforeAll(async () => {
    const admin = await sign('plain', { role: 'admin' });
    const register = async (id: string, body: object) => fetch(`${new URL(server.base).origin}/admin/clients/${id}`, { method: 'PUT', headers: { authorization: `Bearer ${admin}` }, body: JSON.stringify(body) });
    for (const [id, body] of [['known', { roles: ['ovm'], organization: 'RR8', scope: 'system/Patient.rs' }], ['several', { roles: ['ovm', 'admin'] }], ['off', { roles: ['ovm'], active: false }]] as const) expect((await register(id, body)).status).toBe(200);
  });

  test('is what it is registered as, within what is registered', async () => {
    const token = app({ app_id: 'known', scope: 'system/*.rs' });
    expect([await status('Patient/ada', token), await status('Observation', token), await status('Account', token)]).toEqual([200, 403, 403]);
  });

  test.each<[string, JWTPayload, number]>([
    ['that nobody registered', { app_id: 'nobody', scope: 'system/*.rs' }, 403], ['of several roles', { app_id: 'several', scope: 'system/*.rs' }, 403], ['that is switched off', { app_id: 'off', scope: 'system/*.rs' }, 403], ['without an id', { scope: 'system/*.rs' }, 401],
    ['without scopes', { app_id: 'known' }, 403], ['with scopes of nothing', { app_id: 'known', scope: 'openid' }, 403], ['of another kind', { kind: 'person', app_id: 'known', scope: 'system/*.rs' }, 403],
  ])('%s is refused', async (_what, claims, expected) => expect(await status('Patient/ada', app(claims))).toBe(expected));

  test('either audience is taken', async () => expect(await status('Patient/ada', app({ app_id: 'known', scope: 'system/*.rs', aud: 'other' }))).toBe(200));
});

test('an issuer without rules carries our claims', async () => {
  expect([await status('Patient/ada', sign('plain', { role: 'admin' })), await status('Patient/ada', sign('plain', { role: 'king' })), await status('Patient/ada', sign('plain', { role: 'admin', scope: 'openid' }))]).toEqual([200, 403, 403]);
});

test('a token that is bound to something else than a certificate is refused', async () => expect(await status('Patient/ada', sign('plain', { role: 'admin', cnf: { jkt: 'abc' } }))).toBe(401));
test('an endless token is refused', async () => expect(await status('Patient/ada', sign('plain', { role: 'admin', padding: 'x'.repeat(9000) }))).toBe(401));

test('development tokens, and their server, are not there', async () => {
  expect(await status('Patient/ada', server.tokens.admin)).toBe(401);
  const origin = new URL(server.base).origin;
  for (const path of ['/oauth2/token', '/oauth2/introspect', '/.well-known/oauth-authorization-server']) expect((await fetch(origin + path, { method: path.startsWith('/.') ? 'GET' : 'POST' })).status).toBe(404);
});

test.each<[string, string, RegExp]>([
  ['no JSON', '{', /JSON/], ['no array', '{}', /array/], ['an empty one', '[]', /array/], ['an unknown member', '[{"issuer":"urn:a","audience":"b","jwksUrl":"https://a.example","secret":"x"}]', /secret/],
  ['no audience', '[{"issuer":"urn:a","jwksUrl":"https://a.example/keys"}]', /audience/], ['keys in the clear', '[{"issuer":"urn:a","audience":"b","jwksUrl":"http://a.example/keys"}]', /https/], ['nowhere to find keys', '[{"issuer":"urn:a","audience":"b"}]', /jwksUrl/],
  ['a shared secret', '[{"issuer":"urn:a","audience":"b","jwksUrl":"https://a.example","algorithms":["HS256"]}]', /HS256/], ['no authentication', '[{"issuer":"urn:a","audience":"b","jwksUrl":"https://a.example","algorithms":["none"]}]', /none/],
  ['a role that is none', '[{"issuer":"urn:a","audience":"b","jwksUrl":"https://a.example","rules":[{"role":"king"}]}]', /role/], ['one issuer twice', '[{"issuer":"urn:a","audience":"b","jwksUrl":"https://a.example"},{"issuer":"urn:a","audience":"b","jwksUrl":"https://a.example"}]', /same name/],
  ['a patient by nothing', '[{"issuer":"urn:a","audience":"b","jwksUrl":"https://a.example","rules":[{"role":"patient","patient":{}}]}]', /patient/],
])('a file with %s stops the start with words', (_what, text, words) => {
  expect(() => readIssuers(text)).toThrow(BadIssuers);
  expect(() => readIssuers(text)).toThrow(words);
});
