// The hard cases of domain.md section 6 that concern the status, continued: 3, 9 and 10. Cases 1, 2, 4 and 5 are in edge-cases.test.ts.
import { startServer, type Answer, type TestServer } from '../server.js';
import {
  assess, assessed, assessmentBody, codeOf, covered, deliver, evidence, extension, numbers, patientBody, performer, reason, register, shownBy, state, statementBody, statusOf, TRACED,
  vmObservation, vmPath, vmSearch,
} from './people.js';

let server: TestServer;
const newNumber = numbers(999_640_000);
beforeAll(async () => { server = await startServer(); });
afterAll(() => server.close());

const AT = '2026-05-10T09:00:00+01:00';
const get = (path: string, token: string, headers: Record<string, string> = {}): Promise<Answer> => server.send('GET', path, { token, headers });
const replace = (id: string, body: object): Promise<Answer> => server.send('PUT', `Patient/${id}`, { token: server.tokens.admin, body: { ...body, id } });

describe('3: an exemption that is not about the person', () => {
  test('E by treatment is U in general, with the category shown on every surface', async () => {
    const number = newNumber();
    const id = await register(server, number);
    await assessed(server, id, 'E', AT, { extension: [reason('family-planning')] });
    expect(await statusOf(server, number)).toMatchObject({ determined: true, basic: { code: 'U' }, category: { code: 'E' }, lastUpdated: AT });
    expect((await vmObservation(server, number)).component.map((one: any) => codeOf(one.valueCodeableConcept))).toEqual(['U', 'E']);
    expect([codeOf((await shownBy(server, id))?.['basic']), codeOf((await shownBy(server, id))?.['category'])]).toEqual(['U', 'E']);
  });

  test('C by S2 is U; a letter beside the S2 does not make it the person\'s', async () => {
    const number = newNumber();
    const id = await register(server, number);
    const author = await server.token('ovm', { organization: 'RR8', practitionerRole: 'nurse' });
    const letter = { resourceType: 'DocumentReference', status: 'current', subject: { reference: `Patient/${id}` }, content: [{ attachment: { title: 'Letter of the hospital' } }] };
    const { body: { id: document } } = await server.send('POST', 'DocumentReference', { token: author, body: letter });
    const s2 = evidence(await covered(server, id, 'S2', '2030-01-01'));
    const { status } = await server.send('POST', 'Observation', { token: author, body: assessmentBody(id, 'C', AT, { extension: [s2, evidence(`DocumentReference/${document}`)] }) });
    expect(status).toBe(201);
    expect(await statusOf(server, number)).toMatchObject({ basic: { code: 'U' }, category: { code: 'C' } });
  });

  test('a service is named: a scope of service without one is 422, and Y can\'t be chosen by a scope', async () => {
    const number = newNumber();
    const id = await register(server, number);
    const scope = extension('exemption-scope', { valueCode: 'service' });
    expect((await assess(server, assessmentBody(id, 'E', AT, { extension: [reason('other'), scope] }))).status).toBe(422);
    await assessed(server, id, 'F', AT, { extension: [scope, extension('service-code', { valueCodeableConcept: { text: 'Maternity' } })] });
    expect(await statusOf(server, number)).toMatchObject({ basic: { code: 'Y' }, category: { code: 'F' } });
  });
});

