// `_include` and `_revinclude`, through HTTP: every form, and what stays outside. https://hl7.org/fhir/R4/search.html#include
import { startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';

let server: TestServer;
const organization = (id: string, partOf?: string) => ({ resourceType: 'Organization', id, name: id, ...(partOf && { partOf: { reference: `Organization/${partOf}` } }) });
const WORLD = [
  organization('o1'), organization('o2', 'o1'), organization('o3', 'o2'), organization('o4', 'o3'), organization('o5', 'o4'), organization('o6', 'o5'),
  organization('ring1', 'ring3'), organization('ring2', 'ring1'), organization('ring3', 'ring2'),
  { resourceType: 'Patient', id: 'p1', managingOrganization: { reference: 'Organization/o6' }, generalPractitioner: [{ reference: 'Practitioner/d1' }, { reference: 'Organization/o1' }] },
  { resourceType: 'Patient', id: 'p2', link: [{ other: { reference: 'Patient/p1' }, type: 'seealso' }] },
  { resourceType: 'Practitioner', id: 'd1' },
  { resourceType: 'Practitioner', id: 'd2' },
  { resourceType: 'Encounter', id: 'e1', status: 'finished', class: { code: 'AMB' }, subject: { reference: 'Patient/p1' }, participant: [{ individual: { reference: 'Practitioner/d2' } }] },
  { resourceType: 'Observation', id: 'a', status: 'final', code: { text: 'x' }, subject: { reference: 'Patient/p1' }, encounter: { reference: 'Encounter/e1' }, performer: [{ reference: 'Practitioner/d1' }, { reference: 'Organization/o6' }] },
  { resourceType: 'Observation', id: 'b', status: 'final', code: { text: 'x' }, subject: { reference: 'Patient/p2' }, performer: [{ reference: 'Practitioner/d2/_history/1' }], hasMember: [{ reference: 'Observation/a' }] },
  { resourceType: 'Library', id: 'l1', status: 'draft', type: { text: 'logic' }, url: 'http://example.org/Library/l', version: '1' },
  { resourceType: 'Library', id: 'l2', status: 'draft', type: { text: 'logic' }, url: 'http://example.org/Library/l', version: '2' },
  { resourceType: 'PlanDefinition', id: 'any', status: 'draft', library: ['http://example.org/Library/l'] },
  { resourceType: 'PlanDefinition', id: 'second', status: 'draft', relatedArtifact: [{ type: 'depends-on', resource: 'http://example.org/Library/l|2' }] },
];

beforeAll(async () => {
  server = await startServer();
  const entry = WORLD.map((resource) => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } }));
  const { status, text } = await server.send('POST', '', { token: server.tokens.admin, body: { resourceType: 'Bundle', type: 'transaction', entry } });
  if (status !== 200) throw new Error(text);
});
afterAll(() => server.close());

const get = (path: string, token = server.tokens.admin) => server.send('GET', path, { token });
const of = (body: any, mode: string): string[] => (body.entry ?? []).filter((entry: any) => entry.search.mode === mode).map((entry: any) => `${entry.resource.resourceType}/${entry.resource.id}`).sort();

