// $diff between versions and between resources: a FHIRPath Patch that can be sent as it is.
import { startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';

let server: TestServer;
const send = (method: string, path: string, body?: unknown, token = server.tokens.admin) => server.send(method, path, { token, body });
const put = (resource: any) => send('PUT', `${resource.resourceType}/${resource.id}`, resource);
const pathsOf = ({ body }: any): string[] => (body.parameter ?? []).map(({ part }: any) => `${part[0].valueCode} ${part[1].valueString}`);

beforeAll(async () => {
  server = await startServer();
  await put({ resourceType: 'Patient', id: 'p', gender: 'male', name: [{ family: 'A' }] });
  await put({ resourceType: 'Patient', id: 'p', gender: 'female', name: [{ family: 'A' }] });
  await put({ resourceType: 'Patient', id: 'p', gender: 'female', name: [{ family: 'A' }, { text: 'B' }] });
  await put({ resourceType: 'Patient', id: 'q', gender: 'male', name: [{ family: 'A' }] });
});
afterAll(() => server.close());

test('of one resource: from the version before, or the one that is named', async () => {
  expect(pathsOf(await send('GET', 'Patient/p/$diff'))).toEqual(['insert Patient.name']);
  expect(pathsOf(await send('GET', 'Patient/p/$diff?fromVersion=1'))).toEqual(['replace Patient.gender', 'insert Patient.name']);
  expect((await send('GET', 'Patient/p/$diff?fromVersion=3')).body).toEqual({ resourceType: 'Parameters' });
  expect(pathsOf(await send('GET', 'Patient/p/$diff?includeMeta=true'))[0]).toContain('Patient.meta');
});

test('of two: what it gives, sent as a patch, makes one the other', async () => {
  const { status, body } = await send('GET', '$diff?from=Patient/q&to=Patient/p/_history/3');
  expect(status).toBe(200);
  expect((await send('PATCH', 'Patient/q', body)).status).toBe(200);
  expect((await send('GET', '$diff?from=Patient/p&to=Patient/q')).body).toEqual({ resourceType: 'Parameters' });
});

test.each([
  ['Patient/none/$diff', 404], ['Patient/p/$diff?fromVersion=9', 404], ['$diff?from=Patient/p', 400], ['$diff?from=Patient/p&to=Patient/none', 404], ['$diff?from=Patient/p&to=Thing/1', 400], ['Patient/p/$diff?fromVersion=x', 400],
])('%s is %d', async (path, status) => { expectRefusal(await send('GET', path), status); });

test('resources of two types, one with a single version, and deletions can not be compared', async () => {
  await put({ resourceType: 'Basic', id: 'b', code: { text: 'x' } });
  expectRefusal(await send('GET', '$diff?from=Patient/p&to=Basic/b'), 400);
  expectRefusal(await send('GET', 'Basic/b/$diff'), 400);
  await send('DELETE', 'Basic/b');
  expectRefusal(await send('GET', 'Basic/b/$diff'), 410);
});
