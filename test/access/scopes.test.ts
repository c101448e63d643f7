// Scopes with search arguments and with a patient in context: they narrow a role's rows on every road, and what it writes.
// https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
import fc from 'fast-check';
import { cutScope, readScope, scopeText } from '../../src/fhir/smart-scope.js';
import { startServer, type Answer, type TestServer } from '../server.js';

const CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category';
const LAB = `category=${CATEGORY}|laboratory`;

let server: TestServer;

function observation(id: string, patient: string, category: string, rest: object = {}) {
  return { resourceType: 'Observation', id, status: 'final', category: [{ coding: [{ system: CATEGORY, code: category }] }], code: { text: id }, subject: { reference: `Patient/${patient}` }, ...rest };
}

beforeAll(async () => {
  server = await startServer();
  await server.seed([
    { resourceType: 'Patient', id: 'ada', name: [{ family: 'Ada' }] },
    { resourceType: 'Patient', id: 'bob', name: [{ family: 'Bob' }], link: [{ other: { reference: 'Patient/ada' }, type: 'seealso' }] },
    observation('lab-ada', 'ada', 'laboratory'),
    observation('vital-ada', 'ada', 'vital-signs', { hasMember: [{ reference: 'Observation/lab-ada' }] }),
    observation('lab-bob', 'bob', 'laboratory', { hasMember: [{ reference: 'Observation/vital-ada' }] }),
    { resourceType: 'Task', id: 'ada', status: 'requested', intent: 'order', for: { reference: 'Patient/ada' } },
    { resourceType: 'Task', id: 'bob', status: 'requested', intent: 'order', for: { reference: 'Patient/bob' } },
    { resourceType: 'Organization', id: 'org', name: 'Org' },
    { resourceType: 'Binary', id: 'file', contentType: 'text/plain', data: 'eA==' },
  ]);
});
afterAll(() => server.close());

type Call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;
async function with_(scope: string, rest: object = {}): Promise<Call> {
  const token = await server.token('admin', { scope, ...rest });
  return (method, path, body, headers = {}) => server.send(method, path, { token, body, headers });
}
const ids = ({ body }: Answer): string[] => (body.entry ?? []).filter((one: any) => one.search?.mode !== 'outcome').map((one: any) => one.resource?.id).sort();
const entry = (method: string, url: string, resource?: object) => ({ resourceType: 'Bundle', type: 'batch', entry: [{ ...(resource && { resource }), request: { method, url } }] });

describe('arguments hold on every road', () => {
  let call: Call;
  beforeAll(async () => { call = await with_(`system/Observation.rs?${LAB} system/Patient.rs`); });

  test.each(['Observation/vital-ada', 'Observation/vital-ada/_history/1', 'Observation/vital-ada/_history'])('%s is not there', async (path) => {
    expect((await call('GET', path)).status).toBe(404);
    expect((await call('GET', path.replace('vital', 'lab'))).status).toBe(200);
    const inBatch = await call('POST', '', entry('GET', path));
    expect(inBatch.body.entry[0].response.status).toMatch(/^404/);
    expect(inBatch.text).not.toContain('vital-signs');
  });

  test.each([
    ['Observation', ['lab-ada', 'lab-bob']],
    ['Observation?_id=vital-ada,lab-ada', ['lab-ada']],
    ['Observation?category=vital-signs', []],
    ['Observation?subject=Patient/ada', ['lab-ada']],
    ['Patient/ada/Observation', ['lab-ada']],
    ['Patient/ada/*', ['ada', 'bob', 'lab-ada']],
    ['?_type=Observation,Patient', ['ada', 'bob', 'lab-ada', 'lab-bob']],
    ['Observation?_id=lab-bob&_include=Observation:has-member', ['lab-bob']],
    ['Patient?_id=ada&_revinclude=Observation:subject', ['ada', 'lab-ada']],
    ['Patient?_has:Observation:subject:category=vital-signs', []],
    ['Patient?_has:Observation:subject:_id=vital-ada', []],
    ['Observation?has-member:Observation.category=vital-signs', []],
    ['Observation/_history', ['lab-ada', 'lab-bob']],
  ])('%s', async (path, found) => expect(ids(await call('GET', path))).toEqual(found));

  test('a total counts no more', async () => expect((await call('GET', 'Observation?_summary=count')).body.total).toBe(2));
  test('a sort and a POSTed search are no way round', async () => {
    expect(ids(await call('GET', 'Observation?_sort=-category'))).toEqual(['lab-ada', 'lab-bob']);
    expect(ids(await call('POST', 'Observation/_search', 'category=vital-signs', { 'content-type': 'application/x-www-form-urlencoded' }))).toEqual([]);
  });
  test('$everything tells no more', async () => expect(ids(await call('GET', 'Patient/ada/$everything'))).toEqual(expect.not.arrayContaining(['vital-ada'])));
  test('several scopes add up', async () => expect(ids(await (await with_(`system/Observation.rs?${LAB} system/Observation.rs?category=vital-signs&subject=Patient/ada`))('GET', 'Observation'))).toEqual(['lab-ada', 'lab-bob', 'vital-ada']));
  test('several arguments of one scope must all hold', async () => expect(ids(await (await with_(`system/Observation.rs?${LAB}&subject=Patient/ada`))('GET', 'Observation'))).toEqual(['lab-ada']));
  test('an escaped argument is the same', async () => expect(ids(await (await with_(`system/Observation.rs?category=${encodeURIComponent(`${CATEGORY}|laboratory`)}`))('GET', 'Observation'))).toEqual(['lab-ada', 'lab-bob']));
  test('a read and a search reach each what its own scope says', async () => {
    const split = await with_(`system/Observation.s?${LAB} system/Observation.r?category=vital-signs`);
    expect(ids(await split('GET', 'Observation'))).toEqual(['lab-ada', 'lab-bob']);
    expect([(await split('GET', 'Observation/lab-ada')).status, (await split('GET', 'Observation/vital-ada')).status]).toEqual([404, 200]);
  });
});

