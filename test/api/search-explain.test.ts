// `_explain`: the plan of a search, for administrators alone.
import { startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  await server.send('PUT', 'Patient/p', { token: server.tokens.admin, body: { resourceType: 'Patient', id: 'p', gender: 'female' } });
});
afterAll(() => server.close());

const get = (path: string, token = server.tokens.admin) => server.send('GET', path, { token });
const parts = (parameter: any, name: string): any[] => parameter.part.filter((part: any) => part.name === name);

test('gives the statement, its values and its plan, and no resource', async () => {
  const { status, body, text } = await get('Patient?gender=female&_explain=true');
  expect(status).toBe(200);
  expect(body).toMatchObject({ resourceType: 'Parameters', parameter: [{ name: 'search' }] });
  const [search] = body.parameter;
  expect(parts(search, 'type')).toEqual([{ name: 'type', valueCode: 'Patient' }]);
  expect(parts(search, 'sql')[0].valueString).toContain('from fhir."Patient"');
  expect(parts(search, 'value')).not.toHaveLength(0);
  expect(parts(search, 'plan')[0].valueString).toMatch(/cost=/);
  expect(parts(search, 'plan')[0].valueString).not.toMatch(/actual time/);
  expect(text).not.toContain('"gender"');
});

test('runs the search where it is to be measured', async () => {
  const { body } = await get('Patient?gender=female&_explain=analyze');
  expect(parts(body.parameter[0], 'plan')[0].valueString).toMatch(/actual time/);
});

test('of a total and of several types', async () => {
  expect(parts((await get('Patient?_count=0&_explain=true')).body.parameter[0], 'sql')[0].valueString).toContain('count(*)');
  expect((await get('?_type=Patient,Observation&_explain=true')).body.parameter).toHaveLength(2);
});

test('_explain=false is a search', async () => {
  expect((await get('Patient?_explain=false')).body.resourceType).toBe('Bundle');
});

test('is refused to all others, and for other values', async () => {
  expectRefusal(await get('Patient?_explain=true', server.tokens.ovm), 403, { expression: '_explain' });
  expectRefusal(await get('Patient?_explain=loudly'), 400, { expression: '_explain' });
});
