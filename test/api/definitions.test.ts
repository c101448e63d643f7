// HL7's definitions and ours, served like any resource; and what clients post beside them.
import { setTimeout as sleep } from 'node:timers/promises';
import { openPublished } from '../../src/definitions/published.js';
import { startServer, type Answer, type TestServer } from '../server.js';

jest.setTimeout(300_000);

const HL7 = 'http://hl7.org/fhir';
const TYPES = ['CompartmentDefinition', 'OperationDefinition', 'SearchParameter', 'StructureDefinition', 'CodeSystem', 'ValueSet', 'ConceptMap'];

let server: TestServer;
let admin: string;
let whileStoring: Answer;
let ofOthers: Answer;
/** Of each type: how many were there before HL7's. */
const own = new Map<string, number>();

const get = (path: string, token = admin): Promise<Answer> => server.send('GET', path, { token });
const put = (resource: { readonly resourceType: string; readonly id: string }): Promise<Answer> => server.send('PUT', `${resource.resourceType}/${resource.id}`, { token: admin, body: resource });
const total = async (search: string): Promise<number> => (await get(`${search}${search.includes('?') ? '&' : '?'}_summary=count`)).body.total;
const ids = ({ body }: Answer): string[] => (body.entry ?? []).map((entry: any) => entry.resource.id);

beforeAll(async () => {
  server = await startServer();
  admin = server.tokens.admin;
  for (const type of TYPES) own.set(type, await total(type));
  await put({ resourceType: 'ValueSet', id: 'address-type', url: 'http://e.example/mine', status: 'active' } as never);
  await put({ resourceType: 'ValueSet', id: 'address-use', url: 'http://e.example/mine-gone', status: 'active' } as never);
  await server.send('DELETE', 'ValueSet/address-use', { token: admin });
  const stored = server.publish();
  await sleep(50);
  [whileStoring, ofOthers] = await Promise.all([get('ValueSet?_count=1'), get('Patient?_count=1')]);
  await stored;
});
afterAll(() => server.close());

