// What an Overseas Visitors Manager records: what it must hold, who may change it, and what follows (domain.md 1.6, 2.2 P2, rulings 2, 6, 7, 15).
import { startServer, type TestServer } from '../server.js';
import {
  assess, assessed, assessmentBody, BASE, CATEGORY, codeOf, covered, errorCode, evidence, extension, NHS, numbers, patientBody, performer, reason, register, shownBy, state,
  statusOf, vmObservation,
} from './people.js';

let server: TestServer;
let other: string;
let patient: string;
const newNumber = numbers(999_400_000);
beforeAll(async () => {
  server = await startServer();
  other = await server.token('ovm', { organization: 'RXX' });
  patient = await register(server, newNumber());
});
afterAll(() => server.close());

const AT = '2026-05-10T09:00:00+01:00';
const refusal = async (body: object) => {
  const answer = await assess(server, body);
  return [answer.status, answer.body.issue[0].code, answer.body.issue[0].expression?.[0]];
};
const put = (body: any, ifMatch: string | undefined, token = server.tokens.ovm) =>
  server.send('PUT', `Observation/${body.id}`, { token, body, ...(ifMatch !== undefined && { headers: { 'if-match': ifMatch } }) });

describe('who assessed, corrected and took back', () => {
  test('is told by a Provenance beside each version, to the trust that did it and to no other', async () => {
    const subject = await register(server, newNumber());
    const { body: made } = await assess(server, assessmentBody(subject, 'F', AT));
    const corrected = await put({ ...made, note: [{ text: 'passport seen' }] }, 'W/"1"');
    expect((await put({ ...corrected.body, status: 'entered-in-error' }, 'W/"2"')).status).toBe(200);
    const search = `Provenance?target=Observation/${made.id}&_sort=recorded`;
    const { status, body } = await server.send('GET', search, { token: server.tokens.ovm });
    expect(status).toBe(200);
    const told = body.entry.map(({ resource }: any) => [resource.activity.text, resource.target[0].reference, resource.agent[0].type.text, resource.agent[1].who.identifier.value]);
    expect(told).toEqual([['assess', 1], ['correct', 2], ['retract', 3]].map(([activity, version]) => [activity, `Observation/${made.id}/_history/${version}`, 'ovm', 'RR8']));
    expect((await server.send('GET', search, { token: other })).body.entry ?? []).toEqual([]);
    expect((await server.send('GET', `Provenance/${body.entry[0].resource.id}`, { token: other })).status).toBe(404);
  });
});