test.each<readonly [query: string, matches: readonly string[], includes: readonly string[]]>([
  ['Observation?_id=a&_include=Observation:subject', ['a'], ['Patient/p1']],
  ['Observation?_id=a&_include=Observation:patient', ['a'], ['Patient/p1']],
  ['Observation?_id=a&_include=Observation:performer', ['a'], ['Organization/o6', 'Practitioner/d1']],
  ['Observation?_id=a&_include=Observation:performer:Practitioner', ['a'], ['Practitioner/d1']],
  ['Observation?_id=a&_include=Observation:performer:Organization', ['a'], ['Organization/o6']],
  ['Observation?_id=a&_include=Observation:subject&_include=Observation:encounter', ['a'], ['Encounter/e1', 'Patient/p1']],
  ['Observation?_id=a&_include=*', ['a'], ['Encounter/e1', 'Organization/o6', 'Patient/p1', 'Practitioner/d1']],
  ['Observation?_id=a&_include=Observation:*', ['a'], ['Encounter/e1', 'Organization/o6', 'Patient/p1', 'Practitioner/d1']],
  ['Observation?_id=a&_include=Observation:*:Patient', ['a'], ['Patient/p1']],
  // a version is the resource as it is now
  ['Observation?_id=b&_include=Observation:performer', ['b'], ['Practitioner/d2']],
  // matches are no includes
  ['Observation?_include=Observation:has-member', ['a', 'b'], []],
  ['Observation?_id=b&_include=Observation:has-member', ['b'], ['Observation/a']],
  // what has not been included is not gone on from, unless asked
  ['Observation?_id=a&_include=Observation:subject&_include=Patient:organization', ['a'], ['Patient/p1']],
  ['Observation?_id=a&_include=Observation:subject&_include:iterate=Patient:organization', ['a'], ['Organization/o6', 'Patient/p1']],
  ['Observation?_id=a&_include=Observation:subject&_include:recurse=Patient:organization', ['a'], ['Organization/o6', 'Patient/p1']],
  ['Organization?_id=o6&_include=Organization:partof', ['o6'], ['Organization/o5']],
  ['Organization?_id=o6&_include:iterate=Organization:partof', ['o6'], ['Organization/o1', 'Organization/o2', 'Organization/o3', 'Organization/o4', 'Organization/o5']],
  ['Organization?_id=ring1&_include:iterate=Organization:partof', ['ring1'], ['Organization/ring2', 'Organization/ring3']],
  ['Organization?_id=o1&_revinclude:iterate=Organization:partof', ['o1'], ['Organization/o2', 'Organization/o3', 'Organization/o4', 'Organization/o5', 'Organization/o6']],
  ['Patient?_id=p2&_include=Patient:link&_include:iterate=Patient:general-practitioner', ['p2'], ['Organization/o1', 'Patient/p1', 'Practitioner/d1']],
  ['Observation?_id=b&_include:iterate=*', ['b'], ['Encounter/e1', 'Observation/a', 'Organization/o1', 'Organization/o5', 'Organization/o6', 'Patient/p1', 'Patient/p2', 'Practitioner/d1', 'Practitioner/d2']],
  // the other way
  ['Patient?_id=p1&_revinclude=Observation:subject', ['p1'], ['Observation/a']],
  ['Patient?_id=p1&_revinclude=Observation:patient&_include:iterate=Observation:encounter', ['p1'], ['Encounter/e1', 'Observation/a']],
  ['Patient?_id=p1&_revinclude=Encounter:subject&_revinclude=Patient:link', ['p1'], ['Encounter/e1', 'Patient/p2']],
  ['Patient?_id=p1&_revinclude=Observation:*', ['p1'], ['Observation/a']],
  ['Patient?_id=p1&_revinclude=*', ['p1'], ['Encounter/e1', 'Observation/a', 'Patient/p2']],
  ['Practitioner?_id=d1&_revinclude=Observation:performer:Practitioner', ['d1'], ['Observation/a']],
  ['Practitioner?_id=d1&_revinclude=Observation:performer:Organization', ['d1'], []],
  ['Patient?_id=p1&_revinclude=Observation:subject&_revinclude:iterate=Observation:has-member', ['p1'], ['Observation/a', 'Observation/b']],
  // canonicals
  ['PlanDefinition?_id=any&_include=PlanDefinition:definition', ['any'], []],
  ['PlanDefinition?_id=second&_include=PlanDefinition:depends-on', ['second'], ['Library/l2']],
  ['PlanDefinition?_id=any&_include=PlanDefinition:depends-on', ['any'], ['Library/l1', 'Library/l2']],
  ['PlanDefinition?_include=*', ['any', 'second'], ['Library/l1', 'Library/l2']],
  ['Library?_id=l1&_revinclude=PlanDefinition:depends-on', ['l1'], ['PlanDefinition/any', 'PlanDefinition/second']],
])('%s', async (query, matches, includes) => {
  const { status, body, text } = await get(query);
  expect({ status, text: status === 200 ? '' : text }).toEqual({ status: 200, text: '' });
  const type = query.slice(0, query.indexOf('?'));
  expect(of(body, 'match')).toEqual(matches.map((id) => `${type}/${id}`));
  expect(of(body, 'include')).toEqual(includes);
  expect(body.total).toBe(matches.length);
});

