// P2.2: EHIC, S1, S2 and other details that an Overseas Visitors Manager records (domain.md 1.6, 2.2 P2.2): what each must show, who sees it, and what
// follows when it changes after an assessment rests on it.
import { startServer, type Answer, type TestServer } from '../server.js';
import {
  assess, assessed, assessmentBody, BASE, codeOf, coverageBody, covered, errorCode, evidence, extension, numbers, reason, register, shownBy, statusOf, vmObservation,
} from './people.js';

let server: TestServer;
let other: string;
let patient: string;
let number: string;
const newNumber = numbers(999_420_000);
beforeAll(async () => {
  server = await startServer();
  other = await server.token('ovm', { organization: 'RXX' });
});
beforeEach(async () => {
  number = newNumber();
  patient = await register(server, number);
});
afterAll(() => server.close());

const AT = '2026-05-10T09:00:00+01:00';
const EVIDENCE_TYPE = `${BASE}/CodeSystem/evidence-type`;
const post = (body: object): Promise<Answer> => server.send('POST', 'Coverage', { token: server.tokens.ovm, body });
const put = (body: any, token = server.tokens.ovm): Promise<Answer> => server.send('PUT', `${body.resourceType}/${body.id}`, { token, body });
const refusal = async (body: object): Promise<(string | number | undefined)[]> => {
  const answer = await assess(server, body);
  return [answer.status, answer.body.issue[0].code, answer.body.issue[0].expression?.[0]];
};
const keys = (answer: Answer): string[] => answer.body.issue.map(({ diagnostics }: any) => diagnostics?.split(' ')[0]);

describe('evidence of each kind', () => {
  test.each<[type: string, end: string | undefined, rest: object]>([
    ['EHIC', '2030-01-01', {}],
    ['PRC', '2030-01-01', { identifier: [{ assigner: { identifier: { system: 'urn:iso:std:iso:3166', value: 'DEU' } } }] }],
    ['S1', undefined, { identifier: undefined }],
    ['S2', '2030-01-01', {}],
    ['VISA', '2030-01-01', { identifier: [{ value: 'V-12 345' }] }],
    ['IHS', undefined, { identifier: [{ value: 'IHS123456789' }] }],
    ['EUSS', undefined, { identifier: [{ value: 'W12345678' }] }],
    ['RECIPROCAL', undefined, { identifier: [{ assigner: { identifier: { system: 'urn:iso:std:iso:3166', value: 'AUS' } } }] }],
    ['GHIC-UK', '2030-01-01', {}],
    ['OTHER', undefined, { identifier: undefined }],
  ])('%s is recorded, and read by the OVM of another trust', async (type, end, rest) => {
    const { status, body } = await post(coverageBody(patient, type, end, rest));
    expect([status, body.issue]).toEqual([201, undefined]);
    expect((await server.send('GET', `Coverage/${body.id}`, { token: other })).body.type).toEqual(body.type);
  });

  test('in the very shape of PDS, whose EHIC has the European system', async () => {
    const type = { coding: [{ system: 'http://terminology.hl7.eu/CodeSystem/v3-ActCode', code: 'EHIC' }] };
    expect((await post({ ...coverageBody(patient, 'EHIC', '2030-01-01'), type })).status).toBe(201);
    const refused = await post({ ...coverageBody(patient, 'EHIC'), type });
    expect([refused.status, keys(refused)]).toEqual([422, ['evi-1']]);
  });

  test('names its patient by the NHS number of the subscriber, as PDS does', async () => {
    const subscriber = { identifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: number } };
    const { status, body } = await post(coverageBody(patient, 'EHIC', '2030-01-01', { subscriber, beneficiary: { identifier: { value: 'PERSONAL-1' } } }));
    expect([status, body.beneficiary]).toEqual([201, { reference: `Patient/${patient}`, identifier: { value: 'PERSONAL-1' } }]);
    const bad = await post(coverageBody(patient, 'EHIC', '2030-01-01', { subscriber: { identifier: { ...subscriber.identifier, value: '9990000019' } } }));
    expect([bad.status, errorCode(bad)]).toEqual([422, 'INVALID_NHS_NUMBER']);
  });

  const card = (value: string, country = 'FRA', system = 'urn:iso:std:iso:3166'): object => ({ identifier: [{ value, assigner: { identifier: { system, value: country } } }] });
  test.each<[string, string, string | undefined, object, string]>([
    ['an EHIC without its end', 'EHIC', undefined, {}, 'evi-1'],
    ['a PRC without its end', 'PRC', undefined, {}, 'evi-1'],
    ['an S2 without its end', 'S2', undefined, {}, 'evi-1'],
    ['a visa without its end', 'VISA', undefined, {}, 'evi-1'],
    ['a PRC without its start', 'PRC', '2030-01-01', { period: { end: '2030-01-01' } }, 'evi-8'],
    ['an EHIC without number', 'EHIC', '2030-01-01', { identifier: [{ assigner: { identifier: { system: 'urn:iso:std:iso:3166', value: 'FRA' } } }] }, 'evi-2'],
    ['a card number with a blank', 'EHIC', '2030-01-01', card('8025 0000'), 'evi-3'],
    ['a card number of 26 characters', 'EHIC', '2030-01-01', card('8'.repeat(26)), 'evi-3'],
    ['a country of two letters', 'EHIC', '2030-01-01', card('80250000', 'FR'), 'evi-4'],
    ['a country in another system', 'EHIC', '2030-01-01', card('80250000', 'FRA', 'urn:x'), 'evi-4'],
    ['an EHIC of the UK, whose own card is GHIC-UK', 'EHIC', '2030-01-01', card('80250000', 'GBR'), 'evi-4'],
    ['an EHIC of no EEA state', 'EHIC', '2030-01-01', card('80250000', 'USA'), 'evi-4'],
    ['an institution of 31 characters', 'EHIC', '2030-01-01', { payor: [{ identifier: { value: '1'.repeat(31) } }] }, 'evi-5'],
    ['no institution', 'PRC', '2030-01-01', { payor: [{ display: 'CPAM' }] }, 'evi-5'],
    ['a personal id of 26 characters', 'EHIC', '2030-01-01', { beneficiary: { reference: 'Patient/x', identifier: { value: '1'.repeat(26) } } }, 'evi-6'],
    ['nobody it belongs to', 'S1', undefined, { subscriber: undefined, beneficiary: { display: 'Ada' } }, 'evi-7'],
    ['the surcharge without its reference', 'IHS', undefined, { identifier: undefined }, 'evi-9'],
    ['an agreement with no country', 'RECIPROCAL', undefined, { identifier: undefined }, 'evi-10'],
  ])('with %s is 422', async (_name, type, end, rest, rule) => {
    const answer = await post(coverageBody(patient, type, end, rest));
    expect([answer.status, keys(answer)]).toEqual([422, expect.arrayContaining([rule])]);
    const { body: good } = await post(coverageBody(patient, 'OTHER'));
    expect((await put({ ...coverageBody(patient, type, end, rest), id: good.id })).status).toBe(422);
  });

  test('of no known kind is 422, in either case of its letters', async () => {
    for (const type of ['ehic', 'E111']) expect((await post(coverageBody(patient, type, '2030-01-01'))).body.issue[0].code).toBe('code-invalid');
  });
});

