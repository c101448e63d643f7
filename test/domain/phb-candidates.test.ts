// C32E15 and C32E6: who may have a budget, found from the records held; and criteria as a commissioner defines them (domain.md 2.1, rulings 17, 59, 65).
import { londonDate } from '../../src/fhir/london.js';
import { expectRefusal } from '../api/refusal.js';
import { startServer, type Answer, type TestServer } from '../server.js';
import { BASE, extension, parametersOf } from './people.js';
import { budgetBody, call, code, coded, makeWorld, neighbour, openBudget, put, type World } from './world.js';

const SNOMED = 'http://snomed.info/sct';
let server: TestServer;
let world: World;

interface Person {
  readonly id: string;
  readonly age: number;
  readonly eligible: boolean | undefined;
  readonly asthma: boolean;
  readonly budget: boolean;
  readonly practice: 'practice' | 'otherPractice';
}
const people: Person[] = [];

beforeAll(async () => {
  server = await startServer();
  world = await makeWorld(server);
  const year = new Date().getUTCFullYear();
  for (let index = 0; index < 48; index += 1) {
    const age = 10 + ((index * 7) % 80);
    const person = { age, eligible: index % 3 === 0 ? true : index % 3 === 1 ? false : undefined, asthma: index % 4 === 0, budget: index % 5 === 0, practice: index % 2 === 0 ? 'practice' as const : 'otherPractice' as const };
    const id = await put(server, { resourceType: 'Patient', id: `person-${index}`, birthDate: `${year - age - 1}-12-31`, ...registered(person.practice) });
    if (person.eligible !== undefined) await decide(id, 'nhs-chc', person.eligible);
    if (person.asthma) await put(server, { resourceType: 'Condition', subject: { reference: `Patient/${id}` }, code: { coding: [{ system: SNOMED, code: '195967001' }] } });
    if (person.budget && person.age >= 18) await put(server, budgetBody({ patient: id, owner: world.organizations.icb }));
    people.push({ ...person, id, budget: person.budget && person.age >= 18 });
  }
});
afterAll(() => server.close());

const registered = (practice: Person['practice']): object => ({ managingOrganization: { reference: `Organization/${world.organizations.icb}` }, generalPractitioner: [{ reference: `Organization/${world.organizations[practice]}` }] });
const decision = (patient: string, basis: string, eligible: boolean, on = '2026-10-01', rest: object = {}): any => ({
  resourceType: 'Observation', status: 'final', code: coded('eligibility-basis', basis), subject: { reference: `Patient/${patient}` }, effectiveDateTime: on,
  performer: [{ reference: `Organization/${world.organizations.icb}` }], valueCodeableConcept: coded('eligibility-decision', eligible ? 'eligible' : 'not-eligible'), ...rest,
});
const decide = (patient: string, basis: string, eligible: boolean, on?: string) => put(server, decision(patient, basis, eligible, on));

const criterion = (code: string, value: object, more: { exclude?: boolean; weight?: number } = {}): any => ({
  ...(more.weight !== undefined && { extension: [extension('criterion-weight', { valuePositiveInt: more.weight })] }), code: coded('criterion', code), ...value, exclude: more.exclude ?? false,
});
const years = (low?: number, high?: number): object => ({ valueRange: { ...(low !== undefined && { low: { value: low, unit: 'a' } }), ...(high !== undefined && { high: { value: high, unit: 'a' } }) } });
const days = (low?: number, high?: number): object => ({ valueRange: { ...(low !== undefined && { low: { value: low, unit: 'd' } }), ...(high !== undefined && { high: { value: high, unit: 'd' } }) } });
const CHC = { valueCodeableConcept: { coding: [{ system: `${BASE}/CodeSystem/eligibility-basis`, code: 'nhs-chc' }] } };
const ASTHMA = { valueCodeableConcept: { coding: [{ system: SNOMED, code: '195967001' }] } };
const groupBody = (...characteristic: any[]): any => ({
  resourceType: 'Group', type: 'person', actual: false, name: 'Candidates', managingEntity: { reference: `Organization/${world.organizations.icb}` }, characteristic,
});
async function group(...characteristic: any[]): Promise<string> {
  const { status, body, text } = await server.send('POST', 'Group', { token: world.tokens.commissioner, body: groupBody(...characteristic) });
  if (status !== 201) throw new Error(text);
  return body.id;
}
const ask = (id: string, query = '?_count=1000', token = world.tokens.commissioner): Promise<Answer> => server.send('GET', `Group/${id}/$candidates${query}`, { token });
const ids = (bundle: any): string[] => (bundle.entry ?? []).map(({ resource }: any) => resource.id).filter((id: string) => id.startsWith('person-'));
/** By separate code: from the facts above. */
const expected = (test: (person: Person) => boolean, score: (person: Person) => number = () => 0): string[] =>
  people.filter(test).sort((a, b) => score(b) - score(a) || (a.id < b.id ? -1 : 1)).map(({ id }) => id);