describe("HL7's own definitions", () => {
  test('are all there once they are stored, beside ours', async () => {
    const published = new Map<string, number>();
    for await (const line of openPublished().lines()) {
      const { resourceType } = JSON.parse(line);
      published.set(resourceType, (published.get(resourceType) ?? 0) + 1);
    }
    expect([...published.keys()].sort()).toEqual([...TYPES].sort());
    expect(published.get('StructureDefinition')).toBeGreaterThan(640);
    expect(published.get('SearchParameter')).toBeGreaterThan(1390);
    // Two ids were taken: one of them is a client's, one is deleted.
    for (const type of TYPES) expect([type, await total(type)]).toEqual([type, (own.get(type) ?? 0) + (published.get(type) ?? 0) - (type === 'ValueSet' ? 1 : 0)]);
  });

  test('until then a search says that it has not seen all of them, and one of other types does not', async () => {
    const outcomes = (answer: Answer): any[] => (answer.body.entry ?? []).filter((entry: any) => entry.search.mode === 'outcome');
    expect(outcomes(whileStoring)).toEqual([expect.objectContaining({ resource: expect.objectContaining({ issue: [expect.objectContaining({ severity: 'warning', code: 'incomplete' })] }) })]);
    expect(outcomes(ofOthers)).toEqual([]);
    expect(outcomes(await get('ValueSet?_count=1'))).toEqual([]);
    expect((await get('?_type=ValueSet&_count=1')).body.entry).toHaveLength(1);
  });

  test.each([
    ['StructureDefinition/Patient', 'http://hl7.org/fhir/StructureDefinition/Patient'],
    ['StructureDefinition/bp', 'http://hl7.org/fhir/StructureDefinition/bp'],
    ['SearchParameter/individual-birthdate', 'http://hl7.org/fhir/SearchParameter/individual-birthdate'],
    ['CodeSystem/administrative-gender', 'http://hl7.org/fhir/administrative-gender'],
    ['ValueSet/administrative-gender', 'http://hl7.org/fhir/ValueSet/administrative-gender'],
    ['CompartmentDefinition/patient', 'http://hl7.org/fhir/CompartmentDefinition/patient'],
    ['OperationDefinition/Patient-everything', 'http://hl7.org/fhir/OperationDefinition/Patient-everything'],
  ])('%s is read by its id', async (path, url) => {
    const { status, body, headers } = await get(path);
    expect([status, body.url, headers['etag']]).toEqual([200, url, 'W/"1"']);
  });

  test.each([
    [`StructureDefinition?url=${HL7}/StructureDefinition/Observation`, ['Observation']],
    ['StructureDefinition?name=Observation&type=Observation&kind=resource&abstract=false&derivation=specialization', ['Observation']],
    ['StructureDefinition?kind=complex-type&type=Money', ['Money']],
    ['SearchParameter?base=Patient&code=birthdate', ['individual-birthdate']],
    ['SearchParameter?code=name&base=Person&type=string', ['Person-name']],
    ['CompartmentDefinition?code=Patient', ['patient']],
    ['OperationDefinition?code=everything&instance=true&system=false', ['Encounter-everything', 'Patient-everything']],
    [`ValueSet?reference=${HL7}/administrative-gender`, ['administrative-gender']],
    [`CodeSystem?url=${HL7}/administrative-gender&status=active`, ['administrative-gender']],
    [`CodeSystem?code=female&url=${HL7}/administrative-gender,urn:no`, ['administrative-gender']],
  ])('%s finds %p', async (search, expected) => {
    expect(ids(await get(search)).sort()).toEqual(expect.arrayContaining(expected));
    expect((await get(`${search}&_elements=url`)).status).toBe(200);
  });

  test('a walk over all pages meets each once', async () => {
    const met: string[] = [];
    for (let path: string | undefined = 'SearchParameter?_count=400&_elements=code'; path !== undefined;) {
      const page: Answer = await get(path);
      met.push(...ids(page));
      path = page.body.link.find((link: any) => link.relation === 'next')?.url.slice(server.base.length + 1);
    }
    expect(new Set(met).size).toBe(met.length);
    expect(met).toHaveLength(await total('SearchParameter'));
  });

  test.each(['patient', 'care-coordinator', 'commissioner', 'ovm', 'supplier', 'provider'] as const)('are read and searched by a %s', async (role) => {
    const token = await server.token(role, { patient: 'nobody', organization: 'RR8' });
    expect((await get('StructureDefinition/Patient', token)).status).toBe(200);
    expect(ids(await get('CompartmentDefinition?code=Patient', token))).toEqual(['patient']);
    expect((await server.send('PUT', 'CompartmentDefinition/patient', { token, body: { resourceType: 'CompartmentDefinition', id: 'patient' } })).status).toBe(403);
  });

  test('those that have the id of one of ours have another, and ours keeps its own', async () => {
    expect((await get('CodeSystem/hl7-claim-type')).body.url).toBe('http://terminology.hl7.org/CodeSystem/claim-type');
    expect((await get('CodeSystem/claim-type')).body.url).toBe('https://fhir.entitle.example/CodeSystem/claim-type');
  });

  test('expand and look up at their own URLs', async () => {
    expect((await get('ValueSet/administrative-gender/$expand')).body.expansion.contains.map(({ code }: any) => code).sort()).toEqual(['female', 'male', 'other', 'unknown']);
  });

  test('leave alone what clients had put, changed or deleted, also when they are stored anew', async () => {
    expect((await get('ValueSet/address-type')).body.url).toBe('http://e.example/mine');
    expect((await get('ValueSet/address-use')).status).toBe(410);
    const { body } = await get('ValueSet/contact-point-use');
    expect((await put({ ...body, title: 'Changed' })).status).toBe(200);
    // One that is missing, and the place in the file lost.
    await server.database.query({ text: `delete from fhir."ValueSet" where id = 'name-use'`, values: [] });
    await server.database.query({ text: 'delete from fhir.publication', values: [] });
    await server.publish();
    expect((await get('ValueSet/name-use')).status).toBe(200);
    expect((await get('ValueSet/contact-point-use')).body).toMatchObject({ title: 'Changed', meta: { versionId: '2' } });
    expect((await get('ValueSet/address-use')).status).toBe(410);
    expect((await get('ValueSet/identifier-use')).body.meta.versionId).toBe('1');
  });
});

describe('what the CapabilityStatement names', () => {
  test('is defined here: each profile, search parameter and operation', async () => {
    const { body } = await get('metadata');
    const [rest] = body.rest;
    const named: [string, string, string?][] = rest.resource.flatMap((one: any) => [
      ['StructureDefinition', one.profile],
      ...(one.supportedProfile ?? []).map((url: string) => ['StructureDefinition', url]),
      // R4 defines no _list.
      ...one.searchParam.filter(({ name }: any) => name !== '_list').map(({ name, definition }: any) => ['SearchParameter', definition, name]),
      ...(one.operation ?? []).map(({ name, definition }: any) => ['OperationDefinition', definition, name]),
    ]);
    named.push(...(rest.operation ?? []).map(({ name, definition }: any): [string, string, string] => ['OperationDefinition', definition, name]));
    const { rows } = await server.database.query<{ type: string; res: string }>({ text: ['StructureDefinition', 'SearchParameter', 'OperationDefinition'].map((type) => `select '${type}' as type, res from fhir."${type}"`).join(' union all '), values: [] });
    const codes = new Map(rows.map(({ type, res }) => {
      const { url, code } = JSON.parse(res);
      return [`${type} ${url}`, code];
    }));
    const missing = named.filter(([type, url, code]) => !codes.has(`${type} ${url}`) || (code !== undefined && codes.get(`${type} ${url}`) !== code));
    expect(missing).toEqual([]);
    expect(named.length).toBeGreaterThan(1000);
  });
});

