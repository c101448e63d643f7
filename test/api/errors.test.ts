// One request per row of the table of errors: each refusal reaches a caller, as an OperationOutcome with the row's status and code.
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { ERRORS, type ErrorName } from '../../src/fhir/errors.js';
import { answerClientError } from '../../src/http/client-error.js';
import { type Answer, type Ask, startServer, type TestServer } from '../server.js';
import { change, opened, parties, purchaseBody, recorded } from '../domain/purchases.js';
import { registerClient } from './client-fixture.js';
import { sendRaw } from './raw-request.js';

const NHS_NUMBER = 'https://fhir.nhs.uk/Id/nhs-number';
const BODY_LIMIT = 65_536;
let server: TestServer;
beforeAll(async () => {
  server = await startServer({ BODY_LIMIT_BYTES: String(BODY_LIMIT), BUNDLE_ENTRY_LIMIT: '200' });
});
afterAll(() => server.close());

const send = (method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  server.send(method, path, { token: server.tokens.admin, ...(body === undefined ? {} : { body }), headers });
const withToken = (token: string | undefined): Promise<Answer> => server.send('GET', 'Patient/x', { token });
const basic = (id: string, text = 'x') => ({ resourceType: 'Basic', id, code: { text } });
const patient = (id: string, more: object = {}) => ({ resourceType: 'Patient', id, ...more });

async function put(resource: { resourceType: string; id: string }, ask: Ask = {}): Promise<Answer> {
  const answer = await server.send('PUT', `${resource.resourceType}/${resource.id}`, { token: server.tokens.admin, ...ask, body: resource });
  expect(answer.status).toBeLessThan(300);
  return answer;
}

/** An assessment by the trust RR8 of a new patient, with what is changed of it. */
async function assess(change: object, expected?: number): Promise<Answer> {
  const made = await send('POST', 'Patient', { resourceType: 'Patient', name: [{ family: 'Assessed' }] });
  const id = String(made.body.id);
  const body = {
    resourceType: 'Observation',
    status: 'final',
    code: { coding: [{ system: 'https://fhir.entitle.example/CodeSystem/status-assertion', code: 'ovm-assessment' }] },
    subject: { reference: `Patient/${id}` },
    effectiveDateTime: '2026-05-10T09:00:00+01:00',
    performer: [
      { identifier: { system: 'https://fhir.nhs.uk/Id/sds-role-profile-id', value: '100334993514' }, type: 'PractitionerRole' },
      { identifier: { system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: 'RR8' }, type: 'Organization' },
    ],
    valueCodeableConcept: category('F'),
    ...change,
  };
  const answer = await server.send('POST', 'Observation', { token: server.tokens.ovm, body });
  if (expected !== undefined) expect(answer.status).toBe(expected);
  return answer;
}

const category = (code: string) => ({ coding: [{ system: 'https://fhir.nhs.uk/spine-category-status-1', code }] });

/** The id is free when the request looks, and taken by another server before it writes. */
async function race(): Promise<Answer> {
  await put(basic('model'));
  const take = `insert into fhir."Basic" select (row).* from (select jsonb_populate_record(b, '{"id": "raced"}') as row from fhir."Basic" b where id = 'model') as made`;
  const { answer } = await server.database.transaction(async (tx) => {
    await tx.query({ text: take, values: [] });
    const waiting = send('PUT', 'Basic/raced', basic('raced'));
    while ((await server.database.beside.query(WAITING)).count === 0) await pause();
    return { answer: waiting };
  });
  return answer;
}

const WAITING = { text: 'select pid from pg_stat_activity where datname = current_database() and wait_event_type = \'Lock\'', values: [] };
const pause = () => new Promise((resolve) => setTimeout(resolve, 10));

/** With a table gone, as an operator's mistake would have it. */
async function whileBroken(): Promise<Answer> {
  await server.database.query({ text: 'alter table fhir."Basic" rename to "Lost"', values: [] });
  try {
    return await send('GET', 'Basic/x');
  } finally {
    await server.database.query({ text: 'alter table fhir."Lost" rename to "Basic"', values: [] });
  }
}

/** The request is made to wait for a lock; then its connection is cut, as a restart of PostgreSQL does. */
async function whileCut(): Promise<Answer> {
  return server.database.transaction(async (tx) => {
    await tx.query({ text: 'lock table fhir."Basic" in access exclusive mode', values: [] });
    const answer = send('GET', 'Basic/x');
    while ((await server.database.beside.query(WAITING)).count === 0) await pause();
    await server.database.beside.query({ ...WAITING, text: WAITING.text.replace('select pid', 'select pg_terminate_backend(pid)') });
    return answer;
  });
}

/** With work that keeps the process from everything else for four timers in a row. */
async function whileBehind(): Promise<Answer> {
  const busy = await startServer({ OVERLOAD_LAG_MS: '40' });
  for (let late = 0; late < 4; late += 1) {
    const until = Date.now() + 320;
    while (Date.now() < until);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const answer = await busy.send('GET', 'Basic/x', { token: busy.tokens.admin });
  await busy.close();
  return answer;
}

/** A statement that waits longer than the server does. */
async function whileLocked(): Promise<Answer> {
  const hasty = await startServer({ STATEMENT_TIMEOUT_MS: '300' });
  const answer = await hasty.database.transaction(async (tx) => {
    await tx.query({ text: 'lock table fhir."Basic" in access exclusive mode', values: [] });
    return hasty.send('GET', 'Basic/x', { token: hasty.tokens.admin });
  });
  await hasty.close();
  return answer;
}

/** A request whose headers never end, of a server that waits less long than ours. */
async function whileSlow(): Promise<Answer> {
  const impatient = createServer({ headersTimeout: 50, requestTimeout: 50, connectionsCheckingInterval: 20 }).on('clientError', answerClientError);
  await new Promise<void>((resolve) => impatient.listen(0, '127.0.0.1', resolve));
  const { port } = impatient.address() as AddressInfo;
  const said = await new Promise<string>((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: x\r\n'));
    socket.on('data', (chunk) => { text += chunk.toString(); }).on('close', () => { resolve(text); }).on('error', () => { resolve(text); });
  });
  impatient.close();
  const [head = '', text = ''] = said.split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), headers: { 'content-type': /content-type: (.*)/i.exec(head)?.[1] ?? '' }, text, body: JSON.parse(text) };
}