describe('an assessment may rest on', () => {
  test.each([['C', 'EHIC'], ['C', 'PRC'], ['C', 'S2'], ['C', 'S1'], ['B', 'IHS'], ['B', 'VISA'], ['A', 'EUSS'], ['A', 'S1'], ['C', 'RECIPROCAL'], ['C', 'OTHER']])('category %s on %s', async (category, type) => {
    const rest = type === 'RECIPROCAL' ? { identifier: [{ assigner: { identifier: { system: 'urn:iso:std:iso:3166', value: 'AUS' } } }] } : {};
    const { body } = await post(coverageBody(patient, type, '2030-01-01', rest));
    expect((await assess(server, assessmentBody(patient, category, AT, { extension: [evidence(`Coverage/${body.id}`)] }))).status).toBe(201);
    expect((await shownBy(server, patient))?.['validUntil']).toBe(['EUSS', 'S1', 'RECIPROCAL', 'OTHER'].includes(type) ? undefined : '2030-01-01');
  });

  test('a Coverage that is in force, and that is evidence', async () => {
    const refused = async (reference: string) => {
      const answer = await assess(server, assessmentBody(patient, 'C', AT, { extension: [evidence(reference)] }));
      return [answer.status, answer.body.issue[0].code];
    };
    const { body: cancelled } = await post(coverageBody(patient, 'EHIC', '2030-01-01', { status: 'cancelled' }));
    expect(await refused(`Coverage/${cancelled.id}`)).toEqual([422, 'business-rule']);
    const { body: insurance } = await server.send('POST', 'Coverage', { token: server.tokens.admin, body: { ...coverageBody(patient, 'EHIC'), type: { text: 'private' } } });
    expect(await refused(`Coverage/${insurance.id}`)).toEqual([422, 'not-found']);
    const asAdmin = await server.send('POST', 'Observation', { token: server.tokens.admin, body: assessmentBody(patient, 'C', AT, { extension: [evidence(`Coverage/${insurance.id}`)] }) });
    expect([asAdmin.status, asAdmin.body.issue[0].code]).toEqual([422, 'code-invalid']);
  });
});

