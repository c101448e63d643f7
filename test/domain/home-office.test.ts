// P1.1: the Home Office feed: what it may say, what is told back, and what becomes of statements about people nobody knows yet
// (domain.md 1.3, 2.2 P1.1, rulings 2, 5).
import { readFileSync } from 'node:fs';
import { startServer, type TestServer } from '../server.js';
import { assess, assessmentBody, BASE, codeOf, deliver, errorCode, FEED, newKey, NHS, numbers, patientBody, register, shownBy, state, statementBody, statusOf, vmObservation, vmSearch, withdraw } from './people.js';

let server: TestServer;
const newNumber = numbers(999_300_000);
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const post = (body: object, token = server.tokens.homeOffice) => server.send('POST', 'Observation', { token, body });
const batch = (...statements: any[]) =>
  server.send('POST', '', {
    token: server.tokens.homeOffice,
    body: {
      resourceType: 'Bundle',
      type: 'batch',
      entry: statements.map((resource) => ({ resource, request: { method: 'POST', url: 'Observation', ifNoneExist: `identifier=${FEED}|${resource.identifier?.[0]?.value}` } })),
    },
  });
const statuses = (body: any): string[] => body.entry.map(({ response }: any) => response.status.slice(0, 3));

describe('a delivery', () => {
  test('of the published batch is taken entry by entry, and again without effect', async () => {
    const body = JSON.parse(readFileSync('test/domain/wire/home-office-batch.json', 'utf8'));
    for (const number of ['9990000018', '9990000026', '9990000034']) await register(server, number);
    const send = () => server.send('POST', '', { token: server.tokens.homeOffice, body });
    expect(statuses((await send()).body)).toEqual(['201', '201', '201']);
    const before = await Promise.all(['9990000018', '9990000026', '9990000034'].map((number) => vmObservation(server, number)));
    expect(statuses((await send()).body)).toEqual(['200', '200', '200']);
    expect(await Promise.all(['9990000018', '9990000026', '9990000034'].map((number) => vmObservation(server, number)))).toEqual(before);
    expect(before.map(({ component }) => component.map((one: any) => codeOf(one.valueCodeableConcept)))).toEqual([['N', 'B'], ['Y'], ['N']]);
  });

  test('with one bad entry loses that entry alone', async () => {
    const [first, last] = [newNumber(), newNumber()];
    await register(server, first);
    await register(server, last);
    const { status, body } = await batch(statementBody(first, 'likely-chargeable', '2026-04-01'), statementBody('9990000019', 'likely-chargeable', '2026-04-01'), statementBody(last, 'likely-chargeable', '2026-04-01'));
    expect(status).toBe(200);
    expect(statuses(body)).toEqual(['201', '422', '201']);
    expect(body.entry[1].response.outcome.issue[0].details.coding[0].code).toBe('INVALID_NHS_NUMBER');
    expect(codeOf((await statusOf(server, last))['basic'])).toBe('Y');
  });

  test('is answered alike whether the person is known or not: status, location and etag, nothing of the person', async () => {
    const known = newNumber();
    await register(server, known);
    const shape = (text: string) => text.replace(/Observation\/[0-9a-f-]{36}/g, 'Observation/ID').replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME');
    const answers = await Promise.all([known, newNumber()].map((number) => batch(statementBody(number, 'likely-chargeable', '2026-04-01'))));
    expect(shape(answers[0]?.text ?? '')).toBe(shape(answers[1]?.text ?? 'none'));
    const [entry] = answers[0]?.body.entry ?? [];
    expect(Object.keys(entry)).toEqual(['response']);
    expect(Object.keys(entry.response).sort()).toEqual(['etag', 'lastModified', 'location', 'status']);
    for (const number of [known, newNumber()]) {
      const single = await deliver(server, statementBody(number, 'likely-chargeable', '2026-04-01'));
      expect([single.status, single.text, single.headers['etag']]).toEqual([201, '', 'W/"1"']);
      expect(single.headers['location']).toMatch(/\/Observation\/[^/]+\/_history\/1$/);
    }
  });

  test('again is answered alike, too, after the person has become known', async () => {
    const number = newNumber();
    const statement = statementBody(number, 'likely-chargeable', '2026-04-01');
    await deliver(server, statement);
    const before = await deliver(server, statement);
    await register(server, number);
    const after = await deliver(server, statement);
    const told = ({ status, text, headers }: typeof after) => [status, text, headers['etag'], headers['location'], headers['last-modified']];
    expect(told(after)).toEqual(told(before));
    expect(after.status).toBe(200);
    expect(codeOf((await statusOf(server, number))['basic'])).toBe('Y');
  });

  test('under a used key with other content is 200, counts for nothing and is kept', async () => {
    const number = newNumber();
    await register(server, number);
    const key = newKey();
    await state(server, number, 'paid-or-exempt', '2026-04-01', key);
    const before = await vmObservation(server, number);
    expect((await deliver(server, statementBody(number, 'likely-chargeable', '2026-05-01', key))).status).toBe(200);
    expect(await vmObservation(server, number)).toEqual(before);
    const kept = await server.database.query<{ res: string }>({ text: 'select res from fhir.home_office_conflict where key = $1', values: [key] });
    expect(kept.rows.map(({ res }) => JSON.parse(res).effectiveDateTime)).toEqual(['2026-05-01']);
  });

  test('of the same content is no conflict, however the moment is written', async () => {
    const number = newNumber();
    const key = newKey();
    await deliver(server, statementBody(number, 'paid-or-exempt', '2026-05-10T08:00:00Z', key));
    expect((await deliver(server, statementBody(number, 'paid-or-exempt', '2026-05-10T09:00:00+01:00', key, { performer: [{ display: 'HO' }] }))).status).toBe(200);
    const { count } = await server.database.query({ text: 'select 1 from fhir.home_office_conflict where key = $1', values: [key] });
    expect(count).toBe(0);
  });

  test('under a used key without a condition is 409', async () => {
    const key = newKey();
    const number = newNumber();
    expect((await post(statementBody(number, 'paid-or-exempt', '2026-04-01', key))).status).toBe(201);
    expect((await post(statementBody(number, 'paid-or-exempt', '2026-04-01', key))).status).toBe(409);
  });

  test('of one key many times at once makes one statement', async () => {
    const number = newNumber();
    await register(server, number);
    const statement = statementBody(number, 'likely-chargeable', '2026-04-01');
    const answers = await Promise.all(Array.from({ length: 8 }, () => deliver(server, statement)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 200, 200, 201]);
    expect(new Set(answers.map(({ headers }) => headers['location'])).size).toBe(1);
  });
});

