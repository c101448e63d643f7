// patch: JSON Patch and FHIRPath Patch, alone and as entries of bundles. https://hl7.org/fhir/R4/http.html#patch
import { startServer, type Answer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';

const JSON_PATCH = 'application/json-patch+json';
const SYSTEM = 'https://ids.example';

let server: TestServer;
beforeAll(async () => { server = await startServer(); });
afterAll(() => server.close());

const get = (path: string): Promise<Answer> => server.send('GET', path, { token: server.tokens.admin });
const put = (resource: { resourceType: string; id: string }): Promise<Answer> =>
  server.send('PUT', `${resource.resourceType}/${resource.id}`, { token: server.tokens.admin, body: resource });
const patient = (id: string, members: object = {}) => ({ resourceType: 'Patient', id, ...members });
/** A string is sent as it is: its numbers keep their digits. */
const jsonPatch = (path: string, operations: unknown, headers: Record<string, string> = {}, token = server.tokens.admin): Promise<Answer> =>
  server.send('PATCH', path, { token, body: typeof operations === 'string' ? operations : JSON.stringify(operations), headers: { 'content-type': JSON_PATCH, ...headers } });
const replacing = (path: string, value: Record<string, unknown>) => ({
  resourceType: 'Parameters',
  parameter: [{ name: 'operation', part: [{ name: 'type', valueCode: 'replace' }, { name: 'path', valueString: path }, { name: 'value', ...value }] }],
});
const fhirpathPatch = (path: string, body: object, headers: Record<string, string> = {}): Promise<Answer> =>
  server.send('PATCH', path, { token: server.tokens.admin, body, headers });
const activate = [{ op: 'add', path: '/active', value: true }];
const binary = (operations: unknown) => ({ resourceType: 'Binary', contentType: JSON_PATCH, data: Buffer.from(JSON.stringify(operations)).toString('base64') });
const bundle = (type: 'batch' | 'transaction', entry: readonly object[]): Promise<Answer> =>
  server.send('POST', '', { token: server.tokens.admin, body: { resourceType: 'Bundle', type, entry } });
const entry = (url: string, resource: object, request: object = {}) => ({ resource, request: { method: 'PATCH', url, ...request } });

/** The refusal, and that the resource is as it was. */
async function refused(id: string, patched: Promise<Answer>, status: number, refusal: Parameters<typeof expectRefusal>[2] = {}): Promise<void> {
  const before = await get(`Patient/${id}`);
  expectRefusal(await patched, status, refusal);
  expect((await get(`Patient/${id}`)).text).toBe(before.text);
}

describe('a patch makes the next version', () => {
  test('by JSON Patch', async () => {
    await put(patient('json', { active: false, name: [{ family: 'A' }] }));
    const answer = await jsonPatch('Patient/json', [{ op: 'replace', path: '/active', value: true }, { op: 'add', path: '/name/-', value: { family: 'B' } }]);
    expect(answer).toMatchObject({ status: 200, body: { id: 'json', active: true, name: [{ family: 'A' }, { family: 'B' }], meta: { versionId: '2' } } });
    expect(answer.headers).toMatchObject({ etag: 'W/"2"', location: `${server.base}/Patient/json/_history/2` });
    expect((await get('Patient/json')).text).toBe(answer.text);
  });

  test('by FHIRPath Patch', async () => {
    await put(patient('fhirpath', { name: [{ use: 'usual', family: 'A' }, { use: 'official', family: 'B' }] }));
    const answer = await fhirpathPatch('Patient/fhirpath', replacing('Patient.name.where(use = \'official\').family', { valueString: 'C' }));
    expect(answer).toMatchObject({ status: 200, body: { name: [{ family: 'A' }, { family: 'C' }], meta: { versionId: '2' } } });
    expect((await get('Patient/fhirpath')).text).toBe(answer.text);
  });

  test('which its history calls a PATCH', async () => {
    await put(patient('told'));
    await jsonPatch('Patient/told', activate);
    const { body } = await get('Patient/told/_history');
    expect(body.entry.map((one: any) => one.request.method)).toEqual(['PATCH', 'PUT']);
  });

  test('which searches find by what it holds now', async () => {
    await put(patient('found', { identifier: [{ system: SYSTEM, value: 'before' }] }));
    await jsonPatch('Patient/found', [{ op: 'replace', path: '/identifier/0/value', value: 'after' }]);
    expect((await get(`Patient?identifier=${SYSTEM}|after&_summary=count`)).body.total).toBe(1);
    expect((await get(`Patient?identifier=${SYSTEM}|before&_summary=count`)).body.total).toBe(0);
  });

  test('and is answered as was preferred', async () => {
    await put(patient('preferred'));
    expect(await jsonPatch('Patient/preferred', activate, { prefer: 'return=minimal' })).toMatchObject({ status: 200, text: '' });
    expect((await jsonPatch('Patient/preferred', activate, { prefer: 'return=OperationOutcome' })).body.resourceType).toBe('OperationOutcome');
  });
});

test('decimals keep their digits: those that stay and those of either kind of patch', async () => {
  const text = '{"resourceType":"Observation","id":"digits","status":"final","code":{"text":"x"},"component":[{"code":{"text":"a"},"valueQuantity":{"value":1.00}},{"code":{"text":"b"},"valueQuantity":{"value":12345678901234567890.10}}]}';
  await server.send('PUT', 'Observation/digits', { token: server.tokens.admin, body: text });
  await jsonPatch('Observation/digits', '[{"op":"add","path":"/valueQuantity","value":{"value":2.500}}]');
  const body = '{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"add"},{"name":"path","valueString":"Observation.value"},{"name":"name","valueString":"extension"},{"name":"value","part":[{"name":"url","valueUri":"http://example.org/x"},{"name":"value","valueDecimal":3.0}]}]}]}';
  const answer = await server.send('PATCH', 'Observation/digits', { token: server.tokens.admin, body });
  expect(answer.status).toBe(200);
  for (const digits of ['"value":1.00}', '"value":12345678901234567890.10}', '"value":2.500,', '"valueDecimal":3.0}']) expect(answer.text).toContain(digits);
});

describe('what the server owns stays', () => {
  test.each([
    ['another id', [{ op: 'replace', path: '/id', value: 'other' }], /id of Patient\/owned/],
    ['no id', [{ op: 'remove', path: '/id' }], /id of Patient\/owned/],
    ['another type', [{ op: 'replace', path: '/resourceType', value: 'Practitioner' }], /resourceType of Patient\/owned/],
    ['another resource altogether', [{ op: 'replace', path: '', value: { resourceType: 'Patient', id: 'other' } }], /id of Patient\/owned/],
    ['no resource', [{ op: 'replace', path: '', value: 'text' }], /JSON object/],
  ])('%s is refused', async (_name, operations: unknown, text) => {
    await put(patient('owned'));
    await refused('owned', jsonPatch('Patient/owned', operations), 400, { text });
  });

  test('versionId and lastUpdated are the server\'s, whatever the patch says', async () => {
    await put(patient('meta', { meta: { tag: [{ code: 'a' }] } }));
    const { body } = await jsonPatch('Patient/meta', [{ op: 'replace', path: '/meta/versionId', value: '77' }, { op: 'replace', path: '/meta/lastUpdated', value: '1999-01-01T00:00:00Z' }, { op: 'add', path: '/meta/tag/-', value: { code: 'b' } }]);
    expect(body.meta).toEqual({ versionId: '2', lastUpdated: expect.stringMatching(/^20[2-9]/), tag: [{ code: 'a' }, { code: 'b' }] });
  });
});

describe('a patch that does not fit changes nothing', () => {
  test('a test that fails undoes what came before it', async () => {
    await put(patient('tested', { active: false, birthDate: '1970-01-01' }));
    await refused('tested', jsonPatch('Patient/tested', [{ op: 'replace', path: '/active', value: true }, { op: 'test', path: '/birthDate', value: 'x' }]), 422, { code: 'processing', text: 'at /birthDate:', expression: 'Patient.birthDate' });
  });

  test('a FHIRPath that leads to nothing is told with its operation', async () => {
    await put(patient('nowhere'));
    await refused('nowhere', fhirpathPatch('Patient/nowhere', replacing('Patient.birthDate', { valueDate: '1970' })), 422, { code: 'processing', text: 'Patient.birthDate', expression: 'Parameters.parameter[0]' });
  });

  test('a result that is not valid is refused at its element, without a line of a text that nobody sent', async () => {
    await put(patient('invalid', { active: true }));
    const answer = await jsonPatch('Patient/invalid', [{ op: 'replace', path: '/active', value: 'maybe' }]);
    expectRefusal(answer, 422, { expression: 'Patient.active' });
    expect(answer.text).not.toMatch(/line|column/);
    expect((await get('Patient/invalid')).body).toMatchObject({ active: true, meta: { versionId: '1' } });
  });

  test.each([['malformed JSON', '[{'], ['no array', '{}'], ['no op', '[{"path":"/active"}]']])('%s is refused', async (_name, operations) => {
    await put(patient('malformed'));
    await refused('malformed', jsonPatch('Patient/malformed', operations), 400);
  });

  test('neither __proto__ nor a member named twice gets in', async () => {
    await put(patient('proto'));
    await refused('proto', jsonPatch('Patient/proto', '[{"op":"add","path":"/__proto__","value":{"active":true}}]'), 400);
    await refused('proto', jsonPatch('Patient/proto', '[{"op":"add","path":"/active","path":"/id","value":true}]'), 400);
  });

  test('copies without end are refused', async () => {
    await put(patient('bomb'));
    await refused('bomb', jsonPatch('Patient/bomb', Array.from({ length: 60 }, (_, index) => ({ op: 'copy', from: '', path: `/c${index}` }))), 422, { code: 'too-costly' });
  });
});

describe('the body', () => {
  test('of another media type is 415, and the answer says which are taken', async () => {
    await put(patient('typed'));
    const answer = await server.send('PATCH', 'Patient/typed', { token: server.tokens.admin, body: 'x', headers: { 'content-type': 'text/plain' } });
    expectRefusal(answer, 415);
    expect(answer.headers['accept-patch']).toBe('application/json-patch+json, application/xml-patch+xml, application/fhir+json, application/fhir+xml');
  });

  test('of JSON Patch is for PATCH only', async () => {
    expectRefusal(await server.send('PUT', 'Patient/typed', { token: server.tokens.admin, body: '[]', headers: { 'content-type': JSON_PATCH } }), 415);
  });

  test.each([['none', undefined], ['the resource itself', patient('typed')]])('%s is refused', async (_name, body) => {
    await put(patient('typed'));
    await refused('typed', server.send('PATCH', 'Patient/typed', { token: server.tokens.admin, ...(body && { body }) }), 400);
  });
});

describe('If-Match', () => {
  test('of the current version lets the patch through', async () => {
    await put(patient('matched'));
    expect((await jsonPatch('Patient/matched', activate, { 'if-match': 'W/"1"' })).status).toBe(200);
  });

  test('of another version is 412, before the patch is tried', async () => {
    await put(patient('stale'));
    await refused('stale', jsonPatch('Patient/stale', [{ op: 'remove', path: '/nothing' }], { 'if-match': 'W/"7"' }), 412);
  });
});

test('a resource that is not there is 404 and is not created, one that was deleted 410', async () => {
  expectRefusal(await jsonPatch('Patient/nobody', activate), 404);
  expect((await get('Patient/nobody')).status).toBe(404);
  await put(patient('deleted'));
  await server.send('DELETE', 'Patient/deleted', { token: server.tokens.admin });
  expectRefusal(await jsonPatch('Patient/deleted', activate), 410);
});

test('patches that come at once are all applied: none is lost', async () => {
  await put(patient('busy', { name: [{ family: 'first' }] }));
  const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => jsonPatch('Patient/busy', [{ op: 'add', path: '/name/-', value: { family: `writer ${index}` } }])));
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
  const { body } = await get('Patient/busy');
  expect(body.meta.versionId).toBe('21');
  expect(new Set(body.name.map((name: any) => name.family)).size).toBe(21);
});

