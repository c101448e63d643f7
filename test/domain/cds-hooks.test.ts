// CDS Hooks: opening a patient's record shows the status, its date and what to do. https://cds-hooks.hl7.org/2.0/
import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { startServer, type TestServer } from '../server.js';
import { assessed, NHS, numbers, patientBody, register } from './people.js';

const newNumber = numbers(999_400_000);
let server: TestServer;
let origin: string;
beforeAll(async () => {
  server = await startServer();
  origin = new URL(server.base).origin;
});
afterAll(() => server.close());

const SERVICE = '/cds-services/chargeable-status';
const callFor = (patientId: string, number?: string): any => ({
  hook: 'patient-view', hookInstance: randomUUID(), context: { userId: 'Practitioner/1', patientId },
  ...(number !== undefined && { prefetch: { patient: patientBody(number) } }),
});

async function call(body: unknown, token = server.tokens.supplier, path = SERVICE): Promise<{ status: number; body: any; headers: Headers }> {
  const response = await fetch(origin + path, {
    method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), headers: { 'content-type': 'application/json', ...(token !== '' && { authorization: `Bearer ${token}` }) },
  });
  return { status: response.status, body: await response.json(), headers: response.headers };
}

test('the service is discovered by anyone, from any origin', async () => {
  const response = await fetch(`${origin}/cds-services`);
  expect(response.headers.get('access-control-allow-origin')).toBe('*');
  expect(await response.json()).toMatchObject({ services: [{ id: 'chargeable-status', hook: 'patient-view', prefetch: { patient: 'Patient/{{context.patientId}}' } }] });
  const preflight = await fetch(origin + SERVICE, { method: 'OPTIONS' });
  expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([204, expect.stringContaining('authorization')]);
});

test.each([
  ['F', 'Chargeable for NHS services', 'warning'],
  ['A', 'Access to free NHS services subject to exceptions', 'info'],
  ['DECISION_PENDING', 'Chargeable status: decision pending', 'warning'],
  ['NONE', 'Chargeable status: none recorded that holds', 'warning'],
])('category %s: %s', async (category, summary, indicator) => {
  const number = newNumber();
  await assessed(server, await register(server, number), category, '2026-05-10T09:00:00+01:00');
  const { status, body } = await call(callFor('id-of-the-hospital', number));
  expect(status).toBe(200);
  expect(body.cards).toMatchObject([{ summary, indicator, source: { label: expect.any(String) } }]);
  expect(body.cards[0].detail).toMatch(/2026-05-10/);
  expect(body.cards[0].detail).toMatch(/never to be delayed/);
  // The three facts, and nothing of who decided or why.
  expect(JSON.stringify(body)).not.toMatch(/OVM|RR8|evidence-type|Observation\//);
});

test('nobody has recorded a status: said so, without a hint of either', async () => {
  const number = newNumber();
  await register(server, number);
  const { body } = await call(callFor('x', number));
  expect(body.cards).toMatchObject([{ summary: 'Chargeable status: not known', indicator: 'info' }]);
});

test('without prefetch the id is one of this server; of the unknown there is no card', async () => {
  const patient = await register(server, newNumber());
  expect((await call(callFor(patient))).body.cards).toHaveLength(1);
  expect((await call(callFor('nobody'))).body).toEqual({ cards: [] });
  expect((await call(callFor('x', newNumber()))).body).toEqual({ cards: [] });
  // An id of the hospital's own server is not taken for one of ours.
  expect((await call({ ...callFor(patient), prefetch: { patient: { resourceType: 'Patient' } } })).body).toEqual({ cards: [] });
});

test('the client\'s FHIR server is never called', async () => {
  const { body } = await call({ ...callFor('nobody'), fhirServer: 'http://127.0.0.1:1/', fhirAuthorization: { access_token: 'x', token_type: 'Bearer', expires_in: 1, scope: 'x', subject: 'x' } });
  expect(body).toEqual({ cards: [] });
});

test.each([
  ['no JSON', '{', 400], ['no object', '[]', 400], ['another hook', { ...callFor('x'), hook: 'order-sign' }, 400],
  ['no patient', { hook: 'patient-view', hookInstance: randomUUID(), context: {} }, 400], ['no instance', { hook: 'patient-view', context: { patientId: 'x' } }, 400],
  ['another resource', { ...callFor('x'), prefetch: { patient: { resourceType: 'Group' } } }, 400],
])('%s is refused in JSON', async (_name, body, status) => {
  expect(await call(body)).toMatchObject({ status, body: { error: expect.any(String) } });
});

test('without a token 401; a role that may not ask 403', async () => {
  expect(await call(callFor('x'), '')).toMatchObject({ status: 401, body: { error: expect.any(String) } });
  expect((await call(callFor('x'), server.tokens.homeOffice)).status).toBe(403);
});

test('feedback is taken', async () => {
  const path = `${SERVICE}/feedback`;
  expect(await call({ feedback: [{ card: randomUUID(), outcome: 'accepted', outcomeTimestamp: '2026-05-10T09:00:00Z' }] }, server.tokens.supplier, path)).toMatchObject({ status: 200 });
  expect((await call({ feedback: [{ outcome: 'liked' }] }, server.tokens.supplier, path)).status).toBe(400);
});

describe('a token that the client signs for one call', () => {
  let key: CryptoKey;
  beforeAll(async () => {
    const pair = await generateKeyPair('ES384', { extractable: true });
    key = pair.privateKey;
    const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'hospital-1', alg: 'ES384', use: 'sig' };
    const response = await fetch(`${origin}/admin/clients/hospital`, {
      method: 'PUT', headers: { authorization: `Bearer ${server.tokens.admin}`, 'content-type': 'application/json' },
      body: JSON.stringify({ id: 'hospital', name: 'Hospital', asid: '200000000205', organization: 'RR8', issuer: 'https://hospital.example/', roles: ['supplier'], interactions: ['*'], jwks: { keys: [jwk] }, active: true }),
    });
    if (!response.ok) throw new Error(await response.text());
  });
  const signed = (claims: object = {}, audience = origin + SERVICE): Promise<string> =>
    new SignJWT({ jti: randomUUID(), ...claims }).setProtectedHeader({ alg: 'ES384', kid: 'hospital-1', typ: 'JWT' }).setIssuer('https://hospital.example/').setAudience(audience).setIssuedAt().setExpirationTime('5 minutes').sign(key);

  test('is taken once', async () => {
    const number = newNumber();
    await register(server, number);
    const token = await signed();
    expect((await call(callFor('x', number), token)).body.cards).toHaveLength(1);
    expect((await call(callFor('x', number), token)).status).toBe(401);
  });

  test('is for this service alone, and no access token of the FHIR service', async () => {
    expect((await call(callFor('x'), await signed({}, 'https://elsewhere.example/'))).status).toBe(401);
    expect((await server.send('GET', `Patient/$chargeable-status?identifier=${NHS}|${newNumber()}`, { token: await signed() })).status).toBe(401);
  });
});