const REQUESTS: Readonly<Record<ErrorName, () => Promise<Answer>>> = {
  'malformed-json': () => send('POST', 'Patient', '{"resourceType":'),
  'malformed-xml': () => send('POST', 'Patient', '<Patient xmlns="http://hl7.org/fhir"><active></Patient>', { 'content-type': 'application/fhir+xml' }),
  'duplicate-key': () => send('POST', 'Patient', '{"resourceType":"Patient","active":true,"active":false}'),
  'unknown-element': () => send('POST', 'Patient', '{"resourceType":"Patient","__proto__":{}}'),
  'bad-character': () => send('POST', 'Patient', '{"resourceType":"Patient","name":[{"family":"a\\u0000b"}]}'),
  'bad-number': () => send('POST', 'Observation', '{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1e999999}}'),
  'not-a-resource': () => send('POST', 'Patient', '[]'),
  'wrong-resource-type': () => send('POST', 'Patient', basic('x')),
  'wrong-id': () => send('PUT', 'Basic/one', basic('other')),
  'invalid-id': () => send('GET', 'Patient/a_b'),
  'unknown-type': () => send('GET', 'Pacient/1'),
  'unknown-route': () => send('GET', 'Patient/1/2/3/4'),
  'method-not-allowed': () => send('DELETE', 'Patient/_history'),
  'not-acceptable': () => send('GET', 'Patient?_format=ttl'),
  'unsupported-media-type': () => send('POST', 'Patient', 'resourceType=Patient', { 'content-type': 'text/plain' }),
  'body-too-long': () => send('POST', 'Basic', basic('x', 'x'.repeat(BODY_LIMIT))),
  'headers-too-long': () => sendRaw(server.base, { method: 'GET', path: `/fhir/R4/Patient?name=${'x'.repeat(40_000)}` }),
  'too-slow': whileSlow,
  'too-deep': () => send('POST', 'Patient', `{"resourceType":"Patient","contained":${'['.repeat(5000)}${']'.repeat(5000)}}`),
  'bad-request': () => send('POST', '', { resourceType: 'Bundle', type: 'searchset', entry: [] }),
  'unknown-parameter': () => send('GET', 'Patient?colour=red', undefined, { prefer: 'handling=strict' }),
  'invalid-parameter': () => send('GET', 'Patient?birthdate=yesterday'),
  'unsupported-modifier': () => send('GET', 'Patient?birthdate:contains=2000'),
  'too-many-entries': () => send('POST', '', { resourceType: 'Bundle', type: 'batch', entry: Array.from({ length: 201 }, () => ({ request: { method: 'GET', url: 'Basic' } })) }),
  'parameter-not-ready': async () => {
    const url = 'http://e.example/SearchParameter/unready';
    await put({ resourceType: 'SearchParameter', id: 'unready', url, name: 'unready', status: 'active', description: 'x', code: 'unready', base: ['Basic'], type: 'string', expression: 'Basic.code.text' } as never);
    // What is open holds the job back.
    return server.database.transaction(async (tx) => {
      await tx.query({ text: 'select pg_current_xact_id()', values: [] });
      expect((await send('POST', 'SearchParameter/unready/$activate')).status).toBe(202);
      return send('GET', 'Basic?unready=x');
    });
  },
  'unknown-operation': () => send('GET', 'Patient/$cheer'),
  'no-token': () => withToken(undefined),
  'bad-token': () => withToken('abc'),
  'expired-token': async () => withToken(await server.token('admin', { lifetimeSeconds: -1 })),
  throttled: async () => {
    await registerClient(server, 'slow', { roles: ['ovm'], rate: 1 });
    const token = await server.token('ovm', { client: 'slow' });
    await server.send('GET', 'Patient', { token });
    return server.send('GET', 'Patient', { token });
  },
  forbidden: () => server.send('POST', 'Patient', { token: server.tokens.supplier, body: { resourceType: 'Patient' } }),
  'not-found': () => send('GET', 'Patient/nobody'),
  gone: async () => {
    await put(basic('gone'));
    await send('DELETE', 'Basic/gone');
    return send('GET', 'Basic/gone');
  },
  'version-conflict': race,
  'version-mismatch': async () => {
    await put(basic('seen'));
    return send('PUT', 'Basic/seen', basic('seen'), { 'if-match': 'W/"9"' });
  },
  'if-match-required': async () => {
    const { body } = await assess({}, 201);
    return server.send('PUT', `Observation/${String(body.id)}`, { token: server.tokens.ovm, body: { ...body, status: 'entered-in-error' } });
  },
  'no-match': () => send('POST', '', {
    resourceType: 'Bundle', type: 'transaction',
    entry: [{ resource: { resourceType: 'Basic', code: { text: 'x' }, subject: { reference: 'Patient?identifier=x|no-match' } }, request: { method: 'POST', url: 'Basic' } }],
  }),
  'multiple-matches': async () => {
    await put(patient('twin-1', { name: [{ family: 'Twin' }] }));
    await put(patient('twin-2', { name: [{ family: 'Twin' }] }));
    return send('PUT', 'Patient?family=Twin', { resourceType: 'Patient' });
  },
  'already-exists': async () => {
    await put(basic('there'));
    return send('PUT', 'Basic/there', basic('there'), { 'if-none-match': '*' });
  },
  duplicate: async () => {
    const identifier = [{ system: NHS_NUMBER, value: '9990000018' }];
    await put(patient('first-holder', { identifier }));
    return send('POST', 'Patient', { resourceType: 'Patient', identifier });
  },
  'still-needed': async () => {
    const mine = await opened(server, await parties(server));
    const claim = await recorded(server, purchaseBody(mine));
    await server.database.query({ text: 'update fhir.claim_commitment set paid = committed, committed = 0 where claim = $1', values: [claim.id] });
    return change(server, claim, { status: 'cancelled' });
  },
  'in-progress': async () => {
    await put(basic('held'));
    return server.database.transaction(async (tx) => {
      await tx.query({ text: 'select from fhir."Basic" where id = $1 for update', values: ['held'] });
      return send('PUT', 'Basic/held', basic('held'), { 'x-request-id': 'while-held' });
    });
  },
  invalid: () => assess({ effectiveDateTime: '2026' }),
  required: () => assess({ valueCodeableConcept: undefined }),
  'code-invalid': () => assess({ valueCodeableConcept: category('Z') }),
  'business-rule': () => assess({ effectiveDateTime: '2999-01-01' }),
  'reference-not-found': () => assess({ subject: { reference: 'Patient/nobody' } }),
  'unsupported-criterion': () => send('POST', 'Patient/$phb-candidates', {
    resourceType: 'Parameters', parameter: [{ name: 'group', resource: { resourceType: 'Group', type: 'person', actual: false, characteristic: [{ code: { text: 'shoe size' }, valueBoolean: true, exclude: false }] } }],
  }),
  'patch-failed': async () => {
    await put(basic('patched'));
    return send('PATCH', 'Basic/patched', [{ op: 'test', path: '/code/text', value: 'other' }], { 'content-type': 'application/json-patch+json' });
  },
  'too-costly': async () => {
    await put(basic('grown', 'x'.repeat(20_000)));
    const double = { op: 'copy', from: '/extension', path: '/extension/-' };
    const grow = Array.from({ length: 40 }, (_, i) => ({ ...double, from: i === 0 ? '/code' : '/extension', path: `/extension/${i}` }));
    return send('PATCH', 'Basic/grown', [{ op: 'add', path: '/extension', value: [] }, ...grow], { 'content-type': 'application/json-patch+json' });
  },
  'not-ready': whileCut,
  overloaded: whileBehind,
  'out-of-time': whileLocked,
  unexpected: whileBroken,
};

test.each(Object.keys(REQUESTS) as ErrorName[])('%s', async (name) => {
  const { status, body, headers, text } = await REQUESTS[name]();
  const row = ERRORS[name];
  expect({ status, type: headers['content-type'], resourceType: body?.resourceType, issue: body?.issue?.[0] }).toMatchObject({
    status: row.status,
    type: expect.stringMatching(/^application\/fhir\+json/),
    resourceType: 'OperationOutcome',
    issue: { severity: 'error', code: row.code, details: { text: expect.stringMatching(/^\S.{8,}/s) } },
  });
  // Words for the caller, and nothing of the server's inside.
  expect(text).not.toMatch(/\bat \S+ \(|node_modules|\/src\/|\/dist\/|select |relation |undefined|\[object /i);
});

test.each(['no-token', 'bad-token', 'expired-token'] as const)('%s names the scheme to use', async (name) => {
  expect((await REQUESTS[name]()).headers['www-authenticate']).toMatch(/^Bearer realm="entitle-fhir"/);
});