test.each<readonly [query: string, says: RegExp]>([
  ['_include=Observation', /Type:parameter/],
  ['_include=Observation:subject:Patient:more', /Type:parameter/],
  ['_include=Observation:', /Type:parameter/],
  ['_include:sideways=Observation:subject', /:iterate/],
  ['_revinclude:iterate=*', /name a type/],
])('%s is refused', async (query, says) => {
  expectRefusal(await get(`Observation?${query}`), 400, { text: says });
});

test.each(['_include=Observation:nonsense', '_include=Nonsense:subject', '_include=Observation:code', '_include=Observation:subject:Nonsense'])('%s is left out with a warning, or refused under strict', async (query) => {
  const { status, body } = await get(`Observation?${query}`);
  expect(status).toBe(200);
  expect(of(body, 'outcome')).toHaveLength(1);
  expect(body.link[0].url).toBe(`${server.base}/Observation`);
  expectRefusal(await server.send('GET', `Observation?${query}`, { token: server.tokens.admin, headers: { prefer: 'handling=strict' } }), 400, { expression: '_include' });
});

test('of what the Grant hides nothing is included', async () => {
  const ovm = server.tokens.ovm;
  const query = 'Organization?_id=o1&_revinclude=Patient:general-practitioner&_revinclude=Encounter:service-provider&_include:iterate=Encounter:subject';
  expect((await get('Encounter/e1', ovm)).status).toBeGreaterThanOrEqual(403);
  const { status, body } = await get(query, ovm);
  expect(status).toBe(200);
  expect(of(body, 'include')).toEqual(['Patient/p1']);
  const hidden = await get('Patient?_id=p1&_revinclude=Encounter:subject&_revinclude=Observation:subject', ovm);
  expect({ status: hidden.status, includes: of(hidden.body, 'include') }).toEqual({ status: 200, includes: [] });
});

test('more than a page may hold is cut, and the page says so', async () => {
  const entry = Array.from({ length: 1100 }, (_, index) => ({
    resource: { resourceType: 'Basic', id: `many${index}`, code: { text: 'x' }, subject: { reference: 'Practitioner/d2' } }, request: { method: 'PUT', url: `Basic/many${index}` },
  }));
  const loaded = await server.send('POST', '', { token: server.tokens.admin, body: { resourceType: 'Bundle', type: 'transaction', entry } });
  expect(loaded.status).toBe(200);
  const { body } = await get('Practitioner?_id=d2&_revinclude=Basic:subject');
  expect(of(body, 'include')).toHaveLength(1000);
  expect(body.entry.at(-1)).toMatchObject({ search: { mode: 'outcome' }, resource: { issue: [{ severity: 'warning', details: { text: expect.stringContaining('1000') } }] } });
  const all = await get('Practitioner?_id=d1&_revinclude=Basic:subject');
  expect(of(all.body, 'outcome')).toEqual([]);
});

// https://hl7.org/fhir/R4/search.html#summary
test.each(['_summary=text&_include=Observation:subject', '_revinclude=Observation:has-member&_summary=text', '_include:iterate=Observation:subject&_summary=text'])('%s is refused: narratives go alone', async (query) => {
  expectRefusal(await get(`Observation?${query}`), 400, { code: 'value', expression: '_summary' });
  expect((await get(`Observation?${query.replace('text', 'true')}`)).status).toBe(200);
  expect((await get(`Observation?${query.replace('text', 'data')}`)).status).toBe(200);
});
