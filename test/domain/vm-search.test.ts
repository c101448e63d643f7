// The Visitors and Migrants search as suppliers see it: VM-01 to VM-26 and VM-32 of the published checklist.
import { startServer, type TestServer } from '../server.js';
import { assessed, deliver, errorCode, NHS, numbers, register, state, statementBody, TRACED, vmObservation, vmPath, vmSearch, VM_CODE } from './people.js';

let server: TestServer;
const newNumber = numbers();
const identified = newNumber();
let patient: string;

beforeAll(async () => {
  server = await startServer();
  patient = await register(server, identified);
  await state(server, identified, 'paid-or-exempt', '2026-04-01T00:00:00Z');
});
afterAll(() => server.close());

const ask = (query: string, token = server.tokens.supplier) => server.send('GET', `Observation?${query}`, { token, headers: TRACED });
const post = (form: string, path = 'Observation/_search', token = server.tokens.supplier) =>
  server.send('POST', path, { token, body: form, headers: { ...TRACED, 'content-type': 'application/x-www-form-urlencoded' } });
const SUBJECT = 'subject:Patient.identifier';
const subject = (number = identified) => `${SUBJECT}=${NHS}|${number}`;
const CODE = `code=${VM_CODE}|0001`;

describe('success', () => {
  test('VM-01, VM-02: one Observation in a searchset, matched, with its URL and version', async () => {
    const { status, body } = await vmSearch(server, identified);
    expect(status).toBe(200);
    expect(body).toMatchObject({ resourceType: 'Bundle', type: 'searchset', total: 1 });
    expect(body.entry).toHaveLength(1);
    const [entry] = body.entry;
    expect(entry.search).toEqual({ mode: 'match' });
    expect(entry.fullUrl).toBe(`${server.base}/Observation/${entry.resource.id}`);
    expect(entry.resource.meta.versionId).toMatch(/^[1-9]\d*$/);
  });

  test('VM-03 to VM-07: exactly what the profile allows, complete with displays', async () => {
    const { id, meta, ...rest } = await vmObservation(server, identified);
    expect(id).toMatch(/^chargeable-status-[0-9a-f-]{36}$/);
    expect(meta.profile).toEqual(['https://fhir.entitle.example/StructureDefinition/vm-observation']);
    const component = (code: string, display: string, system: string, value: string, valueDisplay: string) => ({
      code: { coding: [{ system: 'https://fhir.nhs.uk/spine-vm-observation-component-1', code, display }] },
      valueCodeableConcept: { coding: [{ system, code: value, display: valueDisplay }] },
    });
    expect(rest).toEqual({
      resourceType: 'Observation',
      status: 'final',
      code: { coding: [{ system: VM_CODE, code: '0001', display: 'Visitors and Migrants status observation' }] },
      subject: { reference: `Patient/${patient}`, identifier: { system: NHS, value: identified } },
      effectiveDateTime: '2026-04-01T00:00:00Z',
      component: [
        component('BASIC_CHARGEABLE_STATUS', 'Basic Chargeable Status', 'https://fhir.nhs.uk/spine-chargeable-status-1', 'N', 'Not Chargeable'),
        component('CATEGORY_CHARGEABLE_STATUS', 'Category Chargeable Status', 'https://fhir.nhs.uk/spine-category-status-1', 'B', 'Surcharge Payee (or exempt)'),
      ],
    });
  });

  test.each(['likely-chargeable', 'british-citizen'])('VM-05: of %s there is a basic status and no category', async (said) => {
    const number = newNumber();
    await register(server, number);
    await state(server, number, said, '2026-04-01T00:00:00Z');
    const { component } = await vmObservation(server, number);
    expect(component.map((one: any) => one.code.coding[0].code)).toEqual(['BASIC_CHARGEABLE_STATUS']);
  });

  test('VM-06: a day is shown as its start in London, with offset', async () => {
    const number = newNumber();
    await assessed(server, await register(server, number), 'A', '2026-05-10');
    expect((await vmObservation(server, number)).effectiveDateTime).toBe('2026-05-10T00:00:00+01:00');
  });

  test('VM-08: the id stays; the version grows with a new answer and with nothing else', async () => {
    const number = newNumber();
    const id = await register(server, number);
    const statement = statementBody(number, 'likely-chargeable', '2026-04-01T00:00:00Z');
    await deliver(server, statement);
    const first = await vmObservation(server, number);
    await deliver(server, statement);
    await assessed(server, id, 'A', '2026-03-01T00:00:00Z');
    await server.send('PUT', `Patient/${id}`, { token: server.tokens.admin, body: { resourceType: 'Patient', id, identifier: [{ system: NHS, value: number }], active: true } });
    expect(await vmObservation(server, number)).toEqual(first);
    await assessed(server, id, 'F', '2026-05-01T00:00:00Z');
    const then = await vmObservation(server, number);
    expect(then.id).toBe(first.id);
    expect(Number(then.meta.versionId)).toBeGreaterThan(Number(first.meta.versionId));
  });

  test('VM-08: it can be read by its id, and again by its ETag', async () => {
    const observation = await vmObservation(server, identified);
    const read = await server.send('GET', `Observation/${observation.id}`, { token: server.tokens.supplier });
    expect(read.status).toBe(200);
    expect(read.body).toEqual(observation);
    expect(read.headers.etag).toBe(`W/"${observation.meta.versionId}"`);
    expect(read.headers['cache-control']).toBe('no-store');
    const again = await server.send('GET', `Observation/${observation.id}`, { token: server.tokens.supplier, headers: { 'if-none-match': read.headers.etag ?? '' } });
    expect(again.status).toBe(304);
  });

  test('VM-08: neither its history nor its versions nor any other Observation is there for a supplier', async () => {
    const { id, meta } = await vmObservation(server, identified);
    const assertion = await assessed(server, await register(server, newNumber()), 'F', '2026-05-01T00:00:00Z');
    const status = async (path: string) => [path, (await server.send('GET', path, { token: server.tokens.supplier })).status];
    for (const path of [`Observation/${id}/_history`, `Observation/${id}/_history/${meta.versionId}`, 'Observation/chargeable-status-x/_history']) expect(await status(path)).toEqual([path, 403]);
    for (const path of [`Observation/${assertion.id}`, 'Observation/chargeable-status-x']) expect(await status(path)).toEqual([path, 404]);
  });

  test('VM-09: a known patient without a record is a success that says so', async () => {
    const number = newNumber();
    await register(server, number);
    const { status, body } = await vmSearch(server, number);
    expect(status).toBe(200);
    expect(body).toMatchObject({ type: 'searchset', total: 0 });
    expect(body.entry).toHaveLength(1);
    expect(body.entry[0]).toMatchObject({
      search: { mode: 'outcome' },
      resource: {
        resourceType: 'OperationOutcome',
        id: expect.any(String),
        issue: [{ severity: 'warning', details: { coding: [{ system: 'https://fhir.nhs.uk/spine-error-or-warning-code-1', code: 'NO_RECORD_FOUND', display: 'No record found' }] }, diagnostics: expect.any(String) }],
      },
    });
  });

  test('VM-10: the same answer by POST, with the parameters in body or URL', async () => {
    const { body } = await vmSearch(server, identified);
    const form = `${encodeURIComponent(SUBJECT)}=${encodeURIComponent(`${NHS}|${identified}`)}&code=${encodeURIComponent(`${VM_CODE}|0001`)}`;
    for (const answer of [await post(form), await post(CODE, `Observation/_search?${subject()}`)]) {
      expect(answer.status).toBe(200);
      expect(answer.body.entry).toEqual(body.entry);
    }
  });

  test('encoded names and values ask the same', async () => {
    const { status, body } = await ask(`subject%3APatient.identifier=${encodeURIComponent(`${NHS}|${identified}`)}&code=${encodeURIComponent(`${VM_CODE}|0001`)}`);
    expect([status, body.total]).toEqual([200, 1]);
  });

  test('no link carries the NHS number', async () => {
    const { body } = await vmSearch(server, identified);
    expect(JSON.stringify(body.link)).not.toContain(identified);
  });

  test.each(['json', 'application/fhir+json', 'application/json+fhir'])('VM-11: _format=%s is answered in application/fhir+json', async (format) => {
    const { status, headers } = await ask(`${subject()}&${CODE}&_format=${encodeURIComponent(format)}`);
    expect(status).toBe(200);
    expect(headers['content-type']).toMatch(/^application\/fhir\+json/);
    expect(headers['cache-control']).toBe('no-store');
  });

  test('VM-13: what can be asked is said without a token', async () => {
    const { status, body } = await server.send('GET', 'metadata');
    expect(status).toBe(200);
    const observation = body.rest[0].resource.find(({ type }: any) => type === 'Observation');
    expect(observation.searchParam.map(({ name }: any) => name)).toEqual(expect.arrayContaining(['patient', 'subject', 'code']));
    const patientResource = body.rest[0].resource.find(({ type }: any) => type === 'Patient');
    expect(patientResource.operation).toContainEqual(expect.objectContaining({ name: 'chargeable-status', definition: 'https://fhir.entitle.example/OperationDefinition/chargeable-status' }));
  });

  test('an OVM who asks with the published code gets the same', async () => {
    const { body } = await server.send('GET', vmPath(identified), { token: server.tokens.ovm });
    expect(body.entry[0].resource).toEqual(await vmObservation(server, identified));
  });
});

