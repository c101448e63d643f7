// Who did what: every road leaves its record, with who, why, what, whom it was about and how it ended (domain.md 2.1, 4, rulings 29 to 31).
import { createRoutes } from '../../src/dispatch/routes.js';
import { startServer, type Answer, type TestServer } from '../server.js';
import { assessed, deliver, FEED, NHS, patientBody, register, statementBody, VM_CODE } from './people.js';

const NUMBER = '9990000018';
const OTHER = '9990000026';

let server: TestServer;
let patient: string;
let other: string;
let ovm: string;

beforeAll(async () => {
  server = await startServer();
  patient = await register(server, NUMBER);
  other = await register(server, OTHER);
  ovm = await server.token('ovm', { organization: 'RR8', client: 'hospital', subject: 'nurse', practitionerRole: 'pr-1' });
});
afterAll(() => server.close());

interface Sent {
  readonly token?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

let traces = 0;
/** Sends a request under a trace of its own, and gives the answer with the events that were recorded under it. */
async function traced(method: string, path: string, sent: Sent = {}): Promise<{ answer: Answer; events: any[] }> {
  const trace = `6f1c1c1e-0000-4000-8000-${String(traces++).padStart(12, '0')}`;
  const token = 'token' in sent ? sent.token : server.tokens.admin;
  const answer = await server.send(method, path, { token, body: sent.body, headers: { 'x-request-id': trace, ...sent.headers } });
  expect(answer.headers['x-request-id']).toBe(trace);
  return { answer, events: await eventsOf(trace) };
}

/** By their trace, in the order they were made: a request is recorded before it is answered, and stored a moment later. */
async function eventsOf(trace: string): Promise<any[]> {
  await server.recorded();
  const { rows } = await server.database.query<{ id: string }>({ text: `select id from fhir.audit_event where split_part(trace, ' ', 1) = $1 order by id`, values: [trace] });
  const read = await Promise.all(rows.map(({ id }) => server.send('GET', `AuditEvent/audit-${id}`, { token: server.tokens.admin })));
  return read.map(({ status, body }) => { expect(status).toBe(200); return body; });
}

const patientsOf = (event: any): string[] => (event.entity ?? []).filter((one: any) => one.role?.code === '1').map((one: any) => one.what.reference);
const whatOf = (event: any): string | undefined => (event.entity ?? []).find((one: any) => one.role?.code === '4')?.what?.reference;
const queryOf = (event: any): string | undefined => {
  const query = (event.entity ?? []).find((one: any) => one.role?.code === '24')?.query;
  return query && Buffer.from(query, 'base64').toString('utf8');
};
const brief = (event: any) => ({ code: event.subtype?.[0].code, action: event.action, outcome: event.outcome, status: event.outcomeDesc.slice(0, 3), what: whatOf(event), patients: patientsOf(event) });
const observation = (subject: string, rest: object = {}): object => ({ resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject: { reference: `Patient/${subject}` }, ...rest });

async function made(subject = patient): Promise<string> {
  const { body } = await server.send('POST', 'Observation', { token: server.tokens.admin, body: observation(subject) });
  return `Observation/${body.id}`;
}

const idIn = ({ headers }: Answer): string => /\/([A-Z][A-Za-z]+\/[^/]+)\/_history/.exec(headers['location'] ?? '')?.[1] ?? '';

describe('every road is recorded once, with the patient it was about', () => {
  test('read', async () => {
    const id = await made();
    const { events } = await traced('GET', id);
    expect(events.map(brief)).toEqual([{ code: 'read', action: 'R', outcome: '0', status: '200', what: id, patients: [`Patient/${patient}`] }]);
  });

  test('a read that is not modified', async () => {
    const { events } = await traced('GET', `Patient/${patient}`, { headers: { 'if-none-match': 'W/"1"' } });
    expect(events.map(brief)).toMatchObject([{ code: 'read', status: '304', patients: [`Patient/${patient}`] }]);
  });

  test('a read of an Observation that is not modified names the patient all the same', async () => {
    const id = await made();
    const { events } = await traced('GET', id, { headers: { 'if-none-match': 'W/"1"' } });
    expect(events.map(brief)).toMatchObject([{ code: 'read', status: '304', what: id, patients: [`Patient/${patient}`] }]);
  });

  test('what is shown of a resource may leave its patient out, the record does not', async () => {
    const id = await made();
    for (const url of [`${id}?_elements=status`, `Observation?_id=${id.split('/')[1]}&_elements=status`, `?_type=Observation&_id=${id.split('/')[1]}&_elements=status`, `${id}/_history?_elements=status`, `${id}/_history?_elements=status&_sort=_lastUpdated`, `${id}/_history?_summary=count`]) {
      const { answer, events } = await traced('GET', url);
      expect(answer.text).not.toContain(patient);
      expect(events.map(brief)).toMatchObject([{ status: '200', patients: [`Patient/${patient}`] }]);
    }
  });

  test('vread and history', async () => {
    const id = await made();
    expect((await traced('GET', `${id}/_history/1`)).events.map(brief)).toEqual([{ code: 'vread', action: 'R', outcome: '0', status: '200', what: `${id}/_history/1`, patients: [`Patient/${patient}`] }]);
    expect((await traced('GET', `${id}/_history`)).events.map(brief)).toEqual([{ code: 'history-instance', action: 'R', outcome: '0', status: '200', what: id, patients: [`Patient/${patient}`] }]);
  });

  test('search by GET and by POST, with its query', async () => {
    await made();
    const byGet = await traced('GET', `Observation?subject=Patient/${patient}&_count=1`);
    expect(byGet.events.map(brief)).toEqual([{ code: 'search-type', action: 'E', outcome: '0', status: '200', what: undefined, patients: [`Patient/${patient}`] }]);
    expect(queryOf(byGet.events[0])).toBe(`subject=Patient/${patient}&_count=1`);
    const byPost = await traced('POST', 'Patient/_search', { body: `identifier=${NHS}|${NUMBER}`, headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    expect(byPost.events.map(brief)).toMatchObject([{ code: 'search-type', patients: [`Patient/${patient}`] }]);
    expect(queryOf(byPost.events[0])).toBe(`identifier=${NHS}|${NUMBER}`);
  });

  test('a search for a number alone, which shows nobody, is about whom it names', async () => {
    const { events } = await traced('GET', `Observation?patient=${patient}&_summary=count`);
    expect(events.map(brief)).toMatchObject([{ code: 'search-type', patients: [`Patient/${patient}`] }]);
  });

  test('the next page tells the search, not the sealed word', async () => {
    await made();
    await made();
    const first = await server.send('GET', `Observation?subject=Patient/${patient}&_count=1`, { token: server.tokens.admin });
    const next = new URL(first.body.link.find((one: any) => one.relation === 'next').url);
    const { events } = await traced('GET', `Observation${next.search}`);
    expect(events.map(brief)).toMatchObject([{ code: 'search-type', patients: [`Patient/${patient}`] }]);
    expect(queryOf(events[0])).toBe(`subject=Patient/${patient}&_count=1`);
  });

  test('what is included is on record', async () => {
    const id = await made(other);
    const { events } = await traced('GET', `Observation?_id=${id.split('/')[1]}&_include=Observation:subject`);
    expect(patientsOf(events[0])).toEqual([`Patient/${other}`]);
    const both = await traced('GET', `Patient?_id=${patient},${other}`);
    expect(patientsOf(both.events[0]).sort()).toEqual([`Patient/${other}`, `Patient/${patient}`].sort());
  });

  test('create, update, patch and delete', async () => {
    const created = await traced('POST', 'Observation', { body: observation(patient) });
    const id = idIn(created.answer);
    expect(created.events.map(brief)).toEqual([{ code: 'create', action: 'C', outcome: '0', status: '201', what: `${id}/_history/1`, patients: [`Patient/${patient}`] }]);
    const updated = await traced('PUT', id, { body: observation(other, { id: id.split('/')[1] }) });
    expect(updated.events.map(brief)).toMatchObject([{ code: 'update', action: 'U', status: '200', what: `${id}/_history/2` }]);
    // Taken from one patient and given to another: it is about both.
    expect(patientsOf(updated.events[0]).sort()).toEqual([`Patient/${other}`, `Patient/${patient}`].sort());
    const patched = await traced('PATCH', id, { body: '[{"op":"replace","path":"/status","value":"amended"}]', headers: { 'content-type': 'application/json-patch+json' } });
    expect(patched.events.map(brief)).toEqual([{ code: 'patch', action: 'U', outcome: '0', status: '200', what: `${id}/_history/3`, patients: [`Patient/${other}`] }]);
    const deleted = await traced('DELETE', id);
    expect(deleted.events.map(brief)).toEqual([{ code: 'delete', action: 'D', outcome: '0', status: '204', what: `${id}/_history/4`, patients: [`Patient/${other}`] }]);
  });

  test('each of a crowd of creates, with the resource that it made and whom that is about', async () => {
    const crowd = await Promise.all(Array.from({ length: 80 }, (_, index) => traced('POST', 'Observation', { body: observation(index % 2 ? patient : other) })));
    for (const [index, { answer, events }] of crowd.entries()) {
      expect(events.map(brief)).toEqual([{ code: 'create', action: 'C', outcome: '0', status: '201', what: `${idIn(answer)}/_history/1`, patients: [`Patient/${index % 2 ? patient : other}`] }]);
    }
  });

  test('an update that creates, by id and by criteria', async () => {
    const byId = await traced('PUT', 'Basic/audited', { body: { resourceType: 'Basic', id: 'audited', code: { text: 'x' }, subject: { reference: `Patient/${patient}` } } });
    expect(byId.events.map(brief)).toEqual([{ code: 'update', action: 'U', outcome: '0', status: '201', what: 'Basic/audited/_history/1', patients: [`Patient/${patient}`] }]);
    const byCriteria = await traced('PUT', 'Basic?identifier=s|audited', { body: { resourceType: 'Basic', identifier: [{ system: 's', value: 'audited' }], code: { text: 'x' } } });
    expect(byCriteria.events.map(brief)).toMatchObject([{ code: 'update', status: '201' }]);
    expect(queryOf(byCriteria.events[0])).toBe('identifier=s|audited');
  });

  test('conditional writes that write nothing', async () => {
    const headers = { 'if-none-exist': `identifier=${NHS}|${NUMBER}` };
    expect((await traced('POST', 'Patient', { body: patientBody(NUMBER), headers })).events.map(brief)).toMatchObject([{ code: 'create', status: '200', patients: [`Patient/${patient}`] }]);
    expect((await traced('DELETE', 'Basic?identifier=s|nobody')).events.map(brief)).toMatchObject([{ code: 'delete', status: '204', patients: [] }]);
  });

  test('a batch and each of its entries, under the trace of the batch', async () => {
    const id = await made();
    const entry = [
      { request: { method: 'GET', url: id } },
      { request: { method: 'POST', url: 'Observation' }, resource: observation(other) },
      { request: { method: 'GET', url: 'Observation/nobody' } },
      { request: { method: 'GET', url: 'Nonsense/1' } },
    ];
    const { events } = await traced('POST', '', { body: { resourceType: 'Bundle', type: 'batch', entry } });
    expect(events.map(brief)).toEqual([
      { code: 'read', action: 'R', outcome: '0', status: '200', what: id, patients: [`Patient/${patient}`] },
      { code: 'create', action: 'C', outcome: '0', status: '201', what: expect.stringMatching(/^Observation\/.*\/_history\/1$/), patients: [`Patient/${other}`] },
      { code: 'read', action: 'R', outcome: '4', status: '404', what: 'Observation/nobody', patients: [] },
      { code: 'batch', action: 'E', outcome: '4', status: '404', what: undefined, patients: [] },
      { code: 'batch', action: 'E', outcome: '0', status: '200', what: undefined, patients: [] },
    ]);
  });

  test('a transaction: its writes, its reads and itself', async () => {
    const id = await made();
    const gone = await made();
    const entry = [
      { request: { method: 'GET', url: id } },
      { fullUrl: 'urn:uuid:00000000-0000-4000-8000-000000000001', request: { method: 'POST', url: 'Observation' }, resource: observation(other) },
      { request: { method: 'PUT', url: id }, resource: observation(patient, { id: id.split('/')[1], status: 'amended' }) },
      { request: { method: 'DELETE', url: gone } },
      { request: { method: 'POST', url: 'Patient', ifNoneExist: `identifier=${NHS}|${NUMBER}` }, resource: patientBody(NUMBER) },
    ];
    const { answer, events } = await traced('POST', '', { body: { resourceType: 'Bundle', type: 'transaction', entry } });
    expect(answer.status).toBe(200);
    expect(events.map((event) => [event.subtype[0].code, event.outcomeDesc.slice(0, 3), ...patientsOf(event)]).sort()).toEqual([
      ['create', '200', `Patient/${patient}`], ['create', '201', `Patient/${other}`], ['delete', '204', `Patient/${patient}`],
      ['read', '200', `Patient/${patient}`], ['transaction', '200'], ['update', '200', `Patient/${patient}`],
    ]);
  });

  test('a transaction that is rolled back leaves its refusal alone', async () => {
    const entry = [
      { request: { method: 'POST', url: 'Observation' }, resource: observation(patient) },
      { request: { method: 'GET', url: `Patient/${patient}` } },
      { request: { method: 'GET', url: 'Patient/nobody' } },
    ];
    const { events } = await traced('POST', '', { body: { resourceType: 'Bundle', type: 'transaction', entry } });
    expect(events.map(brief)).toMatchObject([{ code: 'transaction', outcome: '4', status: '404' }]);
    expect(patientsOf(events[0])).toContain(`Patient/${patient}`);
  });

  test('an operation, by number and by id, for one of whom nothing is recorded', async () => {
    for (const url of [`Patient/$chargeable-status?identifier=${NHS}|${NUMBER}`, `Patient/${patient}/$chargeable-status`]) {
      const { events } = await traced('GET', url, { token: server.tokens.supplier });
      expect(events.map(brief)).toMatchObject([{ code: 'operation', action: 'E', status: '200', patients: [`Patient/${patient}`] }]);
      expect(events[0].entity.some((one: any) => one.name === '$chargeable-status')).toBe(true);
    }
  });

  test('the search of the V&M surface, also where it finds no record, and its read', async () => {
    const url = (number: string): string => `Observation?subject:Patient.identifier=${NHS}|${number}&code=${VM_CODE}|0001`;
    expect((await traced('GET', url(NUMBER), { token: server.tokens.supplier })).events.map(brief)).toMatchObject([{ code: 'search-type', status: '200', patients: [`Patient/${patient}`] }]);
    await assessed(server, other, 'F', '2026-05-10');
    const { answer, events } = await traced('GET', url(OTHER), { token: server.tokens.supplier });
    expect(events.map(brief)).toMatchObject([{ code: 'search-type', status: '200', patients: [`Patient/${other}`] }]);
    const read = await traced('GET', `Observation/${answer.body.entry[0].resource.id}`, { token: server.tokens.supplier });
    expect(read.events.map(brief)).toMatchObject([{ code: 'read', status: '200', patients: [`Patient/${other}`] }]);
  });

  test('a Home Office statement is about the patient it was matched to, by number alone', async () => {
    const statement: any = statementBody(NUMBER, 'paid-or-exempt', '2026-01-01T00:00:00Z');
    const trace = '6f1c1c1e-0000-4000-9000-000000000001';
    const key: string = statement.identifier[0].value;
    await server.send('POST', 'Observation', { token: server.tokens.homeOffice, body: statement, headers: { 'x-request-id': trace, 'if-none-exist': `identifier=${FEED}|${key}` } });
    expect((await eventsOf(trace)).map(brief)).toMatchObject([{ code: 'create', status: '201', patients: [`Patient/${patient}`] }]);
    expect((await deliver(server, statement)).status).toBe(200);
  });

  test('no row of the table of routes is forgotten', async () => {
    const paths: Record<string, string> = { '': '', _search: '_search', _history: '_history', '_jobs/[id]': '_jobs/none', '_jobs/[id]/[file]': '_jobs/none/Patient-1.ndjson', '[type]/_history': 'Basic/_history', '[type]/[id]/[compartment]': 'Patient/1/Basic', '[type]/[id]/_search': 'Patient/1/_search', '[type]/[id]/[compartment]/_search': 'Patient/1/Basic/_search', '[type]': 'Basic', '[type]/_search': 'Basic/_search', '[type]/[id]': 'Basic/1', '[type]/[id]/_history': 'Basic/1/_history', '[type]/[id]/_history/[version]': 'Basic/1/_history/1', '$[operation]': '$none', '[type]/$[operation]': 'Patient/$none', '[type]/[id]/$[operation]': 'Patient/1/$none' };
    const handler = (): never => { throw new Error('not called'); };
    for (const row of Object.keys(createRoutes({ bundle: handler, operation: handler, capabilities: handler, job: { status: handler, file: handler, cancel: handler }, later: (one) => one }))) {
      const [method = '', shape = ''] = row.split(' ');
      // Open to everyone: only as an entry of a Bundle has it a caller.
      if (shape === 'metadata') continue;
      const { events } = await traced(method, paths[shape] ?? `no path for ${shape}`);
      expect([row, events.length]).toEqual([row, 1]);
      expect(events[0].subtype).toHaveLength(1);
    }
  });
});

describe('refusals', () => {
  test('401: nobody knows who', async () => {
    for (const token of [undefined, 'x.y.z']) {
      const { events } = await traced('GET', `Patient/${patient}`, { token });
      expect(events.map(brief)).toEqual([{ code: 'read', action: 'R', outcome: '4', status: '401', what: `Patient/${patient}`, patients: [`Patient/${patient}`] }]);
      expect(events[0].agent).toEqual([{ who: { identifier: { value: 'unknown' } }, altId: 'unknown', requestor: true, network: { address: '127.0.0.1', type: '2' } }]);
    }
  });

  test('403, 404, 405 and what could not be read', async () => {
    expect((await traced('DELETE', `Patient/${patient}`, { token: ovm })).events.map(brief)).toEqual([{ code: 'delete', action: 'D', outcome: '4', status: '403', what: `Patient/${patient}`, patients: [`Patient/${patient}`] }]);
    expect((await traced('GET', 'Basic/nobody')).events.map(brief)).toMatchObject([{ code: 'read', status: '404', what: 'Basic/nobody' }]);
    const unknown = await traced('GET', 'Nonsense/1');
    expect(unknown.events.map(brief)).toMatchObject([{ code: undefined, status: '404' }]);
    expect(queryOf(unknown.events[0])).toBe('GET /fhir/R4/Nonsense/1');
    expect((await traced('DELETE', '_history')).events).toHaveLength(1);
    expect((await traced('POST', 'Observation', { body: '{' })).events.map(brief)).toMatchObject([{ code: 'create', status: '400' }]);
  });

  test('a refused write is about whom it names', async () => {
    const { events } = await traced('POST', 'Observation', { body: observation(patient, { nonsense: true }) });
    expect(events.map(brief)).toEqual([{ code: 'create', action: 'C', outcome: '4', status: '400', what: undefined, patients: [`Patient/${patient}`] }]);
  });
});

describe('who and why', () => {
  test('subject, client, role, organisation and PractitionerRole', async () => {
    const { events: [event] } = await traced('GET', `Patient/${patient}`, { token: ovm, headers: { 'x-correlation-id': 'corr-1' } });
    expect(event.agent).toEqual([
      { role: [{ coding: [{ system: 'https://fhir.entitle.example/CodeSystem/caller-role', code: 'ovm' }] }], who: { reference: 'PractitionerRole/pr-1', identifier: { value: 'nurse' } }, altId: 'nurse', requestor: true },
      { type: { coding: [{ system: 'http://dicom.nema.org/resources/ontology/DCM', code: '110153', display: 'Source Role ID' }] }, who: { identifier: { value: 'hospital' } }, altId: 'hospital', requestor: false },
      { who: { type: 'Organization', identifier: { system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: 'RR8' } }, requestor: false },
    ]);
    expect(event.entity).toContainEqual({ what: { identifier: { system: 'https://fhir.entitle.example/Id/correlation', value: 'corr-1' } }, type: { system: 'http://terminology.hl7.org/CodeSystem/audit-entity-type', code: '4', display: 'Other' } });
    expect(event).toMatchObject({ type: { system: 'http://terminology.hl7.org/CodeSystem/audit-event-type', code: 'rest' }, subtype: [{ system: 'http://hl7.org/fhir/restful-interaction', code: 'read' }] });
    expect(Math.abs(Date.parse(event.recorded) - Date.now())).toBeLessThan(5000);
  });

  test.each([['ovm', 'HPAYMT'], ['supplier', 'TREAT'], ['admin', 'HOPERAT'], ['patient', 'PATRQT'], ['practice', 'TREAT']] as const)('the purpose of %s is %s unless it says another', async (role, purpose) => {
    const token = await server.token(role, { patient, organization: 'RR8' });
    const url = `Patient/${patient}`;
    expect((await traced('GET', url, { token })).events[0].purposeOfEvent[0].coding[0]).toMatchObject({ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: purpose });
    expect((await traced('GET', url, { token, headers: { 'x-purpose-of-use': 'ETREAT' } })).events[0].purposeOfEvent[0].coding[0].code).toBe('ETREAT');
  });

  test('a purpose that is none is refused, and the refusal recorded', async () => {
    const { answer, events } = await traced('GET', `Patient/${patient}`, { headers: { 'x-purpose-of-use': 'FUN' } });
    expect([answer.status, events.length, events[0].outcome]).toEqual([400, 1, '4']);
  });

  test('breaking the glass is told with its reason', async () => {
    const { events: [event] } = await traced('GET', `Patient/${patient}`, { headers: { 'x-break-glass-reason': 'unconscious in A&E' } });
    expect(event.purposeOfEvent).toEqual([{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'BTG', display: 'break the glass' }], text: 'unconscious in A&E' }]);
  });
});

test('every event is valid FHIR', async () => {
  const { body } = await server.send('GET', 'AuditEvent?_count=1000', { token: server.tokens.admin });
  expect(body.entry.length).toBeGreaterThan(50);
  for (const { resource } of body.entry) {
    const { body: outcome } = await server.send('POST', 'AuditEvent/$validate', { token: server.tokens.admin, body: resource });
    expect(outcome.issue.filter((one: any) => one.severity === 'error' || one.severity === 'fatal').map((one: any) => one.details.text)).toEqual([]);
  }
});
