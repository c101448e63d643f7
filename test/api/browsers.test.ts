// What every answer tells a browser, whichever door gave it; which pages of others may read answers; and whose word on a caller's address is believed.
import { startServer, type TestServer } from '../server.js';
import { origin } from './client-fixture.js';
import { sendRaw } from './raw-request.js';

const APP = 'https://app.example.nhs.uk';
const ALWAYS = { 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer', 'content-security-policy': expect.stringContaining('frame-ancestors \'none\'') };

let plain: TestServer;
let open: TestServer;
beforeAll(async () => {
  [plain, open] = await Promise.all([startServer(), startServer({ CORS_ORIGINS: `${APP},http://localhost:3000`, PUBLIC_URL: 'https://fhir.example.nhs.uk', TRUSTED_PROXIES: '127.0.0.1' })]);
});
afterAll(() => Promise.all([plain.close(), open.close()]));

const auth = (server: TestServer): Record<string, string> => ({ authorization: `Bearer ${server.tokens.admin}` });
const ask = (server: TestServer, path: string, headers: Record<string, string> = {}, method = 'GET') => sendRaw(server.base, { method, path, headers });

describe('security headers', () => {
  test.each(['/fhir/R4/Patient', '/fhir/R4/metadata', '/fhir/R4/.well-known/smart-configuration', '/healthz', '/readyz', '/.well-known/jwks.json', '/oauth2/token', '/admin/clients', '/cds-services', '/nothing', '/fhir/R4/Nothing'])('stand on %s', async (path) => {
    const { headers } = await ask(plain, path);
    expect(headers).toMatchObject(ALWAYS);
    // Without TLS it would be a promise about nothing.
    expect(headers).not.toHaveProperty('strict-transport-security');
    expect((await ask(open, path)).headers['strict-transport-security']).toMatch(/^max-age=31536000/);
  });

  test('what is about people is for no shared cache', async () => {
    for (const path of ['/fhir/R4/Patient', '/admin/clients']) expect((await ask(plain, path, auth(plain))).headers['cache-control']).toMatch(/private|no-store/);
  });
});

describe('pages of other origins', () => {
  test('read nothing unless a setting says so', async () => {
    for (const method of ['GET', 'OPTIONS']) {
      const { headers } = await ask(plain, '/fhir/R4/Patient', { ...auth(plain), origin: APP, 'access-control-request-method': 'GET' }, method);
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
    }
  });

  test('may ask first, without a token', async () => {
    const { status, headers, text } = await ask(open, '/fhir/R4/Patient/1', { origin: APP, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'authorization,if-match' }, 'OPTIONS');
    expect([status, text]).toEqual([204, '']);
    expect(headers).toMatchObject({ 'access-control-allow-origin': APP, vary: expect.stringMatching(/origin/i), 'access-control-allow-methods': expect.stringContaining('PATCH'), 'access-control-allow-headers': expect.stringMatching(/Authorization.*If-Match/) });
  });

  test('are told the headers they may read, also of a refusal', async () => {
    for (const headers of [auth(open), {}]) {
      const answer = await ask(open, '/fhir/R4/Patient', { ...headers, origin: APP });
      expect(answer.headers['access-control-allow-origin']).toBe(APP);
      expect(answer.headers['access-control-expose-headers']).toMatch(/ETag.*Location.*Content-Location.*Last-Modified.*X-Request-Id.*RateLimit-Remaining/);
    }
  });

  test.each(['https://evil.example', `${APP}.evil.example`, 'null', 'http://app.example.nhs.uk'])('%s reads nothing', async (other) => {
    const answer = await ask(open, '/fhir/R4/Patient', { ...auth(open), origin: other });
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
    expect(answer.headers['vary']).toMatch(/origin/i);
    expect((await ask(open, '/fhir/R4/Patient', { origin: other, 'access-control-request-method': 'PUT' }, 'OPTIONS')).headers).not.toHaveProperty('access-control-allow-origin');
  });

  test('never come with cookies, whatever is set', async () => {
    const any = await startServer({ CORS_ORIGINS: '*' });
    const answer = await ask(any, '/fhir/R4/Patient', { ...auth(any), origin: 'https://evil.example' });
    expect(answer.headers['access-control-allow-origin']).toBe('*');
    for (const { headers } of [answer, await ask(open, '/fhir/R4/Patient', { ...auth(open), origin: APP })]) expect(headers).not.toHaveProperty('access-control-allow-credentials');
    await any.close();
  });

  test('OPTIONS on the base without an origin is the CapabilityStatement still', async () => {
    expect((await ask(open, '/fhir/R4', {}, 'OPTIONS')).body.resourceType).toBe('CapabilityStatement');
  });
});

test('a caller\'s address is what a trusted proxy says, and nobody else', async () => {
  const address = async (server: TestServer): Promise<string> => {
    const trace = `address-${Math.random()}`;
    await ask(server, '/fhir/R4/Patient', { authorization: 'Bearer none', 'x-forwarded-for': '203.0.113.9', 'x-request-id': trace });
    await new Promise((resolve) => setTimeout(resolve, 200));
    const { rows } = await server.database.query<{ id: string }>({ text: `select id from fhir.audit_event where split_part(trace, ' ', 1) = $1`, values: [trace] });
    const { body } = await server.send('GET', `AuditEvent/audit-${rows[0]?.id}`, { token: server.tokens.admin });
    return body.agent[0].network.address;
  };
  expect(await address(open)).toBe('203.0.113.9');
  expect(await address(plain)).toMatch(/127\.0\.0\.1$/);
  expect(origin(plain)).toContain('127.0.0.1');
});