test.each(['category', 'category=', 'nonsense=1', '_count=1', 'category:below=x', 'date=yesterday', '_include=Observation:subject', '%', ''])('arguments that can not be understood reach nothing: ?%s', async (query) => {
  const call = await with_(`system/Observation.rs?${query}`);
  const answer = await call('GET', 'Observation');
  expect(answer.status === 403 || ids(answer).length === 0).toBe(true);
  expect([403, 404]).toContain((await call('GET', 'Observation/lab-ada')).status);
});

test.each(['openid', 'openid fhirUser launch/patient offline_access', 'system/observation.rs', 'system/Observation.sr', 'system/Observation.', 'System/*.*', 'system/*', 'system/*.readwrite', 'practitioner/*.read', '*', 'system/Observation.read?category=laboratory'])(
  'a token whose scopes say nothing of resources may do nothing: %s',
  async (scope) => {
    const call = await with_(scope);
    for (const [method, path] of [['GET', 'Observation/lab-ada'], ['GET', 'Observation'], ['GET', 'Patient/ada'], ['POST', 'Patient'], ['DELETE', 'Task/ada'], ['GET', 'StructureDefinition?_count=1']] as const) {
      expect((await call(method, path, method === 'POST' ? { resourceType: 'Patient' } : undefined)).status).toBe(403);
    }
  },
);

test.each([
  ['system/*.read', 200, 200, 403], ['system/*.write', 403, 403, 201], ['system/*.*', 200, 200, 201], ['user/Observation.read', 200, 200, 403], ['system/Observation.write', 403, 403, 201],
  ['system/Observation.c', 403, 403, 201], ['system/Observation.r', 200, 403, 403], ['system/Observation.s', 403, 200, 403],
])('%s, in either version\'s words', async (scope, read, search, create) => {
  const call = await with_(scope);
  const { id: _id, ...fresh } = observation('x', 'ada', 'procedure');
  expect([(await call('GET', 'Observation/lab-ada')).status, (await call('GET', 'Observation?_id=lab-ada')).status, (await call('POST', 'Observation', fresh)).status]).toEqual([read, search, create]);
});

