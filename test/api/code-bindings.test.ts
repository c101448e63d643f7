// Codes of value sets and code systems that administrators post or load: judged on writes where a profile requires it, and by $validate.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadTerminology } from '../../src/terminology/load/load-terminology.js';
import { type Answer, startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';

const HOME = 'https://example.org';
const WARDS = `${HOME}/CodeSystem/wards`;
const DRUGS = `${HOME}/CodeSystem/drugs`;
const SCT = 'http://snomed.info/sct';
const DIV = { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>' };

let server: TestServer;
let scratch: string;
beforeAll(async () => {
  server = await startServer();
  scratch = mkdtempSync(join(tmpdir(), 'codes-'));
  for (const one of [wards, valueSet('open-wards', [{ system: WARDS, filter: [{ property: 'concept', op: 'is-a', value: 'open' }] }])]) expect((await put(one)).status).toBe(201);
});
afterAll(async () => {
  await server.close();
  rmSync(scratch, { recursive: true });
});

const put = (resource: any): Promise<Answer> => server.send('PUT', `${resource.resourceType}/${resource.id}`, { token: server.tokens.admin, body: resource });
const head = (resourceType: string, id: string) => ({ resourceType, id, url: `${HOME}/${resourceType}/${id}`, version: '1', name: id, status: 'active' });
const valueSet = (id: string, include: object[], exclude?: object[]) => ({ ...head('ValueSet', id), compose: { include, ...(exclude && { exclude }) } });
const wards = {
  ...head('CodeSystem', 'wards'), content: 'complete', caseSensitive: true,
  concept: [{ code: 'open', display: 'Open ward', concept: [{ code: 'A1', display: 'Ward A1' }, { code: 'A2', display: 'Ward A2' }] }, { code: 'Z9', display: 'Closed ward' }],
};

/** A profile of Patient that binds `maritalStatus`, and a patient that claims it. */
async function bind(id: string, strength: string, set: string): Promise<void> {
  const element = [{ id: 'Patient', path: 'Patient' }, { id: 'Patient.maritalStatus', path: 'Patient.maritalStatus', binding: { strength, valueSet: set } }];
  const profile = { ...head('StructureDefinition', id), kind: 'resource', abstract: false, type: 'Patient', baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Patient', derivation: 'constraint', differential: { element } };
  expect([200, 201]).toContain((await put(profile)).status);
}
const patient = (profile: string, maritalStatus: object) => ({ resourceType: 'Patient', meta: { profile: [`${HOME}/StructureDefinition/${profile}`] }, text: DIV, maritalStatus });
const coded = (profile: string, code: string, system = WARDS, more: object = {}) => patient(profile, { coding: [{ system, code, ...more }] });
const create = (body: object): Promise<Answer> => server.send('POST', 'Patient', { token: server.tokens.admin, body });
const validate = async (body: object): Promise<string[]> => {
  const answer = await server.send('POST', `${(body as any).resourceType}/$validate`, { token: server.tokens.admin, body });
  expect(answer.status).toBe(200);
  return answer.body.issue.map(({ severity, code, expression = [] }: any) => [severity, code, ...expression].join(' '));
};
const wordsOf = async (body: object): Promise<string> => (await server.send('POST', 'Patient/$validate', { token: server.tokens.admin, body })).text;
const AT = 'Patient.maritalStatus';
/** HL7 binds it extensibly to its own codes, which ours are not. */
const OTHER = `warning code-invalid ${AT}`;

describe('a required binding of a profile to a posted value set', () => {
  beforeAll(() => bind('required', 'required', `${HOME}/ValueSet/open-wards`));

  test('lets its codes pass and refuses others, on every road, naming value set and code', async () => {
    expect((await create(coded('required', 'A1'))).status).toBe(201);
    for (const wrong of ['Z9', 'B7', 'a1']) {
      const text = new RegExp(`'${wrong}' of '${WARDS}'.*${HOME}/ValueSet/open-wards.*\\$expand`);
      expectRefusal(await create(coded('required', wrong)), 422, { code: 'code-invalid', text });
    }
    expectRefusal(await create(coded('required', 'A1', `${HOME}/CodeSystem/other`)), 422, { code: 'code-invalid' });
    const entry = [{ resource: coded('required', 'Z9'), request: { method: 'POST', url: 'Patient' } }];
    const answer = await server.send('POST', '', { token: server.tokens.admin, body: { resourceType: 'Bundle', type: 'transaction', entry } });
    expectRefusal(answer, 422, { code: 'code-invalid' });
    expect(answer.body.issue[0].expression).toEqual(['Bundle.entry[0].resource.maritalStatus']);
  });

  test('wants one good coding; text alone is none', async () => {
    expect((await create(patient('required', { coding: [{ system: 'urn:x', code: 'x' }, { system: WARDS, code: 'A2' }] }))).status).toBe(201);
    expectRefusal(await create(patient('required', { text: 'Ward A1' })), 422, { code: 'code-invalid', text: /text without a code/ });
  });

  test('follows its value set and code system as they change, at once', async () => {
    expectRefusal(await create(coded('required', 'A3')), 422);
    const [open, closed] = wards.concept as [any, any];
    expect((await put({ ...wards, concept: [{ ...open, concept: [...open.concept, { code: 'A3', display: 'Ward A3' }] }, closed] })).status).toBe(200);
    expect((await create(coded('required', 'A3'))).status).toBe(201);
    await put(valueSet('open-wards', [{ system: WARDS, filter: [{ property: 'concept', op: 'is-a', value: 'open' }] }], [{ system: WARDS, concept: [{ code: 'A3' }] }]));
    expectRefusal(await create(coded('required', 'A3')), 422);
    expect((await server.send('DELETE', 'ValueSet/open-wards', { token: server.tokens.admin })).status).toBe(204);
    expect((await create(coded('required', 'A3'))).status).toBe(201);
    expect(await validate(coded('required', 'A1'))).toEqual([`warning incomplete ${AT}`, OTHER]);
    await put(valueSet('open-wards', [{ system: WARDS, filter: [{ property: 'concept', op: 'is-a', value: 'open' }] }]));
    expectRefusal(await create(coded('required', 'Z9')), 422);
  });

  test('is seen within seconds where another server of the same database changed it', async () => {
    await put(valueSet('slow', [{ system: WARDS, concept: [{ code: 'A1' }] }]));
    await bind('slow', 'required', `${HOME}/ValueSet/slow`);
    // What is written here is distrusted for five seconds: wait until answers are kept, then change the set behind the server's back.
    await new Promise((resolve) => setTimeout(resolve, 5100));
    expectRefusal(await create(coded('slow', 'A2')), 422);
    const { count } = await server.database.query({ text: 'update fhir."ValueSet" set res = replace(res, $1, $2) where id = $3', values: ['"A1"', '"A2"', 'slow'] });
    expect(count).toBe(1);
    expectRefusal(await create(coded('slow', 'A2')), 422);
    await new Promise((resolve) => setTimeout(resolve, 2100));
    expect((await create(coded('slow', 'A2'))).status).toBe(201);
  }, 120_000);
});

test('more updates at once than there are connections do not wait for each other', async () => {
  await bind('busy', 'required', `${HOME}/ValueSet/open-wards`);
  const update = (index: number): Promise<Answer> => put({ id: `busy-${index}`, ...coded('busy', index % 2 === 0 ? 'A1' : 'Z9') });
  const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => update(index)));
  expect(answers.map(({ status }) => status)).toEqual(answers.map((_, index) => (index % 2 === 0 ? 201 : 422)));
});

test('an extensible binding is a warning of $validate alone; preferred and example ones say nothing', async () => {
  for (const strength of ['extensible', 'preferred', 'example']) {
    await bind(strength, strength, `${HOME}/ValueSet/open-wards`);
    expect((await create(coded(strength, 'Z9'))).status).toBe(201);
    expect(await validate(coded(strength, 'Z9'))).toEqual([OTHER]);
    expect((await wordsOf(coded(strength, 'Z9'))).includes(`${HOME}/ValueSet/open-wards (extensible)`)).toBe(strength === 'extensible');
    expect(await wordsOf(coded(strength, 'A1'))).not.toContain('open-wards');
  }
});

test('elements of type code count by whichever system of the set has them', async () => {
  await put(valueSet('few', [{ system: 'http://hl7.org/fhir/administrative-gender', filter: [{ property: 'code', op: 'regex', value: 'm.*|u.*' }] }, { system: `${HOME}/CodeSystem/x`, concept: [{ code: 'male' }] }]));
  const element = [{ id: 'Patient', path: 'Patient' }, { id: 'Patient.gender', path: 'Patient.gender', binding: { strength: 'required', valueSet: `${HOME}/ValueSet/few` } }];
  await put({ ...head('StructureDefinition', 'gender'), kind: 'resource', abstract: false, type: 'Patient', baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Patient', derivation: 'constraint', differential: { element } });
  const gender = (code: string): object => ({ resourceType: 'Patient', meta: { profile: [`${HOME}/StructureDefinition/gender`] }, gender: code });
  expect((await create(gender('male'))).status).toBe(201);
  expect((await create(gender('unknown'))).status).toBe(201);
  expectRefusal(await create(gender('female')), 422, { code: 'code-invalid', text: /'female' is not in the value set/ });
});

test('a slice may be told by a binding to a posted value set', async () => {
  await put(valueSet('kinds', [{ system: WARDS, filter: [{ property: 'concept', op: 'is-a', value: 'open' }] }]));
  const element = [
    { id: 'Patient', path: 'Patient' },
    { id: 'Patient.identifier', path: 'Patient.identifier', slicing: { discriminator: [{ type: 'value', path: 'type' }], rules: 'open' } },
    { id: 'Patient.identifier:ward', path: 'Patient.identifier', sliceName: 'ward', min: 1, max: '1' },
    { id: 'Patient.identifier:ward.type', path: 'Patient.identifier.type', min: 1, binding: { strength: 'required', valueSet: `${HOME}/ValueSet/kinds` } },
  ];
  await put({ ...head('StructureDefinition', 'sliced'), kind: 'resource', abstract: false, type: 'Patient', baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Patient', derivation: 'constraint', differential: { element } });
  const of = (...codes: string[]): object => ({ resourceType: 'Patient', meta: { profile: [`${HOME}/StructureDefinition/sliced`] }, identifier: codes.map((code) => ({ value: code, type: { coding: [{ system: WARDS, code }] } })) });
  expect((await create(of('A1', 'Z9'))).status).toBe(201);
  expectRefusal(await create(of('Z9')), 422, { code: 'required' });
  expectRefusal(await create(of('A1', 'A2')), 422, { code: 'structure' });
});

describe('codes of tables', () => {
  test('are known as soon as they are loaded; until then $validate says what to do, and nothing is refused', async () => {
    await put(valueSet('pain-killers', [{ system: DRUGS, filter: [{ property: 'concept', op: 'is-a', value: '10' }] }, { valueSet: [`${HOME}/ValueSet/open-wards`] }]));
    await bind('drugs', 'required', `${HOME}/ValueSet/pain-killers`);
    expect((await create(coded('drugs', '99', DRUGS))).status).toBe(201);
    expect(await wordsOf(coded('drugs', '99', DRUGS))).toMatch(/not decided.*drugs is not known here.*terminology load.*TERMINOLOGY_URL is not set/);
    const path = join(scratch, 'drugs.csv');
    writeFileSync(path, 'code,display,parent\n10,Pain killers,\n11,Aspirin,10\n12,Ibuprofen,10\n99,Sugar,\n');
    await loadTerminology({ path, system: DRUGS, version: '2024' }, { database: server.database, now: Date.now(), onStart: () => undefined, onBytes: () => undefined });
    await new Promise((resolve) => setTimeout(resolve, 2100));
    expectRefusal(await create(coded('drugs', '99', DRUGS)), 422, { code: 'code-invalid' });
    expect((await create(coded('drugs', '11', DRUGS))).status).toBe(201);
    expect((await create(coded('drugs', 'A1'))).status).toBe(201);
    expectRefusal(await create(coded('drugs', 'Z9')), 422);
    expect(await validate(coded('drugs', '98', DRUGS))).toEqual([`error code-invalid ${AT}`]);
  });

  test('and posted ones are expanded, translated and validated together', async () => {
    const get = (path: string): Promise<Answer> => server.send('GET', path, { token: server.tokens.supplier });
    const codesOf = async (set: string): Promise<string[]> => (await get(`ValueSet/$expand?url=${HOME}/ValueSet/${set}&excludeNested=true`)).body.expansion.contains.map(({ code }: any) => code);
    await put(valueSet('mixed', [{ valueSet: [`${HOME}/ValueSet/pain-killers`] }, { system: DRUGS, concept: [{ code: '99' }] }], [{ system: DRUGS, filter: [{ property: 'concept', op: 'in', value: '11,13' }] }, { system: WARDS, filter: [{ property: 'code', op: 'regex', value: 'A.*' }] }]));
    await put(valueSet('strict', [{ valueSet: [`${HOME}/ValueSet/mixed`], system: DRUGS, filter: [{ property: 'concept', op: 'descendent-of', value: '10' }, { property: 'parent', op: 'exists', value: 'true' }] }]));
    expect(await codesOf('pain-killers')).toEqual(['10', '11', '12', 'open', 'A1', 'A2', 'A3']);
    expect((await codesOf('mixed')).sort()).toEqual(['10', '12', '99', 'open']);
    expect(await codesOf('strict')).toEqual(['12']);
    const judged = (query: string) => get(`ValueSet/$validate-code?url=${HOME}/ValueSet/mixed&system=${DRUGS}&${query}`).then(({ body }) => body.parameter[0].valueBoolean);
    expect([await judged('code=12&display=ibuprofen'), await judged('code=12&display=Aspirin'), await judged('code=11'), await judged('code=99')]).toEqual([true, false, false, true]);
    await put({ ...head('ConceptMap', 'wards-drugs'), group: [{ source: WARDS, target: DRUGS, element: [{ code: 'A1', target: [{ code: '11', equivalence: 'relatedto' }] }] }] });
    expect((await get(`ConceptMap/$translate?system=${WARDS}&code=A1&targetsystem=${DRUGS}`)).body.parameter[0]).toEqual({ name: 'result', valueBoolean: true });
  });
});

describe('$validate of codings', () => {
  const observation = (coding: object) => ({ resourceType: 'Observation', text: DIV, status: 'final', code: { coding: [coding] }, subject: { display: 'x' }, performer: [{ display: 'x' }], effectiveDateTime: '2024-01-01' });
  const CODING = 'Observation.code.coding[0]';

  test.each([
    ['a code of a posted system', { system: WARDS, code: 'A1', display: 'ward  a1' }, []],
    ['one it has not', { system: WARDS, code: 'B1' }, [`error code-invalid ${CODING}`]],
    ['another display', { system: WARDS, code: 'A1', display: 'Ward Z' }, [`warning code-invalid ${CODING}.display`]],
    ['a version that is not here', { system: WARDS, version: '2', code: 'B1' }, [`information incomplete ${CODING}`]],
    ['an unknown system', { system: SCT, code: '73211009' }, [`information incomplete ${CODING}`]],
    ['HL7\'s own', { system: 'http://terminology.hl7.org/CodeSystem/v3-NullFlavor', code: 'NIX' }, [`error code-invalid ${CODING}`]],
    ['one of a system of which HL7 gives examples', { system: 'http://terminology.hl7.org/CodeSystem/service-type', code: 'nix' }, [`information incomplete ${CODING}`]],
    ['a unit', { system: 'http://unitsofmeasure.org', code: 'mm[Hg]' }, []],
    ['no unit', { system: 'http://unitsofmeasure.org', code: 'mmHg2' }, [`error code-invalid ${CODING}`]],
    ['no system', { code: 'A1', display: 'x' }, []],
  ])('%s', async (_name, coding, issues) => {
    expect(await validate(observation(coding))).toEqual(issues.length === 0 ? ['information informational'] : issues);
  });

  test('says what to do where nobody can tell', async () => {
    const { body } = await server.send('POST', 'Observation/$validate', { token: server.tokens.admin, body: observation({ system: SCT, code: '73211009' }) });
    expect(body.issue[0].details.text).toMatch(/snomed.*"entitle-fhir terminology load".*TERMINOLOGY_URL is not set/);
  });

  test('a write lets all of them pass', async () => {
    expect((await server.send('POST', 'Observation', { token: server.tokens.admin, body: observation({ system: WARDS, code: 'B1', display: 'x' }) })).status).toBe(201);
  });

  test('bears any depth', async () => {
    const levels = 3000;
    const text = `${'{"linkId":"x","type":"group","text":"a","item":['.repeat(levels)}{"linkId":"y","type":"string","text":"a"}${']}'.repeat(levels)}`;
    const answer = await server.send('POST', 'Questionnaire/$validate', { token: server.tokens.admin, body: `{"resourceType":"Questionnaire","status":"draft","item":[${text}]}` });
    expect(answer.status).toBeLessThan(500);
  });

  test('looks up a thousand different codes at most, and each system it does not know is told once', async () => {
    const coding = Array.from({ length: 1500 }, (_, index) => ({ system: index < 1200 ? SCT : WARDS, code: `A1${index}` }));
    expect(await validate({ ...observation({}), code: { coding } })).toEqual([`information incomplete ${CODING}`, 'information incomplete Observation.code.coding[1200]']);
  });
});

describe('with another terminology server', () => {
  let other: TestServer;
  let remote: Server;
  let asked = 0;
  beforeAll(async () => {
    remote = createServer((request, response) => {
      asked++;
      let text = '';
      request.on('data', (chunk: Buffer) => { text += chunk.toString(); });
      request.on('end', () => {
        const { parameter } = JSON.parse(text) as { parameter: { name: string; valueCode?: string }[] };
        const result = parameter.some(({ name, valueCode }) => name === 'code' && valueCode === '73211009');
        response.setHeader('content-type', 'application/fhir+json');
        response.end(JSON.stringify({ resourceType: 'Parameters', parameter: [{ name: 'result', valueBoolean: result }, ...(result ? [] : [{ name: 'message', valueString: 'No such code' }])] }));
      });
    });
    await new Promise<void>((resolve) => { remote.listen(0, '127.0.0.1', resolve); });
    other = await startServer({ TERMINOLOGY_URL: `http://127.0.0.1:${(remote.address() as AddressInfo).port}/fhir` });
  });
  afterAll(async () => {
    await other.close();
    await new Promise((resolve) => remote.close(resolve));
  });

  test('its word counts, for value sets that only it knows, too', async () => {
    const element = [{ id: 'Patient', path: 'Patient' }, { id: 'Patient.maritalStatus', path: 'Patient.maritalStatus', binding: { strength: 'required', valueSet: 'https://elsewhere.example/ValueSet/diabetes' } }];
    const profile = { ...head('StructureDefinition', 'remote'), kind: 'resource', abstract: false, type: 'Patient', baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Patient', derivation: 'constraint', differential: { element } };
    await other.send('PUT', 'StructureDefinition/remote', { token: other.tokens.admin, body: profile });
    const post = (code: string): Promise<Answer> => other.send('POST', 'Patient', { token: other.tokens.admin, body: coded('remote', code, SCT) });
    expect((await post('73211009')).status).toBe(201);
    expectRefusal(await post('1'), 422, { code: 'code-invalid', text: /No such code/ });
    const before = asked;
    await new Promise((resolve) => setTimeout(resolve, 2100));
    expectRefusal(await post('1'), 422);
    expect(asked).toBe(before);
  });

  test('is left in peace for a while after it gave no answer, and nothing is refused', async () => {
    const alone = await startServer({ TERMINOLOGY_URL: 'http://127.0.0.1:9/fhir' });
    const post = (code: string): Promise<Answer> => alone.send('POST', 'Observation/$validate', { token: alone.tokens.admin, body: { resourceType: 'Observation', status: 'final', code: { coding: [{ system: SCT, code }] } } });
    const { body } = await post('1');
    expect(body.issue.find(({ code }: any) => code === 'incomplete').details.text).toMatch(/terminology server http:\/\/127\.0\.0\.1:9\/fhir does not know it either/);
    expect((await post('2')).status).toBe(200);
    await alone.close();
  });
});

describe('a supplement that is posted', () => {
  const get = (path: string): Promise<Answer> => server.send('GET', path, { token: server.tokens.supplier });
  beforeAll(async () => {
    const supplement = { ...head('CodeSystem', 'wards-cy'), language: 'cy', content: 'supplement', supplements: WARDS, concept: [{ code: 'A1', display: 'Ward Gymraeg', designation: [{ language: 'pl', value: 'Oddział A1' }] }] };
    expect((await put(supplement)).status).toBe(201);
  });

  test('names codes in $lookup and, when asked, in $expand', async () => {
    expect((await get(`CodeSystem/$lookup?system=${WARDS}&code=A1&displayLanguage=cy`)).body.parameter).toContainEqual({ name: 'display', valueString: 'Ward Gymraeg' });
    expect((await get(`CodeSystem/$lookup?system=${WARDS}&code=A1`)).text).toMatch(/Ward A1.*Oddział A1/);
    const contained = async (query: string) => (await get(`ValueSet/$expand?url=${HOME}/ValueSet/open-wards&excludeNested=true${query}`)).body.expansion.contains.find(({ code }: any) => code === 'A1');
    expect(await contained('&includeDesignations=true')).toMatchObject({ display: 'Ward A1', designation: [{ language: 'cy', value: 'Ward Gymraeg' }, { language: 'pl', value: 'Oddział A1' }] });
    expect(await contained('')).toEqual({ system: WARDS, code: 'A1', display: 'Ward A1' });
  });

  test('is no code system of its own, and its names are right displays', async () => {
    const body = { resourceType: 'Patient', text: DIV, meta: { tag: [{ system: WARDS, code: 'A1', display: 'Oddział A1' }] } };
    expect(await validate(body)).toEqual(['information informational']);
    expectRefusal(await get(`CodeSystem/$lookup?system=${HOME}/CodeSystem/wards-cy&code=A1`), 404);
  });
});
