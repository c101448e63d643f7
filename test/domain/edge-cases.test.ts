// The hard cases of domain.md section 6 that concern the status: 1, 2, 4 and 5; 3, 9 and 10 are in edge-cases-sides.test.ts.
import { createChargeableStatus } from '../../src/chargeable-status/chargeable-status.js';
import { writeLapses } from '../../src/chargeable-status/status/lapse.js';
import { loadDefinitions } from '../../src/definitions/load.js';
import type { FhirRequest } from '../../src/fhir/request.js';
import { amend } from '../../src/interactions/amend.js';
import { createChargeableStatusOperation } from '../../src/operations/status/chargeable-status.js';
import { createExtractor } from '../../src/search/extract.js';
import type { Context } from '../../src/interactions/context.js';
import { createStore } from '../../src/store/postgres-store.js';
import { startServer, type TestServer } from '../server.js';
import { DEVELOPMENT_CLIENT } from '../../src/identity/client.js';
import { assessed, codeOf, covered, deliver, errorCode, evidence, NHS, numbers, parametersOf, patientBody, register, shownBy, state, statementBody, statusOf, REQUEST_ID, vmObservation, vmSearch, VM_CODE, withdraw } from './people.js';

let server: TestServer;
const newNumber = numbers(999_600_000);
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const admin = (method: string, path: string, body?: object) => server.send(method, path, { token: server.tokens.admin, body });

describe('1: same answer, new date', () => {
  test('a refresh that sends an unchanged statement again does not displace a later decision', async () => {
    const number = newNumber();
    const id = await register(server, number);
    const statement = statementBody(number, 'paid-or-exempt', '2026-04-01T00:00:00Z');
    await deliver(server, statement);
    await assessed(server, id, 'F', '2026-05-10T09:00:00+01:00');
    const before = await vmObservation(server, number);
    expect((await deliver(server, statement)).status).toBe(200);
    expect(await vmObservation(server, number)).toEqual(before);
    expect(before.effectiveDateTime).toBe('2026-05-10T09:00:00+01:00');
    const { body } = await admin('GET', `Patient/${id}/_history?_total=accurate`);
    expect(body.entry).toHaveLength(3);
  });

  test('a new statement of the same status has a new date, and is a new version', async () => {
    const number = newNumber();
    await register(server, number);
    await state(server, number, 'paid-or-exempt', '2026-04-01T00:00:00Z');
    const before = await vmObservation(server, number);
    await state(server, number, 'paid-or-exempt', '2026-06-01T00:00:00Z');
    const after = await vmObservation(server, number);
    expect(after.effectiveDateTime).toBe('2026-06-01T00:00:00Z');
    expect(Number(after.meta.versionId)).toBeGreaterThan(Number(before.meta.versionId));
  });
});

describe('2: out of order and backdated', () => {
  test('the later decision answers, whatever came last; its withdrawal gives the earlier one back, under a higher version', async () => {
    const number = newNumber();
    const id = await register(server, number);
    const statement = statementBody(number, 'likely-chargeable', '2026-05-11T09:00:00+01:00');
    await deliver(server, statement);
    await assessed(server, id, 'A', '2026-05-10T09:00:00+01:00');
    expect(await statusOf(server, number)).toMatchObject({ basic: { code: 'Y' }, lastUpdated: '2026-05-11T09:00:00+01:00' });
    const before = await vmObservation(server, number);
    await withdraw(server, statement);
    expect(await statusOf(server, number)).toMatchObject({ basic: { code: 'N' }, category: { code: 'A' }, lastUpdated: '2026-05-10T09:00:00+01:00' });
    expect(Number((await vmObservation(server, number)).meta.versionId)).toBeGreaterThan(Number(before.meta.versionId));
  });

  test.each([['the OVM last', false], ['the Home Office last', true]])('at one instant, however it is written, the OVM\'s decision answers: %s', async (_name, homeOfficeLast) => {
    const number = newNumber();
    const id = await register(server, number);
    const parts = [() => state(server, number, 'paid-or-exempt', '2026-05-10T08:00:00Z'), () => assessed(server, id, 'F', '2026-05-10T09:00:00+01:00')];
    for (const part of homeOfficeLast ? parts.reverse() : parts) await part();
    expect(await statusOf(server, number)).toMatchObject({ basic: { code: 'Y' }, category: { code: 'F' } });
  });

  test('a day counts from its start', async () => {
    const number = newNumber();
    const id = await register(server, number);
    await assessed(server, id, 'F', '2026-05-10');
    await state(server, number, 'paid-or-exempt', '2026-05-09T23:00:01Z');
    expect(codeOf((await statusOf(server, number))['category'])).toBe('B');
    await assessed(server, id, 'A', '2026-05-11');
    await state(server, number, 'likely-chargeable', '2026-05-10T22:59:59Z');
    expect(codeOf((await statusOf(server, number))['category'])).toBe('A');
  });
});