describe('failure', () => {
  const absent = newNumber();
  const other = newNumber();
  const rows: [id: string, query: () => string, status: number, code: string, error: string][] = [
    ['VM-20 no such patient', () => `${subject(absent)}&${CODE}`, 404, 'not-found', 'PATIENT_NOT_FOUND'],
    ['VM-21 wrong check digit', () => `${subject('9990000019')}&${CODE}`, 400, 'invalid', 'INVALID_NHS_NUMBER'],
    ['VM-21 the published sample', () => `${subject('9900002831')}&${CODE}`, 400, 'invalid', 'INVALID_NHS_NUMBER'],
    ['VM-21 check digit ten', () => `${subject('1234567890')}&${CODE}`, 400, 'invalid', 'INVALID_NHS_NUMBER'],
    ['VM-21 zeros', () => `${subject('0000000000')}&${CODE}`, 400, 'invalid', 'INVALID_NHS_NUMBER'],
    ['VM-21 too short', () => `${subject('999000001')}&${CODE}`, 400, 'invalid', 'INVALID_NHS_NUMBER'],
    ['VM-21 too long', () => `${subject('99900000180')}&${CODE}`, 400, 'invalid', 'INVALID_NHS_NUMBER'],
    ['VM-21 a letter', () => `${subject('999000001X')}&${CODE}`, 400, 'invalid', 'INVALID_NHS_NUMBER'],
    ['VM-21 inner spaces', () => `${subject('999 000 0018')}&${CODE}`, 400, 'invalid', 'INVALID_NHS_NUMBER'],
    ['VM-21 a space before', () => `${subject(`%20${identified}`)}&${CODE}`, 400, 'invalid', 'INVALID_NHS_NUMBER'],
    ['VM-21 a space after', () => `${subject(`${identified}%20`)}&${CODE}`, 400, 'invalid', 'INVALID_NHS_NUMBER'],
    ['VM-21 other digits', () => `${subject('٩٩٩٠٠٠٠٠١٨')}&${CODE}`, 400, 'invalid', 'INVALID_NHS_NUMBER'],
    ['VM-21 no number', () => `${subject('')}&${CODE}`, 400, 'invalid', 'INVALID_NHS_NUMBER'],
    ['VM-21 two numbers', () => `${subject(`${identified},${NHS}|${other}`)}&${CODE}`, 400, 'invalid', 'INVALID_NHS_NUMBER'],
    ['VM-22 wrong code system', () => `${subject()}&code=http://loinc.org|0001`, 400, 'code-invalid', 'INVALID_CODE_SYSTEM'],
    ['VM-22 no code system', () => `${subject()}&code=0001`, 400, 'code-invalid', 'INVALID_CODE_SYSTEM'],
    ['VM-22 the draft\'s code system', () => `${subject()}&code=http://fhir.nhs.net/fhir-observation-code-1|0001`, 400, 'code-invalid', 'INVALID_CODE_SYSTEM'],
    ['VM-23 wrong code', () => `${subject()}&code=${VM_CODE}|0002`, 400, 'code-invalid', 'INVALID_CODE_VALUE'],
    ['VM-23 no code', () => `${subject()}&code=${VM_CODE}|`, 400, 'code-invalid', 'INVALID_CODE_VALUE'],
    ['VM-24 bare number', () => `${SUBJECT}=${identified}&${CODE}`, 400, 'code-invalid', 'INVALID_IDENTIFIER_SYSTEM'],
    ['VM-24 the draft\'s system', () => `${SUBJECT}=http://fhir.nhs.net/Id/nhs-number|${identified}&${CODE}`, 400, 'code-invalid', 'INVALID_IDENTIFIER_SYSTEM'],
    ['VM-24 empty system', () => `${SUBJECT}=|${identified}&${CODE}`, 400, 'code-invalid', 'INVALID_IDENTIFIER_SYSTEM'],
    ['VM-26 no subject', () => CODE, 400, 'invalid', 'INVALID_PARAMETER'],
    ['VM-26 no code', () => subject(), 400, 'invalid', 'INVALID_PARAMETER'],
    ['VM-26 empty code', () => `${subject()}&code=`, 400, 'invalid', 'INVALID_PARAMETER'],
    ['VM-26 nothing', () => '', 400, 'invalid', 'INVALID_PARAMETER'],
    ['VM-26 subject twice', () => `${subject()}&${subject()}&${CODE}`, 400, 'invalid', 'INVALID_PARAMETER'],
    ['VM-26 code twice', () => `${subject()}&${CODE}&${CODE}`, 400, 'invalid', 'INVALID_PARAMETER'],
    ['VM-26, VM-12 an unknown parameter', () => `${subject()}&${CODE}&foo=bar`, 400, 'invalid', 'INVALID_PARAMETER'],
    ['VM-26 a parameter of plain R4', () => `${subject()}&${CODE}&date=2026`, 400, 'invalid', 'INVALID_PARAMETER'],
    ['VM-26 another way to name the patient', () => `patient=Patient/${patient}&${CODE}`, 400, 'invalid', 'INVALID_PARAMETER'],
    ['VM-26 a modifier on code', () => `${subject()}&code:not=${VM_CODE}|0001`, 400, 'invalid', 'INVALID_PARAMETER'],
    ['VM-26 _include', () => `${subject()}&${CODE}&_include=*`, 400, 'invalid', 'INVALID_PARAMETER'],
    ['VM-26 _revinclude', () => `${subject()}&${CODE}&_revinclude=Coverage:beneficiary`, 400, 'invalid', 'INVALID_PARAMETER'],
  ];
  const displays: Record<string, string> = {
    PATIENT_NOT_FOUND: 'Patient not found', INVALID_NHS_NUMBER: 'Invalid NHS number', INVALID_CODE_SYSTEM: 'Invalid code system', INVALID_CODE_VALUE: 'Invalid code value',
    INVALID_IDENTIFIER_SYSTEM: 'Invalid identifier system', INVALID_PARAMETER: 'Invalid parameter',
  };

  test.each(rows)('%s', async (_id, query, status, code, error) => {
    for (const answer of [await ask(query()), await post(query())]) {
      expect([answer.status, errorCode(answer)]).toEqual([status, error]);
      expect(answer.headers['content-type']).toMatch(/^application\/fhir\+json/);
      expect(answer.body).toMatchObject({
        resourceType: 'OperationOutcome',
        id: expect.stringMatching(/^[A-Za-z0-9.-]{1,64}$/),
        issue: [{ severity: 'error', code, diagnostics: expect.stringMatching(/\w/) }],
      });
      expect(answer.body.issue).toHaveLength(1);
      expect(answer.body.issue[0].details.coding).toEqual([{ system: 'https://fhir.nhs.uk/spine-error-or-warning-code-1', code: error, display: displays[error] }]);
      expect(answer.text).not.toContain(identified);
    }
  });

  test('VM-12: handling=lenient does not soften it', async () => {
    const answer = await server.send('GET', `Observation?${subject()}&${CODE}&foo=bar`, { token: server.tokens.supplier, headers: { ...TRACED, prefer: 'handling=lenient' } });
    expect([answer.status, errorCode(answer)]).toEqual([400, 'INVALID_PARAMETER']);
  });

  test('VM-25: a bad element in what is sent is named', async () => {
    const body = { resourceType: 'Parameters', parameter: [{ name: 'identifier', valueBoolean: true }] };
    const answer = await server.send('POST', 'Patient/$chargeable-status', { token: server.tokens.supplier, body });
    expect([answer.status, answer.body.issue[0].code, errorCode(answer)]).toEqual([400, 'value', 'INVALID_ELEMENT']);
  });

  test.each<[string, () => string, string]>([
    ['parameters before the identifier system', () => `${SUBJECT}=urn:x|1&foo=bar&${CODE}`, 'INVALID_PARAMETER'],
    ['parameters before the code', () => `${subject()}&code=x|y&foo=bar`, 'INVALID_PARAMETER'],
    ['the identifier system before the number', () => `${SUBJECT}=urn:x|1&code=x|y`, 'INVALID_IDENTIFIER_SYSTEM'],
    ['the number before the code system', () => `${subject('1')}&code=x|y`, 'INVALID_NHS_NUMBER'],
    ['the code system before the code', () => `${subject(absent)}&code=x|y`, 'INVALID_CODE_SYSTEM'],
    ['the code before the patient', () => `${subject(absent)}&code=${VM_CODE}|y`, 'INVALID_CODE_VALUE'],
    ['the patient before the record', () => `${subject(absent)}&${CODE}`, 'PATIENT_NOT_FOUND'],
  ])('VM-32: judges %s', async (_name, query, error) => {
    expect(errorCode(await ask(query()))).toBe(error);
  });

  test('VM-32: without a token nothing is judged', async () => {
    expect((await server.send('GET', `Observation?foo=bar`)).status).toBe(401);
    expect((await server.send('GET', `Observation?foo=bar`, { token: 'nonsense' })).status).toBe(401);
  });

  test('a format that is not served is 406', async () => {
    expect((await ask(`${subject()}&${CODE}&_format=text/csv`)).status).toBe(406);
  });

  test('the Home Office may not ask', async () => {
    const answer = await server.send('GET', vmPath(identified), { token: server.tokens.homeOffice });
    expect(answer.status).toBe(403);
    expect(answer.text).not.toContain('spine-chargeable-status-1');
  });
});