describe('a posted definition whose url is a base or project one', () => {
  test('is stored and served, and what runs is as before: a value set', async () => {
    const url = `${HL7}/ValueSet/administrative-gender`;
    const posted = await put({ resourceType: 'ValueSet', id: 'my-gender', url, version: '4.0.1', status: 'active', compose: { include: [{ system: 'urn:mine', concept: [{ code: 'x' }] }] } } as never);
    expect(posted.status).toBe(201);
    expect(ids(await get(`ValueSet?url=${url}`)).sort()).toEqual(['administrative-gender', 'my-gender']);
    expect((await get(`ValueSet/$expand?url=${url}`)).body.expansion.contains).toHaveLength(4);
    expect((await server.send('POST', 'Patient', { token: admin, body: { resourceType: 'Patient', gender: 'x' } })).status).toBe(400);
  });

  test('a code system', async () => {
    const url = `${HL7}/administrative-gender`;
    expect((await put({ resourceType: 'CodeSystem', id: 'my-gender', url, version: '4.0.1', status: 'active', content: 'complete', concept: [{ code: 'x', display: 'X' }] } as never)).status).toBe(201);
    expect((await get(`CodeSystem/$lookup?system=${url}&code=male`)).status).toBe(200);
    expect((await get(`CodeSystem/$lookup?system=${url}&code=x`)).status).toBe(404);
  });

  test('a structure definition: nothing is judged by it', async () => {
    const { body } = await get('StructureDefinition/Patient');
    expect((await put({ ...body, id: 'my-patient', differential: { element: [{ id: 'Patient', path: 'Patient' }, { id: 'Patient.birthDate', path: 'Patient.birthDate', min: 1 }] } })).status).toBe(201);
    expect((await server.send('POST', 'Patient', { token: admin, body: { resourceType: 'Patient', meta: { profile: [`${HL7}/StructureDefinition/Patient`] } } })).status).toBe(201);
  });

  test('a search parameter: the search is as before', async () => {
    const { body } = await get('SearchParameter/individual-birthdate');
    expect((await put({ ...body, id: 'my-birthdate', expression: 'Patient.deceased' })).status).toBe(201);
    await put({ resourceType: 'Patient', id: 'born', birthDate: '1950-02-01' } as never);
    expect(ids(await get('Patient?birthdate=1950-02-01'))).toEqual(['born']);
  });
});

describe('a package of definitions, posted as a transaction by an administrator', () => {
  const E = 'http://package.example';
  const definitions = [
    { resourceType: 'CodeSystem', id: 'pkg-colours', url: `${E}/CodeSystem/colours`, status: 'active', content: 'complete', concept: [{ code: 'red' }, { code: 'blue' }] },
    { resourceType: 'ValueSet', id: 'pkg-colours', url: `${E}/ValueSet/colours`, status: 'active', compose: { include: [{ system: `${E}/CodeSystem/colours` }] } },
    {
      resourceType: 'StructureDefinition', id: 'pkg-basic', url: `${E}/StructureDefinition/basic`, name: 'PkgBasic', status: 'active', kind: 'resource', abstract: false, type: 'Basic', derivation: 'constraint',
      baseDefinition: `${HL7}/StructureDefinition/Basic`, differential: { element: [{ id: 'Basic', path: 'Basic' }, { id: 'Basic.code', path: 'Basic.code', binding: { strength: 'required', valueSet: `${E}/ValueSet/colours` } }, { id: 'Basic.subject', path: 'Basic.subject', min: 1 }] },
    },
    { resourceType: 'SearchParameter', id: 'pkg-text', url: `${E}/SearchParameter/text`, name: 'text', status: 'active', description: 'x', code: 'code-text', base: ['Basic'], type: 'string', expression: 'Basic.code.text' },
  ];
  const basic = (code: string, more: object = {}): object => ({ resourceType: 'Basic', meta: { profile: [`${E}/StructureDefinition/basic`] }, code: { coding: [{ system: `${E}/CodeSystem/colours`, code }] }, ...more });
  const post = (body: unknown, token = admin): Promise<Answer> => server.send('POST', (body as any).resourceType === 'Bundle' ? '' : (body as any).resourceType, { token, body });

  test('is stored whole, and judges from then on', async () => {
    const entry = definitions.map((resource) => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } }));
    const { status, body } = await post({ resourceType: 'Bundle', type: 'transaction', entry });
    expect([status, body.entry.map((one: any) => one.response.status.slice(0, 3))]).toEqual([200, ['201', '201', '201', '201']]);
    const subject = { reference: 'Patient/born' };
    expect((await post(basic('red', { subject }))).status).toBe(201);
    expect((await post(basic('green', { subject }))).status).toBe(422);
    expect((await post(basic('red'))).status).toBe(422);
    expect((await get(`ValueSet/$expand?url=${E}/ValueSet/colours`)).body.expansion.contains).toHaveLength(2);
    expect((await server.send('POST', 'SearchParameter/pkg-text/$activate', { token: admin })).status).toBe(202);
  });

  test('is nobody else\'s to post', async () => {
    const entry = definitions.map((resource) => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } }));
    expect((await post({ resourceType: 'Bundle', type: 'transaction', entry }, server.tokens.ovm)).status).toBe(403);
  });
});