describe('a statement', () => {
  const cases: [name: string, rest: object, expression: string][] = [
    ['without key', { identifier: undefined }, 'Observation.identifier'],
    ['with two keys', { identifier: [{ system: FEED, value: 'a' }, { system: FEED, value: 'b' }] }, 'Observation.identifier'],
    ['without subject', { subject: undefined }, 'Observation.subject'],
    ['that names a record', { subject: { reference: 'Patient/x' } }, 'Observation.subject'],
    ['with a bad NHS number', { subject: { identifier: { system: NHS, value: '9900002831' } } }, 'Observation.subject.identifier.value'],
    ['without date', { effectiveDateTime: undefined }, 'Observation.effective'],
    ['of a period', { effectiveDateTime: undefined, effectivePeriod: { start: '2026-04-01' } }, 'Observation.effective'],
    ['of a month', { effectiveDateTime: '2026-04' }, 'Observation.effective'],
    ['without status', { valueCodeableConcept: undefined }, 'Observation.value'],
    ['with an unknown status', { valueCodeableConcept: { coding: [{ system: `${BASE}/CodeSystem/ho-status`, code: 'rich' }] } }, 'Observation.value'],
    ['that is preliminary', { status: 'preliminary' }, 'Observation.status'],
    ['that is withdrawn from the start', { status: 'entered-in-error' }, 'Observation.status'],
  ];
  test.each(cases)('%s is 422', async (_name, rest, expression) => {
    const answer = await post(statementBody(newNumber(), 'likely-chargeable', '2026-04-01', newKey(), rest));
    expect([answer.status, answer.body.issue[0].expression]).toEqual([422, [expression]]);
  });

  test('tells all its faults at once', async () => {
    const { body } = await post(statementBody('123', 'rich', '2026', newKey()));
    expect(body.issue.map(({ expression }: any) => expression[0])).toEqual(['Observation.subject.identifier.value', 'Observation.value', 'Observation.effective']);
  });

  test('is the Home Office\'s alone to make', async () => {
    const body = statementBody(newNumber(), 'likely-chargeable', '2026-04-01');
    for (const token of [server.tokens.ovm, server.tokens.supplier]) expect((await post(body, token)).status).toBe(403);
  });

  test('and nothing else is: no assessment, no patient, no reading back', async () => {
    const { homeOffice } = server.tokens;
    const id = await register(server, newNumber());
    expect((await post(assessmentBody(id, 'F', '2026-04-01'))).status).toBe(403);
    expect((await server.send('POST', 'Patient', { token: homeOffice, body: patientBody(newNumber()) })).status).toBe(403);
    const { headers } = await deliver(server, statementBody(newNumber(), 'likely-chargeable', '2026-04-01'));
    const path = (headers['location'] ?? '').slice(server.base.length + 1);
    for (const url of [path, path.split('/_history')[0] ?? '', `Observation?identifier=${FEED}|x`, `Patient/${id}`, `Patient/${id}/$chargeable-status`])
      expect([url, (await server.send('GET', url, { token: homeOffice })).status]).toEqual([url, 403]);
  });

  test('about a contained person without number is kept', async () => {
    const contained = [{ resourceType: 'Patient', id: 'p', name: [{ family: 'Nobody' }], birthDate: '1990-01-01', gender: 'male', address: [{ postalCode: 'ZZ1 1AA' }] }];
    const answer = await post(statementBody('x', 'likely-chargeable', '2026-04-01', newKey(), { contained, subject: { reference: '#p' } }));
    expect(answer.status).toBe(201);
  });

  test('about a contained person with number is that person\'s', async () => {
    const number = newNumber();
    await register(server, number);
    const contained = [{ resourceType: 'Patient', id: 'p', identifier: [{ system: NHS, value: number }] }];
    await post(statementBody('x', 'likely-chargeable', '2026-04-01', newKey(), { contained, subject: { reference: '#p' } }));
    expect(codeOf((await statusOf(server, number))['basic'])).toBe('Y');
  });
});

