// $validate. https://hl7.org/fhir/R4/resource-operation-validate.html
import { readFileSync } from 'node:fs';
import { readConfig } from '../../src/config.js';
import { ROLES } from '../../src/fhir/caller.js';
import { startServer, type Answer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';
import { rowCounts } from './row-counts.js';

const BASE = 'https://fhir.entitle.example';
const OWN = 'https://example.org/StructureDefinition/own-patient';
const DIV = { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>' };
const GOOD = { resourceType: 'Patient', text: DIV, birthDate: '1980-02-29' };
const BAD = { resourceType: 'Patient', text: DIV, birthDate: '1.1.1970', contact: [{ gender: 'none' }] };

let server: TestServer;
beforeAll(async () => { server = await startServer(); });
afterAll(() => server.close());

const validate = (body: unknown, path = 'Patient/$validate', token = server.tokens.admin): Promise<Answer> => server.send('POST', path, { token, body });
const brief = ({ body }: Answer): string[] => body.issue.map(({ severity, code, expression = [] }: any) => [severity, code, ...expression].join(' '));
const parameters = (...parameter: object[]): object => ({ resourceType: 'Parameters', parameter });

/** A profile of Patient that wants a birth date. */
const structure = (url: string, min: number): object => ({
  resourceType: 'StructureDefinition', url, name: 'Own', status: 'active', kind: 'resource', abstract: false, type: 'Patient',
  baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Patient', derivation: 'constraint',
  differential: { element: [{ id: 'Patient', path: 'Patient' }, { id: 'Patient.birthDate', path: 'Patient.birthDate', min }] },
});

async function create(body: any): Promise<any> {
  const answer = await server.send('POST', body.resourceType, { token: server.tokens.admin, body });
  expect(answer.text).toContain('"versionId":"1"');
  return answer.body;
}

describe('what the server fills in as it writes', () => {
  const wire = (name: string): any => JSON.parse(readFileSync(new URL(`../domain/wire/${name}.json`, import.meta.url), 'utf8').replaceAll(/\[[a-z]+\]/g, 'x'));
  const errors = (answer: Answer): string[] => brief(answer).filter((one) => !one.startsWith('warning') && !one.startsWith('information'));

  test('is missed neither of a budget nor of a purchase', async () => {
    const account = wire('phb-account');
    const { insurance: _insurance, ...purchase } = wire('phb-purchase');
    const unsigned = { ...purchase, extension: purchase.extension.filter(({ url }: any) => !url.endsWith('ext-recorded-by')) };
    for (const mode of ['', '?mode=create']) {
      expect(errors(await validate(account, `Account/$validate${mode}`))).toEqual([]);
      for (const body of [purchase, unsigned]) expect(errors(await validate(body, `Claim/$validate${mode}`))).toEqual([]);
    }
  });

  test('hides nothing that the caller has to send', async () => {
    const account = wire('phb-account');
    const [lines, ...rest] = account.extension;
    expect(errors(await validate({ ...account, extension: rest.slice(1) }, 'Account/$validate'))).toContain('error required Account');
    expect(errors(await validate({ ...account, extension: [{ ...lines, extension: lines.extension.slice(0, 1) }, ...rest] }, 'Account/$validate'))).toContain('error required Account.extension[0]');
    const { insurance: _insurance, total: _total, ...purchase } = wire('phb-purchase');
    expect(errors(await validate(purchase, 'Claim/$validate'))).toEqual(['error required Claim']);
    expect(errors(await validate({ ...purchase, extension: ['x'] }, 'Claim/$validate'))).not.toEqual([]);
    expect(errors(await validate({ resourceType: 'Claim', status: 'active' }, 'Claim/$validate')).length).toBeGreaterThan(5);
  });
});

describe('the answer', () => {
  test('is 200 and All OK where nothing is wrong, and nothing is written', async () => {
    const before = await rowCounts(server);
    const answer = await validate(GOOD);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ severity: 'information', code: 'informational', details: { text: 'All OK' } }] });
    expect(await rowCounts(server)).toEqual(before);
  });

  test('is 200 with every fault, its place, line and column', async () => {
    const answer = await validate(JSON.stringify(BAD, null, 1));
    expect(answer.status).toBe(200);
    expect(brief(answer)).toEqual(expect.arrayContaining(['error value Patient.birthDate', 'error code-invalid Patient.contact[0].gender']));
    expect(answer.body.issue[0].extension).toContainEqual({ url: 'http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-line', valueInteger: expect.any(Number) });
  });

  test('tells best practice, which a write does not', async () => {
    const { text: _text, ...bare } = GOOD;
    expect(brief(await validate(bare))).toEqual([expect.stringMatching(/^warning invariant Patient/)]);
  });

  test('is a 200 with an error where the resource is of another type', async () => {
    expect(brief(await validate({ resourceType: 'Group', type: 'person', actual: true }))).toEqual(['error invalid resourceType']);
  });

  test('is a refusal where there is nothing to validate, or no JSON', async () => {
    expectRefusal(await validate('{"resourceType":'), 400);
    expectRefusal(await validate(parameters({ name: 'mode', valueCode: 'create' })), 400);
    expectRefusal(await server.send('GET', 'Patient/$validate', { token: server.tokens.admin }), 400);
  });
});

