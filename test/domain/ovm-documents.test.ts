// Documents as evidence of an assessment: copies of visas, letters and cards (domain.md 1.6, rulings 21, 22). Before an assessment cites one it is its
// author's alone; then it is seen as the assessment is.
import { startServer, type Answer, type TestServer } from '../server.js';
import { assessmentBody, errorCode, evidence, numbers, performer, register } from './people.js';

let server: TestServer;
let nurse: string;
let colleague: string;
let other: string;
let patient: string;
const newNumber = numbers(999_460_000);
beforeAll(async () => {
  server = await startServer();
  nurse = await server.token('ovm', { organization: 'RR8', practitionerRole: 'nurse' });
  colleague = await server.token('ovm', { organization: 'RR8', practitionerRole: 'colleague' });
  other = await server.token('ovm', { organization: 'RXX', practitionerRole: 'other' });
});
beforeEach(async () => { patient = await register(server, newNumber()); });
afterAll(() => server.close());

const AT = '2026-05-10T09:00:00+01:00';
const BINARY = { resourceType: 'Binary', contentType: 'application/pdf', data: 'JVBERi0xLjQK' };
const post = (token: string, body: any): Promise<Answer> => server.send('POST', body.resourceType, { token, body });
const get = async (token: string, path: string): Promise<number> => (await server.send('GET', path, { token })).status;
const documentBody = (binary: string, rest: object = {}): object => ({
  resourceType: 'DocumentReference', status: 'current', subject: { reference: `Patient/${patient}` }, content: [{ attachment: { contentType: 'application/pdf', url: binary } }], ...rest,
});
async function filed(rest: object = {}): Promise<{ document: string; file: string }> {
  const file = `Binary/${(await post(nurse, BINARY)).body.id}`;
  const { status, body } = await post(nurse, documentBody(file, rest));
  if (status !== 201) throw new Error(JSON.stringify(body));
  return { document: `DocumentReference/${body.id}`, file };
}
const assessWith = (document: string, token = nurse): Promise<Answer> =>
  post(token, assessmentBody(patient, 'C', AT, { performer: performer(token === other ? 'RXX' : 'RR8'), extension: [evidence(document)] }));

test('a document and its file are their author\'s alone until an assessment cites them', async () => {
  const { document, file } = await filed();
  for (const path of [document, file]) {
    expect([path, await get(nurse, path)]).toEqual([path, 200]);
    for (const token of [colleague, other, server.tokens.ovm]) expect([path, await get(token, path)]).toEqual([path, 404]);
  }
  const { body } = await server.send('GET', `DocumentReference?subject=Patient/${patient}`, { token: other });
  expect([body.total, body.entry]).toEqual([0, undefined]);
});

test('cited, they are seen by the OVM of any trust, and by no supplier and no role around budgets', async () => {
  const { document, file } = await filed();
  expect((await assessWith(document)).status).toBe(201);
  for (const path of [document, file]) {
    for (const token of [nurse, colleague, other]) expect([path, await get(token, path)]).toEqual([path, 200]);
    expect([path, await get(server.tokens.supplier, path)]).toEqual([path, 403]);
    expect([path, await get(await server.token('commissioner', { organization: 'QWE' }), path)]).toEqual([path, 404]);
  }
  const { body } = await server.send('GET', `Observation?evidence=${document}&_include=Observation:evidence`, { token: other });
  expect(body.entry.map(({ resource }: any) => resource.resourceType).sort()).toEqual(['DocumentReference', 'Observation']);
});

test('with the assessment and its file in one transaction', async () => {
  const [file, document, assessment] = ['a', 'b', 'c'].map((end) => `urn:uuid:00000000-0000-4000-8000-00000000001${end}`) as [string, string, string];
  const entry = [
    { fullUrl: assessment, resource: assessmentBody(patient, 'C', AT, { extension: [evidence(document)] }), request: { method: 'POST', url: 'Observation' } },
    { fullUrl: document, resource: documentBody(file), request: { method: 'POST', url: 'DocumentReference' } },
    { fullUrl: file, resource: BINARY, request: { method: 'POST', url: 'Binary' } },
  ];
  const { status, body } = await server.send('POST', '', { token: nurse, body: { resourceType: 'Bundle', type: 'transaction', entry } });
  expect([status, body.issue]).toEqual([200, undefined]);
  expect(await get(other, body.entry[2].response.location.replace(/^.*(Binary\/[^/]+).*$/, '$1'))).toBe(200);
});

test('the trust may be the author, where its organisation is held', async () => {
  const { body } = await post(server.tokens.admin, { resourceType: 'Organization', identifier: [{ system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: 'RR8' }], name: 'Trust' });
  const { document } = await filed({ author: [{ reference: `Organization/${body.id}` }] });
  expect([await get(colleague, document), await get(other, document)]).toEqual([200, 404]);
  expect((await assessWith(document, colleague)).status).toBe(201);
});

test('nobody cites or copies what they can\'t see: 422, as if it were not there', async () => {
  const { document, file } = await filed();
  for (const reference of [document, 'DocumentReference/none']) {
    const answer = await assessWith(reference, other);
    expect([answer.status, answer.body.issue[0].code]).toEqual([422, 'not-found']);
  }
  for (const url of [file, 'Binary/none']) {
    const answer = await post(other, documentBody(url));
    expect([answer.status, answer.body.issue[0].code, answer.body.issue[0].expression]).toEqual([422, 'not-found', ['DocumentReference.content[0].attachment.url']]);
  }
  expect(await get(other, file)).toBe(404);
});

test.each<[string, object, string]>([
  ['no subject', { subject: undefined }, 'required'],
  ['another patient as subject', { subject: { reference: 'Patient/another' } }, 'business-rule'],
  ['a status of the past', { status: 'superseded' }, 'business-rule'],
])('a document with %s is no evidence: 422', async (_name, rest, code) => {
  const answer = await assessWith((await filed(rest)).document);
  expect([answer.status, answer.body.issue[0].code]).toEqual([422, code]);
});

test('a document that an assessment rests on stays that patient\'s, and stays', async () => {
  const { document, file } = await filed();
  await assessWith(document);
  const { admin } = server.tokens;
  expect((await server.send('DELETE', document, { token: admin })).status).toBe(409);
  const { body } = await server.send('GET', document, { token: admin });
  const moved = await server.send('PUT', document, { token: admin, body: { ...body, subject: { reference: 'Patient/another' } } });
  expect([moved.status, errorCode(moved), moved.body.issue[0].expression]).toEqual([422, 'FORBIDDEN_UPDATE', ['DocumentReference.subject']]);
  expect((await server.send('PUT', document, { token: admin, body: { ...body, description: 'Visa, front' } })).status).toBe(200);
  expect((await server.send('PUT', document, { token: nurse, body })).status).toBe(403);
  expect(await get(other, file)).toBe(200);
});

test('an OVM reads the record of its own trust\'s accesses, and of no other\'s', async () => {
  const { document } = await filed();
  await get(nurse, document);
  const accesses = async (token: string): Promise<number> => (await server.send('GET', `AuditEvent?entity=${document}`, { token })).body.total ?? 0;
  for (let tries = 0; tries < 50 && (await accesses(nurse)) === 0; tries += 1) await new Promise((done) => { setTimeout(done, 100); });
  expect(await accesses(nurse)).toBeGreaterThan(0);
  expect(await accesses(other)).toBe(0);
});
