// `_contained` and `_containedType`: searching what stands inside other resources. https://hl7.org/fhir/R4/search.html#contained
import { startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  await put(order('one', [medicine('m1', 'paracetamol'), medicine('m2', 'caffeine')]));
  await put(order('two', [medicine('m1', 'paracetamol')]));
  await put({ resourceType: 'Medication', id: 'alone', code: coded('paracetamol') });
});
afterAll(() => server.close());

const SYSTEM = 'urn:medicines';
const coded = (code: string) => ({ coding: [{ system: SYSTEM, code, display: `Tablets of ${code}` }] });
const medicine = (id: string, code: string, more: object = {}) => ({ resourceType: 'Medication', id, code: coded(code), amount: { numerator: { value: '1.50' }, denominator: { value: 1 } }, ...more });
const order = (id: string, contained: object[], more: object = {}) => ({ resourceType: 'MedicationRequest', id, contained, status: 'active', intent: 'order', subject: { reference: 'Patient/p' }, medicationReference: { reference: '#m1' }, ...(contained.length > 1 && { supportingInformation: [{ reference: '#m2' }] }), ...more });

async function put(resource: { readonly resourceType: string; readonly id: string; readonly [member: string]: unknown }): Promise<void> {
  // A decimal that would lose its digits if it were read as a number.
  const body = JSON.stringify(resource).replaceAll('"1.50"', '1.50');
  const { status, text } = await server.send('PUT', `${resource.resourceType}/${resource.id}`, { token: server.tokens.admin, body, headers: { 'content-type': 'application/fhir+json' } });
  expect({ status, text: status < 300 ? '' : text }).toEqual({ status: expect.any(Number), text: '' });
}

const get = (query: string, token = server.tokens.admin) => server.send('GET', query, { token });
const urls = (body: any): string[] => (body.entry ?? []).filter((entry: any) => entry.search.mode === 'match').map((entry: any) => entry.fullUrl.slice(server.base.length + 1));
const found = async (query: string): Promise<string[]> => {
  const { status, body, text } = await get(query);
  expect({ status, text: status === 200 ? '' : text }).toEqual({ status: 200, text: '' });
  return urls(body);
};

test('what stands by itself is found without it, and with false', async () => {
  expect(await found('Medication?code=paracetamol')).toEqual(['Medication/alone']);
  expect(await found('Medication?code=paracetamol&_contained=false')).toEqual(['Medication/alone']);
});

test('true gives the containers of what matches, each once', async () => {
  expect(await found('Medication?code=paracetamol&_contained=true')).toEqual(['MedicationRequest/one', 'MedicationRequest/two']);
  expect(await found('Medication?code=caffeine&_contained=true&_containedType=container')).toEqual(['MedicationRequest/one']);
  expect(await found('Medication?code=caffeine,paracetamol&_contained=true')).toEqual(['MedicationRequest/one', 'MedicationRequest/two']);
});

test('both gives what stands by itself first', async () => {
  expect(await found('Medication?code=paracetamol&_contained=both&_containedType=contained')).toEqual(['Medication/alone', 'MedicationRequest/one#m1', 'MedicationRequest/two#m1']);
});

test('contained gives the resource itself, named by a fragment, with its digits', async () => {
  const { text, body } = await get('Medication?code=caffeine&_contained=true&_containedType=contained');
  expect(body).toMatchObject({ total: 1, entry: [{ fullUrl: `${server.base}/MedicationRequest/one#m2`, resource: { resourceType: 'Medication', id: 'm2' }, search: { mode: 'match' } }] });
  expect(text).toContain('"value":1.50');
});

test.each([
  [`code=${SYSTEM}|caffeine`, ['MedicationRequest/one#m2']],
  ['code:text=tablets of caff', ['MedicationRequest/one#m2']],
  ['code:not=paracetamol', ['MedicationRequest/one#m2']],
  ['code:missing=true', []],
  ['_id=m2', ['MedicationRequest/one#m2']],
  ['_id=alone', []],
  ['code=paracetamol&_id=m1', ['MedicationRequest/one#m1', 'MedicationRequest/two#m1']],
  ['_lastUpdated=lt2020-01-01', []],
  ['', ['MedicationRequest/one#m1', 'MedicationRequest/one#m2', 'MedicationRequest/two#m1']],
])('Medication?%s of the contained', async (query, expected) => {
  expect(await found(`Medication?_contained=true&_containedType=contained${query === '' ? '' : `&${encodeURI(query)}`}`)).toEqual(expected);
  const form = await server.send('POST', 'Medication/_search', { token: server.tokens.admin, body: `_contained=true&_containedType=contained${query === '' ? '' : `&${encodeURI(query)}`}`, headers: { 'content-type': 'application/x-www-form-urlencoded' } });
  expect(urls(form.body)).toEqual(expected);
});

test('strings, dates, references and quantities of the contained are found, and by no search of the others', async () => {
  await put({ resourceType: 'Observation', id: 'holds', status: 'final', code: { text: 'x' }, contained: [
    { resourceType: 'Patient', id: 'p', name: [{ family: 'Zuckmayer' }], birthDate: '1896-12-27', managingOrganization: { reference: 'Organization/o' } },
    { resourceType: 'Observation', id: 'o', status: 'final', code: { text: 'y' }, valueQuantity: { value: 77, unit: 'kg' } },
  ], subject: { reference: '#p' }, hasMember: [{ reference: '#o' }] });
  for (const query of ['Patient?family=zuckm', 'Patient?birthdate=1896', 'Patient?organization=Organization/o', 'Observation?value-quantity=gt76']) {
    expect(await found(`${query}&_contained=true`)).toEqual(['Observation/holds']);
    expect(await found(query)).toEqual([]);
    expect((await get(`${query}&_summary=count`)).body.total).toBe(0);
    expect((await get(`${query}&_contained=true&_summary=count`)).body.total).toBe(1);
  }
  expect(await found('Patient?_sort=family')).toEqual([]);
});