test('a search of Observations without the published code is plain R4 for others', async () => {
  const { status, body } = await server.send('GET', `Observation?subject:Patient.identifier=${NHS}|${identified}`, { token: server.tokens.admin });
  expect(status).toBe(200);
  expect(body.type).toBe('searchset');
});

describe('VM-35: the request id', () => {
  const path = (): string => `Observation?${subject()}&${CODE}`;
  const withId = (id: string | undefined, token = server.tokens.supplier) => server.send('GET', path(), { token, headers: id === undefined ? {} : { 'x-request-id': id } });

  test.each([['missing', undefined], ['no UUID', 'abc'], ['a UUID and more', `${TRACED['x-request-id']}x`], ['two', `${TRACED['x-request-id']}, ${TRACED['x-request-id']}`]])('%s is refused before the question is read', async (_what, id) => {
    const answer = await withId(id);
    expect([answer.status, answer.body.issue[0].code, errorCode(answer)]).toEqual([400, 'invalid', 'MISSING_OR_INVALID_HEADER']);
    expect(errorCode(await server.send('GET', 'Observation?foo=bar', { token: server.tokens.supplier }))).toBe('MISSING_OR_INVALID_HEADER');
  });

  test('it comes back, and so does the correlation id', async () => {
    const answer = await server.send('GET', path(), { token: server.tokens.supplier, headers: { ...TRACED, 'x-correlation-id': 'c-1' } });
    expect([answer.status, answer.headers['x-request-id'], answer.headers['x-correlation-id']]).toEqual([200, TRACED['x-request-id'], 'c-1']);
  });

  test('others than suppliers, and the operation, do without', async () => {
    expect((await withId(undefined, server.tokens.ovm)).status).toBe(200);
    expect((await server.send('GET', `Patient/$chargeable-status?identifier=${NHS}|${identified}`, { token: server.tokens.supplier })).status).toBe(200);
  });
});