describe('category C', () => {
  test('with neither evidence nor reason is 422', async () => {
    expect(await refusal(assessmentBody(patient, 'C', AT))).toEqual([422, 'required', 'Observation.extension']);
  });

  test('with an EHIC is N until the card ends', async () => {
    const number = newNumber();
    const id = await register(server, number);
    await assessed(server, id, 'C', AT, { extension: [evidence(await covered(server, id, 'EHIC', '2030-03-31'))] });
    expect(codeOf((await statusOf(server, number))['basic'])).toBe('N');
    expect(await shownBy(server, id)).toMatchObject({ validUntil: '2030-03-31' });
  });

  test('with the EHIC that PDS holds is taken as well', async () => {
    const type = { coding: [{ system: 'http://terminology.hl7.eu/CodeSystem/v3-ActCode', code: 'EHIC' }] };
    const { body } = await server.send('POST', 'Coverage', { token: server.tokens.ovm, body: { ...coverageBody(patient, 'EHIC', '2030-01-01'), type } });
    expect((await assess(server, assessmentBody(patient, 'C', AT, { extension: [evidence(`Coverage/${body.id}`)] }))).status).toBe(201);
  });

  test('with evidence in the same transaction is taken', async () => {
    const number = newNumber();
    const id = await register(server, number);
    const entry = [
      { fullUrl: 'urn:uuid:00000000-0000-4000-8000-00000000000a', resource: assessmentBody(id, 'C', AT, { extension: [evidence('urn:uuid:00000000-0000-4000-8000-00000000000b')] }), request: { method: 'POST', url: 'Observation' } },
      { fullUrl: 'urn:uuid:00000000-0000-4000-8000-00000000000b', resource: coverageBody(id, 'PRC', '2030-01-01'), request: { method: 'POST', url: 'Coverage' } },
    ];
    const { status, text } = await server.send('POST', '', { token: server.tokens.ovm, body: { resourceType: 'Bundle', type: 'transaction', entry } });
    expect([status, status === 200 ? '' : text]).toEqual([200, '']);
    expect((await shownBy(server, id))?.['validUntil']).toBe('2030-01-01');
  });

  test('resting on S2 alone exempts the treatment, not the person: U', async () => {
    const number = newNumber();
    const id = await register(server, number);
    const s2 = evidence(await covered(server, id, 'S2', '2030-01-01'));
    await assessed(server, id, 'C', AT, { extension: [s2] });
    expect(await statusOf(server, number)).toMatchObject({ basic: { code: 'U' }, category: { code: 'C' } });
    await assessed(server, id, 'C', '2026-05-11', { extension: [s2, evidence(await covered(server, id, 'EHIC', '2030-01-01'))] });
    expect(codeOf((await statusOf(server, number))['basic'])).toBe('N');
  });

  test('with the UK\'s own card as evidence is 422', async () => {
    expect((await refusal(assessmentBody(patient, 'C', AT, { extension: [evidence(await covered(server, patient, 'GHIC-UK', '2030-01-01'))] }))).slice(0, 2)).toEqual([422, 'required']);
  });

  test('with evidence that is not there is 422 not-found', async () => {
    for (const reference of ['Coverage/none', 'DocumentReference/none', 'https://elsewhere.example/Coverage/1'])
      expect((await refusal(assessmentBody(patient, 'C', AT, { extension: [evidence(reference)] }))).slice(0, 2)).toEqual([422, 'not-found']);
  });

  test.each(['EHIC', 'PRC', 'S2'])('with %s that had expired when it was assessed is 422; on its last day it holds', async (type) => {
    const extensions = [evidence(await covered(server, patient, type, '2026-05-10'))];
    expect((await refusal(assessmentBody(patient, 'C', '2026-05-11T00:00:00+01:00', { extension: extensions }))).slice(0, 2)).toEqual([422, 'business-rule']);
    expect((await assess(server, assessmentBody(patient, 'C', '2026-05-10T23:59:59+01:00', { extension: extensions }))).status).toBe(201);
  });

  test('with another patient\'s card is 422', async () => {
    const card = await covered(server, await register(server, newNumber()), 'EHIC', '2030-01-01');
    expect((await refusal(assessmentBody(patient, 'C', AT, { extension: [evidence(card)] }))).slice(0, 2)).toEqual([422, 'business-rule']);
  });
});