describe('by criteria', () => {
  const seed = (id: string, value: string) => put(patient(id, { identifier: [{ system: SYSTEM, value }] }));

  test('the one match is patched', async () => {
    await seed('criteria', 'one');
    expect(await jsonPatch(`Patient?identifier=${SYSTEM}|one`, activate)).toMatchObject({ status: 200, body: { id: 'criteria', active: true } });
  });

  test('no match is 404, several are 412, no criteria 400', async () => {
    await seed('twin-1', 'twin');
    await seed('twin-2', 'twin');
    expectRefusal(await jsonPatch(`Patient?identifier=${SYSTEM}|none`, activate), 404);
    expectRefusal(await jsonPatch(`Patient?identifier=${SYSTEM}|twin`, activate), 412);
    expectRefusal(await jsonPatch('Patient', activate), 400);
  });
});

describe('access', () => {
  const observation = (id: string) => ({ resourceType: 'Observation', id, status: 'final', code: { text: 'blood pressure' } });

  test('a role that may not update may not patch', async () => {
    await put(patient('guarded'));
    await refused('guarded', jsonPatch('Patient/guarded', activate, {}, server.tokens.supplier), 403);
  });

  test('a row that the caller can not see is not there, whatever the patch', async () => {
    await put(observation('unseen'));
    const missing = await jsonPatch('Observation/missing', activate, {}, server.tokens.ovm);
    const unseen = await jsonPatch('Observation/unseen', [{ op: 'test', path: '/status', value: 'final' }], {}, server.tokens.ovm);
    expectRefusal(unseen, 404);
    expect(unseen.body.issue[0].details.text).toBe(missing.body.issue[0].details.text.replace('missing', 'unseen'));
    expect(JSON.stringify(unseen.body.issue[0].code)).toBe(JSON.stringify(missing.body.issue[0].code));
  });

  test('a caller that gets receipts only may not patch: whether a patch fits would tell', async () => {
    await put(observation('receipts'));
    const there = await jsonPatch('Observation/receipts', activate, {}, server.tokens.homeOffice);
    const missing = await jsonPatch('Observation/missing', activate, {}, server.tokens.homeOffice);
    expectRefusal(there, 403);
    expect([missing.status, missing.body.issue]).toEqual([there.status, there.body.issue]);
  });
});

