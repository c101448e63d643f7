// Who is asking: nothing is open but the statement of capabilities and the health of the process.
// https://hl7.org/fhir/R4/security.html · https://www.rfc-editor.org/rfc/rfc6750
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { SignJWT } from 'jose';
import { DEVELOPMENT_AUDIENCE, DEVELOPMENT_ISSUER } from '../../src/identity/trusted-issuer.js';
import { startServer, type Answer, type TestServer } from '../server.js';
import { sendRaw } from './raw-request.js';
import { expectRefusal } from './refusal.js';
import { rowCounts } from './row-counts.js';

let server: TestServer;
beforeAll(async () => { server = await startServer(); });
afterAll(() => server.close());

function expectUnauthorised(answer: Answer, code = 'login'): void {
  expectRefusal(answer, 401, { code });
  expect(answer.headers['www-authenticate']).toMatch(/^Bearer realm="/);
}
const read = (authorization: string | undefined) => server.send('GET', 'Patient', { headers: authorization === undefined ? {} : { authorization } });
const parts = (token: string) => token.split('.') as [string, string, string];
const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

test.each([
  ['GET', 'Patient'], ['GET', 'Patient/1'], ['GET', 'Patient/1/_history'], ['GET', 'Patient/1/_history/1'], ['POST', 'Patient/_search'], ['POST', 'Patient'], ['PUT', 'Patient/1'], ['PATCH', 'Patient/1'], ['DELETE', 'Patient/1'],
  ['POST', ''], ['GET', ''], ['GET', 'Patient/$chargeable-status'], ['POST', 'Patient/$chargeable-status'], ['GET', 'StructureDefinition'], ['GET', 'Nonsense'], ['GET', 'metadata/x'], ['POST', 'metadata'],
  ['GET', '_history'], ['OPTIONS', 'Patient'], ['GET', 'Patient?x=/metadata'],
])('%s %s without a token is 401', async (method, path) => {
  const before = await rowCounts(server);
  expectUnauthorised(await server.send(method, path, { ...(method !== 'GET' && method !== 'OPTIONS' && { body: { resourceType: 'Patient' } }) }));
  expect(await rowCounts(server)).toEqual(before);
});

test('a HEAD without a token is 401 as well', async () => expect((await server.send('HEAD', 'Patient/1')).status).toBe(401));

test.each([['no scheme', 'x'], ['another scheme', 'Basic YTpi'], ['no token', 'Bearer'], ['an empty token', 'Bearer '], ['two words', 'Bearer a b'], ['words that are no token', 'Bearer garbage'], ['three empty parts', 'Bearer ..'], ['an endless token', `Bearer ${'a'.repeat(8000)}`]])(
  '%s is 401',
  async (_what, authorization) => expectUnauthorised(await read(authorization)),
);

test('the scheme may be written in any case', async () => {
  expect((await read(`bearer ${server.tokens.admin}`)).status).toBe(200);
  expect((await read(`BEARER ${server.tokens.admin}`)).status).toBe(200);
});

test('an expired token is told so', async () => {
  const answer = await read(`Bearer ${await server.token('admin', { lifetimeSeconds: -1 })}`);
  expectUnauthorised(answer, 'expired');
  expect(answer.headers['www-authenticate']).toContain('error="invalid_token"');
});

test('a token of alg none is no token, with the claims of a real one', async () => {
  const [, claims] = parts(server.tokens.admin);
  for (const alg of ['none', 'None', 'NONE']) for (const signature of ['', 'AAAA']) expectUnauthorised(await read(`Bearer ${base64({ alg, typ: 'JWT' })}.${claims}.${signature}`));
});

test('a changed claim breaks the signature', async () => {
  const [header, claims, signature] = parts(server.tokens.supplier);
  const changed = base64({ ...JSON.parse(Buffer.from(claims, 'base64url').toString()), role: 'admin' });
  expectUnauthorised(await read(`Bearer ${header}.${changed}.${signature}`));
});

test('a token signed by another key, or with a shared secret, is no token', async () => {
  const claims = { role: 'admin', client_id: 'x' };
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const forged = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256' }).setIssuer(DEVELOPMENT_ISSUER).setAudience(DEVELOPMENT_AUDIENCE).setSubject('x').setIssuedAt().setExpirationTime('1h').sign(privateKey);
  expectUnauthorised(await read(`Bearer ${forged}`));
  const [, body] = parts(server.tokens.admin);
  const head = `${base64({ alg: 'HS256' })}.${body}`;
  expectUnauthorised(await read(`Bearer ${head}.${createHmac('sha256', 'secret').update(head).digest('base64url')}`));
});

test('an answer to a bad token gives nothing of the token away in its headers', async () => {
  const { headers } = await read('Bearer gar"bage\\');
  expect(headers['www-authenticate']).not.toContain('gar"bage');
});

test('/metadata, OPTIONS of the base and health are open', async () => {
  expect((await server.send('GET', 'metadata')).body.resourceType).toBe('CapabilityStatement');
  expect((await server.send('HEAD', 'metadata')).status).toBe(200);
  expect((await server.send('OPTIONS', '')).body.resourceType).toBe('CapabilityStatement');
  const origin = new URL(server.base).origin;
  expect(await sendRaw(origin, { method: 'GET', path: '/healthz' })).toMatchObject({ status: 200, body: { status: 'alive' } });
  expect(await sendRaw(origin, { method: 'GET', path: '/readyz' })).toMatchObject({ status: 200, body: { status: 'ready' } });
});

test('nothing of the FHIR service is outside its base', async () => {
  for (const path of ['/', '/Patient', '/fhir', '/fhir/R4x', '/fhir/R5/Patient', '/metadata']) {
    const answer = await sendRaw(server.base, { method: 'GET', path });
    expectRefusal(answer, 404, { code: 'not-found' });
  }
});