describe('4: expiry at the boundary', () => {
  const definitions = loadDefinitions();
  const clients = { find: () => DEVELOPMENT_CLIENT, knowsOrganization: () => Promise.resolve(true) };
  const parts = { newId: () => 'x', nonePolicy: 'all' as const, clients, setting: { profile: 'modern' as const, asid: undefined } };
  const [search] = createChargeableStatus(parts).answerers;
  const operation = createChargeableStatusOperation('all');
  const request = (rest: Partial<FhirRequest>): FhirRequest => ({ interaction: 'search', method: 'GET', type: 'Observation', query: [], base: 'http://base', ...rest });

  /** Both surfaces at a moment of our choosing: the clock of a running server can't be set to the millisecond. */
  async function surfacesAt(moment: string, id: string, number: string): Promise<{ answer: Record<string, any>; observation: any }> {
    const grant = { caller: { role: 'supplier', client: 'c', subject: 's', scopes: [] }, allows: () => true, rows: () => ({ kind: 'none' }), receiptsOnly: false, view: () => undefined, refuseWrite: () => undefined };
    const context = { grant, db: server.database, now: Date.parse(moment), store: undefined } as unknown as Context;
    const answered = await operation.handle(request({ interaction: 'operation', type: 'Patient', id }), context);
    const found = await search?.answer(request({ headers: { 'x-request-id': REQUEST_ID }, query: [['subject:Patient.identifier', `${NHS}|${number}`], ['code', `${VM_CODE}|0001`]] }), context);
    return { answer: parametersOf(JSON.parse(answered.body ?? '')), observation: JSON.parse(found?.body ?? '').entry[0].resource };
  }

  test('an EHIC holds through its last day in London, and then the answer is U, a version later, with no write', async () => {
    const number = newNumber();
    const id = await register(server, number);
    await assessed(server, id, 'C', '2026-05-10T09:00:00+01:00', { extension: [evidence(await covered(server, id, 'EHIC', '2027-05-31'))] });
    const last = await surfacesAt('2027-05-31T22:59:59.999Z', id, number);
    expect(last.answer).toMatchObject({ basic: { code: 'N' }, category: { code: 'C' }, lastUpdated: '2026-05-10T09:00:00+01:00' });
    expect(last.answer).not.toHaveProperty('expired');
    const lapsed = await surfacesAt('2027-05-31T23:00:00Z', id, number);
    expect(lapsed.answer).toMatchObject({ determined: true, basic: { code: 'U' }, expired: true, lastUpdated: '2026-05-10T09:00:00+01:00' });
    expect(lapsed.answer).not.toHaveProperty('category');
    expect(lapsed.observation.component.map((one: any) => codeOf(one.valueCodeableConcept))).toEqual(['U']);
    expect(lapsed.observation.effectiveDateTime).toBe('2026-05-10T09:00:00+01:00');
    expect(lapsed.observation.meta).toMatchObject({ versionId: String(Number(last.observation.meta.versionId) + 1), lastUpdated: '2027-05-31T23:00:00.000Z' });
  });

  test('the Patient shows the lapse once the job has run, and once only', async () => {
    const number = newNumber();
    const id = await register(server, number);
    await assessed(server, id, 'C', '2026-05-10T09:00:00+01:00', { extension: [evidence(await covered(server, id, 'EHIC', '2028-05-31'))] });
    expect(codeOf((await shownBy(server, id))?.['basic'])).toBe('N');
    const extract = createExtractor(definitions);
    const run = (moment: string) => {
      const now = Date.parse(moment);
      return writeLapses({ ...parts, db: server.database, store: createStore({ database: server.database, definitions }), now, put: (tx, resource) => amend(resource, { tx, now, extract }) });
    };
    await run('2028-05-31T22:59:59Z');
    expect(codeOf((await shownBy(server, id))?.['basic'])).toBe('N');
    expect(await run('2028-05-31T23:00:00Z')).toBe(1);
    const shown = await shownBy(server, id);
    expect(shown).toMatchObject({ validUntil: '2028-05-31', lastUpdated: '2026-05-10T09:00:00+01:00', source: 'OVM' });
    expect([codeOf(shown?.['basic']), shown?.['category']]).toEqual(['U', undefined]);
    expect(await run('2028-06-01T12:00:00Z')).toBe(0);
  });

  test('an assessment whose evidence has ended meanwhile is lapsed from the start, everywhere', async () => {
    const number = newNumber();
    const id = await register(server, number);
    await assessed(server, id, 'C', '2026-05-10T09:00:00+01:00', { extension: [evidence(await covered(server, id, 'EHIC', '2026-05-31'))] });
    expect(await statusOf(server, number)).toMatchObject({ determined: true, basic: { code: 'U' }, expired: true });
    expect(codeOf((await shownBy(server, id))?.['basic'])).toBe('U');
    expect(Number((await vmObservation(server, number)).meta.versionId) % 2).toBe(1);
    await assessed(server, id, 'C', '2026-06-10T09:00:00+01:00', { extension: [evidence(await covered(server, id, 'EHIC', '2030-05-31'))] });
    expect(codeOf((await statusOf(server, number))['basic'])).toBe('N');
  });
});