test('pages go through both parts to the end, and back', async () => {
  const all = ['Medication/alone', 'MedicationRequest/one#m1', 'MedicationRequest/one#m2', 'MedicationRequest/two#m1'];
  const first = await get('Medication?_contained=both&_containedType=contained&_count=1&_total=accurate');
  expect(first.body.total).toBe(4);
  const seen = urls(first.body);
  let page = first.body;
  const links: string[] = [];
  for (let next; (next = page.link.find((one: any) => one.relation === 'next')?.url);) {
    links.push(next);
    page = (await get(next.slice(server.base.length + 1))).body;
    seen.push(...urls(page));
  }
  expect(seen).toEqual(all);
  const before = page.link.find((one: any) => one.relation === 'previous').url;
  expect(urls((await get(before.slice(server.base.length + 1))).body)).toEqual([all[2]]);
});

test('a later version, a deletion and a transaction change what is found', async () => {
  await put(order('changes', [medicine('m1', 'ibuprofen')]));
  expect(await found('Medication?code=ibuprofen&_contained=true')).toEqual(['MedicationRequest/changes']);
  await put(order('changes', [medicine('m1', 'aspirin')]));
  expect(await found('Medication?code=ibuprofen&_contained=true')).toEqual([]);
  expect(await found('Medication?code=aspirin&_contained=true')).toEqual(['MedicationRequest/changes']);
  await put(order('changes', [], { contained: undefined, medicationReference: undefined, medicationCodeableConcept: { text: 'x' } }));
  expect(await found('Medication?code=aspirin&_contained=true')).toEqual([]);
  await put(order('changes', [medicine('m1', 'aspirin')]));
  expect(await found('Medication?code=aspirin&_contained=true')).toEqual(['MedicationRequest/changes']);
  await server.send('DELETE', 'MedicationRequest/changes', { token: server.tokens.admin });
  expect(await found('Medication?code=aspirin&_contained=true')).toEqual([]);
  const entry = ['t1', 't2'].map((id) => ({ resource: order(id, [{ ...medicine('m1', 'codeine'), amount: undefined }]), request: { method: 'PUT', url: `MedicationRequest/${id}` } }));
  expect((await server.send('POST', '', { token: server.tokens.admin, body: { resourceType: 'Bundle', type: 'transaction', entry } })).status).toBe(200);
  expect(await found('Medication?code=codeine&_contained=true')).toEqual(['MedicationRequest/t1', 'MedicationRequest/t2']);
  await server.send('POST', 'MedicationRequest/t1/$meta-add', { token: server.tokens.admin, body: { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { tag: [{ code: 'x' }] } }] } });
  expect(await found('Medication?code=codeine&_contained=true')).toEqual(['MedicationRequest/t1', 'MedicationRequest/t2']);
});

test('what was stored before the index was there is read in by the first search', async () => {
  await put(order('old', [medicine('m1', 'quinine')]));
  await server.database.query({ text: 'delete from fhir.contained where container = $1', values: ['old'] });
  await server.database.query({ text: "insert into fhir.contained_due (type, id) values ('MedicationRequest', 'old'), ('MedicationRequest', 'gone')", values: [] });
  expect(await found('Medication?code=quinine&_contained=true')).toEqual(['MedicationRequest/old']);
  expect(await found('Medication?code:text=tablets of quin&_contained=true')).toEqual(['MedicationRequest/old']);
});

test('purging old versions ends the rows of what they contained', async () => {
  await put(order('purged', [medicine('m1', 'arsenic')]));
  await put(order('purged', [], { contained: undefined, medicationReference: undefined, medicationCodeableConcept: { text: 'x' } }));
  expect((await server.send('DELETE', 'MedicationRequest/purged/_history', { token: server.tokens.admin })).status).toBeLessThan(300);
  const { rows } = await server.database.query({ text: "select from fhir.contained where container = 'purged'", values: [] });
  expect(rows).toEqual([]);
});

test('a caller who may not see the container finds nothing in it', async () => {
  await put({ resourceType: 'Observation', id: 'secret', status: 'final', code: { text: 'x' }, contained: [{ resourceType: 'Patient', id: 'p', identifier: [{ system: 'urn:x', value: 'hidden' }] }], subject: { reference: '#p' } });
  expect(await found('Patient?identifier=urn:x|hidden&_contained=true')).toEqual(['Observation/secret']);
  const { status, body } = await get('Patient?identifier=urn:x|hidden&_contained=true&_total=accurate', server.tokens.ovm);
  if (status === 200) expect({ total: body.total, entry: body.entry }).toEqual({ total: 0, entry: undefined });
  else expect(status).toBe(403);
});

test('_elements and _summary are of the resource that is given', async () => {
  const { body } = await get('Medication?code=caffeine&_contained=true&_containedType=contained&_elements=code');
  expect(Object.keys(body.entry[0].resource).sort()).toEqual(['code', 'id', 'meta', 'resourceType']);
});

test.each([
  ['Medication?_contained=maybe', 400], ['Medication?_contained=true&_containedType=box', 400], ['Medication?_contained=true&_sort=code', 400],
  ['Medication?_contained=true&_include=Medication:manufacturer', 400], ['?_type=Medication&_contained=true', 400], ['Patient/p/MedicationRequest?_contained=true', 400],
])('%s is refused', async (query, status) => {
  expectRefusal(await get(query), status, { expression: query.includes('box') ? '_containedType' : '_contained' });
});