describe('an assessment', () => {
  const bad: [string, object, string, string][] = [
    ['without category', { valueCodeableConcept: undefined }, 'required', 'Observation.value'],
    ['with a text for category', { valueCodeableConcept: { text: 'A' } }, 'required', 'Observation.value'],
    ['without date', { effectiveDateTime: undefined }, 'required', 'Observation.effective'],
    ['of next year', { effectiveDateTime: '2999-01-01' }, 'business-rule', 'Observation.effective'],
    ['of a year alone', { effectiveDateTime: '2026' }, 'invalid', 'Observation.effective'],
    ['without performer', { performer: undefined }, 'required', 'Observation.performer'],
    ['without assessor', { performer: performer('RR8').slice(1) }, 'required', 'Observation.performer'],
    ['without organisation', { performer: performer('RR8').slice(0, 1) }, 'required', 'Observation.performer'],
    ['without subject', { subject: undefined }, 'required', 'Observation.subject'],
    ['of a patient who is not there', { subject: { reference: 'Patient/nobody' } }, 'not-found', 'Observation.subject'],
    ['of a number nobody holds', { subject: { identifier: { system: NHS, value: '9990000107' } } }, 'not-found', 'Observation.subject'],
    ['of a group', { subject: { reference: 'Group/x' } }, 'required', 'Observation.subject'],
    ['that is preliminary', { status: 'preliminary' }, 'business-rule', 'Observation.status'],
    ['that is withdrawn from the start', { status: 'entered-in-error' }, 'business-rule', 'Observation.status'],
  ];
  test.each(bad)('%s is 422', async (_name, rest, code, expression) => {
    expect(await refusal(assessmentBody(patient, 'A', AT, rest))).toEqual([422, code, expression]);
  });

  test('may name its patient by NHS number; the server adds the reference', async () => {
    const number = newNumber();
    const id = await register(server, number);
    const { status, body } = await assess(server, assessmentBody('', 'F', AT, { subject: { type: 'Patient', identifier: { system: NHS, value: number } } }));
    expect([status, body.subject]).toEqual([201, { reference: `Patient/${id}`, type: 'Patient', identifier: { system: NHS, value: number } }]);
    expect(codeOf((await statusOf(server, number))['basic'])).toBe('Y');
  });

  test('can\'t choose a basic status other than its category gives', async () => {
    const component = (code: string) => [{
      code: { coding: [{ system: 'https://fhir.nhs.uk/spine-vm-observation-component-1', code: 'BASIC_CHARGEABLE_STATUS' }] },
      valueCodeableConcept: { coding: [{ system: 'https://fhir.nhs.uk/spine-chargeable-status-1', code }] },
    }];
    const answer = await assess(server, assessmentBody(patient, 'F', AT, { component: component('N') }));
    expect([answer.status, errorCode(answer), answer.body.issue[0].expression[0]]).toEqual([422, 'CONFLICTING_VALUES', 'Observation.component[0].value']);
    expect((await assess(server, assessmentBody(patient, 'F', AT, { component: component('Y') }))).status).toBe(201);
  });

  test('is the OVM\'s to make, and for the own trust only', async () => {
    const body = assessmentBody(patient, 'F', AT);
    for (const token of [server.tokens.supplier, server.tokens.homeOffice, other]) expect((await server.send('POST', 'Observation', { token, body })).status).toBe(403);
    expect((await server.send('POST', 'Observation', { token: other, body: { ...body, performer: performer('RXX') } })).status).toBe(201);
  });

  test('a trust can be named by reference to its record', async () => {
    const organization = { resourceType: 'Organization', name: 'A trust', identifier: [{ system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: 'RR8' }] };
    const { body } = await server.send('POST', 'Organization', { token: server.tokens.admin, body: organization });
    const byReference = [performer('x')[0], { reference: `Organization/${body.id}` }];
    const { status, body: made } = await assess(server, assessmentBody(patient, 'F', AT, { performer: byReference }));
    expect(status).toBe(201);
    expect((await put({ ...made, status: 'amended' }, 'W/"1"')).status).toBe(200);
    expect((await put({ ...made, status: 'amended' }, 'W/"2"', other)).status).toBe(403);
  });

  test('together with its patient in one transaction is taken', async () => {
    const number = newNumber();
    const entry = [
      { fullUrl: 'urn:uuid:00000000-0000-4000-8000-00000000000c', resource: { ...assessmentBody('', 'F', AT), subject: { reference: 'urn:uuid:00000000-0000-4000-8000-00000000000d' } }, request: { method: 'POST', url: 'Observation' } },
      { fullUrl: 'urn:uuid:00000000-0000-4000-8000-00000000000d', resource: patientBody(number), request: { method: 'POST', url: 'Patient' } },
    ];
    const { status } = await server.send('POST', '', { token: server.tokens.admin, body: { resourceType: 'Bundle', type: 'transaction', entry } });
    expect(status).toBe(200);
    expect(await statusOf(server, number)).toMatchObject({ basic: { code: 'Y' }, category: { code: 'F' } });
  });

  test('refused leaves nothing behind', async () => {
    const number = newNumber();
    const id = await register(server, number);
    await assess(server, assessmentBody(id, 'C', AT, { extension: [evidence('Coverage/none')] }));
    expect((await statusOf(server, number))['determined']).toBe(false);
    const { body } = await server.send('GET', `Observation?patient=Patient/${id}&_total=accurate`, { token: server.tokens.ovm });
    expect(body.total).toBe(0);
  });
});

