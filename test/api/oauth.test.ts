// Application-restricted access: client_credentials with private_key_jwt, its discovery, and the attacks on it.
// https://hl7.org/fhir/smart-app-launch/backend-services.html · RFC 6749, 7523, 8725
import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJwt, SignJWT } from 'jose';
import { NHS, numbers, register, state, TRACED, vmPath } from '../domain/people.js';
import { startServer, type TestServer } from '../server.js';
import { ASSERTION_TYPE, askToken, assertion, call, exchange, keyPair, origin, registerClient, supplier, tokenUrl, type KeyPair, type Reply } from './client-fixture.js';

let server: TestServer;
let key: KeyPair;
let other: KeyPair;
const number = numbers(999_300_000)();

beforeAll(async () => {
  server = await startServer();
  key = await keyPair('ES384', 'k1');
  other = await keyPair('ES384', 'k1');
  await registerClient(server, 'sup', supplier(key));
  await registerClient(server, 'rival', supplier(other, { asid: '200000000116', organization: 'RX1' }));
  await register(server, number);
  await state(server, number, 'paid-or-exempt', '2026-04-01T00:00:00Z');
});
afterAll(() => server.close());

const search = (token: string) => server.send('GET', vmPath(number), { token, headers: TRACED });

function expectOAuthError(reply: Reply, status: number, error: string, words?: RegExp): void {
  expect([reply.status, reply.body.error]).toEqual([status, error]);
  expect(reply.body.error_description).toMatch(words ?? /\w/);
  expect(reply.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(reply.headers.get('cache-control')).toBe('no-store');
  expect(reply.body.access_token).toBeUndefined();
}

describe('discovery', () => {
  test('says without a token where tokens are', async () => {
    const { status, headers, body } = await call(`${server.base}/.well-known/smart-configuration`);
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
    expect(body).toMatchObject({
      token_endpoint: tokenUrl(server), grant_types_supported: expect.arrayContaining(['client_credentials']), token_endpoint_auth_methods_supported: expect.arrayContaining(['private_key_jwt']),
      token_endpoint_auth_signing_alg_values_supported: ['RS384', 'ES384', 'RS512', 'PS512'], capabilities: expect.arrayContaining(['client-confidential-asymmetric']),
    });
  });

  test('the CapabilityStatement says the same', async () => {
    const { security } = (await server.send('GET', 'metadata')).body.rest[0];
    expect(security.extension).toEqual([{ url: expect.stringMatching(/oauth-uris$/), extension: expect.arrayContaining([{ url: 'token', valueUri: tokenUrl(server) }]) }]);
  });

  test('behind a proxy it is at the origin that clients see', async () => {
    const external = await startServer({ PUBLIC_URL: 'https://fhir.example.nhs.uk' });
    try {
      expect((await call(`${external.base}/.well-known/smart-configuration`)).body.token_endpoint).toBe('https://fhir.example.nhs.uk/oauth2/token');
    } finally {
      await external.close();
    }
  });
});

describe('a token', () => {
  test.each(['RS384', 'ES384', 'RS512', 'PS512'])('is given for an assertion signed by %s, short, for the client\'s role and organisation', async (alg) => {
    const pair = await keyPair(alg, 'k1');
    await registerClient(server, `sup-${alg}`, supplier(pair));
    const { status, headers, body } = await exchange(server, assertion(server, `sup-${alg}`, pair));
    expect([status, headers.get('cache-control'), headers.get('pragma')]).toEqual([200, 'no-store', 'no-cache']);
    expect(body).toEqual({ access_token: expect.any(String), token_type: 'Bearer', expires_in: 300, scope: 'system/*.cruds' });
    const claims = decodeJwt(body.access_token);
    expect(claims).toMatchObject({ client_id: `sup-${alg}`, sub: `sup-${alg}`, role: 'supplier', organization: 'RR8', scope: 'system/*.cruds' });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(300);
    expect((await search(body.access_token)).body.total).toBe(1);
  });

  test('is narrowed to what is asked, and to what is registered', async () => {
    await registerClient(server, 'narrow', supplier(key, { scope: 'system/Observation.rs system/CodeSystem.r' }));
    const scopeOf = async (scope?: string) => (await exchange(server, assertion(server, 'narrow', key), scope === undefined ? {} : { scope })).body.scope;
    expect(await scopeOf()).toBe('system/Observation.rs system/CodeSystem.r');
    expect(await scopeOf('system/*.*')).toBe('system/Observation.rs system/CodeSystem.r');
    expect(await scopeOf('system/Observation.read')).toBe('system/Observation.rs');
    expect(await scopeOf('system/*.s system/Patient.r')).toBe('system/Observation.s');
    expect(await scopeOf('system/Observation.s?code=x')).toBe('system/Observation.s?code=x');
    const { body } = await exchange(server, assertion(server, 'narrow', key), { scope: 'system/CodeSystem.r' });
    expect((await search(body.access_token)).status).toBe(403);
  });

  test.each(['', ' ', 'openid', 'patient/*.rs', 'user/Observation.rs', 'system/Patient.rs', 'system/Observation.', 'system/Observation.sr', 'system/Observation.rs?', 'launch', 'system/Observation.rs\u0000'])(
    'is not given for the scopes %j: none would be everything',
    async (scope) => {
      await registerClient(server, 'narrow', supplier(key, { scope: 'system/Observation.rs' }));
      expectOAuthError(await exchange(server, assertion(server, 'narrow', key), { scope }), 400, 'invalid_scope');
    },
  );

  test('of a client with several roles is for the one it names', async () => {
    await registerClient(server, 'both', supplier(key, { roles: ['supplier', 'feed'] }));
    expectOAuthError(await exchange(server, assertion(server, 'both', key)), 400, 'invalid_request', /entitle_role/);
    expect(decodeJwt((await exchange(server, assertion(server, 'both', key), { entitle_role: 'feed' })).body.access_token)['role']).toBe('feed');
    expectOAuthError(await exchange(server, assertion(server, 'both', key), { entitle_role: 'admin' }), 400, 'invalid_request');
  });

  test('is not given for a role of people', async () => {
    await registerClient(server, 'app', { roles: ['patient', 'ovm'], jwks: { keys: [key.jwk] } });
    expectOAuthError(await exchange(server, assertion(server, 'app', key)), 400, 'unauthorized_client');
  });

  test('is no good for another supplier\'s registration: the interactions are the client\'s own', async () => {
    await registerClient(server, 'bare', supplier(key, { interactions: [] }));
    const { body } = await exchange(server, assertion(server, 'bare', key));
    const answer = await search(body.access_token);
    expect([answer.status, answer.body.issue[0].details.coding[0].code]).toEqual([403, 'ASID_CHECK_FAILED']);
  });

  test('whose scope is taken out, or whose client is changed, is no token', async () => {
    const { body } = await exchange(server, assertion(server, 'sup', key), { scope: 'system/CodeSystem.r' });
    const [header, , signature] = body.access_token.split('.');
    for (const change of [{ scope: undefined }, { client_id: 'rival' }, { role: 'admin' }]) {
      const claims = Buffer.from(JSON.stringify({ ...decodeJwt(body.access_token), ...change })).toString('base64url');
      expect((await search(`${header}.${claims}.${signature}`)).status).toBe(401);
    }
  });
});

describe('an assertion is refused', () => {
  const soon = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;
  const refused: [string, () => Promise<string>, RegExp?][] = [
    ['without a kid', () => assertion(server, 'sup', key, { header: { kid: undefined } }), /kid/],
    ['with a kid that is not registered', () => assertion(server, 'sup', key, { header: { kid: 'k2' } })],
    ['with a kid that is a path', () => assertion(server, 'sup', key, { header: { kid: '../../etc/passwd' } })],
    ['with a kid that is SQL', () => assertion(server, 'sup', key, { header: { kid: 'k1\' or 1=1 --' } })],
    ['signed by another client\'s key', () => assertion(server, 'sup', other)],
    ['of another client by our key', () => assertion(server, 'rival', key)],
    ['that brings its own key', () => assertion(server, 'sup', other, { header: { jwk: other.jwk } }), /key of its own/],
    ['that names its own keys', () => assertion(server, 'sup', other, { header: { jku: 'http://127.0.0.1:1/jwks' } }), /not registered/],
    ['that names its own certificate', () => assertion(server, 'sup', other, { header: { x5u: 'http://127.0.0.1:1/cert' } }), /key of its own/],
    ['that has expired', () => assertion(server, 'sup', key, { claims: { exp: soon(-60), iat: soon(-300) } })],
    ['that lasts too long', () => assertion(server, 'sup', key, { claims: { exp: soon(3600) } }), /300 seconds/],
    ['that never expires', () => assertion(server, 'sup', key, { claims: { exp: undefined } })],
    ['of the future', () => assertion(server, 'sup', key, { claims: { iat: soon(120) } }), /iat/],
    ['that is not yet valid', () => assertion(server, 'sup', key, { claims: { nbf: soon(120) } })],
    ['for another audience', () => assertion(server, 'sup', key, { claims: { aud: 'https://elsewhere.example/oauth2/token' } })],
    ['for the FHIR base', () => assertion(server, 'sup', key, { claims: { aud: server.base } })],
    ['for several audiences', () => assertion(server, 'sup', key, { claims: { aud: [tokenUrl(server), 'https://elsewhere.example'] } }), /alone/],
    ['without audience', () => assertion(server, 'sup', key, { claims: { aud: undefined } })],
    ['without jti', () => assertion(server, 'sup', key, { claims: { jti: undefined } })],
    ['with an empty jti', () => assertion(server, 'sup', key, { claims: { jti: '' } })],
    ['with a jti that is no text', () => assertion(server, 'sup', key, { claims: { jti: 7 } })],
    ['with a jti that can not be stored', () => assertion(server, 'sup', key, { claims: { jti: 'a\u0000' } })],
    ['with an endless jti', () => assertion(server, 'sup', key, { claims: { jti: 'x'.repeat(300) } })],
    ['whose sub is another', () => assertion(server, 'sup', key, { claims: { sub: 'rival' } })],
    ['of nobody', () => assertion(server, 'nobody', key)],
    ['of the development client', () => assertion(server, 'development', key)],
    ['that is no JWT', () => Promise.resolve('x.y.z')],
  ];
  test.each(refused.map(([what, make, words]) => ({ what, make, words })))('$what', async ({ make, words }) => expectOAuthError(await exchange(server, make()), 401, 'invalid_client', words));

  const unsigned = (alg: string, sign: (text: string) => string): string => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = { iss: 'sup', sub: 'sup', aud: tokenUrl(server), jti: `u-${alg}`, exp: soon(200) };
    const text = `${part({ alg, kid: 'k1' })}.${part(claims)}`;
    return `${text}.${sign(text)}`;
  };
  test.each(['none', 'None', 'NONE'])('of alg %s', async (alg) => {
    expectOAuthError(await exchange(server, unsigned(alg, () => '')), 401, 'invalid_client');
    expectOAuthError(await exchange(server, unsigned(alg, () => 'AAAA')), 401, 'invalid_client');
  });

  test('signed by HS256 with the public key as its secret', async () => {
    for (const secret of [JSON.stringify(key.jwk), String(key.jwk.x)])
      for (const alg of ['HS256', 'HS384', 'HS512']) expectOAuthError(await exchange(server, unsigned(alg, (text) => createHmac(alg.replace('HS', 'sha'), secret).update(text).digest('base64url'))), 401, 'invalid_client');
  });

  test.each(['ES256', 'RS256', 'PS256', 'ES512', 'EdDSA'])('signed by %s, which is not offered', async (alg) => {
    const weak = await keyPair(alg, 'k1');
    await registerClient(server, `weak-${alg}`, supplier(weak.jwk.kty === 'OKP' ? key : weak));
    expectOAuthError(await exchange(server, assertion(server, `weak-${alg}`, weak)), 401, 'invalid_client');
  });

  test('the second time, by whichever server, also when both come at once', async () => {
    const signed = await assertion(server, 'sup', key);
    const replies = await Promise.all([exchange(server, signed), exchange(server, signed), exchange(server, signed)]);
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 401, 401]);
    expectOAuthError(await exchange(server, signed), 401, 'invalid_client', /used before/);
    const { rows } = await server.database.query<{ count: string }>({ text: 'select count(*) from fhir.client_assertion where key like $1', values: [`sup ${decodeJwt(signed).jti}`] });
    expect(Number(rows[0]?.count)).toBe(1);
  });

  test('a jti is one client\'s own: another may use the same', async () => {
    const claims = { jti: 'the-same' };
    expect((await exchange(server, assertion(server, 'sup', key, { claims }))).status).toBe(200);
    expect((await exchange(server, assertion(server, 'rival', other, { claims }))).status).toBe(200);
  });

  test('the assertion itself is no access token', async () => {
    expect((await search(await assertion(server, 'sup', key))).status).toBe(401);
  });
});

