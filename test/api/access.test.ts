// Who may do and see what, on every road: the same rule must hold on each. https://hl7.org/fhir/R4/security.html
import { randomUUID } from 'node:crypto';
import { assessed, BASE, covered, deliver, FEED, NHS, newKey, register, state, statementBody } from '../domain/people.js';
import { startServer, type Answer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';
import { rowCounts } from './row-counts.js';

const NUMBER = '9990000018';
const ASSERTION = `${BASE}/CodeSystem/status-assertion`;

let server: TestServer;
let patient: string;
let assessment: string;
let evidence: string;
let statement: string;

beforeAll(async () => {
  server = await startServer();
  patient = await register(server, NUMBER);
  assessment = `Observation/${(await assessed(server, patient, 'F', '2026-05-10')).id}`;
  evidence = await covered(server, patient, 'EHIC', '2027-01-01');
  const delivered = await state(server, NUMBER, 'paid-or-exempt', '2026-01-01T00:00:00Z');
  statement = /Observation\/[^/]+/.exec(delivered.headers['location'] ?? '')?.[0] ?? '';
  const load = async (resource: any) => {
    const { status, text } = await as('admin')('PUT', `${resource.resourceType}/${resource.id}`, resource);
    if (status !== 201) throw new Error(text);
  };
  await load({ resourceType: 'Observation', id: 'lab', status: 'final', code: { text: 'HIV' }, subject: { reference: `Patient/${patient}` }, hasMember: [{ reference: assessment }] });
  await load({ resourceType: 'Coverage', id: 'private', status: 'active', beneficiary: { reference: `Patient/${patient}` }, payor: [{ display: 'x' }] });
  await load({ resourceType: 'Group', id: 'g', type: 'person', actual: true, member: [{ entity: { reference: `Patient/${patient}` } }] });
  await load({ resourceType: 'Condition', id: 'c', subject: { reference: `Patient/${patient}` } });
});
afterAll(() => server.close());

type FourRoles = 'admin' | 'ovm' | 'supplier' | 'homeOffice';
type Call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;
const with_ = (token: string, always: Record<string, string> = {}): Call => (method, path, body, headers = {}) => server.send(method, path, { token, body, headers: { ...always, ...headers } });
// A supplier sends an X-Request-ID with everything; one that comes again would be the same request.
const as = (role: FourRoles): Call => with_(server.tokens[role], role === 'supplier' ? { 'x-request-id': randomUUID() } : {});
const ids = (body: any): string[] => (body.entry ?? []).filter((entry: any) => entry.search?.mode !== 'outcome').map((entry: any) => `${entry.resource.resourceType}/${entry.resource.id}`);
/** Paths name what is made in beforeAll: `{patient}`. */
const fill = (path: string): string =>
  Object.entries({ patient, assessment, evidence, statement, number: `${NHS}|${NUMBER}` }).reduce((text, [name, value]) => text.replace(`{${name}}`, value), path);
const bundle = (type: 'batch' | 'transaction', method: string, url: string, resource?: object, request: object = {}) =>
  ({ resourceType: 'Bundle', type, entry: [{ ...(resource && { resource }), request: { method, url, ...request } }] });

/** The same request by itself, in a batch and in a transaction; statuses of each. */
async function everyRoad(call: Call, method: string, url: string, resource?: object): Promise<number[]> {
  const alone = await call(method, url, resource);
  const batch = await call('POST', '', bundle('batch', method, url, resource));
  const transaction = await call('POST', '', bundle('transaction', method, url, resource));
  const inBatch = batch.status === 200 ? Number(batch.body.entry[0].response.status.slice(0, 3)) : batch.status;
  return [alone.status, inBatch, transaction.status];
}

describe('a feed', () => {
  test('reads nothing of anybody, and writes no patient', async () => {
    const call = with_(await server.token('feed', { organization: 'RR8', patient }));
    const before = await rowCounts(server);
    const asked: [string, string, unknown?][] = [
      ['GET', `Patient/${patient}`], ['HEAD', `Patient/${patient}`], ['GET', `Patient/${patient}/_history`], ['GET', `Patient/${patient}/_history/1`], ['GET', 'Patient'], ['POST', 'Patient/_search'],
      ['GET', `Patient?_include=Patient:organization`], ['POST', 'Patient', { resourceType: 'Patient' }], ['PUT', 'Patient/new', { resourceType: 'Patient', id: 'new' }],
      ['PUT', 'Patient?_id=new', { resourceType: 'Patient' }], ['DELETE', `Patient/${patient}`], ['DELETE', `Patient?_id=${patient}`],
      ['GET', `Patient/$chargeable-status?identifier=${NHS}|${NUMBER}`], ['GET', `Patient/${patient}/$chargeable-status`], ['GET', assessment],
      ['GET', `Observation?subject:Patient.identifier=${NHS}|${NUMBER}&code=https://fhir.nhs.uk/fhir-observation-code-1|0001`],
      ['POST', '', bundle('transaction', 'GET', `Patient/${patient}`)],
    ];
    for (const [method, path, body] of asked) {
      const answer = await call(method, path, body);
      expect({ method, path, status: answer.status }).toEqual({ method, path, status: 403 });
      if (method !== 'HEAD') expectRefusal(answer, 403, { code: 'forbidden' });
    }
    expect(await rowCounts(server)).toEqual(before);
  });
});

describe('admin is refused nothing', () => {
  test('reads, searches and writes every kind of resource', async () => {
    for (const path of [`Patient/${patient}`, assessment, 'Observation/lab', statement, 'Coverage/private', 'Group/g']) {
      expect(await everyRoad(as('admin'), 'GET', path)).toEqual([200, 200, 200]);
      expect((await as('admin')('GET', `${path}/_history`)).status).toBe(200);
    }
    expect(ids((await as('admin')('GET', `Observation?patient=${patient}`)).body).sort()).toEqual(['Observation/lab', assessment].sort());
  });
});

describe('an Overseas Visitors Manager', () => {
  test.each([['a patient', 'Patient/{patient}'], ['an assessment', '{assessment}'], ['a Home Office statement', '{statement}'], ['evidence', '{evidence}']])('reads %s on every road', async (_what, path) => {
    expect(await everyRoad(as('ovm'), 'GET', fill(path))).toEqual([200, 200, 200]);
    expect((await as('ovm')('GET', `${fill(path)}/_history/1`)).status).toBe(200);
    expect((await as('ovm')('GET', `${fill(path)}/_history`)).status).toBe(200);
  });

  test.each(['Observation/lab', 'Coverage/private'])('is told that there is no %s', async (path) => {
    expect(await everyRoad(as('ovm'), 'GET', path)).toEqual([404, 404, 404]);
    expectRefusal(await as('ovm')('GET', `${path}/_history`), 404);
    expectRefusal(await as('ovm')('GET', `${path}/_history/1`), 404);
    const [type] = path.split('/');
    expect(ids((await as('ovm')('GET', `${type}?_id=${path.split('/')[1]}`)).body)).toEqual([]);
    // In the same words as of one that was never there.
    const [hidden, absent] = [await as('ovm')('GET', path), await as('ovm')('GET', `${type}/nobody`)];
    expect(hidden.body.issue[0].details.text.replace(path, '')).toBe(absent.body.issue[0].details.text.replace(`${type}/nobody`, ''));
  });

  test('finds, counts and includes only the rows of the role', async () => {
    const found = await as('ovm')('GET', `Observation?patient=${patient}&_total=accurate`);
    expect(ids(found.body)).toEqual([assessment]);
    expect(found.body.total).toBe(1);
    expect((await as('ovm')('GET', `Observation?patient=${patient}&_summary=count`)).body.total).toBe(1);
    expect(ids((await as('ovm')('GET', `Patient?_id=${patient}&_revinclude=Observation:subject&_revinclude=Coverage:beneficiary&_revinclude=Group:member&_revinclude=Condition:subject`)).body).sort())
      .toEqual([`Patient/${patient}`, assessment, evidence].sort());
  });

  test('can not ask about hidden rows through chains or _has', async () => {
    for (const query of ['_has:Observation:patient:_id=lab', '_has:Group:member:_id=g', '_has:Condition:subject:_id=c', '_has:Coverage:beneficiary:_id=private'])
      expect(ids((await as('ovm')('GET', `Patient?${query}`)).body)).toEqual([]);
    expect(ids((await as('ovm')('GET', `Patient?_has:Observation:patient:code=${ASSERTION}|ovm-assessment`)).body)).toEqual([`Patient/${patient}`]);
    expect(ids((await as('admin')('GET', 'Patient?_has:Group:member:_id=g')).body)).toEqual([`Patient/${patient}`]);
  });

  test.each([
    ['DELETE', 'Patient/{patient}', undefined],
    ['PUT', 'Patient/{patient}', () => ({ resourceType: 'Patient', id: patient })],
    ['DELETE', '{assessment}', undefined],
    ['DELETE', 'Observation/lab', undefined],
    ['POST', 'Observation', () => ({ resourceType: 'Observation', status: 'final', code: { text: 'x' } })],
    ['POST', 'Coverage', () => ({ resourceType: 'Coverage', status: 'active', beneficiary: { reference: `Patient/${patient}` }, payor: [{ display: 'x' }] })],
    ['POST', 'Group', () => ({ resourceType: 'Group', type: 'person', actual: true })],
    ['GET', 'Group/g', undefined],
    ['GET', 'Group?_id=g', undefined],
    ['GET', 'Condition?subject=x', undefined],
    ['POST', 'Observation', () => statementBody(NUMBER, 'paid-or-exempt', '2026-01-01T00:00:00Z')],
    ['POST', 'StructureDefinition', () => ({ resourceType: 'StructureDefinition' })],
    ['DELETE', 'StructureDefinition/x', undefined],
  ])('%s %s is refused on every road', async (method, path, body) => {
    const before = await rowCounts(server);
    expect(await everyRoad(as('ovm'), method, fill(path), body?.())).toEqual([403, 403, 403]);
    expect(await rowCounts(server)).toEqual(before);
  });

  test('a write under an id of its own choice tells nothing of hidden rows', async () => {
    const put = (id: string): Promise<number[]> => everyRoad(as('ovm'), 'PUT', `Observation/${id}`, { resourceType: 'Observation', id, status: 'final', code: { text: 'x' } });
    expect([await put('lab'), await put('never')]).toEqual([[404, 404, 404], [404, 404, 404]]);
  });

  test('a conditional create tells nothing of hidden rows', async () => {
    // Admin's lab result matches these criteria; for the OVM nothing does.
    const body = { resourceType: 'Patient', name: [{ family: 'Probe' }] };
    const seen = await as('ovm')('POST', 'Patient', body, { 'if-none-exist': '_has:Observation:patient:_id=lab' });
    expect(seen.status).toBe(201);
    expect((await as('admin')('POST', 'Patient', body, { 'if-none-exist': '_has:Observation:patient:_id=lab' })).status).toBe(200);
  });

  test('a conditional reference tells nothing of hidden rows', async () => {
    const entry = (id: string) => bundle('transaction', 'POST', 'Coverage', {
      resourceType: 'Coverage', status: 'active', beneficiary: { reference: `Patient/${patient}` }, payor: [{ display: 'x' }],
      type: { coding: [{ system: `${BASE}/CodeSystem/evidence-type`, code: 'ehic' }] }, contract: [{ reference: `Observation?_id=${id}` }],
    });
    expectRefusal(await as('ovm')('POST', '', entry('lab')), 412, { code: 'not-found' });
  });
});

describe('a supplier', () => {
  test('is answered whether a patient is chargeable, on the three status roads', async () => {
    expect((await as('supplier')('GET', `Patient/$chargeable-status?identifier=${NHS}|${NUMBER}`)).status).toBe(200);
    expect((await as('supplier')('GET', `Patient/${patient}/$chargeable-status`)).status).toBe(200);
    const vm = `Observation?subject:Patient.identifier=${NHS}|${NUMBER}&code=https://fhir.nhs.uk/fhir-observation-code-1|0001`;
    expect(await everyRoad(as('supplier'), 'GET', vm)).toEqual([200, 200, 200]);
  });

  test.each([
    ['GET', 'Patient/{patient}'], ['GET', 'Patient/{patient}/_history'], ['GET', 'Patient/{patient}/_history/1'], ['GET', 'Patient'], ['GET', 'Patient?identifier={number}'],
    ['GET', '{evidence}'], ['GET', 'Group/g'], ['DELETE', 'Patient/{patient}'], ['DELETE', '{assessment}'],
  ])('%s %s is forbidden on every road', async (method, path) => expect(await everyRoad(as('supplier'), method, fill(path))).toEqual([403, 403, 403]));

  test.each([['an assessment', '{assessment}'], ['a statement', '{statement}'], ['a result', 'Observation/lab']])('finds no Observation by id, not even %s', async (_what, path) => {
    expect(await everyRoad(as('supplier'), 'GET', fill(path))).toEqual([404, 404, 404]);
    expectRefusal(await as('supplier')('GET', `${fill(path)}/_history`), 404);
    expectRefusal(await as('supplier')('GET', `${fill(path)}/_history/1`), 404);
  });

  test('can not search Observations in other ways', async () => {
    for (const query of [`patient=${patient}`, `_id=${assessment.split('/')[1]}`, `code=${ASSERTION}|ovm-assessment`, `subject:Patient.identifier=${NHS}|${NUMBER}&code=https://fhir.nhs.uk/fhir-observation-code-1|0001&_include=Observation:subject`])
      expectRefusal(await as('supplier')('GET', `Observation?${query}`), 400);
  });

  test('writes nothing', async () => {
    const before = await rowCounts(server);
    for (const type of ['Patient', 'Observation', 'Coverage', 'StructureDefinition', 'Basic']) expect(await everyRoad(as('supplier'), 'POST', type, { resourceType: type })).toEqual([403, 403, 403]);
    expectRefusal(await as('supplier')('POST', 'Patient', { resourceType: 'Patient' }, { 'if-none-exist': `identifier=${NHS}|${NUMBER}` }), 403);
    expect(await rowCounts(server)).toEqual(before);
  });

  test('can not reach a patient through the definitions it may read', async () => {
    const { status, body } = await as('supplier')('GET', 'StructureDefinition?_revinclude:iterate=Observation:subject&_include=StructureDefinition:*&_count=1');
    expect([200, 400]).toContain(status);
    expect(ids(body).filter((id) => /^(?:Patient|Observation)/.test(id))).toEqual([]);
  });
});

describe('the Home Office', () => {
  test('delivers statements and is answered with receipts', async () => {
    const created = await deliver(server, statementBody(NUMBER, 'paid-or-exempt', '2026-02-01T00:00:00Z'));
    expect(created).toMatchObject({ status: 201, text: '' });
    expect(created.headers['location']).toMatch(/\/Observation\//);
  });

  test('the receipt is the same whether the patient is known or not, and whatever is preferred', async () => {
    const receipts = [];
    for (const number of [NUMBER, '9990000107']) {
      const body = statementBody(number, 'paid-or-exempt', '2026-02-01T00:00:00Z', newKey());
      const { status, text, headers } = await as('homeOffice')('POST', 'Observation', body, { prefer: 'return=representation', 'if-none-exist': `identifier=${FEED}|${(body as any).identifier[0].value}` });
      receipts.push({ status, text, etag: headers['etag'], names: Object.keys(headers).sort() });
    }
    expect(receipts[0]).toEqual({ status: 201, text: '', etag: 'W/"1"', names: expect.any(Array) });
    expect(receipts[1]).toEqual(receipts[0]);
  });

  test('receipts hold inside bundles, too', async () => {
    for (const type of ['batch', 'transaction'] as const) {
      const { status, body } = await as('homeOffice')('POST', '', bundle(type, 'POST', 'Observation', statementBody(NUMBER, 'paid-or-exempt', '2026-02-02T00:00:00Z')), { prefer: 'return=representation' });
      expect(status).toBe(200);
      expect(Object.keys(body.entry[0])).toEqual(['response']);
      expect(Object.keys(body.entry[0].response).sort()).toEqual(['etag', 'lastModified', 'location', 'status']);
    }
  });

  test.each([
    ['GET', '{statement}'], ['GET', '{assessment}'], ['GET', 'Patient/{patient}'], ['GET', 'Patient?identifier={number}'], ['GET', 'Observation'], ['GET', '{statement}/_history'],
    ['GET', '{statement}/_history/1'], ['DELETE', '{statement}'], ['GET', 'Patient/{patient}/$chargeable-status'], ['GET', 'Observation?_include=Observation:subject'], ['GET', 'Group/g'],
  ])('%s %s is refused on every road', async (method, path) => expect(await everyRoad(as('homeOffice'), method, fill(path))).toEqual([403, 403, 403]));

  test('writes statements and nothing else', async () => {
    const before = await rowCounts(server);
    for (const resource of [
      { resourceType: 'Patient' }, { resourceType: 'Coverage' }, { resourceType: 'Observation', status: 'final', code: { text: 'x' } },
      { ...(statementBody(NUMBER, 'paid-or-exempt', '2026-02-01T00:00:00Z') as any), code: { coding: [{ system: ASSERTION, code: 'ovm-assessment' }] } },
    ]) expect(await everyRoad(as('homeOffice'), 'POST', resource.resourceType, resource)).toEqual([403, 403, 403]);
    expect(await everyRoad(as('homeOffice'), 'PUT', 'Observation/lab', { resourceType: 'Observation', id: 'lab', status: 'final', code: { text: 'x' } })).toEqual([404, 403, 403]);
    expect(await rowCounts(server)).toEqual(before);
  });

  test('conditions and conditional references tell it of nobody', async () => {
    const probe = statementBody(NUMBER, 'paid-or-exempt', '2026-02-03T00:00:00Z') as any;
    // A match would be 200: of the rows it may not see there is none.
    for (const condition of ['_id=lab', `subject:Patient.identifier=${NHS}|${NUMBER}&code=${ASSERTION}|ovm-assessment`, `subject:Patient.family=Sample`]) {
      const { status } = await as('homeOffice')('POST', 'Observation', { ...probe, identifier: [{ system: FEED, value: newKey() }] }, { 'if-none-exist': condition });
      expect({ condition, status }).toEqual({ condition, status: 201 });
    }
    const naming = (criteria: string) => bundle('transaction', 'POST', 'Observation', { ...probe, identifier: [{ system: FEED, value: newKey() }], subject: { ...probe.subject, reference: criteria } });
    const [known, unknown] = [await as('homeOffice')('POST', '', naming(`Patient?identifier=${NHS}|${NUMBER}`)), await as('homeOffice')('POST', '', naming(`Patient?identifier=${NHS}|9990000107`))];
    expect([known.status, known.body.issue]).toEqual([unknown.status, unknown.body.issue]);
  });
});

describe('scopes narrow a role', () => {
  test.each([
    ['system/Patient.r', 'GET', 'Patient/{patient}', 200],
    ['system/Patient.r', 'GET', 'Patient', 403],
    ['system/Patient.s', 'GET', 'Patient', 200],
    ['system/Patient.rs', 'GET', '{assessment}', 403],
    ['system/Patient.read', 'DELETE', 'Patient/{patient}', 403],
    ['system/*.cruds', 'GET', '{assessment}', 200],
    ['openid launch', 'GET', 'Patient/{patient}', 403],
    ['system/patient.cruds nonsense', 'GET', 'Patient/{patient}', 403],
    ['B0259', 'GET', 'Patient/{patient}', 200],
  ])('%s: %s', async (scope, method, path, status) => {
    expect((await with_(await server.token('admin', { scope }))(method, fill(path))).status).toBe(status);
  });

  test('what the scope leaves out is not included either', async () => {
    const call = with_(await server.token('admin', { scope: 'system/Observation.rs' }));
    expect(ids((await call('GET', 'Observation?_id=lab&_include=Observation:subject')).body)).toEqual(['Observation/lab']);
    expect(ids((await call('GET', `Observation?patient.identifier=${NHS}|${NUMBER}`)).body)).toEqual([]);
  });

  test('a scope that creates but does not search finds no match for a condition', async () => {
    const call = with_(await server.token('admin', { scope: 'system/Patient.c' }));
    const answer = await call('POST', 'Patient', { resourceType: 'Patient' }, { 'if-none-exist': `identifier=${NHS}|${NUMBER}` });
    expect(answer.status).toBe(201);
  });
});

test('every caller with a role may read the definitions', async () => {
  for (const role of ['ovm', 'supplier', 'homeOffice'] as const) expect((await as(role)('GET', 'StructureDefinition?_count=1')).body.entry).toHaveLength(1);
});