describe('category E', () => {
  test('needs a reason, evidence or not', async () => {
    const card = evidence(await covered(server, patient, 'VISA', '2030-01-01'));
    expect(await refusal(assessmentBody(patient, 'E', AT))).toEqual([422, 'required', 'Observation.extension']);
    expect(await refusal(assessmentBody(patient, 'E', AT, { extension: [card] }))).toEqual([422, 'required', 'Observation.extension']);
    expect((await assess(server, assessmentBody(patient, 'E', AT, { extension: [reason('refugee')] }))).status).toBe(201);
  });

  test('takes only published reasons', async () => {
    expect((await refusal(assessmentBody(patient, 'E', AT, { extension: [reason('rich')] })))[1]).toBe('code-invalid');
  });

  const scope = (code: string) => extension('exemption-scope', { valueCode: code });
  const service = extension('service-code', { valueCodeableConcept: { text: 'Maternity' } });
  test.each<[string, () => object[], string]>([
    ['of a person is N', () => [reason('asylum-seeker')], 'N'],
    ['of a service is U', () => [reason('family-planning')], 'U'],
    ['said to be of one service is U', () => [reason('other'), scope('service'), service], 'U'],
    ['said to be of the person is N', () => [reason('sti'), scope('person')], 'N'],
  ])('%s, with the category shown', async (_name, extensions, basic) => {
    const number = newNumber();
    await assessed(server, await register(server, number), 'E', AT, { extension: extensions() });
    const answer = await statusOf(server, number);
    expect([codeOf(answer['basic']), codeOf(answer['category'])]).toEqual([basic, 'E']);
    expect((await vmObservation(server, number)).component.map((one: any) => codeOf(one.valueCodeableConcept))).toEqual([basic, 'E']);
  });

  test('of a service names it', async () => {
    expect((await refusal(assessmentBody(patient, 'E', AT, { extension: [reason('other'), scope('service')] })))[1]).toBe('required');
    expect((await refusal(assessmentBody(patient, 'E', AT, { extension: [reason('other'), scope('both')] })))[1]).toBe('code-invalid');
  });
});

describe('how long an assessment holds', () => {
  test('is the earliest end of what it rests on', async () => {
    const id = await register(server, newNumber());
    const cards = await Promise.all([covered(server, id, 'VISA', '2031-01-01'), covered(server, id, 'IHS', '2030-06')]);
    await assessed(server, id, 'B', AT, { extension: cards.map(evidence) });
    expect((await shownBy(server, id))?.['validUntil']).toBe('2030-06-30');
  });

  test('is not shortened by what it does not rest on: an expired card is why D is charged', async () => {
    const number = newNumber();
    const id = await register(server, number);
    await assessed(server, id, 'D', AT, { extension: [evidence(await covered(server, id, 'EHIC', '2026-01-31'))] });
    expect(codeOf((await statusOf(server, number))['basic'])).toBe('Y');
    expect(await shownBy(server, id)).not.toHaveProperty('validUntil');
  });

  test('can be said by its author, but not beyond its evidence', async () => {
    const id = await register(server, newNumber());
    const card = evidence(await covered(server, id, 'EHIC', '2030-03-31'));
    const until = (valueDate: string) => extension('valid-until', { valueDate });
    await assessed(server, id, 'C', AT, { extension: [card, until('2029-12-31')] });
    expect((await shownBy(server, id))?.['validUntil']).toBe('2029-12-31');
    expect((await refusal(assessmentBody(id, 'C', AT, { extension: [card, until('2030-04-01')] }))).slice(0, 2)).toEqual([422, 'business-rule']);
    expect((await refusal(assessmentBody(id, 'C', AT, { extension: [card, until('2030')] }))).slice(0, 2)).toEqual([422, 'invalid']);
  });
});