test('gives exactly the adults with a decision who have no budget yet, ordered by id', async () => {
  const { status, body } = await ask(await group(criterion('decision', CHC), criterion('age', years(18)), criterion('active-budget', { valueBoolean: false })));
  expect(status).toBe(200);
  expect(ids(body)).toEqual(expected(({ eligible, age, budget }) => eligible === true && age >= 18 && !budget));
  expect(body.total).toBe(body.entry.length);
  expect(body.entry[0].search).toEqual({ mode: 'match', score: 1 });
  expect(Object.keys(body.entry[0].resource).sort()).toEqual(['birthDate', 'generalPractitioner', 'id', 'managingOrganization', 'meta', 'resourceType']);
});

test('judges criteria it has never seen together, with exclusions and weights, as the data say', async () => {
  const practice = { valueReference: { reference: `Organization/${world.organizations.practice}` } };
  const { body } = await ask(await group(
    criterion('age', years(20, 70)), criterion('condition-code', ASTHMA, { exclude: true }), criterion('decision', CHC, { weight: 3 }),
    criterion('gp-practice', practice, { weight: 2 }), criterion('active-budget', { valueBoolean: true }, { weight: 1, exclude: true }),
  ));
  const score = ({ eligible, practice: where, budget }: Person): number => ((eligible === true ? 3 : 0) + (where === 'practice' ? 2 : 0) + (budget ? 0 : 1)) / 6;
  expect(ids(body)).toEqual(expected(({ age, asthma }) => age >= 20 && age <= 70 && !asthma, score));
  const scores = new Map(people.map((person) => [person.id, score(person)]));
  for (const { resource, search } of body.entry) if (scores.has(resource.id)) expect(search.score).toBeCloseTo(scores.get(resource.id) ?? -1, 4);
});

test('comes in pages that meet each candidate once, in order', async () => {
  const id = await group(criterion('age', years(18)), criterion('condition-code', ASTHMA, { weight: 1 }));
  const whole = ids((await ask(id)).body);
  const paged: string[] = [];
  for (let url: string | undefined = `Group/${id}/$candidates?_count=7`; url !== undefined;) {
    const { status, body }: any = await server.send('GET', url, { token: world.tokens.commissioner });
    expect(status).toBe(200);
    paged.push(...ids(body));
    url = body.link.find(({ relation }: any) => relation === 'next')?.url.slice(server.base.length + 1);
  }
  expect(paged).toEqual(whole);
});

test('_count=0 asks how many there are', async () => {
  const id = await group(criterion('age', years(18)));
  const { body } = await ask(id, '?_count=0');
  expect([body.total, body.entry, body.link.map(({ relation }: any) => relation)]).toEqual([(await ask(id)).body.total, undefined, ['self']]);
});

test('criteria may be sent instead of stored', async () => {
  const wanted = expected(({ age, asthma }) => age >= 65 && asthma);
  const characteristics = [criterion('age', years(65)), criterion('condition-code', ASTHMA)];
  const send = (parameter: object[]): Promise<Answer> => server.send('POST', 'Patient/$phb-candidates', { token: world.tokens.commissioner, body: { resourceType: 'Parameters', parameter } });
  const sent = await send([{ name: 'group', resource: groupBody(...characteristics) }, { name: '_count', valueInteger: 2 }]);
  expect(ids(sent.body)).toEqual(wanted.slice(0, 2));
  const next = await server.send('GET', sent.body.link[1].url.slice(server.base.length + 1), { token: world.tokens.commissioner });
  expect(ids(next.body)).toEqual(wanted.slice(2, 4));
  const whole = await send([{ name: 'criteria', resource: groupBody(...characteristics) }, { name: 'orderBy', valueCode: 'score' }, { name: '_count', valueInteger: 1000 }]);
  expect(ids(whole.body)).toEqual(wanted);
  const byReference = await send([{ name: 'criteria', valueReference: { reference: `Group/${await group(...characteristics)}` } }, { name: '_count', valueInteger: 1000 }]);
  expect(ids(byReference.body)).toEqual(wanted);
  expectRefusal(await send([{ name: '_count', valueInteger: 5 }]), 400, { code: 'value' });
});