describe('a withdrawal', () => {
  test('takes the statement back, and what was before answers again', async () => {
    const number = newNumber();
    await register(server, number);
    await state(server, number, 'likely-chargeable', '2026-03-01');
    const statement = statementBody(number, 'paid-or-exempt', '2026-04-01');
    await deliver(server, statement);
    const before = await vmObservation(server, number);
    const answer = await withdraw(server, statement);
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect(codeOf((await statusOf(server, number))['basic'])).toBe('Y');
    expect(Number((await vmObservation(server, number)).meta.versionId)).toBeGreaterThan(Number(before.meta.versionId));
  });

  test('of the only statement leaves no record', async () => {
    const number = newNumber();
    const id = await register(server, number);
    const statement = statementBody(number, 'likely-chargeable', '2026-04-01');
    await deliver(server, statement);
    await withdraw(server, statement);
    expect((await vmSearch(server, number)).body.entry[0].resource.resourceType).toBe('OperationOutcome');
    expect(await shownBy(server, id)).toBeUndefined();
    expect((await deliver(server, statement)).status).toBe(200);
    expect((await statusOf(server, number))['determined']).toBe(false);
  });

  test('can be sent again, and can\'t be undone', async () => {
    const statement: any = statementBody(newNumber(), 'likely-chargeable', '2026-04-01');
    await deliver(server, statement);
    expect((await withdraw(server, statement)).status).toBe(200);
    expect((await withdraw(server, statement)).status).toBe(200);
    const undone = await server.send('PUT', `Observation?identifier=${FEED}|${statement.identifier[0].value}`, { token: server.tokens.homeOffice, body: statement });
    expect(undone.status).toBe(422);
  });

  test('of what was never stated is 422', async () => {
    expect((await withdraw(server, statementBody(newNumber(), 'likely-chargeable', '2026-04-01'))).status).toBe(422);
  });

  test.each<[string, object]>([
    ['status', { valueCodeableConcept: { coding: [{ system: `${BASE}/CodeSystem/ho-status`, code: 'british-citizen' }] } }],
    ['date', { effectiveDateTime: '2026-04-02' }],
    ['person', { subject: { identifier: { system: NHS, value: '9990000042' }, type: 'Patient' } }],
    ['code', { code: { coding: [{ system: `${BASE}/CodeSystem/status-assertion`, code: 'ovm-assessment' }] } }],
    ['mark', { code: { text: 'something else' } }],
  ])('that changes the %s is refused', async (_name, change) => {
    const statement: any = statementBody(newNumber(), 'likely-chargeable', '2026-04-01');
    const { headers } = await deliver(server, statement);
    const answer = await withdraw(server, { ...statement, ...change });
    expect([403, 422]).toContain(answer.status);
    const read = await server.send('GET', (headers['location'] ?? '').slice(server.base.length + 1).split('/_history')[0] ?? '', { token: server.tokens.admin });
    expect([read.body.status, read.body.meta.versionId]).toEqual(['final', '1']);
  });

  test('while the person is still unknown holds when the person comes', async () => {
    const number = newNumber();
    const statement = statementBody(number, 'likely-chargeable', '2026-04-01');
    await deliver(server, statement);
    await withdraw(server, statement);
    await register(server, number);
    expect((await statusOf(server, number))['determined']).toBe(false);
  });
});