describe('a change of an assessment', () => {
  test('needs If-Match, of the current version', async () => {
    const made = await assessed(server, patient, 'F', AT);
    const without = await put({ ...made, status: 'amended' }, undefined);
    expect([without.status, errorCode(without)]).toEqual([412, 'PRECONDITION_FAILED']);
    for (const other of ['W/"7"', '*']) expect((await put({ ...made, status: 'amended' }, other)).status).toBe(412);
    expect((await put({ ...made, status: 'amended' }, 'W/"1"')).status).toBe(200);
  });

  test('by another trust is 403', async () => {
    const made = await assessed(server, patient, 'F', AT);
    expect((await put({ ...made, status: 'entered-in-error' }, 'W/"1"', other)).status).toBe(403);
    expect((await put({ ...made, status: 'entered-in-error' }, 'W/"1"', await server.token('ovm'))).status).toBe(403);
  });

  test('may concern note, evidence and validity, and keeps the assessment\'s place', async () => {
    const number = newNumber();
    const id = await register(server, number);
    const made = await assessed(server, id, 'C', AT, { extension: [evidence(await covered(server, id, 'PRC', '2030-01-01'))] });
    const before = await vmObservation(server, number);
    const changed = { ...made, status: 'amended', note: [{ text: 'The card itself was seen' }], extension: [evidence(await covered(server, id, 'EHIC', '2031-01-01'))] };
    expect((await put(changed, 'W/"1"')).status).toBe(200);
    expect((await shownBy(server, id))?.['validUntil']).toBe('2031-01-01');
    expect(await vmObservation(server, number)).toEqual(before);
  });

  test.each<[string, object, string]>([
    ['category', { valueCodeableConcept: { coding: [{ system: CATEGORY, code: 'A' }] } }, 'Observation.valueCodeableConcept'],
    ['date', { effectiveDateTime: '2026-05-11' }, 'Observation.effectiveDateTime'],
    ['subject', { subject: { reference: 'Patient/x' } }, 'Observation.subject'],
    ['performer', { performer: performer('RXX') }, 'Observation.performer'],
    ['reason', { extension: [reason('other')] }, 'Observation.extension'],
    ['code', { code: { coding: [{ system: `${BASE}/CodeSystem/status-assertion`, code: 'ho-status' }] } }, 'Observation.code'],
  ])('may not concern its %s', async (_name, change, expression) => {
    const made = await assessed(server, patient, 'F', AT);
    const answer = await server.send('PUT', `Observation/${made.id}`, { token: server.tokens.admin, body: { ...made, ...change }, headers: { 'if-match': 'W/"1"' } });
    expect([answer.status, errorCode(answer), answer.body.issue[0].expression]).toEqual([422, 'FORBIDDEN_UPDATE', [expression]]);
  });

  test('can\'t take its mark away, nor give it to another Observation without what it needs', async () => {
    const made = await assessed(server, patient, 'F', AT);
    const { admin } = server.tokens;
    const unmarked = { ...made, code: { text: 'a blood pressure' } };
    expect((await server.send('PUT', `Observation/${made.id}`, { token: admin, body: unmarked, headers: { 'if-match': 'W/"1"' } })).status).toBe(422);
    const { body: plain } = await server.send('POST', 'Observation', { token: admin, body: { resourceType: 'Observation', status: 'final', code: { text: 'plain' } } });
    const marked = { ...plain, code: { coding: [{ system: `${BASE}/CodeSystem/status-assertion`, code: 'ovm-assessment' }] } };
    expect((await server.send('PUT', `Observation/${plain.id}`, { token: admin, body: marked, headers: { 'if-match': 'W/"1"' } })).status).toBe(422);
    expect((await server.send('DELETE', `Observation/${made.id}`, { token: admin })).status).toBe(422);
  });

  test('withdraws it: what was before answers again, for good', async () => {
    const number = newNumber();
    const id = await register(server, number);
    await state(server, number, 'likely-chargeable', '2026-04-01T00:00:00Z');
    const made = await assessed(server, id, 'A', AT);
    const version = Number((await vmObservation(server, number)).meta.versionId);
    expect((await put({ ...made, status: 'entered-in-error' }, 'W/"1"')).status).toBe(200);
    expect(await statusOf(server, number)).toMatchObject({ basic: { code: 'Y' }, lastUpdated: '2026-04-01T00:00:00Z' });
    expect(Number((await vmObservation(server, number)).meta.versionId)).toBeGreaterThan(version);
    expect((await put({ ...made, status: 'final' }, 'W/"2"')).status).toBe(422);
  });

  test('as a new assessment derived from the old one takes its place', async () => {
    const number = newNumber();
    const id = await register(server, number);
    const made = await assessed(server, id, 'F', AT);
    await assessed(server, id, 'A', AT, { derivedFrom: [{ reference: `Observation/${made.id}` }] });
    expect(codeOf((await statusOf(server, number))['category'])).toBe('A');
  });
});

