// Introspection (RFC 7662) and revocation (RFC 7009): of one's own tokens, and at once.
import { startServer, type TestServer } from '../server.js';
import { ASSERTION_TYPE, assertion, call, exchange, keyPair, origin, registerClient, tokenUrl, type KeyPair, type Reply } from './client-fixture.js';
import { REDIRECT, refresh, signIn } from './sign-in-fixture.js';

let server: TestServer;
let key: KeyPair;
let other: KeyPair;
beforeAll(async () => {
  server = await startServer();
  [key, other] = [await keyPair('ES384', 'k1'), await keyPair('RS384', 'k1')];
  await registerClient(server, 'sys', { roles: ['admin'], jwks: { keys: [key.jwk] } });
  await registerClient(server, 'rival', { roles: ['admin'], jwks: { keys: [other.jwk] } });
  await registerClient(server, 'app', { roles: ['patient'], public: true, redirectUris: [REDIRECT] });
  await server.seed([{ resourceType: 'Patient', id: 'ada' }]);
});
afterAll(() => server.close());

type Endpoint = 'introspect' | 'revoke';
const url = (endpoint: Endpoint): string => `${origin(server)}/oauth2/${endpoint}`;
const form = (endpoint: Endpoint, fields: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}): Promise<Reply> =>
  call(url(endpoint), { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers }, body: new URLSearchParams(fields).toString() });
const by = async (client: string, pair: KeyPair, endpoint: Endpoint, token: string, aud?: string): Promise<Reply> =>
  form(endpoint, { token, client_assertion_type: ASSERTION_TYPE, client_assertion: await assertion(server, client, pair, aud === undefined ? {} : { claims: { aud } }) });
const asAdmin = (endpoint: Endpoint, token: string): Promise<Reply> => form(endpoint, { token }, { authorization: `Bearer ${server.tokens.admin}` });
const read = async (token: string): Promise<number> => (await server.send('GET', 'Patient/ada', { token })).status;
const newToken = async (): Promise<string> => (await exchange(server, assertion(server, 'sys', key))).body.access_token;

describe('introspection', () => {
  test('tells a client of its own token', async () => {
    const token = await newToken();
    for (const aud of [tokenUrl(server), url('introspect')]) {
      const { status, headers, body } = await by('sys', key, 'introspect', token, aud);
      expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
      expect(body).toEqual({ active: true, scope: 'system/*.cruds', client_id: 'sys', token_type: 'Bearer', exp: expect.any(Number), iat: expect.any(Number), jti: expect.any(String), sub: 'sys', iss: origin(server), aud: server.base, role: 'admin' });
    }
  });

  test('tells of the launch context, and of who signed in', async () => {
    const { body: token } = await signIn(server, { role: 'patient', patient: 'ada' }, { scope: 'openid fhirUser launch/patient patient/*.rs offline_access' });
    expect((await asAdmin('introspect', token.access_token)).body).toMatchObject({ active: true, client_id: 'app', patient: 'ada', fhirUser: `${server.base}/Patient/ada`, scope: token.scope });
    expect((await asAdmin('introspect', token.refresh_token)).body).toMatchObject({ active: true, client_id: 'app', token_type: 'refresh_token' });
    expect((await form('introspect', { token: token.access_token, client_id: 'app' })).body).toMatchObject({ active: true });
  });

  test('says nothing of another client\'s token, nor of what is none', async () => {
    const token = await newToken();
    expect((await by('rival', other, 'introspect', token)).body).toEqual({ active: false });
    for (const nothing of ['x', 'a.b.c', `${token}x`, token.replace(/\.[^.]+\./, '.e30.'), await server.token('admin', { lifetimeSeconds: -1 })]) expect((await asAdmin('introspect', nothing)).body).toEqual({ active: false });
  });

  test('is for those who say who they are', async () => {
    const token = await newToken();
    for (const [fields, headers, status] of [[{ token }, {}, 401], [{ token, client_id: 'sys' }, {}, 401], [{ token }, { authorization: 'Bearer x' }, 401], [{ token }, { authorization: `Bearer ${server.tokens.ovm}` }, 403], [{ token }, { authorization: `Bearer ${await server.token('admin', { scope: 'system/Patient.r' })}` }, 403], [{}, { authorization: `Bearer ${server.tokens.admin}` }, 400]] as const) {
      const reply = await form('introspect', fields, headers);
      expect([reply.status, typeof reply.body.error]).toEqual([status, 'string']);
    }
    expect((await call(url('introspect'))).status).toBe(405);
    expect((await by('sys', key, 'introspect', token, url('revoke'))).status).toBe(401);
  });

  test('a client that is switched off has no good token', async () => {
    await registerClient(server, 'off', { roles: ['admin'], jwks: { keys: [key.jwk] } });
    const { body } = await exchange(server, assertion(server, 'off', key));
    await registerClient(server, 'off', { roles: ['admin'], jwks: { keys: [key.jwk] }, active: false });
    expect((await asAdmin('introspect', body.access_token)).body).toEqual({ active: false });
  });
});