describe('a statement about nobody known', () => {
  test('is kept and counts from the version that makes the Patient known', async () => {
    const number = newNumber();
    await state(server, number, 'likely-chargeable', '2026-04-01T00:00:00Z');
    expect(errorCode(await vmSearch(server, number))).toBe('PATIENT_NOT_FOUND');
    const id = await register(server, number);
    expect(await statusOf(server, number)).toMatchObject({ determined: true, basic: { code: 'Y' }, lastUpdated: '2026-04-01T00:00:00Z' });
    const { body } = await server.send('GET', `Patient/${id}`, { token: server.tokens.admin });
    expect(body.meta.versionId).toBe('1');
    expect(codeOf((await shownBy(server, id))?.['basic'])).toBe('Y');
  });

  test('counts when a Patient gets the number, and no more when it loses it', async () => {
    const number = newNumber();
    const wrong = newNumber();
    await state(server, number, 'likely-chargeable', '2026-04-01');
    const id = await register(server, wrong);
    const put = (value: string) => server.send('PUT', `Patient/${id}`, { token: server.tokens.admin, body: { ...patientBody(value), id } });
    await put(number);
    expect(codeOf((await statusOf(server, number))['basic'])).toBe('Y');
    await put(wrong);
    expect((await statusOf(server, wrong))['determined']).toBe(false);
    expect(await shownBy(server, id)).toBeUndefined();
    await register(server, number);
    expect(codeOf((await statusOf(server, number))['basic'])).toBe('Y');
  });

  test('that comes at the same moment as the person is not lost', async () => {
    for (let round = 0; round < 10; round += 1) {
      const number = newNumber();
      await Promise.all([state(server, number, 'likely-chargeable', '2026-04-01'), register(server, number)]);
      expect(codeOf((await statusOf(server, number))['basic'])).toBe('Y');
    }
  });
});

test('statements and assessments of one patient at once end in the one right answer', async () => {
  const number = newNumber();
  const id = await register(server, number);
  const days = Array.from({ length: 8 }, (_, index) => `2026-04-${String(10 + index)}`);
  const answers = await Promise.all(days.map((day, index) => (index % 2 === 0 ? deliver(server, statementBody(number, 'paid-or-exempt', day)) : assess(server, assessmentBody(id, 'F', day)))));
  expect(answers.map(({ status }) => status)).toEqual(days.map(() => 201));
  expect(await statusOf(server, number)).toMatchObject({ basic: { code: 'Y' }, category: { code: 'F' }, lastUpdated: '2026-04-17T00:00:00+01:00' });
  expect((await shownBy(server, id))?.['lastUpdated']).toBe('2026-04-17T00:00:00+01:00');
});

test('a deletion of a statement is refused', async () => {
  const { headers } = await deliver(server, statementBody(newNumber(), 'likely-chargeable', '2026-04-01'));
  const path = (headers['location'] ?? '').slice(server.base.length + 1).split('/_history')[0] ?? '';
  expect((await server.send('DELETE', path, { token: server.tokens.admin })).status).toBe(422);
});