describe('a request for a token', () => {
  test.each<[string, Record<string, string>, number, string]>([
    ['without grant_type', {}, 400, 'invalid_request'],
    ['by password', { grant_type: 'password', username: 'a', password: 'b' }, 400, 'unsupported_grant_type'],
    ['without assertion', { grant_type: 'client_credentials', client_id: 'sup' }, 401, 'invalid_client'],
    ['with a secret', { grant_type: 'client_credentials', client_id: 'sup', client_secret: 'x' }, 401, 'invalid_client'],
    ['with another type of assertion', { grant_type: 'client_credentials', client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer', client_assertion: 'x' }, 401, 'invalid_client'],
  ])('%s', async (_what, form, status, error) => expectOAuthError(await askToken(server, form), status, error));

  test('of another client_id than the assertion\'s', async () => expectOAuthError(await exchange(server, assertion(server, 'sup', key), { client_id: 'rival' }), 401, 'invalid_client'));

  test('is a form', async () => {
    expectOAuthError(await askToken(server, { grant_type: 'client_credentials' }, { 'content-type': 'application/json' }), 400, 'invalid_request');
    expectOAuthError(await call(tokenUrl(server), { method: 'POST' }), 400, 'invalid_request');
    const twice = `grant_type=client_credentials&grant_type=client_credentials&client_assertion_type=${ASSERTION_TYPE}&client_assertion=${await assertion(server, 'sup', key)}`;
    expectOAuthError(await call(tokenUrl(server), { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: twice }), 400, 'invalid_request');
  });

  test('is a POST', async () => {
    const reply = await call(`${tokenUrl(server)}?grant_type=client_credentials`);
    expect([reply.status, reply.headers.get('allow')]).toEqual([405, 'POST']);
  });

  test('an endless one is not read', async () => expect((await askToken(server, { grant_type: 'x'.repeat(100_000) })).status).toBe(413));
});

describe('keys at a URL', () => {
  let keys: Server;
  let served: KeyPair[];
  let uri: string;
  beforeAll(async () => {
    served = [key];
    keys = createServer((_request, reply) => void reply.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: served.map(({ jwk }) => jwk) })));
    await new Promise<void>((resolve) => keys.listen(0, '127.0.0.1', resolve));
    uri = `http://127.0.0.1:${(keys.address() as AddressInfo).port}/jwks`;
    await registerClient(server, 'remote', supplier(key, { jwks: undefined, jwksUri: uri }));
  });
  afterAll(() => {
    keys.closeAllConnections();
    keys.close();
  });

  test('are fetched; the URL may be named by the assertion only if it is the registered one', async () => {
    expect((await exchange(server, assertion(server, 'remote', key))).status).toBe(200);
    expect((await exchange(server, assertion(server, 'remote', key, { header: { jku: uri } }))).status).toBe(200);
    expectOAuthError(await exchange(server, assertion(server, 'remote', key, { header: { jku: `${uri}/other` } })), 401, 'invalid_client');
  });

  test('that are not there are no fault of the client', async () => {
    await registerClient(server, 'gone', supplier(key, { jwks: undefined, jwksUri: 'http://127.0.0.1:1/jwks' }));
    expectOAuthError(await exchange(server, assertion(server, 'gone', key)), 503, 'temporarily_unavailable');
  });
});

test('a token that is signed by the key of nobody is no token', async () => {
  const forged = await new SignJWT({ client_id: 'sup', role: 'supplier' }).setProtectedHeader({ alg: 'ES384', kid: 'k1' }).setIssuer('urn:entitle-fhir:development').setAudience('urn:entitle-fhir').setSubject('sup').setExpirationTime('5m').sign(key.privateKey);
  expect((await search(forged)).status).toBe(401);
  expect((await server.send('GET', `Patient/$chargeable-status?identifier=${NHS}|${number}`, { token: forged })).status).toBe(401);
  expect((await call(`${origin(server)}/admin/clients`, { headers: { authorization: `Bearer ${forged}` } })).status).toBe(401);
});
