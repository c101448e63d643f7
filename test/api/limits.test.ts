// Limits: how much one client, one address and one request may ask of the server, and what it says to those who ask for more (SECURITY.md).
import { connect } from 'node:net';
import { startServer, type Answer, type TestServer } from '../server.js';
import { ASSERTION_TYPE, askToken, assertion, call, exchange, keyPair, origin, registerClient } from './client-fixture.js';
import { expectRefusal } from './refusal.js';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ RATE_LIMIT: '2500', REFUSAL_LIMIT: '5', JSON_DEPTH_LIMIT: '30', BUNDLE_ENTRY_LIMIT: '3', PAGE_LIMIT: '5', INCLUDE_LIMIT: '4', CRITERIA_LIMIT: '3', CHAIN_LIMIT: '2' });
  await server.seed([...Array.from({ length: 8 }, (_, index) => ({ resourceType: 'Patient', id: `p${index}`, name: [{ family: 'Limit' }] })),
    ...Array.from({ length: 8 }, (_, index) => ({ resourceType: 'Basic', id: `b${index}`, code: { text: 'x' }, subject: { reference: `Patient/p${index}` } }))]);
});
afterAll(() => server.close());

const send = (method: string, path: string, body?: unknown): Promise<Answer> => server.send(method, path, { token: server.tokens.admin, body });
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('one client', () => {
  test('is told how much it may send, and how much is left', async () => {
    await pause(50);
    const { headers } = await send('GET', 'Patient/p1');
    expect(headers['ratelimit-limit']).toBe('2500');
    expect(Number(headers['ratelimit-remaining'])).toBeGreaterThan(2000);
    expect(headers['ratelimit-reset']).toMatch(/^[01]$/);
  });

  test('that sends more than its registration says gets 429 with Retry-After, and is served again after that', async () => {
    await registerClient(server, 'counted', { roles: ['ovm'], rate: 5 });
    // Tokens of one client share what it has.
    const tokens = [await server.token('ovm', { client: 'counted' }), await server.token('ovm', { client: 'counted', subject: 'another' })];
    const ask = (index: number): Promise<Answer> => server.send('GET', 'Patient?family=Nobody', { token: tokens[index % 2] });
    const answers = await Promise.all(Array.from({ length: 14 }, (_, index) => ask(index)));
    const refused = answers.filter(({ status }) => status === 429);
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(5);
    expect(refused.length).toBeGreaterThanOrEqual(5);
    for (const answer of refused) {
      expectRefusal(answer, 429);
      expect(answer.headers).toMatchObject({ 'retry-after': '1', 'ratelimit-limit': '5', 'ratelimit-remaining': '0' });
      expect(answer.body.issue[0].code).toBe('throttled');
    }
    // Another client has its own.
    expect((await send('GET', 'Patient/p1')).status).toBe(200);
    await pause(1100);
    expect((await ask(0)).status).toBe(200);
  });

  test('gets its new rate within a second or two', async () => {
    await registerClient(server, 'promoted', { roles: ['ovm'], rate: 1 });
    const token = await server.token('ovm', { client: 'promoted' });
    const limit = async (): Promise<string | undefined> => (await server.send('GET', 'Patient?family=Nobody', { token })).headers['ratelimit-limit'];
    expect(await limit()).toBe('1');
    await registerClient(server, 'promoted', { roles: ['ovm'], rate: 900 });
    await pause(1100);
    await limit();
    expect(await limit()).toBe('900');
  });
});

describe('one address', () => {
  test('that sends many requests without a valid token gets 429; who has a token does not notice, and the record counts instead of listing', async () => {
    const before = await recorded();
    const answers: Answer[] = [];
    for (let round = 0; round < 5; round += 1) answers.push(...await Promise.all(Array.from({ length: 40 }, () => server.send('GET', 'Patient/p1', { token: 'none' }))));
    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses].sort()).toEqual([401, 429]);
    const [throttled] = answers.filter(({ status }) => status === 429);
    if (throttled) expectRefusal(throttled, 429);
    expect((await send('GET', 'Patient/p1')).status).toBe(200);
    await pause(300);
    expect(await recorded() - before).toBeLessThan(150);
  });

  test('that fails to authenticate at the token endpoint counts too', async () => {
    const form = { grant_type: 'client_credentials', client_assertion_type: ASSERTION_TYPE, client_assertion: 'a.b.c' };
    const statuses: number[] = [];
    for (let round = 0; round < 2; round += 1) statuses.push(...(await Promise.all(Array.from({ length: 40 }, () => askToken(server, form)))).map(({ status }) => status));
    expect(statuses).toContain(429);
    await pause(1100);
    const key = await keyPair('ES384', 'k');
    await registerClient(server, 'honest', { roles: ['ovm', 'supplier'], asid: '1', jwks: { keys: [key.jwk] } });
    expect((await exchange(server, assertion(server, 'honest', key))).status).toBe(200);
  });
});

const recorded = async (): Promise<number> => (await server.database.query<{ it: number }>({ text: `select count(*)::int as it from fhir.audit_event where status in (401, 429)`, values: [] })).rows[0]?.it ?? 0;