describe('5: NHS number traps', () => {
  test.each(['9900002831', '1234567890', '0000000000', '999 000 0018', ' 9990000018', '9990000018 ', '999000001', '999000001X', ''])('a Patient with the number "%s" is 422 INVALID_NHS_NUMBER on its value', async (value) => {
    const body = { resourceType: 'Patient', identifier: [{ system: 'urn:other', value: '1' }, { system: NHS, ...(value !== '' && { value }) }] };
    const answer = await admin('POST', 'Patient', body);
    expect([answer.status, errorCode(answer), answer.body.issue[0].expression]).toEqual([422, 'INVALID_NHS_NUMBER', ['Patient.identifier[1].value']]);
  });

  test('the same by PUT, of a Patient that was good', async () => {
    const id = await register(server, newNumber());
    const answer = await admin('PUT', `Patient/${id}`, { ...patientBody('9990000019'), id });
    expect([answer.status, errorCode(answer)]).toEqual([422, 'INVALID_NHS_NUMBER']);
  });

  test('numbers of other systems are anybody\'s', async () => {
    expect((await admin('POST', 'Patient', { resourceType: 'Patient', identifier: [{ system: 'urn:hospital', value: '1234567890' }] })).status).toBe(201);
  });

  test('a number held is 409 for the next, who is told nobody\'s name', async () => {
    const number = newNumber();
    const id = await register(server, number);
    const answer = await admin('POST', 'Patient', patientBody(number));
    expect([answer.status, answer.body.issue[0].code, answer.body.issue[0].expression]).toEqual([409, 'duplicate', ['Patient.identifier[0].value']]);
    expect(answer.text).not.toContain(id);
    const other = await register(server, newNumber());
    expect((await admin('PUT', `Patient/${other}`, { ...patientBody(number), id: other })).status).toBe(409);
    expect((await admin('PUT', `Patient/${id}`, { ...patientBody(number), id, active: true })).status).toBe(200);
  });

  test('of many who claim one number at once one gets it', async () => {
    const number = newNumber();
    const answers = await Promise.all(Array.from({ length: 6 }, () => admin('POST', 'Patient', patientBody(number))));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409]);
  });

  test('an inactive Patient gives its number up, statements and all', async () => {
    const number = newNumber();
    const id = await register(server, number);
    await state(server, number, 'likely-chargeable', '2026-04-01');
    await admin('PUT', `Patient/${id}`, { ...patientBody(number), id, active: false });
    expect(errorCode(await vmSearch(server, number))).toBe('PATIENT_NOT_FOUND');
    expect(await shownBy(server, id)).toBeUndefined();
    const heir = await register(server, number);
    expect(await statusOf(server, number)).toMatchObject({ patient: { reference: `Patient/${heir}` }, basic: { code: 'Y' } });
    expect((await admin('PUT', `Patient/${id}`, { ...patientBody(number), id, active: true })).status).toBe(409);
  });

  describe('a Patient replaced by another', () => {
    const replacedBy = (id: string) => ({ link: [{ type: 'replaced-by', other: { reference: `Patient/${id}` } }] });
    async function merged() {
      const [oldNumber, number] = [newNumber(), newNumber()];
      const [old, survivor] = [await register(server, oldNumber), await register(server, number)];
      await state(server, oldNumber, 'likely-chargeable', '2026-04-01');
      const merge = () => admin('PUT', `Patient/${old}`, { ...patientBody(oldNumber), id: old, active: false, ...replacedBy(survivor) });
      return { oldNumber, number, old, survivor, merge };
    }

    test('answers by the old number with the survivor\'s id and status, to which its own counts', async () => {
      const { oldNumber, number, old, survivor, merge } = await merged();
      expect((await merge()).status).toBe(200);
      expect(await statusOf(server, oldNumber)).toMatchObject({ patient: { reference: `Patient/${survivor}`, identifier: { value: number } }, basic: { code: 'Y' } });
      expect(await statusOf(server, number)).toMatchObject({ patient: { reference: `Patient/${survivor}` }, basic: { code: 'Y' } });
      expect((await vmObservation(server, oldNumber)).subject.reference).toBe(`Patient/${survivor}`);
      const byId = await server.send('GET', `Patient/${old}/$chargeable-status`, { token: server.tokens.supplier });
      expect(parametersOf(byId.body)['patient'].reference).toBe(`Patient/${survivor}`);
      expect([codeOf((await shownBy(server, survivor))?.['basic']), await shownBy(server, old)]).toEqual(['Y', undefined]);
    });

    test('passes on what is said of it later', async () => {
      const { oldNumber, number, old, survivor, merge } = await merged();
      await merge();
      await state(server, oldNumber, 'paid-or-exempt', '2026-05-01');
      expect(codeOf((await statusOf(server, number))['category'])).toBe('B');
      await assessed(server, old, 'F', '2026-06-01');
      expect(codeOf((await statusOf(server, number))['category'])).toBe('F');
      expect(codeOf((await shownBy(server, survivor))?.['category'])).toBe('F');
    });

    test('lets the survivor have the old number', async () => {
      const { oldNumber, number, survivor, merge } = await merged();
      await merge();
      const identifier = [{ system: NHS, value: number }, { system: NHS, value: oldNumber, use: 'old' }];
      expect((await admin('PUT', `Patient/${survivor}`, { resourceType: 'Patient', id: survivor, identifier })).status).toBe(200);
      expect(await statusOf(server, oldNumber)).toMatchObject({ patient: { identifier: { value: number } }, basic: { code: 'Y' } });
    });

    test('leads through a chain of merges, and back when they are undone', async () => {
      const { oldNumber, number, old, survivor, merge } = await merged();
      await merge();
      const lastNumber = newNumber();
      const last = await register(server, lastNumber);
      await admin('PUT', `Patient/${survivor}`, { ...patientBody(number), id: survivor, ...replacedBy(last) });
      expect(await statusOf(server, oldNumber)).toMatchObject({ patient: { reference: `Patient/${last}` }, basic: { code: 'Y' } });
      expect(codeOf((await shownBy(server, last))?.['basic'])).toBe('Y');
      expect((await admin('PUT', `Patient/${last}`, { ...patientBody(lastNumber), id: last, ...replacedBy(old) })).status).toBe(422);
      expect((await admin('PUT', `Patient/${survivor}`, { ...patientBody(number), id: survivor })).status).toBe(200);
      expect((await statusOf(server, lastNumber))['determined']).toBe(false);
      expect(await shownBy(server, last)).toBeUndefined();
      expect(codeOf((await shownBy(server, survivor))?.['basic'])).toBe('Y');
      expect((await admin('PUT', `Patient/${old}`, { ...patientBody(oldNumber), id: old })).status).toBe(200);
      expect((await statusOf(server, number))['determined']).toBe(false);
      expect(codeOf((await statusOf(server, oldNumber))['basic'])).toBe('Y');
    });

    test('can\'t be replaced by one who is not there', async () => {
      const { old, oldNumber } = await merged();
      expect((await admin('PUT', `Patient/${old}`, { ...patientBody(oldNumber), id: old, ...replacedBy('nobody') })).status).toBe(422);
      expect(codeOf((await statusOf(server, oldNumber))['basic'])).toBe('Y');
    });
  });
});