describe('revocation', () => {
  test('ends a token that has been used, at once', async () => {
    const token = await newToken();
    expect(await read(token)).toBe(200);
    const { status, body } = await by('sys', key, 'revoke', token);
    expect([status, body]).toEqual([200, undefined]);
    const answer = await server.send('GET', 'Patient/ada', { token });
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, expect.stringContaining('error="invalid_token"')]);
    expect((await asAdmin('introspect', token)).body).toEqual({ active: false });
    expect((await by('sys', key, 'revoke', token)).status).toBe(200);
  });

  test('another server knows within a second', async () => {
    const token = await newToken();
    expect(await read(token)).toBe(200);
    const { jti } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { jti: string };
    // What the other process writes.
    await server.database.query({ text: 'insert into fhir.token_revocation (key, expires) values ($1, $2)', values: [`token ${jti}`, Date.now() + 300_000] });
    await new Promise((resolve) => { setTimeout(resolve, 1050); });
    expect(await read(token)).toBe(401);
  });

  test('of a refresh token ends all of its sign-in', async () => {
    const { body } = await signIn(server, { role: 'patient', patient: 'ada' }, { scope: 'patient/*.rs offline_access' });
    expect(await read(body.access_token)).toBe(200);
    expect((await form('revoke', { token: body.refresh_token, client_id: 'app', token_type_hint: 'refresh_token' })).status).toBe(200);
    expect(await read(body.access_token)).toBe(401);
    expect((await refresh(server, body.refresh_token)).body.error).toBe('invalid_grant');
  });

  test('of another\'s token is refused, and of nothing is done already', async () => {
    const token = await newToken();
    const refused = await by('rival', other, 'revoke', token);
    expect([refused.status, refused.body.error]).toEqual([400, 'invalid_grant']);
    expect(await read(token)).toBe(200);
    expect((await by('rival', other, 'revoke', 'nothing')).status).toBe(200);
    expect((await form('revoke', { token })).status).toBe(401);
  });

  test('an administrator ends any token, also one of the command line', async () => {
    const token = await server.token('admin');
    expect(await read(token)).toBe(200);
    expect((await asAdmin('revoke', token)).status).toBe(200);
    expect(await read(token)).toBe(401);
  });
});

describe('a token elsewhere than in Authorization', () => {
  test('is refused in the URL', async () => {
    const answer = await server.send('GET', `Patient?access_token=${server.tokens.admin}`);
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([400, expect.stringContaining('error="invalid_request"')]);
    expect((await server.send('GET', `Patient/ada?access_token=${server.tokens.ovm}`, { token: server.tokens.admin })).status).toBe(400);
  });

  test('is none in a form or a cookie', async () => {
    expect((await server.send('POST', 'Patient/_search', { body: `access_token=${server.tokens.admin}`, headers: { 'content-type': 'application/x-www-form-urlencoded' } })).status).toBe(401);
    expect((await server.send('GET', 'Patient', { headers: { cookie: `access_token=${server.tokens.admin}` } })).status).toBe(401);
  });
});
