// Mutual TLS and tokens bound to a certificate (RFC 8705): spoken by the server itself, and told of by a trusted proxy. The keys in
// certificates/ are for these tests alone.
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { decodeJwt } from 'jose';
import { startServer, type TestServer } from '../server.js';
import { ASSERTION_TYPE, assertion, exchange, keyPair, registerClient, askToken, type KeyPair } from './client-fixture.js';

const path = (name: string): string => `${__dirname}/certificates/${name}.pem`;
const pem = (name: string): string => readFileSync(path(name), 'utf8');
const thumbprint = (name: string): string => createHash('sha256').update(new X509Certificate(pem(name)).raw).digest('base64url');
type Shown = 'client' | 'rival' | 'stranger' | undefined;

let key: KeyPair;
beforeAll(async () => { key = await keyPair('ES384', 'k1'); });

describe('spoken by the server', () => {
  let server: TestServer;
  beforeAll(async () => { server = await startServer({ TLS_CERT: path('server'), TLS_KEY: path('server-key'), TLS_CLIENT_CA: path('ca') }); });
  afterAll(() => server.close());

  interface Reply { readonly status: number; readonly headers: Record<string, unknown>; readonly body: any }
  const send = (method: string, url: string, shown: Shown, { token, body, type }: { token?: string; body?: string; type?: string } = {}): Promise<Reply> => new Promise((resolve, reject) => {
    const certificate = shown === undefined ? {} : { cert: pem(shown), key: pem(`${shown}-key`) };
    const headers = { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...(body !== undefined && { 'content-type': type ?? 'application/json', 'content-length': Buffer.byteLength(body) }) };
    const asked = request(url, { method, agent: false, ca: pem('ca'), headers, ...certificate }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) });
      });
    });
    asked.on('error', reject);
    asked.end(body);
  });
  const at = (url: string): string => `${new URL(server.base).origin}${url}`;
  const register = async (id: string, rest: object): Promise<void> => {
    const { status } = await send('PUT', at(`/admin/clients/${id}`), undefined, { token: server.tokens.admin, body: JSON.stringify({ roles: ['admin'], jwks: { keys: [key.jwk] }, ...rest }) });
    expect(status).toBe(200);
  };
  const ask = async (id: string, shown: Shown): Promise<Reply> => {
    const form = new URLSearchParams({ grant_type: 'client_credentials', client_assertion_type: ASSERTION_TYPE, client_assertion: await assertion(server, id, key) });
    return send('POST', at('/oauth2/token'), shown, { body: form.toString(), type: 'application/x-www-form-urlencoded' });
  };

  test('links and discovery are https, and it says that tokens are bound', async () => {
    const { body } = await send('GET', `${server.base}/.well-known/smart-configuration`, undefined);
    expect(body).toMatchObject({ token_endpoint: at('/oauth2/token'), tls_client_certificate_bound_access_tokens: true });
    expect(body.issuer).toMatch(/^https:/);
    expect((await send('GET', `${server.base}/Patient`, undefined, { token: server.tokens.admin })).body.link[0].url).toMatch(/^https:/);
  });

  test('a bound token is good by its certificate alone', async () => {
    await register('bound', { certificateBound: true });
    const { status, body } = await ask('bound', 'client');
    expect(status).toBe(200);
    expect(decodeJwt(body.access_token)['cnf']).toEqual({ 'x5t#S256': thumbprint('client') });
    const read = async (shown: Shown): Promise<Reply> => send('GET', `${server.base}/Patient`, shown, { token: body.access_token });
    expect((await read('client')).status).toBe(200);
    for (const shown of [undefined, 'rival', 'stranger'] as const) {
      const refused = await read(shown);
      expect([shown, refused.status, refused.headers['www-authenticate']]).toEqual([shown, 401, expect.stringContaining('error="invalid_token"')]);
    }
    expect((await read('client')).status).toBe(200);
  });

  test('a client that is bound gets no token without a certificate that counts, and brings none that is not bound', async () => {
    await register('bound', { certificateBound: true });
    for (const shown of [undefined, 'stranger'] as const) {
      const { status, body } = await ask('bound', shown);
      expect([status, body.error]).toEqual([401, 'invalid_client']);
    }
    expect((await send('GET', `${server.base}/Patient`, 'client', { token: await server.token('admin', { client: 'bound' }) })).status).toBe(401);
  });

  test('other clients need no certificate', async () => {
    await register('free', {});
    const { body } = await ask('free', undefined);
    expect(decodeJwt(body.access_token)['cnf']).toBeUndefined();
    expect((await send('GET', `${server.base}/Patient`, undefined, { token: body.access_token })).status).toBe(200);
  });

  test('a header counts for nothing', async () => {
    const token = await server.token('admin', { certificate: thumbprint('client') });
    expect((await send('GET', `${server.base}/Patient`, undefined, { token })).status).toBe(401);
  });
});

describe('told of by a proxy', () => {
  let server: TestServer;
  let stranger: TestServer;
  beforeAll(async () => {
    server = await startServer({ CLIENT_CERT_HEADER: 'X-Client-Cert', TRUSTED_PROXIES: '127.0.0.0/8' });
    stranger = await startServer({ CLIENT_CERT_HEADER: 'X-Client-Cert', TRUSTED_PROXIES: '10.0.0.0/8' });
  });
  afterAll(async () => {
    await server.close();
    await stranger.close();
  });

  const base64 = (): string => new X509Certificate(pem('client')).raw.toString('base64');
  const written: readonly (readonly [string, () => string])[] = [
    ['nginx', () => encodeURIComponent(pem('client'))], ['RFC 9440', () => `:${base64()}:`], ['bare base64', base64], ['Envoy', () => `Hash=abc;Cert="${encodeURIComponent(pem('client'))}";Subject="CN=client"`],
  ];

  test.each(written)('as %s writes it', async (_who, header) => {
    const token = await server.token('admin', { certificate: thumbprint('client') });
    expect((await server.send('GET', 'Patient', { token, headers: { 'x-client-cert': header() } })).status).toBe(200);
    expect((await server.send('GET', 'Patient', { token })).status).toBe(401);
    expect((await server.send('GET', 'Patient', { token, headers: { 'x-client-cert': encodeURIComponent(pem('rival')) } })).status).toBe(401);
    expect((await server.send('GET', 'Patient', { token, headers: { 'x-client-cert': 'nonsense' } })).status).toBe(401);
  });

  test('the token endpoint binds by it', async () => {
    await registerClient(server, 'bound', { roles: ['admin'], jwks: { keys: [key.jwk] }, certificateBound: true });
    expect((await exchange(server, assertion(server, 'bound', key))).status).toBe(401);
    const form = { grant_type: 'client_credentials', client_assertion_type: ASSERTION_TYPE, client_assertion: await assertion(server, 'bound', key) };
    const { body } = await askToken(server, form, { 'x-client-cert': encodeURIComponent(pem('client')) });
    expect(decodeJwt(body.access_token)['cnf']).toEqual({ 'x5t#S256': thumbprint('client') });
  });

  test('the header of anybody else is not believed', async () => {
    const token = await stranger.token('admin', { certificate: thumbprint('client') });
    expect((await stranger.send('GET', 'Patient', { token, headers: { 'x-client-cert': encodeURIComponent(pem('client')), 'x-forwarded-for': '10.0.0.1' } })).status).toBe(401);
  });
});