describe('what only the server makes', () => {
  const code = { coding: [{ system: 'https://fhir.nhs.uk/fhir-observation-code-1', code: '0001' }] };
  test('an Observation with the published code is 422 from anyone', async () => {
    const body = { resourceType: 'Observation', status: 'final', code, subject: { reference: `Patient/${patient}` } };
    expect((await server.send('POST', 'Observation', { token: server.tokens.admin, body })).status).toBe(422);
  });

  test('an id of its Observations is 422, whatever the content', async () => {
    const body = { resourceType: 'Observation', id: 'chargeable-status-1', status: 'final', code: { text: 'x' } };
    expect((await server.send('PUT', 'Observation/chargeable-status-1', { token: server.tokens.admin, body })).status).toBe(422);
  });

  test('the extension on a Patient: echoed it passes, left out it stays, another is 422 FORBIDDEN_UPDATE', async () => {
    const number = newNumber();
    const id = await register(server, number);
    await assessed(server, id, 'F', AT);
    const { admin } = server.tokens;
    const read = async () => (await server.send('GET', `Patient/${id}`, { token: admin })).body;
    const replace = (body: object) => server.send('PUT', `Patient/${id}`, { token: admin, body });
    const shown = await read();
    expect((await replace({ ...shown, active: true })).status).toBe(200);
    const { extension: _left, ...out } = shown;
    expect((await replace(out)).body.extension).toEqual(shown.extension);
    const others = [{ url: 'http://example.org/eye-colour', valueDecimal: 1.5 }];
    expect((await replace({ ...out, extension: others })).body.extension).toEqual([...others, ...shown.extension]);
    const forged = JSON.parse(JSON.stringify(shown).replace('"code":"Y"', '"code":"N"'));
    const answer = await replace(forged);
    expect([answer.status, errorCode(answer), answer.body.issue[0].expression]).toEqual([422, 'FORBIDDEN_UPDATE', ['Patient.extension[0]']]);
    const created = await server.send('POST', 'Patient', { token: admin, body: patientBody(newNumber(), { extension: shown.extension }) });
    expect([created.status, errorCode(created)]).toEqual([422, 'FORBIDDEN_UPDATE']);
    expect((await read()).extension).toEqual([...others, ...shown.extension]);
  });

  test('what stands beside the extension keeps every digit, by PUT and by a new answer', async () => {
    const number = newNumber();
    const beside = '{"url":"http://example.org/burden","valueDecimal":1.50}';
    const body = JSON.stringify(patientBody(number)).replace('"identifier"', `"extension":[${beside}],"identifier"`);
    const { body: made } = await server.send('POST', 'Patient', { token: server.tokens.admin, body });
    await assessed(server, made.id, 'F', AT);
    const text = async () => (await server.send('GET', `Patient/${made.id}`, { token: server.tokens.admin })).text;
    expect(await text()).toContain(beside);
    await server.send('PUT', `Patient/${made.id}`, { token: server.tokens.admin, body: body.replace('{', `{"id":"${made.id}",`) });
    expect(await text()).toContain(beside);
    expect(codeOf((await shownBy(server, made.id))?.['basic'])).toBe('Y');
  });

  test('each answer shows from the version of the Patient that it made, and no version before', async () => {
    const id = await register(server, newNumber());
    await assessed(server, id, 'F', AT);
    await assessed(server, id, 'A', '2026-05-11');
    const categories = await Promise.all([1, 2, 3].map(async (version) => {
      const { body } = await server.send('GET', `Patient/${id}/_history/${version}`, { token: server.tokens.admin });
      return codeOf((body.extension?.[0].extension ?? []).find(({ url }: any) => url === 'category')?.valueCodeableConcept);
    }));
    expect(categories).toEqual([undefined, 'F', 'A']);
  });
});