test('leaves out who opted out, who is restricted, who died and whose record is not in use', async () => {
  const out: Record<string, object> = {
    'person-opted': {}, 'person-withdrew': {}, 'person-restricted': { meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }] } },
    'person-dead': { deceasedDateTime: '2026-01-01' }, 'person-alive': { deceasedBoolean: false }, 'person-inactive': { active: false },
  };
  for (const [id, rest] of Object.entries(out)) await put(server, { resourceType: 'Patient', id, birthDate: '1900-01-01', ...registered('practice'), ...rest });
  const consent = (patient: string, status: string) => put(server, {
    resourceType: 'Consent', status, scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] }, category: [coded('consent-category', 'phb-opt-out')], patient: { reference: `Patient/${patient}` },
    policy: [{ uri: 'http://example.org/policy' }],
  });
  await consent('person-opted', 'active');
  await consent('person-withdrew', 'inactive');
  expect(ids((await ask(await group(criterion('age', years(110))))).body)).toEqual(['person-alive', 'person-withdrew']);
});

test('never shows the patients of another commissioner', async () => {
  await put(server, { resourceType: 'Patient', id: 'person-elsewhere', birthDate: '1910-01-01', managingOrganization: { reference: `Organization/${world.organizations.otherIcb}` } });
  const id = await group(criterion('age', years(100)));
  expect(ids((await ask(id)).body)).not.toContain('person-elsewhere');
  const other = await ask(id, '', world.tokens.otherCommissioner);
  expectRefusal(other, 404, { code: 'not-found' });
  for (const token of [world.tokens.manager, world.tokens.ada, server.tokens.ovm]) expectRefusal(await ask(id, '', token), 403, { code: 'forbidden' });
});

test('the last review is counted in days, and the latest one counts', async () => {
  const day = (ago: number): string => londonDate(Date.now() - ago * 86_400_000);
  const reviewed = async (...ago: number[]): Promise<string> => {
    const account = await openBudget(server, world, { patient: await neighbour(server, world), planned: true });
    for (const days of ago) {
      const { status, text } = await call(server, world.tokens.manager, `Account/${account.id}/$review`, [code('outcome', 'continue'), ['reviewedOn', { valueDate: day(days) }]]);
      if (status !== 200) throw new Error(text);
    }
    return account.subject[0].reference.slice('Patient/'.length);
  };
  const [recent, old, both, never] = [await reviewed(10), await reviewed(200), await reviewed(200, 20), await reviewed()];
  const found = async (low?: number, high?: number): Promise<string[]> => {
    const { body } = await ask(await group(criterion('last-review', days(low, high))));
    return (body.entry ?? []).map(({ resource }: any) => resource.id).filter((id: string) => [recent, old, both, never].includes(id)).sort();
  };
  expect(await found(0, 30)).toEqual([recent, both].sort());
  expect(await found(15, 30)).toEqual([both]);
  expect(await found(100)).toEqual([old]);
  expect(await found(undefined, 365)).toEqual([recent, old, both].sort());
});