describe('9: leaks through the side doors', () => {
  test('a supplier gets three facts of one named patient, however it asks', async () => {
    const number = newNumber();
    const id = await register(server, number);
    const made = await assessed(server, id, 'C', AT, { extension: [evidence(await covered(server, id, 'EHIC', '2030-01-01'))] });
    const observation = await vmObservation(server, number);
    const { supplier } = server.tokens;
    for (const extra of ['_include=*', '_revinclude=*', '_include=Observation:subject', '_elements=performer', '_summary=true', '_sort=date', '_has:Provenance:target:agent=x', '_count=5', 'status=final'])
      expect([extra, (await get(`${vmPath(number)}&${extra}`, supplier, TRACED)).status]).toEqual([extra, 400]);
    for (const path of ['Patient', `Patient/${id}`, `Patient?chargeable-basic=Y`, `Patient/${id}/$everything`, `Patient/${id}/Observation`, 'Coverage', 'Task', 'AuditEvent'])
      expect([path, [400, 403].includes((await get(path, supplier, TRACED)).status)]).toEqual([path, true]);
    for (const path of ['Observation/_history', '_history?_type=Observation', '_history?_type=Patient']) expect([path, (await get(path, supplier)).body.entry]).toEqual([path, undefined]);
    const read = await get(`Observation/${made.id}`, supplier);
    const never = await get('Observation/never', supplier);
    expect([read.status, read.text.replaceAll(made.id, 'X').replace(read.body.id, 'I')]).toEqual([404, never.text.replaceAll('never', 'X').replace(never.body.id, 'I')]);
    for (const text of [(await vmSearch(server, number)).text, (await get(`Observation/${observation.id}`, supplier)).text]) expect(text).not.toMatch(/RR8|performer|"EHIC"|evidence|FRA|Coverage|ovm-/);
  });

  test('nobody around a budget learns a status by search, sort, _has, chain or count', async () => {
    const number = newNumber();
    const id = await register(server, number);
    await assessed(server, id, 'F', AT);
    const token = await server.token('patient', { patient: id });
    expect((await get(`Patient/${id}`, token)).text).not.toContain('ext-chargeable-status');
    const commissioner = await server.token('commissioner', { organization: 'QWE' });
    for (const path of ['Patient?chargeable-basic=Y', 'Patient?_sort=chargeable-updated', 'Patient?chargeable-category=F&_summary=count', 'Account?patient.chargeable-basic=Y']) {
      const answer = await get(path, commissioner, { prefer: 'handling=strict' });
      expect([path, [400, 403].includes(answer.status), answer.body.total]).toEqual([path, true, undefined]);
    }
    const { body } = await get(`Patient?_has:Observation:subject:code=ovm-assessment`, commissioner);
    expect(body.total ?? 0).toBe(0);
  });

  test('the Home Office is told the same of whom we know and whom we don\'t, one by one and in a batch', async () => {
    const known = newNumber();
    await register(server, known);
    const statements = [known, newNumber()].map((number) => statementBody(number, 'likely-chargeable', '2026-04-01T00:00:00Z'));
    const singles = await Promise.all(statements.map((statement) => deliver(server, statement)));
    const shape = ({ status, headers, text }: Answer): unknown => [status, text, Object.keys(headers).filter((name) => name !== 'x-correlation-id').sort()];
    expect(shape(singles[0]!)).toEqual(shape(singles[1]!));
    const entry = [known, newNumber()].map((number) => ({ resource: statementBody(number, 'british-citizen', '2026-04-02T00:00:00Z'), request: { method: 'POST', url: 'Observation' } }));
    const { body } = await server.send('POST', '', { token: server.tokens.homeOffice, body: { resourceType: 'Bundle', type: 'batch', entry } });
    const [one, other] = body.entry.map(({ response }: any) => ({ ...response, location: response.location?.replace(/Observation\/[^/]+/, 'X'), lastModified: undefined }));
    expect(one).toEqual(other);
    expect(JSON.stringify(body)).not.toMatch(/Patient\/|9996/);
  });

  test('where a restricted patient was assessed is told to no supplier, and the number of no patient is in a link', async () => {
    const number = newNumber();
    const id = await register(server, number, { meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }] }, address: [{ city: 'Hidden' }] });
    await assessed(server, id, 'F', AT, { performer: performer('RR8') });
    const { body, text } = await vmSearch(server, number);
    expect(text).not.toMatch(/RR8|Hidden/);
    expect(JSON.stringify(body.link)).not.toContain(number);
  });
});

describe('10: moving identities', () => {
  test('an NHS number that moves to another record takes its statements along, and leaves assessments with the person they are about', async () => {
    const [number, next] = [newNumber(), newNumber()];
    const id = await register(server, number);
    await state(server, number, 'likely-chargeable', '2026-04-01T00:00:00Z');
    await assessed(server, id, 'A', '2026-03-01');
    expect(codeOf((await statusOf(server, number))['basic'])).toBe('Y');
    expect((await replace(id, patientBody(next))).status).toBe(200);
    expect(await statusOf(server, next)).toMatchObject({ basic: { code: 'N' }, category: { code: 'A' } });
    const heir = await register(server, number);
    expect(await statusOf(server, number)).toMatchObject({ patient: { reference: `Patient/${heir}` }, basic: { code: 'Y' } });
  });

  test('a merge in flight and a statement that comes with it leave one answer, whichever was first', async () => {
    const [oldNumber, number] = [newNumber(), newNumber()];
    const [old, survivor] = [await register(server, oldNumber), await register(server, number)];
    const link = [{ type: 'replaced-by', other: { reference: `Patient/${survivor}` } }];
    const [merge, statement] = await Promise.all([replace(old, patientBody(oldNumber, { link })), deliver(server, statementBody(oldNumber, 'likely-chargeable', '2026-04-01T00:00:00Z'))]);
    expect([merge.status, statement.status]).toEqual([200, 201]);
    expect(await statusOf(server, number)).toMatchObject({ patient: { reference: `Patient/${survivor}` }, basic: { code: 'Y' } });
    expect(codeOf((await shownBy(server, survivor))?.['basic'])).toBe('Y');
    expect(await shownBy(server, old)).toBeUndefined();
  });
});