describe('the question', () => {
  test('may be Parameters, whose resource is judged as its own', async () => {
    const answer = await validate(parameters({ name: 'mode', valueCode: 'create' }, { name: 'resource', resource: BAD }));
    expect(brief(answer)).toContain('error value Patient.birthDate');
    expect(answer.body.issue[0].extension).toHaveLength(2);
    expect(brief(await validate(parameters({ name: 'resource', resource: GOOD })))).toEqual(['information informational']);
  });

  test('may be about a Parameters', async () => {
    expect(brief(await validate(parameters({ name: 'x', valueString: 'y' }), 'Parameters/$validate'))).toEqual(['information informational']);
    expect(brief(await validate(parameters({ valueString: 'y' }), 'Parameters/$validate'))).toEqual(['error required Parameters.parameter[0]']);
  });

  test.each([['mode=other'], ['mode=create&mode=update'], ['mode=profile'], ['profile='], ['colour=red']])('with ?%s is refused', async (query) => {
    expectRefusal(await validate(GOOD, `Patient/$validate?${query}`), 400);
  });
});

describe('profiles', () => {
  test('by parameter and by query', async () => {
    const vm = `${BASE}/StructureDefinition/patient-vmphb`;
    const expected = ['error required Patient', 'error required Patient'];
    expect(brief(await validate(GOOD, `Patient/$validate?profile=${encodeURIComponent(vm)}`))).toEqual(expected);
    expect(brief(await validate(GOOD, `Patient/$validate?mode=profile&profile=${encodeURIComponent(`${vm}|1.0.0`)}`))).toEqual(expected);
    expect(brief(await validate(parameters({ name: 'resource', resource: GOOD }, { name: 'profile', valueUri: vm })))).toEqual(expected);
  });

  test('one that nobody knows is an error here, and a write passes unless the URL is ours or UNKNOWN_PROFILE says otherwise', async () => {
    const claiming = (url: string): object => ({ ...GOOD, meta: { profile: [url] } });
    expect(brief(await validate(claiming('https://example.org/none')))).toEqual(['error not-found Patient']);
    expect((await server.send('POST', 'Patient', { token: server.tokens.admin, body: claiming('https://example.org/none') })).status).toBe(201);
    expectRefusal(await server.send('POST', 'Patient', { token: server.tokens.admin, body: claiming(`${BASE}/StructureDefinition/none`) }), 422, { code: 'not-found' });
    expectRefusal(await server.send('POST', 'Patient', { token: server.tokens.admin, body: claiming(`${BASE}/StructureDefinition/patient-vmphb|9`) }), 422, { code: 'not-found' });
  });

  test('one for another type is an error', async () => {
    expect(brief(await validate(GOOD, `Patient/$validate?profile=${BASE}/StructureDefinition/vm-observation`))).toEqual(['error structure Patient']);
  });

  test('one that is posted counts at once, and so does its change and its end', async () => {
    const patient = { resourceType: 'Patient', meta: { profile: [OWN] } };
    const post = (): Promise<Answer> => server.send('POST', 'Patient', { token: server.tokens.admin, body: patient });
    expect((await post()).status).toBe(201);
    const { id } = await create(structure(OWN, 1));
    expectRefusal(await post(), 422, { code: 'required', text: /birthDate/ });
    expect((await server.send('PUT', `StructureDefinition/${id}`, { token: server.tokens.admin, body: { id, ...structure(OWN, 0) } })).status).toBe(200);
    expect((await post()).status).toBe(201);
    await server.send('PUT', `StructureDefinition/${id}`, { token: server.tokens.admin, body: { id, ...structure(OWN, 1) } });
    expectRefusal(await post(), 422);
    await server.send('DELETE', `StructureDefinition/${id}`, { token: server.tokens.admin });
    expect((await post()).status).toBe(201);
  });

  test('are asked on every road: update, patch, transaction, with the place in the bundle', async () => {
    await create(structure(`${OWN}-2`, 1));
    const claiming = { ...GOOD, meta: { profile: [`${OWN}-2`] } };
    const { birthDate: _date, ...dateless } = claiming;
    const { id } = await create(claiming);
    expectRefusal(await server.send('PUT', `Patient/${id}`, { token: server.tokens.admin, body: { ...dateless, id } }), 422, { expression: 'Patient' });
    const patch = { token: server.tokens.admin, headers: { 'content-type': 'application/json-patch+json' }, body: JSON.stringify([{ op: 'remove', path: '/birthDate' }]) };
    expectRefusal(await server.send('PATCH', `Patient/${id}`, patch), 422);
    const entry = [GOOD, dateless].map((resource) => ({ resource, request: { method: 'POST', url: 'Patient' } }));
    const transaction = await server.send('POST', '', { token: server.tokens.admin, body: { resourceType: 'Bundle', type: 'transaction', entry } });
    expectRefusal(transaction, 422, { expression: 'Bundle.entry[1].resource' });
  });
});

