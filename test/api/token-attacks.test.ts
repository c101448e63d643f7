// Attacks on bearer tokens over HTTP, by name, with everything else about the token as it should be. https://www.rfc-editor.org/rfc/rfc8725 · RFC 9068, 9700
// (Assertions of clients: oauth.test.ts; codes, PKCE and refresh tokens: oauth-sign-in.test.ts; introspection: oauth-revocation.test.ts; certificates: mutual-tls.test.ts.)
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompactSign, exportSPKI } from 'jose';
import { startServer, type Answer, type TestServer } from '../server.js';
import { keyPair, type KeyPair } from './client-fixture.js';

const ISSUER = 'https://issuer.example';
const AUDIENCE = 'https://fhir.entitle.example';
const folder = mkdtempSync(join(tmpdir(), 'attacks-'));
let server: TestServer;
let host: Server;
let hosted = '';
let asked: string[] = [];
let key: KeyPair;
let rsa: KeyPair;
let evil: KeyPair;

beforeAll(async () => {
  [key, rsa, evil] = await Promise.all([keyPair('ES256', 'k1'), keyPair('RS256', 'k2'), keyPair('ES256', 'evil')]);
  host = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.end(JSON.stringify({ keys: request.url === '/keys' ? [key.jwk, rsa.jwk] : [evil.jwk] }));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => { host.once('listening', resolve); });
  hosted = `http://127.0.0.1:${(host.address() as AddressInfo).port}`;
  const file = join(folder, 'issuers.json');
  writeFileSync(file, JSON.stringify([{ issuer: ISSUER, audience: AUDIENCE, jwksUrl: `${hosted}/keys` }]));
  server = await startServer({ AUTH_ISSUERS: file });
  await server.seed([{ resourceType: 'Patient', id: 'ada' }]);
});
afterAll(async () => {
  await server.close();
  host.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => { asked = []; });

const seconds = (): number => Math.floor(Date.now() / 1000);
const claims = (rest: object = {}): Record<string, unknown> => ({ iss: ISSUER, aud: AUDIENCE, sub: 'someone', azp: 'app', role: 'admin', entitle_role: 'admin', iat: seconds(), exp: seconds() + 300, ...rest });
const encoded = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const sign = (payload: unknown, header: object = {}, by: KeyPair = key): Promise<string> =>
  new CompactSign(new TextEncoder().encode(typeof payload === 'string' ? payload : JSON.stringify(payload))).setProtectedHeader({ alg: by.alg, kid: by.kid, ...header }).sign(by.privateKey);
const get = (token: string): Promise<Answer> => server.send('GET', 'Patient/ada', { token });
async function expectRefused(token: string): Promise<void> {
  const { status, body, headers, text } = await get(token);
  expect([status, body.resourceType, ['login', 'expired'].includes(body.issue[0].code)]).toEqual([401, 'OperationOutcome', true]);
  expect(headers['www-authenticate']).toMatch(/^Bearer realm="entitle-fhir", error="invalid_token"/);
  expect(text).not.toContain('"id":"ada"');
  expect(asked.filter((path) => path !== '/keys')).toEqual([]);
}

test('the token itself is good, by either key', async () => {
  expect([(await get(await sign(claims()))).status, (await get(await sign(claims(), {}, rsa))).status]).toEqual([200, 200]);
});

describe('the signature', () => {
  test.each(['none', 'None', 'nOnE', 'NONE', ''])('alg %j', async (alg) => {
    for (const signature of ['', 'AA', encoded('x')]) {
      const token = `${encoded({ alg, kid: 'k1' })}.${encoded(claims())}.${signature}`;
      if (signature === '') expect((await get(token)).status).toBe(401);
      else await expectRefused(token);
    }
  });
  test.each(['HS256', 'HS384', 'HS512'])('%s with the public key for a secret', async (alg) => {
    for (const secret of [await exportSPKI(rsa.publicKey), (await exportSPKI(rsa.publicKey)).trim(), JSON.stringify(rsa.jwk), rsa.jwk.n ?? '']) {
      await expectRefused(await new CompactSign(new TextEncoder().encode(JSON.stringify(claims()))).setProtectedHeader({ alg, kid: 'k2' }).sign(new TextEncoder().encode(secret)));
    }
  });
  test('of zeroes, cut off, doubled, of another token, or in other letters', async () => {
    const [head = '', body = '', signature = ''] = (await sign(claims())).split('.');
    const [, , other = ''] = (await sign(claims({ sub: 'another' }))).split('.');
    for (const wrong of [Buffer.alloc(64).toString('base64url'), signature.slice(0, -4), signature + signature, other, signature.toUpperCase(), `${signature}=`, `${signature}.${signature}`]) await expectRefused(`${head}.${body}.${wrong}`);
  });
  test('by a key of one\'s own, whatever the header says of it', async () => {
    const { jwk } = evil;
    for (const header of [
      {}, { kid: 'k1' }, { jwk }, { jwk, kid: 'k1' }, { jku: `${hosted}/evil` }, { jku: `${hosted}/keys`, kid: 'k1' }, { x5u: `${hosted}/evil` }, { x5c: ['MIIB'] }, { kid: '../../../../dev/null' }, { kid: '' }, { kid: 'k1\u0000' }, { kid: '\' or 1=1 --' },
      { kid: `${hosted}/evil` }, { kid: 5 as never },
    ]) await expectRefused(await sign(claims(), header, evil).catch(() => `${encoded({ alg: 'ES256', ...header })}.${encoded(claims())}.${encoded('x'.repeat(64))}`));
  });
  test('of the right key under the name of another, or by another algorithm', async () => {
    await expectRefused(await sign(claims(), { kid: 'k2' }));
    await expectRefused(await sign(claims(), { kid: 'nobody' }));
    const [, body = '', signature = ''] = (await sign(claims(), {}, rsa)).split('.');
    await expectRefused(`${encoded({ alg: 'PS256', kid: 'k2' })}.${body}.${signature}`);
    await expectRefused(`${encoded({ alg: 'ES256', kid: 'k2' })}.${body}.${signature}`);
  });
});

describe('the header', () => {
  test.each([{ crit: ['exp'] }, { crit: [] }, { crit: ['b64'], b64: false }, { crit: 'b64' }, { crit: ['urn:x'], 'urn:x': true }])('%j is not understood, and so refused', async (header) => {
    const head = encoded({ alg: 'ES256', kid: 'k1', ...header });
    const [, body = '', signature = ''] = (await sign(claims())).split('.');
    await expectRefused(await sign(claims(), header as never).catch(() => `${head}.${body}.${signature}`));
  });
  test.each(['logout+jwt', 'secevent+jwt', 'dpop+jwt', 'oauth-authz-req+jwt', 'entity-statement+jwt', 'application/logout+jwt', 'token-introspection+jwt', 'client-authentication+jwt'])('typ %s is another kind of token', async (typ) => { await expectRefused(await sign(claims(), { typ })); });
  test.each(['JWT', 'jwt', 'at+jwt', 'application/at+jwt', 'AT+JWT'])('typ %s is an access token', async (typ) => expect((await get(await sign(claims(), { typ }))).status).toBe(200));
  test('what is encrypted, or a list of signatures, is none', async () => {
    await expectRefused(`${encoded({ alg: 'dir', enc: 'A256GCM' })}..${encoded('x')}.${encoded('x')}.${encoded('x')}`);
    await expectRefused(encoded({ payload: encoded(claims()), signatures: [] }));
  });
});

describe('the claims', () => {
  test.each<[string, object]>([
    ['expired', { exp: 1 }], ['expired a minute ago', { exp: seconds() - 60 }], ['endless', { exp: undefined }], ['ending at no time', { exp: 'tomorrow' }], ['ending at NaN', { exp: null }], ['not valid yet', { nbf: seconds() + 3600 }], ['valid from no time', { nbf: 'now' }],
    ['of another issuer', { iss: 'https://evil.example' }], ['of this issuer, spelt otherwise', { iss: `${ISSUER}/` }], ['of the development server', { iss: 'urn:entitle-fhir:development' }], ['of no issuer', { iss: undefined }], ['of two issuers', { iss: [ISSUER, 'x'] }],
    ['for another audience', { aud: 'https://other.example' }], ['for a longer audience', { aud: `${AUDIENCE}.evil.example` }], ['for none', { aud: undefined }], ['for an empty list', { aud: [] }], ['for a client (an id_token)', { aud: 'app', nonce: 'x' }],
    ['an ID token by typ', { typ: 'ID' }], ['an ID token by token_use', { token_use: 'id' }], ['a refresh token', { typ: 'Refresh' }], ['an offline token', { typ: 'Offline' }], ['of nobody', { sub: undefined, azp: undefined }], ['with scopes that are a list of objects', { scope: [{}] }],
    ['bound to a certificate', { cnf: { 'x5t#S256': encoded('x'.repeat(32)) } }], ['bound to a key', { cnf: { jkt: 'x' } }],
  ])('%s', async (_what, rest) => { await expectRefused(await sign(JSON.parse(JSON.stringify(claims(rest))))); });

  test('said twice count once, the last, for the whole of the server', async () => {
    const twice = (name: string, first: unknown, last: unknown): string => `{"${name}":${JSON.stringify(first)},${JSON.stringify(claims({ [name]: undefined })).slice(1, -1)},"${name}":${JSON.stringify(last)}}`;
    for (const [name, good, bad] of [['aud', AUDIENCE, 'https://other.example'], ['iss', ISSUER, 'https://evil.example'], ['exp', seconds() + 300, 1]] as const) {
      await expectRefused(await sign(twice(name, good, bad)));
      expect((await get(await sign(twice(name, bad, good)))).status).toBe(200);
    }
  });
  test.each(['[]', 'null', '"x"', '5', '', '{', '{"__proto__":{"role":"admin"}}'])('that are %s are none', async (payload) => { await expectRefused(await sign(payload === '' ? ' ' : payload)); });
  test('of a prototype give no role', async () => {
    const body = JSON.stringify(claims({ role: undefined, entitle_role: undefined }));
    const { status } = await get(await sign(`${body.slice(0, -1)},"__proto__":{"role":"admin","entitle_role":"admin"}}`));
    expect([401, 403]).toContain(status);
  });
  test.each(['constructor', '__proto__', 'toString', 'ADMIN', 'admin ', 'administrator'])('the role %j gives no rights', async (role) => expect([401, 403]).toContain((await get(await sign(claims({ role, entitle_role: role, scope: 'system/*.rs' })))).status));
});