test('what can\'t be judged is refused by its name, and never left out', async () => {
  const odd = { code: { coding: [{ system: 'http://example.org/other', code: 'shoe-size' }] }, valueBoolean: true, exclude: false };
  const post = (...characteristics: any[]): Promise<Answer> => server.send('POST', 'Group', { token: world.tokens.commissioner, body: groupBody(...characteristics) });
  expectRefusal(await post(criterion('age', years(18)), odd), 422, { code: 'not-supported', text: /shoe-size/, expression: 'Group.characteristic[1].code' });
  const sent = await server.send('POST', 'Patient/$phb-candidates', { token: world.tokens.commissioner, body: { resourceType: 'Parameters', parameter: [{ name: 'group', resource: groupBody(odd) }] } });
  expectRefusal(sent, 422, { code: 'not-supported', text: /shoe-size/ });
  expectRefusal(await post(odd), 422, { code: 'not-supported', text: /shoe-size/, expression: 'Group.characteristic[0].code' });
  expectRefusal(await post(criterion('age', { valueBoolean: true })), 422, { code: 'invalid', text: /valueRange/ });
  expectRefusal(await post(criterion('decision', { valueCodeableConcept: { coding: [{ system: SNOMED, code: '1' }] } })), 422, { code: 'invalid' });
  const bases = (...codes: string[]): any => criterion('decision', { valueCodeableConcept: { coding: codes.map((one) => ({ system: `${BASE}/CodeSystem/eligibility-basis`, code: one })) } });
  expectRefusal(await post(bases('nhs-continuing')), 422, { code: 'code-invalid', text: /nhs-continuing/, expression: 'Group.characteristic[0].value' });
  expectRefusal(await post(bases('nhs-chc', 'wheelchair')), 422, { code: 'not-supported', text: /nhs-chc and wheelchair/, expression: 'Group.characteristic[0].value' });
  const two = criterion('age', years(18));
  two.code.coding.push(...criterion('decision', CHC).code.coding);
  expectRefusal(await post(two), 422, { code: 'not-supported', text: /age and decision/, expression: 'Group.characteristic[0].code' });
  const counted = (quantity: object): object => ({ valueRange: { low: quantity } });
  for (const quantity of [{ value: 216, system: 'http://unitsofmeasure.org', code: 'mo' }, { value: 216, unit: 'months' }]) expectRefusal(await post(criterion('age', counted(quantity))), 422, { code: 'not-supported', text: /counted in years/ });
  expectRefusal(await post(criterion('last-review', counted({ value: 1, unit: 'a' }))), 422, { code: 'not-supported', text: /counted in days/ });
  expect((await post(criterion('age', counted({ value: 18, system: 'http://unitsofmeasure.org', code: 'a', unit: 'years' })))).status).toBe(201);
});

test('criteria are a commissioner\'s own, and have no members', async () => {
  const post = (body: object, token = world.tokens.commissioner): Promise<Answer> => server.send('POST', 'Group', { token, body });
  const body = groupBody(criterion('age', years(18)));
  expectRefusal(await post({ ...body, member: [{ entity: { reference: `Patient/${world.patients.ada}` } }] }), 422, { code: 'invalid', text: /grp-1/ });
  const { managingEntity: _left, ...nobodys } = body;
  expectRefusal(await post(nobodys), 422, { code: 'required', expression: 'Group.managingEntity' });
  expectRefusal(await post({ ...body, managingEntity: { reference: `Organization/${world.organizations.practice}` } }, world.tokens.admin), 422, { code: 'business-rule' });
  expect((await post({ ...body, managingEntity: { reference: `Organization/${world.organizations.otherIcb}` } })).status).toBeGreaterThanOrEqual(403);
  expectRefusal(await post(body, world.tokens.manager), 403, { code: 'forbidden' });
});