describe('an instance', () => {
  test('is judged as it is stored, by GET', async () => {
    const { id } = await create(GOOD);
    expect(brief(await server.send('GET', `Patient/${id}/$validate`, { token: server.tokens.admin }))).toEqual(['information informational']);
    expect(brief(await server.send('GET', `Patient/${id}/$validate?profile=${BASE}/StructureDefinition/patient-vmphb`, { token: server.tokens.admin }))).toContain('error required Patient');
    expectRefusal(await server.send('GET', 'Patient/none/$validate', { token: server.tokens.admin }), 404);
    expectRefusal(await server.send('GET', `Patient/${id}/$validate`, { token: server.tokens.supplier }), 403);
  });

  test('update asks for its id', async () => {
    const { id } = await create(GOOD);
    expect(brief(await validate({ ...GOOD, id }, `Patient/${id}/$validate?mode=update`))).toEqual(['information informational']);
    expect(brief(await validate(GOOD, `Patient/${id}/$validate?mode=update`))).toEqual(['error invalid Patient.id']);
  });

  test('delete asks whether the caller may', async () => {
    const { id } = await create(GOOD);
    expect(brief(await server.send('GET', `Patient/${id}/$validate?mode=delete`, { token: server.tokens.admin }))).toEqual(['information informational']);
    expect(brief(await server.send('GET', `Patient/${id}/$validate?mode=delete`, { token: server.tokens.ovm }))).toEqual(['error forbidden']);
    expectRefusal(await validate(GOOD, 'Patient/$validate?mode=delete'), 400);
  });
});

describe('callers', () => {
  test.each(ROLES)('%s may validate', async (role) => {
    expect(brief(await validate(GOOD, 'Patient/$validate', await server.token(role)))).toEqual(['information informational']);
  });

  test('nobody without a token may', async () => {
    expectRefusal(await server.send('POST', 'Patient/$validate', { body: GOOD }), 401);
  });

  test('mode create tells a role that may not', async () => {
    expect(brief(await validate(GOOD, 'Patient/$validate?mode=create', server.tokens.supplier))).toEqual(['error forbidden']);
  });
});

describe('settings', () => {
  let strict: TestServer;
  beforeAll(async () => {
    strict = await startServer({
      UNKNOWN_PROFILE: 'error',
      PROFILE_DEFAULTS: `Patient[active = true]=${BASE}/StructureDefinition/patient-vmphb; Group=https://example.org/none`,
    });
  });
  afterAll(() => strict.close());

  const post = (body: any): Promise<Answer> => strict.send('POST', body.resourceType, { token: strict.tokens.admin, body });

  test('PROFILE_DEFAULTS asks a profile of each resource of which its condition is true', async () => {
    expect((await post(GOOD)).status).toBe(201);
    expectRefusal(await post({ ...GOOD, active: true }), 422, { text: /patient-vmphb/ });
  });

  test('UNKNOWN_PROFILE=error refuses what nobody knows', async () => {
    expectRefusal(await post({ resourceType: 'Group', type: 'person', actual: true }), 422, { code: 'not-found', text: /example\.org\/none/ });
    expectRefusal(await post({ ...GOOD, meta: { profile: ['https://example.org/other'] } }), 422, { code: 'not-found' });
  });

  test.each(['Patient', 'patient=x', 'Patient[active]'])('PROFILE_DEFAULTS=%s is refused at start', (text) => {
    expect(() => readConfig({ PROFILE_DEFAULTS: text })).toThrow(/PROFILE_DEFAULTS must be a list/);
  });
});