describe('a write is within the scope before it and after it', () => {
  const lab = `system/Observation.cruds?${LAB}`;

  test('a new row', async () => {
    const call = await with_(lab);
    const before = (await server.database.query<{ count: string }>({ text: 'select count(*) from fhir."Observation"', values: [] })).rows[0]?.count;
    expect((await call('PUT', 'Observation/w1', observation('w1', 'ada', 'vital-signs'))).status).toBe(403);
    const { id: _id, ...fresh } = observation('x', 'ada', 'vital-signs');
    expect((await call('POST', 'Observation', fresh)).status).toBe(403);
    expect((await call('POST', '', { ...entry('POST', 'Observation', fresh), type: 'transaction' })).status).toBe(403);
    expect((await server.database.query<{ count: string }>({ text: 'select count(*) from fhir."Observation"', values: [] })).rows[0]?.count).toBe(before);
    expect((await call('PUT', 'Observation/w1', observation('w1', 'ada', 'laboratory'))).status).toBe(201);
  });

  test('a change into the scope, and out of it', async () => {
    const call = await with_(lab);
    await call('PUT', 'Observation/w2', observation('w2', 'ada', 'laboratory'));
    expect((await call('PUT', 'Observation/w2', observation('w2', 'ada', 'vital-signs'))).status).toBe(403);
    expect((await call('PATCH', 'Observation/w2', [{ op: 'replace', path: '/category/0/coding/0/code', value: 'vital-signs' }], { 'content-type': 'application/json-patch+json' })).status).toBe(403);
    expect((await call('PUT', 'Observation/w2', observation('w2', 'bob', 'laboratory'))).status).toBe(200);
    expect((await call('PUT', 'Observation/vital-ada', observation('vital-ada', 'ada', 'laboratory'))).status).toBe(404);
    expect((await call('DELETE', 'Observation/vital-ada')).status).not.toBe(204);
    expect((await server.send('GET', 'Observation/vital-ada', { token: server.tokens.admin })).body.category[0].coding[0].code).toBe('vital-signs');
    expect((await call('DELETE', 'Observation/w2')).status).toBe(204);
  });

  test('what may be read need not be what may be changed', async () => {
    const call = await with_(`system/Observation.rs system/Observation.u?${LAB}`);
    expect((await call('PUT', 'Observation/vital-ada', observation('vital-ada', 'ada', 'laboratory'))).status).toBe(403);
    expect((await call('PUT', 'Observation/new', observation('new', 'ada', 'laboratory'))).status).toBe(403);
    expect((await call('PUT', 'Observation/lab-ada', observation('lab-ada', 'ada', 'laboratory'))).status).toBe(200);
  });

  test('conditions match what is in scope alone', async () => {
    const call = await with_(lab);
    expect((await call('DELETE', 'Observation?category=vital-signs&subject=Patient/ada')).status).not.toBe(403);
    expect((await server.send('GET', 'Observation/vital-ada', { token: server.tokens.admin })).status).toBe(200);
  });
});

describe('patient/ scopes', () => {
  test('of somebody else than the patient are for the patient in context', async () => {
    const call = await with_('patient/*.cruds', { patient: 'ada' });
    expect(ids(await call('GET', 'Observation?_id=lab-ada,vital-ada,lab-bob'))).toEqual(['lab-ada', 'vital-ada']);
    expect([(await call('GET', 'Patient/ada')).status, (await call('GET', 'Patient/bob')).status, (await call('GET', 'Observation/lab-bob')).status]).toEqual([200, 404, 404]);
    expect([(await call('GET', 'Task/ada')).status, (await call('GET', 'Task/bob')).status, (await call('GET', 'Binary/file')).status]).toEqual([200, 404, 403]);
    expect((await call('GET', 'Organization/org')).status).toBe(200);
    expect(ids(await call('GET', 'Observation?_id=lab-bob,lab-ada&_include=Observation:subject&_include=Observation:has-member'))).toEqual(['ada', 'lab-ada']);
    expect((await call('PUT', 'Observation/lab-bob', observation('lab-bob', 'ada', 'laboratory'))).status).toBe(404);
    expect((await call('PUT', 'Observation/lab-ada', observation('lab-ada', 'bob', 'laboratory'))).status).toBe(403);
    expect((await call('GET', 'Patient/bob/$everything')).status).toBe(404);
    expect((await call('GET', 'AuditEvent')).body.entry ?? []).toEqual([]);
  });

  test('without a patient in context reach nothing', async () => {
    const call = await with_('patient/*.cruds');
    expect((await call('GET', 'Observation')).status).toBe(403);
    expect((await call('GET', 'Patient/ada')).status).toBe(403);
  });

  test('beside user/ scopes bind only what they say themselves', async () => {
    const call = await with_('patient/Observation.rs user/Patient.rs', { patient: 'ada' });
    expect((await call('GET', 'Patient/bob')).status).toBe(200);
    expect(ids(await call('GET', 'Observation?_id=lab-bob'))).toEqual([]);
  });
});

