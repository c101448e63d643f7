// Bulk Data Access: $export of the system, of patients and of a Group. https://hl7.org/fhir/uv/bulkdata/export.html
import { startServer, type Answer, type Ask, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';

let server: TestServer;
const ask = (method: string, path: string, { token = server.tokens.admin, ...rest }: Ask = {}) => server.send(method, path, { token, ...rest });
const begin = (path: string, { headers, method = 'GET', ...rest }: Ask & { method?: string } = {}) => ask(method, path, { ...rest, headers: { prefer: 'respond-async', ...headers } });
const below = (url = ''): string => url.slice(server.base.length + 1);
const put = async (resource: any): Promise<void> => { expect((await ask('PUT', `${resource.resourceType}/${resource.id}`, { body: resource })).status).toBeLessThan(300); };

beforeAll(async () => {
  server = await startServer();
  for (const id of ['ann', 'ben', 'cat']) {
    await put({ resourceType: 'Patient', id, name: [{ family: id }], gender: 'female' });
    await put({ resourceType: 'Observation', id: `o-${id}`, status: 'final', code: { text: 'x', coding: [{ system: 'urn:c', code: id }] }, subject: { reference: `Patient/${id}` }, valueQuantity: { value: 1, unit: 'm' } });
  }
  await put({ resourceType: 'Observation', id: 'o-device', status: 'final', code: { text: 'x' }, subject: { reference: 'Device/none' } });
  await put({ resourceType: 'Condition', id: 'c-both', subject: { reference: 'Patient/ann' }, asserter: { reference: 'Patient/ben' } });
  await put({ resourceType: 'Group', id: 'some', type: 'person', actual: true, member: [{ entity: { reference: 'Patient/ann' } }, { entity: { reference: 'Patient/ben' } }, { entity: { reference: 'Patient/cat' }, inactive: true }] });
});
afterAll(() => server.close());

async function manifestOf(accepted: Answer, token?: string): Promise<any> {
  expect([accepted.status, accepted.text]).toEqual([202, '']);
  const path = below(accepted.headers['content-location']);
  for (;;) {
    const answer = await ask('GET', path, { token, headers: { accept: 'application/json' } });
    if (answer.status !== 202) {
      expect([answer.status, answer.headers['content-type']]).toEqual([200, expect.stringMatching(/^application\/json/)]);
      return answer.body;
    }
    expect(answer.headers).toMatchObject({ 'x-progress': expect.stringMatching(/\w/), 'retry-after': '1' });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function linesOf({ url, count }: any, token?: string): Promise<any[]> {
  const { status, headers, text } = await ask('GET', below(url), { token, headers: { accept: 'application/fhir+ndjson' } });
  expect([status, headers['content-type']]).toEqual([200, 'application/fhir+ndjson']);
  const lines = text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line));
  if (count !== undefined) expect(lines).toHaveLength(count);
  return lines;
}

/** `Type/id` of all files, which hold one type each. */
async function exported(path: string, options: Ask & { method?: string } = {}): Promise<string[]> {
  const { output } = await manifestOf(await begin(path, options), options.token);
  const found: string[] = [];
  for (const file of output) {
    const lines = await linesOf(file, options.token);
    expect(lines.every(({ resourceType }) => resourceType === file.type)).toBe(true);
    found.push(...lines.map(({ resourceType, id }) => `${resourceType}/${id}`));
  }
  expect(new Set(found).size).toBe(found.length);
  return found.sort();
}

test('of the system: a manifest, and each resource as a read gives it', async () => {
  const accepted = await begin('$export?_type=Patient,Condition');
  expect(accepted.headers['content-location']).toContain(`${server.base}/_jobs/`);
  const manifest = await manifestOf(accepted);
  expect(manifest).toMatchObject({ transactionTime: expect.stringMatching(/Z$/), request: `${server.base}/$export?_type=Patient%2CCondition`, requiresAccessToken: true, error: [] });
  expect(manifest.deleted).toBeUndefined();
  const [patients, conditions] = manifest.output;
  expect([patients.type, patients.count, conditions.type, conditions.count]).toEqual(['Patient', 3, 'Condition', 1]);
  expect((await linesOf(patients))[0]).toEqual((await ask('GET', 'Patient/ann')).body);
});

test('without types it has all there are', async () => {
  const all = await exported('$export');
  expect(all).toEqual(expect.arrayContaining(['Patient/ann', 'Observation/o-device', 'Condition/c-both', 'Group/some']));
  expect(all.some((one) => one.startsWith('StructureDefinition/'))).toBe(true);
});

test('of all patients: what is in their compartments', async () => {
  expect(await exported('Patient/$export')).toEqual(['Condition/c-both', 'Group/some', 'Observation/o-ann', 'Observation/o-ben', 'Observation/o-cat', 'Patient/ann', 'Patient/ben', 'Patient/cat']);
  const body = { resourceType: 'Parameters', parameter: [{ name: 'patient', valueReference: { reference: 'Patient/ben' } }, { name: '_type', valueString: 'Patient,Condition,Observation' }] };
  expect(await exported('Patient/$export', { method: 'POST', body })).toEqual(['Condition/c-both', 'Observation/o-ben', 'Patient/ben']);
});

test('of a Group: its active members, each resource once', async () => {
  expect(await exported('Group/some/$export?_type=Patient,Observation,Condition')).toEqual(['Condition/c-both', 'Observation/o-ann', 'Observation/o-ben', 'Patient/ann', 'Patient/ben']);
  const body = { resourceType: 'Parameters', parameter: [{ name: 'patient', valueReference: { reference: 'Patient/cat' } }] };
  expectRefusal(await begin('Group/some/$export', { method: 'POST', body }), 400);
  expectRefusal(await begin('Group/none/$export'), 404);
});

test('_typeFilter narrows its type, any of several', async () => {
  const query = `_type=Observation,Patient&_typeFilter=${encodeURIComponent('Observation?code=urn:c|ann')}&_typeFilter=${encodeURIComponent('Observation?subject=Patient/cat&status=final')}`;
  expect(await exported(`$export?${query}`)).toEqual(['Observation/o-ann', 'Observation/o-cat', 'Patient/ann', 'Patient/ben', 'Patient/cat']);
});

test('_elements leaves the elements that are asked for, and says so', async () => {
  const { output } = await manifestOf(await begin('$export?_type=Patient,Condition&_elements=Patient.name,subject'));
  const [patient] = await linesOf(output[0]);
  expect(Object.keys(patient).sort()).toEqual(['id', 'meta', 'name', 'resourceType']);
  expect(patient.meta.tag).toEqual([expect.objectContaining({ code: 'SUBSETTED' })]);
});

test('_since gives what changed, and what was deleted', async () => {
  await put({ resourceType: 'Basic', id: 'old', code: { text: 'x' } });
  await put({ resourceType: 'Basic', id: 'gone', code: { text: 'x' } });
  const first = await manifestOf(await begin('$export?_type=Basic'));
  expect(first.output[0].count).toBe(2);
  await put({ resourceType: 'Basic', id: 'new', code: { text: 'x' } });
  await ask('DELETE', 'Basic/gone');
  const second = await manifestOf(await begin(`$export?_type=Basic&_since=${first.transactionTime}`));
  expect((await linesOf(second.output[0])).map(({ id }) => id)).toEqual(['new']);
  expect(await linesOf(second.deleted[0])).toEqual([{ resourceType: 'Bundle', type: 'transaction', entry: [{ request: { method: 'DELETE', url: 'Basic/gone' } }] }]);
  const third = await manifestOf(await begin(`$export?_type=Basic&_since=${second.transactionTime}`));
  expect([third.output, third.deleted]).toEqual([[], []]);
});

test('a file has what there was at the moment, whatever is written since', async () => {
  await put({ resourceType: 'Flag', id: 'f', status: 'active', code: { text: 'before' }, subject: { reference: 'Patient/ann' } });
  const { output } = await manifestOf(await begin('$export?_type=Flag'));
  await put({ resourceType: 'Flag', id: 'f', status: 'inactive', code: { text: 'after' }, subject: { reference: 'Patient/ann' } });
  await put({ resourceType: 'Flag', id: 'later', status: 'active', code: { text: 'x' }, subject: { reference: 'Patient/ann' } });
  expect(await linesOf(output[0])).toMatchObject([{ id: 'f', status: 'active', code: { text: 'before' } }]);
  await ask('DELETE', 'Flag/f');
  expect(await linesOf(output[0])).toMatchObject([{ id: 'f', code: { text: 'before' } }]);
});

test('a file comes packed where that is asked for', async () => {
  const { output } = await manifestOf(await begin('$export?_type=Patient'));
  const response = await fetch(output[0].url, { headers: { authorization: `Bearer ${server.tokens.admin}`, 'accept-encoding': 'gzip' } });
  expect(response.headers.get('content-encoding')).toBe('gzip');
  expect((await response.text()).split('\n')).toHaveLength(4);
});

describe('what is wrong is refused', () => {
  test.each([
    ['without Prefer', '$export', { headers: { prefer: 'return=minimal' } }, 400], ['_outputFormat', '$export?_outputFormat=text/csv', {}, 400], ['_since', '$export?_since=yesterday', {}, 400],
    ['_type', '$export?_type=Patient,Thing', {}, 400], ['outside of the compartment', 'Patient/$export?_type=Organization', {}, 400], ['a filter that is none', '$export?_typeFilter=Patient', {}, 400],
    ['a filter of another type', '$export?_type=Patient&_typeFilter=Observation%3Fcode%3Da', {}, 400], ['a filter by what is not known', '$export?_typeFilter=Patient%3Fcolour%3Da', {}, 400],
    ['a filter that sorts', '$export?_typeFilter=Patient%3F_sort%3Dname', {}, 400], ['associated data', '$export?includeAssociatedData=LatestProvenanceResources', {}, 400], ['what nobody knows', '$export?_colour=red', {}, 400],
    ['patients by GET', 'Patient/$export?patient=Patient/ann', {}, 400], ['of one patient', 'Patient/ann/$export', {}, 404], ['a form that is not written', '$export', { headers: { accept: 'text/html' } }, 406],
  ])('%s: %s', async (_what, path, options, status) => { expectRefusal(await begin(path, options), status); });

  test('but left out where the caller is lenient', async () => {
    expect((await begin('$export?_type=Flag&_colour=red&includeAssociatedData=x', { headers: { prefer: 'respond-async, handling=lenient' } })).status).toBe(202);
  });

  test('in a Bundle', async () => {
    const { body } = await ask('POST', '', { body: { resourceType: 'Bundle', type: 'batch', entry: [{ request: { method: 'GET', url: '$export' } }] } });
    expect(body.entry[0].response.status).toBe('400 Bad Request');
  });
});

test('every _outputFormat that the guide names is taken', async () => {
  for (const format of ['application/fhir%2Bndjson', 'application/fhir+ndjson', 'application/ndjson', 'ndjson']) expect((await begin(`$export?_type=Flag&_outputFormat=${format}`)).status).toBe(202);
});

test('nobody else polls, downloads or calls it off: no other client, role or person', async () => {
  const accepted = await begin('$export?_type=Patient');
  const { output: [file] } = await manifestOf(accepted);
  const job = below(accepted.headers['content-location']);
  for (const token of [await server.token('admin', { client: 'another' }), server.tokens.ovm, await server.token('commissioner', { organization: 'QWE' })]) {
    expectRefusal(await ask('GET', job, { token }), 404);
    expectRefusal(await ask('GET', below(file.url), { token }), 404);
    expectRefusal(await ask('DELETE', job, { token }), 404);
  }
  expectRefusal(await server.send('GET', below(file.url)), 401);
  expect((await ask('GET', below(file.url))).status).toBe(200);
});

test('once called off there is neither manifest nor file, and no row of it', async () => {
  const accepted = await begin('$export?_type=Patient');
  const { output: [file] } = await manifestOf(accepted);
  const job = below(accepted.headers['content-location']);
  expect((await ask('DELETE', job)).status).toBe(202);
  expectRefusal(await ask('GET', job), 404);
  expectRefusal(await ask('GET', below(file.url)), 404);
  const { rows } = await server.database.query({ text: 'select from fhir.export_page where job = $1', values: [job.slice('_jobs/'.length)] });
  expect(rows).toEqual([]);
});

test('a role that may not export is refused at once', async () => {
  for (const token of [server.tokens.ovm, server.tokens.supplier, server.tokens.homeOffice, await server.token('patient', { patient: 'ann' })]) expectRefusal(await begin('$export', { token }), 403);
});

test('scopes leave what they reach', async () => {
  const token = await server.token('admin', { scope: 'system/Patient.rs' });
  expect(await exported('$export', { token })).toEqual(['Patient/ann', 'Patient/ben', 'Patient/cat']);
  expectRefusal(await begin('$export?_type=Condition', { token }), 403);
  const narrow = await server.token('admin', { scope: 'system/Observation.rs?code=urn:c|ann' });
  expect(await exported('$export', { token: narrow })).toEqual(['Observation/o-ann']);
});

test('each page that is given out is on record with its patients', async () => {
  const { output: [file] } = await manifestOf(await begin('$export?_type=Observation'));
  await linesOf(file);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const { rows } = await server.database.query<{ patient: string; others: string[] | null }>({ text: 'select patient, others from fhir.audit_event where interaction = \'$job\' and patient is not null', values: [] });
  expect(rows.flatMap(({ patient, others }) => [patient, ...(others ?? [])])).toEqual(expect.arrayContaining(['ann', 'ben', 'cat']));
});