describe('eligibility of one patient', () => {
  const eligibility = async (id: string, query = '', token = world.tokens.commissioner) => server.send('GET', `Patient/${id}/$phb-eligibility${query}`, { token });
  const unmet = (body: any): string[] => body.parameter.filter(({ name }: any) => name === 'unmet').map(({ valueString }: any) => valueString);
  const newPatient = (id: string, birthDate: string) => put(server, { resourceType: 'Patient', id, birthDate, ...registered('practice') });

  test('an adult with a decision is eligible on its basis', async () => {
    await newPatient('adult', '1970-01-01');
    await decide('adult', 'nhs-chc', true);
    const { status, body } = await eligibility('adult');
    expect(status).toBe(200);
    expect(parametersOf(body)).toMatchObject({ eligible: true, basis: 'nhs-chc' });
  });

  test('one of 17 is not, on a basis for adults, whatever was decided', async () => {
    await newPatient('young', `${new Date().getUTCFullYear() - 17}-01-01`);
    await decide('young', 'nhs-chc', true);
    const { body } = await eligibility('young');
    expect(parametersOf(body)['eligible']).toBe(false);
    expect(unmet(body)[0]).toMatch(/18 or more/);
    await decide('young', 'cyp-continuing-care', true);
    expect(parametersOf((await eligibility('young')).body)).toMatchObject({ eligible: true, basis: 'cyp-continuing-care' });
  });

  test('nobody is without a decision, and a chargeable status decides neither way', async () => {
    await newPatient('undecided', '1970-01-01');
    await put(server, { resourceType: 'Observation', status: 'final', code: coded('status-assertion', 'ovm-assessment'), subject: { reference: 'Patient/undecided' }, effectiveDateTime: '2026-01-01T09:00:00Z',
      performer: [{ identifier: { system: 'https://fhir.nhs.uk/Id/sds-role-profile-id', value: '1' }, type: 'PractitionerRole' }, { identifier: { system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: 'RR8' }, type: 'Organization' }],
      valueCodeableConcept: { coding: [{ system: 'https://fhir.nhs.uk/spine-category-status-1', code: 'F' }] } });
    const { body } = await eligibility('undecided');
    expect(parametersOf(body)['eligible']).toBe(false);
    expect(unmet(body)).toEqual([expect.stringMatching(/No organisation has decided/)]);
    expect(JSON.stringify(body)).not.toMatch(/charge/i);
  });

  test('the latest decision stands, and a mistaken one does not count', async () => {
    await newPatient('changed', '1970-01-01');
    await decide('changed', 'nhs-chc', true, '2026-03-01');
    const refused = await decide('changed', 'nhs-chc', false, '2026-06-01');
    await decide('changed', 'nhs-chc', true, '2026-02-01');
    expect(parametersOf((await eligibility('changed')).body)['eligible']).toBe(false);
    const { body } = await server.send('GET', `Observation/${refused}`, { token: server.tokens.admin });
    await put(server, { ...body, status: 'entered-in-error' });
    expect(parametersOf((await eligibility('changed')).body)['eligible']).toBe(true);
  });

  test('criteria are judged one by one, and what is missing is named', async () => {
    await newPatient('measured', '1970-01-01');
    await decide('measured', 's117-aftercare', true);
    const asked = await group(criterion('age', years(18, 64)), criterion('decision', CHC), criterion('condition-code', ASTHMA, { exclude: true }));
    const { body } = await eligibility('measured', `?criteria=Group/${asked}`);
    expect(body.issue).toBeUndefined();
    expect([parametersOf(body)['eligible'], unmet(body)]).toEqual([false, ['decision nhs-chc']]);
    for (const other of ['Patient/measured', 'nothing', `${server.base}/Group/${asked}`]) expectRefusal(await eligibility('measured', `?criteria=${other}`), 400, { code: 'value', text: /Group\/\[id\]/ });
    expectRefusal(await eligibility('measured', '?criteria=Group/nowhere'), 404, { code: 'not-found' });
  });

  test('a decision is made by someone, about someone, not in the future, and stays', async () => {
    const post = (body: object): Promise<Answer> => server.send('POST', 'Observation', { token: world.tokens.commissioner, body });
    await newPatient('judged', '1970-01-01');
    expectRefusal(await post(decision('judged', 'nhs-chc', true, '2999-01-01')), 422, { code: 'business-rule', expression: 'Observation.effectiveDateTime' });
    expectRefusal(await post(decision('judged', 'nhs-chc', true, '2026-01-01', { performer: undefined })), 422, { code: 'required' });
    expectRefusal(await post(decision('nobody', 'nhs-chc', true)), 422, { code: 'not-found' });
    const id = await decide('judged', 'nhs-chc', true);
    const { body } = await server.send('GET', `Observation/${id}`, { token: server.tokens.admin });
    expectRefusal(await server.send('PUT', `Observation/${id}`, { token: server.tokens.admin, body: { ...body, valueCodeableConcept: coded('eligibility-decision', 'not-eligible') } }), 422, { code: 'business-rule' });
  });

  test('others do not see it', async () => {
    expectRefusal(await eligibility('adult', '', world.tokens.otherCommissioner), 404, { code: 'not-found' });
    expectRefusal(await eligibility('adult', '', world.tokens.ada), 403, { code: 'forbidden' });
    expectRefusal(await eligibility('nobody'), 404, { code: 'not-found' });
  });
});
