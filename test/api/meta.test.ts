// $meta, $meta-add and $meta-delete. https://hl7.org/fhir/R4/resource-operation-meta.html
import { startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';

let server: TestServer;
const token = (): string => server.tokens.admin;
const get = (path: string) => server.send('GET', path, { token: token() });
const body = (meta: object) => ({ resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: meta }] });
const post = (path: string, meta: object, headers: Record<string, string> = {}) => server.send('POST', path, { token: token(), body: body(meta), headers });
const put = (resource: any) => server.send('PUT', `${resource.resourceType}/${resource.id}`, { token: token(), body: resource });
const TAG = { system: 'urn:tags', code: 'red', display: 'Red' };
const SECRET = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' };
const found = async (query: string): Promise<string[]> => ((await get(query)).body.entry ?? []).map(({ resource }: any) => resource.id);

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

let made = 0;
async function patient(meta?: object): Promise<string> {
  const id = `p${(made += 1)}`;
  expect((await put({ resourceType: 'Patient', id, ...(meta && { meta }), name: [{ family: 'Meta' }], extension: [{ url: 'urn:x', valueDecimal: 1 }] })).status).toBe(201);
  return id;
}

test('$meta of a resource is its meta', async () => {
  const id = await patient({ tag: [TAG] });
  const { status, body: answer } = await get(`Patient/${id}/$meta`);
  expect(status).toBe(200);
  expect(answer).toEqual({ resourceType: 'Parameters', parameter: [{ name: 'return', valueMeta: { versionId: '1', lastUpdated: expect.any(String), tag: [TAG] } }] });
  expectRefusal(await get('Patient/none/$meta'), 404);
});

test('$meta-add changes the version that is there, once, and searches find it', async () => {
  const id = await patient();
  const before = (await get(`Patient/${id}`)).body;
  const { status, body: answer } = await post(`Patient/${id}/$meta-add`, { tag: [TAG], security: [SECRET] });
  expect([status, answer.parameter[0].valueMeta.tag]).toEqual([200, [TAG]]);
  await post(`Patient/${id}/$meta-add`, { tag: [{ system: 'urn:tags', code: 'red' }] });
  const after = (await get(`Patient/${id}`)).body;
  expect(after).toEqual({ ...before, meta: { ...before.meta, tag: [TAG], security: [SECRET] } });
  expect((await get(`Patient/${id}/_history`)).body.total).toBe(1);
  expect((await get(`Patient/${id}/_history/1`)).body).toEqual(after);
  expect(await found('Patient?_tag=urn:tags|red&_security=R')).toContain(id);
  expect(await found('Patient?_content=Red')).toContain(id);
});

test('$meta-delete takes away what is named, and does not mind what is not there', async () => {
  const id = await patient({ tag: [TAG, { system: 'urn:tags', code: 'blue' }], profile: ['http://example.org/StructureDefinition/p'] });
  await found(`Patient?_content=Red`);
  const { status, body: answer } = await post(`Patient/${id}/$meta-delete`, { tag: [{ system: 'urn:tags', code: 'red' }, { system: 'urn:tags', code: 'green' }], profile: ['http://example.org/StructureDefinition/p'] });
  expect([status, answer.parameter[0].valueMeta.tag, answer.parameter[0].valueMeta.profile]).toEqual([200, [{ system: 'urn:tags', code: 'blue' }], undefined]);
  expect(await found(`Patient?_id=${id}&_tag=urn:tags|red`)).toEqual([]);
  expect(await found(`Patient?_id=${id}&_profile=http://example.org/StructureDefinition/p`)).toEqual([]);
  expect(await found(`Patient?_id=${id}&_tag=urn:tags|blue`)).toEqual([id]);
  expect(await found(`Patient?_id=${id}&_content=Red`)).toEqual([]);
  expect((await get(`Patient/${id}`)).headers['etag']).toBe('W/"1"');
});

test('the next version is one more, and follows the labels as they were', async () => {
  const id = await patient();
  await post(`Patient/${id}/$meta-add`, { tag: [TAG] });
  expect((await put({ resourceType: 'Patient', id, gender: 'female' })).body.meta.versionId).toBe('2');
  expect((await get(`Patient/${id}/_history/1`)).body.meta.tag).toEqual([TAG]);
});

test('$meta of a type and of everything has each label once', async () => {
  await put({ resourceType: 'Basic', id: 'one', code: { text: 'x' }, meta: { tag: [TAG, { system: 'urn:tags', code: 'basic' }] } });
  await put({ resourceType: 'Basic', id: 'two', code: { text: 'x' }, meta: { tag: [TAG], security: [SECRET] } });
  const { body: ofType } = await get('Basic/$meta');
  expect(ofType.parameter[0].valueMeta).toEqual({ tag: expect.arrayContaining([TAG, { system: 'urn:tags', code: 'basic' }]), security: [SECRET] });
  expect(ofType.parameter[0].valueMeta.tag).toHaveLength(2);
  const { body: all } = await get('$meta');
  expect(all.parameter[0].valueMeta.tag).toEqual(expect.arrayContaining([TAG, { system: 'urn:tags', code: 'basic' }]));
  expect((await get('Slot/$meta')).body).toEqual({ resourceType: 'Parameters' });
});

test('what is wrong is refused, and nothing is changed', async () => {
  const id = await patient();
  expectRefusal(await server.send('GET', `Patient/${id}/$meta-add`, { token: token() }), 405);
  expectRefusal(await server.send('POST', `Patient/${id}/$meta-add`, { token: token(), body: { resourceType: 'Parameters' } }), 400);
  expectRefusal(await post('Patient/none/$meta-add', { tag: [TAG] }), 404);
  expectRefusal(await post(`Patient/${id}/$meta-add`, { tag: [TAG] }, { 'if-match': 'W/"7"' }), 412);
  expectRefusal(await post(`Patient/${id}/$meta-add`, { tag: [{ system: 1 }] }), 400);
  await server.send('DELETE', `Patient/${id}`, { token: token() });
  expectRefusal(await post(`Patient/${id}/$meta-add`, { tag: [TAG] }), 410);
});

test('nobody but an administrator changes labels', async () => {
  const id = await patient();
  const ovm = { token: server.tokens.ovm };
  expectRefusal(await server.send('POST', `Patient/${id}/$meta-add`, { ...ovm, body: body({ security: [SECRET] }) }), 403);
  expectRefusal(await server.send('POST', `Patient/${id}/$meta-delete`, { ...ovm, body: body({ security: [SECRET] }) }), 403);
});

test('each change is on record with the patient it is about', async () => {
  const id = await patient();
  await post(`Patient/${id}/$meta-add`, { tag: [TAG] });
  const { rows } = await server.database.query<{ what: string }>({ text: 'select what from fhir.audit_event where interaction = \'$meta-add\' and patient = $1', values: [id] });
  expect(rows.map(({ what }) => what)).toContain(`Patient/${id}/_history/1`);
});