describe('operations need the scopes of what they read and write', () => {
  test.each([
    ['system/Observation.r', 'POST', 'Claim/x/$pay', 403], ['system/Claim.cruds', 'POST', 'Claim/x/$pay', 403], ['system/Claim.ru system/Account.ru', 'POST', 'Claim/x/$pay', 404],
    [`system/Account.ru system/Claim.ru?status=active`, 'POST', 'Claim/x/$pay', 403], ['system/*.cruds', 'POST', 'Claim/x/$pay', 404],
    ['system/Account.r', 'GET', 'Account/x/$balance', 404], ['system/Claim.r', 'GET', 'Account/x/$balance', 403], ['system/Account.r', 'POST', 'Account/x/$suspend', 403], ['system/Account.ru', 'POST', 'Account/x/$suspend', 404],
    ['system/Patient.rs', 'GET', 'Patient/ada/$chargeable-status', 403], ['system/Observation.r', 'GET', 'Patient/ada/$chargeable-status', 200],
    [`system/Observation.rs?${LAB}`, 'GET', 'Patient/ada/$chargeable-status', 403], ['system/Patient.r', 'GET', 'Patient/ada/$everything', 200], ['system/Observation.rs', 'GET', 'Patient/ada/$everything', 403],
    ['system/Patient.r', 'POST', 'CodeSystem/$lookup', 403], ['system/Patient.r', 'POST', 'Patient/$validate', 200],
    ['system/Patient.cruds', 'POST', 'Observation/x/$match-statement', 403],
  ])('%s: %s %s', async (scope, method, path, status) => {
    const call = await with_(scope);
    const body = path.endsWith('$validate') ? { resourceType: 'Patient' } : method === 'POST' ? { resourceType: 'Parameters', ...(path.includes('$pay') && { parameter: [{ name: 'kind', valueCode: 'notional' }] }) } : undefined;
    const answer = await call(method, path, body);
    // What stands behind the permission has other words for a call that says too little.
    if (status === 404) expect([404, 422, 400, 412]).toContain(answer.status);
    else expect(answer.status).toBe(status);
  });

  test('every operation of the CapabilityStatement says which', async () => {
    const { rest: [{ operation, resource }] } = (await server.send('GET', 'metadata')).body;
    const names = new Set<string>([...operation ?? [], ...resource.flatMap((one: any) => one.operation ?? [])].map((one: any) => one.name));
    const { operationsWithScopes } = await import('../../src/access/operation-scopes.js');
    expect([...names].filter((name) => !operationsWithScopes().includes(name))).toEqual([]);
  });
});

describe('a scope as text', () => {
  const letters = fc.subarray(Array.from('cruds'), { minLength: 1 }).map((some) => some.join(''));
  const scope = fc.tuple(fc.constantFrom('patient', 'user', 'system'), fc.constantFrom('*', 'Patient', 'Observation'), letters, fc.array(fc.tuple(fc.constantFrom('category', 'code', '_tag'), fc.string({ minLength: 1 })), { maxLength: 2 }))
    .map(([level, type, some, criteria]) => ({ level: level as 'user', type, letters: some.toUpperCase(), criteria }));

  test('is read as it is written', () => { fc.assert(fc.property(scope, (one) => { expect(readScope(scopeText(one))).toEqual(one); })); });

  test('cut by another allows nothing that either does not', () => {
    fc.assert(fc.property(scope, scope, (one, other) => {
      const cut = cutScope(one, other);
      if (!cut) return;
      for (const limit of [one, other]) {
        expect(limit.type === '*' || limit.type === cut.type).toBe(true);
        expect(Array.from(cut.letters).every((letter) => limit.letters.includes(letter))).toBe(true);
        expect(cut.criteria).toEqual(expect.arrayContaining([...limit.criteria]));
      }
    }));
  });
});
