// Prefer: respond-async: 202 and a job, whose answer is a Bundle. https://hl7.org/fhir/R4/async.html
import { startServer, type Answer, type Ask, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  for (const id of ['a', 'b']) await ask('PUT', `Patient/${id}`, { body: { resourceType: 'Patient', id, active: true } });
});
afterAll(() => server.close());

const ask = (method: string, path: string, { token = server.tokens.admin, headers, ...rest }: Ask = {}) => server.send(method, path, { token, ...rest, headers: { ...headers } });
const later = (method: string, path: string, { headers, ...rest }: Ask = {}) => ask(method, path, { ...rest, headers: { prefer: 'respond-async', ...headers } });
const jobOf = ({ headers }: Answer): string => (headers['content-location'] ?? '').slice(server.base.length + 1);

async function answerOf(accepted: Answer, token?: string): Promise<Answer> {
  expect(accepted).toMatchObject({ status: 202, text: '' });
  for (;;) {
    const answer = await ask('GET', jobOf(accepted), token === undefined ? {} : { token });
    if (answer.status !== 202) return answer;
    expect(answer.headers).toMatchObject({ 'x-progress': expect.stringMatching(/\w/), 'retry-after': '1' });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('a search is accepted, and its answer is the one entry of a batch-response', async () => {
  const accepted = await later('GET', 'Patient?active=true');
  expect(accepted.headers).toMatchObject({ 'preference-applied': 'respond-async', 'content-location': expect.stringContaining(`${server.base}/_jobs/`) });
  const { status, body, headers } = await answerOf(accepted);
  expect(status).toBe(200);
  expect(Date.parse(headers['expires'] ?? '')).toBeGreaterThan(Date.now());
  expect(body).toMatchObject({ resourceType: 'Bundle', type: 'batch-response', entry: [{ response: { status: '200 OK' } }] });
  expect(body.entry[0].resource.entry.map(({ resource }: any) => resource.id).sort()).toEqual(['a', 'b']);
});

test.each([
  ['a search by POST', 'POST', 'Patient/_search', 'active=true'], ['one of a compartment', 'GET', 'Patient/a/*', undefined], ['one of the system', 'GET', '?_type=Patient', undefined],
  ['the history of everything', 'GET', '_history', undefined], ['that of a resource', 'GET', 'Patient/a/_history', undefined], ['an operation', 'GET', 'Patient/a/$everything', undefined],
])('%s', async (_what, method, path, form) => {
  const { body } = await answerOf(await later(method, path, form === undefined ? {} : { body: form, headers: { 'content-type': 'application/x-www-form-urlencoded' } }));
  expect(body).toMatchObject({ type: 'batch-response', entry: [{ resource: { resourceType: 'Bundle' }, response: { status: '200 OK' } }] });
});

test('a batch and a transaction are answered with their own responses', async () => {
  const entry = [{ request: { method: 'POST', url: 'Patient' }, resource: { resourceType: 'Patient', gender: 'other' } }];
  for (const type of ['batch', 'transaction']) {
    const { body } = await answerOf(await later('POST', '', { body: { resourceType: 'Bundle', type, entry } }));
    expect(body).toMatchObject({ type: `${type}-response`, entry: [{ response: { status: '201 Created' } }] });
  }
  expect((await ask('GET', 'Patient?gender=other&_summary=count')).body.total).toBe(2);
});

test('what is refused is told in the answer', async () => {
  const { status, body } = await answerOf(await later('GET', 'Patient?birthdate=yesterday'));
  expect(status).toBe(200);
  expect(body.entry[0].response).toMatchObject({ status: '400 Bad Request', outcome: { resourceType: 'OperationOutcome' } });
  const refused = await answerOf(await later('POST', '', { body: { resourceType: 'Bundle', type: 'transaction', entry: [{ request: { method: 'GET', url: 'Patient/none' } }] } }));
  expect(refused.body.entry[0].response.status).toBe('404 Not Found');
});

test('whoever may not ask is refused at once', async () => {
  expectRefusal(await later('GET', 'Account', { token: server.tokens.homeOffice }), 403);
});

test('nobody but who asked sees the answer: not another role, client or person', async () => {
  const [a, b] = [await server.token('patient', { patient: 'a' }), await server.token('patient', { patient: 'b' })];
  const accepted = await later('GET', 'Organization', { token: a });
  const { status } = await answerOf(accepted, a);
  expect(status).toBe(200);
  expectRefusal(await ask('GET', jobOf(accepted), { token: b }), 404);
  expectRefusal(await ask('GET', jobOf(accepted), { token: server.tokens.supplier }), 404);
});

test('DELETE calls it off, and it is there no more', async () => {
  const accepted = await later('GET', 'Patient');
  expect((await ask('DELETE', jobOf(accepted))).status).toBe(202);
  expectRefusal(await ask('GET', jobOf(accepted)), 404);
});

test('a read, a write and an entry of a Bundle are answered at once', async () => {
  expect((await later('GET', 'Patient/a')).status).toBe(200);
  expect((await later('PUT', 'Patient/a', { body: { resourceType: 'Patient', id: 'a', active: false } })).status).toBe(200);
});

test('a batch whose server was killed before it could say so is not carried out twice', async () => {
  const entry = [{ request: { method: 'POST', url: 'Patient' }, resource: { resourceType: 'Patient', gender: 'unknown' } }];
  const accepted = await later('POST', '', { body: { resourceType: 'Bundle', type: 'batch', entry } });
  const first = await answerOf(accepted);
  // As a kill -9 between the batch and the end of its job leaves it.
  await server.database.query({ text: 'update fhir.job set status = \'running\', owner = \'gone\', lease = 0, result = null where id = $1', values: [jobOf(accepted).slice('_jobs/'.length)] });
  const second = await answerOf(accepted);
  expect(second.body).toEqual(first.body);
  expect((await ask('GET', 'Patient?gender=unknown&_summary=count')).body.total).toBe(1);
});