describe('in bundles', () => {
  test.each(['batch', 'transaction'] as const)('a %s takes a JSON Patch as a Binary and a FHIRPath Patch as Parameters', async (type) => {
    await put(patient(`${type}-1`));
    await put(patient(`${type}-2`, { birthDate: '1970-01-01' }));
    const { status, body } = await bundle(type, [
      entry(`Patient/${type}-1`, binary(activate)),
      entry(`Patient/${type}-2`, replacing('Patient.birthDate', { valueDate: '1980-01-01' }), { ifMatch: 'W/"1"' }),
    ]);
    expect(status).toBe(200);
    expect(body.entry.map((one: any) => one.response.status.slice(0, 3))).toEqual(['200', '200']);
    expect((await get(`Patient/${type}-1`)).body).toMatchObject({ active: true, meta: { versionId: '2' } });
    expect((await get(`Patient/${type}-2`)).body).toMatchObject({ birthDate: '1980-01-01', meta: { versionId: '2' } });
  });

  test('a patch that fails undoes its transaction, and is told at its entry', async () => {
    await put(patient('undone'));
    const answer = await bundle('transaction', [
      { resource: patient('undone-2'), request: { method: 'PUT', url: 'Patient/undone-2' } },
      entry('Patient/undone', binary([{ op: 'remove', path: '/birthDate' }])),
    ]);
    expectRefusal(answer, 422, { expression: 'Bundle.entry[1].resource.birthDate' });
    expect((await get('Patient/undone-2')).status).toBe(404);
  });

  test('a patch that fails leaves the rest of its batch', async () => {
    await put(patient('alone'));
    const { body } = await bundle('batch', [entry('Patient/alone', binary([{ op: 'remove', path: '/birthDate' }])), entry('Patient/alone', binary(activate))]);
    expect(body.entry.map((one: any) => one.response.status.slice(0, 3))).toEqual(['422', '200']);
  });

  test('a patch can point at what the transaction creates', async () => {
    await put(patient('pointing'));
    const fullUrl = 'urn:uuid:00000000-0000-4000-8000-000000000001';
    const { body } = await bundle('transaction', [
      entry('Patient/pointing', binary([{ op: 'add', path: '/managingOrganization', value: { reference: fullUrl } }])),
      { fullUrl, resource: { resourceType: 'Organization', name: 'Acme' }, request: { method: 'POST', url: 'Organization' } },
    ]);
    const [, organization] = /Organization\/([^/]+)\//.exec(body.entry[1].response.location)!;
    expect((await get('Patient/pointing')).body.managingOrganization.reference).toBe(`Organization/${organization}`);
  });

  test('a resource is patched or updated once in a transaction', async () => {
    await put(patient('twice'));
    expectRefusal(await bundle('transaction', [entry('Patient/twice', binary(activate)), entry('Patient/twice', binary(activate))]), 400);
  });

  test.each([
    ['a Binary of another type', { ...binary(activate), contentType: 'application/json' }],
    ['a Binary without data', { resourceType: 'Binary', contentType: JSON_PATCH }],
    ['a Binary that is not UTF-8', { resourceType: 'Binary', contentType: JSON_PATCH, data: '/////w==' }],
    ['another resource', patient('wrong')],
  ])('%s is no patch', async (_name, resource) => {
    await put(patient('wrong'));
    await refused('wrong', bundle('transaction', [entry('Patient/wrong', resource)]), 400);
  });
});

test('the CapabilityStatement says so', async () => {
  const { body } = await server.send('GET', 'metadata');
  expect(body.patchFormat).toEqual([JSON_PATCH, 'application/xml-patch+xml', 'application/fhir+json', 'application/fhir+xml']);
  expect(body.rest[0].resource[0].interaction).toContainEqual({ code: 'patch' });
});
