// Observation/$lastn. https://hl7.org/fhir/R4/observation-operation-lastn.html
import { startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';

let server: TestServer;
const LOINC = 'http://loinc.org';
const get = (path: string, token = server.tokens.admin) => server.send('GET', path, { token });
const ids = ({ body }: any): string[] => (body.entry ?? []).map(({ resource }: any) => resource.id);

beforeAll(async () => {
  server = await startServer();
  const subject = { reference: 'Patient/p' };
  const observed = (id: string, codings: object[], day: string, rest: object = {}) => ({ resourceType: 'Observation', id, status: 'final', category: [{ coding: [{ code: 'lab' }] }], code: codings.length > 0 ? { coding: codings } : { text: 'Mood' }, subject, effectiveDateTime: day, ...rest });
  const entry = [
    { resourceType: 'Patient', id: 'p' }, { resourceType: 'Patient', id: 'q' },
    observed('hr1', [{ system: LOINC, code: 'hr' }], '2026-01-01'), observed('hr2', [{ system: LOINC, code: 'hr' }], '2026-01-02'), observed('hr3', [{ system: LOINC, code: 'hr' }, { system: 'urn:own', code: 'pulse' }], '2026-01-03'),
    observed('hr4', [{ system: 'urn:own', code: 'pulse' }], '2026-01-04'), observed('bp1', [{ system: LOINC, code: 'bp' }], '2026-02-01', { category: [{ coding: [{ code: 'vital' }] }] }), observed('bp2', [{ system: LOINC, code: 'bp' }], '2026-01-01'),
    observed('mood1', [], '2026-01-05'), observed('mood2', [], '2026-01-06'), observed('other', [{ system: LOINC, code: 'hr' }], '2026-05-01', { subject: { reference: 'Patient/q' } }),
  ].map((resource) => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } }));
  expect((await server.send('POST', '', { token: server.tokens.admin, body: { resourceType: 'Bundle', type: 'transaction', entry } })).status).toBe(200);
});
afterAll(() => server.close());

test('gives the latest of each code, whatever other codings it has', async () => {
  const answer = await get('Observation/$lastn?patient=Patient/p');
  expect([answer.status, answer.body.type, answer.body.total]).toEqual([200, 'searchset', 3]);
  expect(ids(answer)).toEqual(['bp1', 'mood2', 'hr4']);
  expect(answer.body.link[0].url).toContain('/Observation/$lastn?patient=');
});

test('max says how many of each, the latest first', async () => {
  expect(ids(await get('Observation/$lastn?subject=Patient/p&max=2'))).toEqual(['bp1', 'bp2', 'mood2', 'mood1', 'hr4', 'hr3']);
});

test('is narrowed by any search parameter', async () => {
  expect(ids(await get('Observation/$lastn?patient=p&category=vital'))).toEqual(['bp1']);
  expect(ids(await get(`Observation/$lastn?patient=p&code=${LOINC}|hr&date=lt2026-01-03`))).toEqual(['hr2']);
  expect(Object.keys((await get('Observation/$lastn?patient=p&category=vital&_elements=code')).body.entry[0].resource)).not.toContain('effectiveDateTime');
});

test('takes Parameters, too', async () => {
  const body = { resourceType: 'Parameters', parameter: [{ name: 'patient', valueReference: { reference: 'Patient/p' } }, { name: 'max', valuePositiveInt: 1 }, { name: 'category', valueString: 'lab' }] };
  expect(ids(await server.send('POST', 'Observation/$lastn', { token: server.tokens.admin, body }))).toEqual(['mood2', 'hr4', 'bp2']);
});

test.each(['Observation/$lastn', 'Observation/$lastn?code=hr', 'Observation/$lastn?patient=p&max=0', 'Observation/$lastn?patient=p&max=x', 'Observation/$lastn?patient=p&_sort=date', 'Observation/$lastn?patient=p&date=never'])('%s is refused', async (path) => {
  expectRefusal(await get(path), 400);
});

test('is not for who may not search observations', async () => {
  expectRefusal(await get('Observation/$lastn?patient=p', server.tokens.homeOffice), 403);
});