describe('evidence that an assessment rests on', () => {
  async function cited(category: string, type: string, end: string, rest: object[] = []): Promise<any> {
    const reference = await covered(server, patient, type, end);
    await assessed(server, patient, category, AT, { extension: [evidence(reference), ...rest] });
    return (await server.send('GET', reference, { token: server.tokens.ovm })).body;
  }
  const ending = (card: any, end: string): any => ({ ...card, period: { ...card.period, end } });

  test('gives the answer its new end when it is extended, and when it is cut short, in the same stroke', async () => {
    const card = await cited('C', 'EHIC', '2030-01-01');
    const before = await vmObservation(server, number);
    expect((await put(ending(card, '2031-06-30'))).status).toBe(200);
    expect((await shownBy(server, patient))?.['validUntil']).toBe('2031-06-30');
    // The answer reads as before: no new version of it.
    expect(await vmObservation(server, number)).toEqual(before);
    expect((await put(ending(card, '2026-08-31'))).status).toBe(200);
    expect(await statusOf(server, number)).toMatchObject({ determined: true, basic: { code: 'U' }, expired: true, lastUpdated: AT });
    expect(codeOf((await shownBy(server, patient))?.['basic'])).toBe('U');
    expect((await put(ending(card, '2029-12-31'))).status).toBe(200);
    expect(await statusOf(server, number)).toMatchObject({ basic: { code: 'N' }, category: { code: 'C' } });
    expect(Number((await vmObservation(server, number)).meta.versionId)).toBeGreaterThan(Number(before.meta.versionId));
  });

  test('is the earliest of several, also after a change, by PATCH too', async () => {
    const [visa, ihs] = [await covered(server, patient, 'VISA', '2031-01-01'), await covered(server, patient, 'IHS', '2030-01-01')];
    await assessed(server, patient, 'B', AT, { extension: [evidence(visa), evidence(ihs)] });
    const patch = { token: server.tokens.ovm, body: JSON.stringify([{ op: 'replace', path: '/period/end', value: '2032-01-01' }]), headers: { 'content-type': 'application/json-patch+json' } };
    expect((await server.send('PATCH', ihs, patch)).status).toBe(200);
    expect((await shownBy(server, patient))?.['validUntil']).toBe('2031-01-01');
  });

  test('never lets an author\'s own valid-until outlast it', async () => {
    const card = await cited('C', 'EHIC', '2030-12-31', [extension('valid-until', { valueDate: '2030-06-30' })]);
    await put(ending(card, '2030-03-31'));
    expect((await shownBy(server, patient))?.['validUntil']).toBe('2030-03-31');
    await put(ending(card, '2031-12-31'));
    expect((await shownBy(server, patient))?.['validUntil']).toBe('2030-06-30');
  });

  test('is changed by the trust that cited it, and by no other', async () => {
    const card = await cited('C', 'EHIC', '2030-01-01');
    expect((await put(ending(card, '2031-01-01'), other)).status).toBe(403);
    expect((await shownBy(server, patient))?.['validUntil']).toBe('2030-01-01');
    expect((await put(ending(card, '2031-01-01'))).status).toBe(200);
  });

  test.each<[string, (card: any) => any, string]>([
    ['another patient\'s', (card) => ({ ...card, beneficiary: { ...card.beneficiary, reference: 'Patient/other' } }), 'Coverage.beneficiary'],
    ['of another kind', (card) => ({ ...card, type: { coding: [{ system: EVIDENCE_TYPE, code: 'PRC' }] } }), 'Coverage.type'],
    ['withdrawn', (card) => ({ ...card, status: 'entered-in-error' }), 'Coverage.status'],
  ])('can\'t become %s', async (_name, change, expression) => {
    const card = await cited('C', 'EHIC', '2030-01-01');
    const answer = await put(change(card), server.tokens.admin);
    expect([answer.status, errorCode(answer), answer.body.issue[0].expression]).toEqual([422, 'FORBIDDEN_UPDATE', [expression]]);
  });

  test('is not deleted: 409 until the assessment is withdrawn', async () => {
    const card = await cited('C', 'EHIC', '2030-01-01');
    const remove = () => server.send('DELETE', `Coverage/${card.id}`, { token: server.tokens.admin });
    expect((await remove()).status).toBe(409);
    expect((await server.send('GET', `Coverage/${card.id}`, { token: server.tokens.ovm })).status).toBe(200);
    const { body } = await server.send('GET', `Observation?subject=Patient/${patient}&code=${BASE}/CodeSystem/status-assertion|ovm-assessment`, { token: server.tokens.ovm });
    const { resource } = body.entry[0];
    await server.send('PUT', `Observation/${resource.id}`, { token: server.tokens.ovm, body: { ...resource, status: 'entered-in-error' }, headers: { 'if-match': 'W/"1"' } });
    expect((await remove()).status).toBe(204);
  });

  test('of an assessment that was withdrawn changes nothing any more', async () => {
    const reference = await covered(server, patient, 'EHIC', '2030-01-01');
    const made = await assessed(server, patient, 'C', AT, { extension: [evidence(reference)] });
    await server.send('PUT', `Observation/${made.id}`, { token: server.tokens.ovm, body: { ...made, status: 'entered-in-error' }, headers: { 'if-match': 'W/"1"' } });
    const { body: card } = await server.send('GET', reference, { token: server.tokens.ovm });
    expect((await put(ending(card, '2033-01-01'), other)).status).toBe(200);
    expect(await shownBy(server, patient)).toBeUndefined();
  });

  test('keeps to the order of two who change it and its assessment at once', async () => {
    const reference = await covered(server, patient, 'EHIC', '2030-01-01');
    const made = await assessed(server, patient, 'C', AT, { extension: [evidence(reference)] });
    const prc = await covered(server, patient, 'PRC', '2029-01-01');
    const { body: card } = await server.send('GET', reference, { token: server.tokens.ovm });
    const answers = await Promise.all([
      put(ending(card, '2032-01-01')),
      server.send('PUT', `Observation/${made.id}`, { token: server.tokens.ovm, body: { ...made, status: 'amended', extension: [evidence(prc)] }, headers: { 'if-match': 'W/"1"' } }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect((await shownBy(server, patient))?.['validUntil']).toBe('2029-01-01');
  });
});

describe('who sees evidence', () => {
  test('no supplier: 403, by no road', async () => {
    const card = await covered(server, patient, 'EHIC', '2030-01-01');
    await assessed(server, patient, 'C', AT, { extension: [evidence(card)] });
    const { id } = await vmObservation(server, number);
    for (const path of [card, 'Coverage', `Coverage?beneficiary=Patient/${patient}`, `${card}/_history`, `Patient/${patient}/Coverage`])
      expect([path, (await server.send('GET', path, { token: server.tokens.supplier })).status]).toEqual([path, 403]);
    for (const path of [`Observation?_id=${id}&_include=*`, `Observation?_id=${id}&_revinclude=*`])
      expect([path, (await server.send('GET', path, { token: server.tokens.supplier })).status]).toEqual([path, 400]);
  });

  test('nobody whose role is around budgets, nor the Home Office', async () => {
    const card = await covered(server, patient, 'EHIC', '2030-01-01');
    for (const [role, status] of [['home-office', 403], ['commissioner', 404], ['budget-manager', 404], ['provider', 403]] as const)
      expect([role, (await server.send('GET', card, { token: await server.token(role, { organization: 'QWE' }) })).status]).toEqual([role, status]);
  });
});

describe('an exemption', () => {
  const scoped = (code: string, rest: object[] = []): object => ({ extension: [reason(code), ...rest] });
  const service = { valueCodeableConcept: { text: 'Hip replacement' } };
  test.each(['emergency-department', 'family-planning', 'scheduled-infectious-disease', 'sti', 'violence-related', 'mental-health-detention'])('by the service %s answers U, with category E shown', async (code) => {
    await assessed(server, patient, 'E', AT, scoped(code));
    expect(await statusOf(server, number)).toMatchObject({ determined: true, basic: { code: 'U' }, category: { code: 'E' } });
  });

  test.each(['refugee', 'asylum-seeker', 'trafficking-victim', 'looked-after-child', 'immigration-detainee', 'armed-forces', 'war-pensioner', 'other'])('of the person, %s, answers N', async (code) => {
    await assessed(server, patient, 'E', AT, scoped(code));
    expect(await statusOf(server, number)).toMatchObject({ basic: { code: 'N' }, category: { code: 'E' } });
  });

  test('is of a service where its assessor says so, who then names the service', async () => {
    const ofService = extension('exemption-scope', { valueCode: 'service' });
    expect((await assess(server, assessmentBody(patient, 'E', AT, scoped('refugee', [ofService])))).status).toBe(422);
    await assessed(server, patient, 'E', AT, scoped('refugee', [ofService, extension('service-code', service)]));
    expect(codeOf((await statusOf(server, number))['basic'])).toBe('U');
    await assessed(server, patient, 'E', '2026-05-11', scoped('sti', [extension('exemption-scope', { valueCode: 'person' })]));
    expect(codeOf((await statusOf(server, number))['basic'])).toBe('N');
  });
});
