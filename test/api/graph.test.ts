// $graph along a GraphDefinition, and documents with one. https://hl7.org/fhir/R4/resource-operation-graph.html
import { startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';

let server: TestServer;
const send = (method: string, path: string, body?: unknown) => server.send(method, path, { token: server.tokens.admin, body });
const put = async (resource: any): Promise<void> => { const { status, text } = await send('PUT', `${resource.resourceType}/${resource.id}`, resource); expect([status, text]).toEqual([201, text]); };
const URL = 'http://example.org/GraphDefinition/record';
const graph = (id: string, rest: object) => ({ resourceType: 'GraphDefinition', id, url: `http://example.org/GraphDefinition/${id}`, name: 'G', status: 'active', start: 'Patient', ...rest });
const reached = (body: any): string[] => body.entry.map(({ fullUrl }: any) => fullUrl.slice(server.base.length + 1));

beforeAll(async () => {
  server = await startServer();
  await put({ resourceType: 'Organization', id: 'o', name: 'O' });
  await put({ resourceType: 'Patient', id: 'p', managingOrganization: { reference: 'Organization/o' } });
  await put({ resourceType: 'Condition', id: 'c', subject: { reference: 'Patient/p' } });
  await put({ resourceType: 'Observation', id: 'e', status: 'final', code: { text: 'x' }, subject: { reference: 'Patient/p' }, focus: [{ reference: 'Condition/c' }], hasMember: [{ reference: 'Observation/m' }] });
  await put({ resourceType: 'Observation', id: 'm', status: 'final', code: { text: 'x' }, subject: { reference: 'Patient/other' } });
  await put({ resourceType: 'Composition', id: 'letter', status: 'final', type: { text: 'Letter' }, date: '2026-11-01', author: [{ reference: 'Organization/o' }], title: 'Letter', section: [{ entry: [{ reference: 'Observation/e' }] }] });
  await put(graph('record', { link: [
    { path: 'Patient.managingOrganization', target: [{ type: 'Organization' }] },
    { target: [{ type: 'Observation', params: 'subject={ref}', link: [{ path: 'Observation.hasMember', target: [{ type: 'Observation' }] }, { path: 'Observation.focus', target: [{ type: 'Resource' }] }] }] },
  ] }));
  await put(graph('letters', { start: 'Composition', link: [{ path: 'Composition.section.entry', target: [{ type: 'Observation', link: [{ path: 'Observation.hasMember', target: [{ type: 'Resource' }] }] }] }] }));
  await put(graph('bad', { link: [{ path: 'Patient.(', target: [{ type: 'Resource' }] }] }));
});
afterAll(() => server.close());

test('gives the resource, what it refers to and what refers to it', async () => {
  for (const name of [URL, 'GraphDefinition/record', `${server.base}/GraphDefinition/record`]) {
    const { status, body } = await send('GET', `Patient/p/$graph?graph=${encodeURIComponent(name)}`);
    expect([status, body.type, reached(body)]).toEqual([200, 'collection', ['Patient/p', 'Organization/o', 'Observation/e', 'Observation/m', 'Condition/c']]);
  }
});

test('a document has what its graph reaches', async () => {
  const { body } = await send('GET', 'Composition/letter/$document?graph=GraphDefinition/letters');
  expect(reached(body)).toEqual(['Composition/letter', 'Organization/o', 'Observation/e', 'Observation/m']);
});

test.each([
  ['Patient/p/$graph', 400], ['Patient/p/$graph?graph=http://example.org/none', 404], ['Patient/none/$graph?graph=GraphDefinition/record', 404],
  ['Organization/o/$graph?graph=GraphDefinition/record', 400], ['Patient/p/$graph?graph=GraphDefinition/bad', 400],
])('%s is %d', async (path, status) => { expectRefusal(await send('GET', path), status); });