describe('one request', () => {
  test('has as many entries as the server takes', async () => {
    const bundle = (type: string, length: number): object => ({ resourceType: 'Bundle', type, entry: Array.from({ length }, () => ({ request: { method: 'GET', url: 'Patient/p1' } })) });
    expect((await send('POST', '', bundle('batch', 3))).status).toBe(200);
    for (const type of ['batch', 'transaction']) {
      const answer = await send('POST', '', bundle(type, 4));
      expectRefusal(answer, 413);
      expect(answer.body.issue[0].details.text).toContain('3 entries');
    }
  });

  test('is nested as deep as the server takes', async () => {
    const nested = (depth: number): string => `{"resourceType":"Basic","code":${'{"coding":[],"a":'.repeat(depth)}1${'}'.repeat(depth)}}`;
    const { status, body } = await send('POST', 'Basic', nested(40));
    expect([status, body.issue[0].code, body.issue[0].details.text]).toEqual([400, 'too-long', expect.stringContaining('30 deep')]);
  });

  test('gets pages no longer than the server gives', async () => {
    expect((await send('GET', 'Patient?family=Limit&_count=100')).body.entry).toHaveLength(5);
    expect((await send('GET', 'Patient?family=Limit')).body.entry).toHaveLength(5);
  });

  test('gets pages of a history no longer than the server gives, and a link to the rest', async () => {
    const { body: { id } } = await send('POST', 'Organization', { resourceType: 'Organization', name: '1' });
    for (const name of ['2', '3', '4', '5', '6', '7']) await send('PUT', `Organization/${id}`, { resourceType: 'Organization', id, name });
    for (const history of [`Organization/${id}/_history?_count=100`, `Organization/${id}/_history?_sort=_lastUpdated`, 'Organization/_history']) {
      const { body } = await send('GET', history);
      expect([history, body.entry.length, body.link.some(({ relation }: any) => relation === 'next')]).toEqual([history, 5, true]);
    }
  });

  test('is told where more would be included than the server sends', async () => {
    const { body } = await send('GET', 'Basic?_include=Basic:subject&_count=5');
    const modes = body.entry.map((entry: any) => entry.search.mode);
    expect(modes.filter((mode: string) => mode === 'include')).toHaveLength(4);
    expect(body.entry.at(-1).resource.issue[0]).toMatchObject({ severity: 'warning', code: 'too-costly' });
    const fewer = await send('GET', 'Basic?_include=Basic:subject&_count=3');
    expect(fewer.body.entry.map((entry: any) => entry.search.mode)).toEqual(['match', 'match', 'match', 'include', 'include', 'include']);
  });

  test('has as many criteria, and chains as long, as the server takes', async () => {
    expect((await send('GET', 'Patient?family=a&family=b&family=c')).status).toBe(200);
    expectRefusal(await send('GET', 'Patient?family=a&family=b&family=c&family=d'), 400);
    expect((await send('GET', 'Observation?subject:Patient.organization.partof.name=a')).status).toBe(400);
    expect((await send('GET', 'Observation?subject:Patient.organization.name=a')).status).toBe(200);
  });

  test('whose statement takes too long is answered 503 with Retry-After, in a transaction too; the connection serves on', async () => {
    const hasty = await startServer({ STATEMENT_TIMEOUT_MS: '400' });
    await hasty.seed([{ resourceType: 'Basic', id: 'b1', code: { text: 'x' } }]);
    const ask = (method: string, body?: object): Promise<Answer> => hasty.send(method, 'Basic/b1', { token: hasty.tokens.admin, body });
    await hasty.database.transaction(async (tx) => {
      await tx.query({ text: 'lock table fhir."Basic" in access exclusive mode', values: [] });
      for (const answer of await Promise.all([ask('GET'), ask('PUT', { resourceType: 'Basic', id: 'b1', code: { text: 'y' } })])) {
        expectRefusal(answer, 503);
        expect([answer.headers['retry-after'], answer.body.issue[0].code]).toEqual(['5', 'too-costly']);
      }
    });
    expect(await Promise.all(Array.from({ length: 20 }, async () => (await ask('GET')).status))).toEqual(Array.from({ length: 20 }, () => 200));
    await hasty.close();
  });

  test('of headers that never end is let go with words', async () => {
    const impatient = await startServer({ REQUEST_TIMEOUT_MS: '1000' });
    const { port } = new URL(impatient.base);
    const said = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(Number(port), '127.0.0.1', () => socket.write('GET /fhir/R4/Patient HTTP/1.1\r\nHost: x\r\n'));
      const drip = setInterval(() => { if (socket.writable) socket.write('X-Slow: 1\r\n'); }, 100);
      socket.on('data', (chunk) => { text += chunk.toString(); }).on('error', () => undefined).on('close', () => { clearInterval(drip); resolve(text); });
    });
    await impatient.close();
    expect(said).toMatch(/^HTTP\/1\.1 408 [\s\S]*"resourceType":"OperationOutcome"/);
  });
});

test('the doors beside the FHIR service are limited by the same rates', async () => {
  await registerClient(server, 'watcher', { roles: ['admin'], rate: 2 });
  const token = await server.token('admin', { client: 'watcher' });
  const list = () => call(`${origin(server)}/admin/clients`, { headers: { authorization: `Bearer ${token}` } });
  const statuses = (await Promise.all([list(), list(), list(), list()])).map(({ status }) => status);
  expect(statuses.sort()).toEqual([200, 200, 429, 429]);
});
