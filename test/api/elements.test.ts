// _elements and _summary. https://hl7.org/fhir/R4/search.html#summary
import { startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';

const SUBSETTED = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' };
let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  await put('Patient/p', `{"resourceType":"Patient","id":"p","meta":{"tag":[{"code":"kept"}]},"text":{"status":"generated","div":"<div xmlns=\\"http://www.w3.org/1999/xhtml\\">P</div>"},
    "extension":[{"url":"http://example.org/weight","valueDecimal":70.10}],"name":[{"family":"Sample"}],"_birthDate":{"id":"b"},"birthDate":"1980-01-01","multipleBirthInteger":2,
    "contact":[{"name":{"text":"A friend"}}],"communication":[{"language":{"text":"Welsh"}}]}`);
  await put('Observation/o', `{"resourceType":"Observation","id":"o","status":"final","code":{"text":"weight"},"subject":{"reference":"Patient/p"},"valueQuantity":{"value":70.10,"unit":"kg"},
    "note":[{"text":"measured at home"}],"referenceRange":[{"text":"usual"}],"component":[{"code":{"text":"c"},"valueString":"v","interpretation":[{"text":"i"}]}]}`);
});
afterAll(() => server.close());

async function put(path: string, body: string): Promise<void> {
  const { status, text } = await server.send('PUT', path, { token: server.tokens.admin, body, headers: { 'content-type': 'application/fhir+json' } });
  if (status !== 201) throw new Error(text);
}
const get = (path: string) => server.send('GET', path, { token: server.tokens.admin });
const members = (resource: any): string[] => Object.keys(resource).sort();

test('_elements gives the named elements, what the resource must have, and a tag that says so', async () => {
  const { status, body } = await get('Patient/p?_elements=birthDate,name');
  expect(status).toBe(200);
  expect(members(body)).toEqual(['_birthDate', 'birthDate', 'id', 'meta', 'name', 'resourceType']);
  expect(body.meta).toMatchObject({ versionId: '1', tag: [{ code: 'kept' }, SUBSETTED] });
  expect(members((await get('Observation/o?_elements=Observation.subject')).body)).toEqual(['code', 'id', 'meta', 'resourceType', 'status', 'subject']);
});

test('a choice is named by its element or as it is written, and numbers keep their digits', async () => {
  for (const name of ['value', 'valueQuantity']) expect((await get(`Observation/o?_elements=${name}`)).text).toContain('"value":70.10');
  expect(members((await get('Patient/p?_elements=multipleBirth')).body)).toContain('multipleBirthInteger');
});

test('a search gives the elements of its matches, and whole includes', async () => {
  const { body } = await get('Observation?_id=o&_elements=subject&_include=Observation:subject');
  expect(members(body.entry[0].resource)).toEqual(['code', 'id', 'meta', 'resourceType', 'status', 'subject']);
  expect(body.entry[1].resource.communication).toHaveLength(1);
  expect(body.entry[1].resource.meta.tag).toEqual([{ code: 'kept' }]);
});

test('_summary=true gives what the definitions call a summary, also below', async () => {
  const { body: patient } = await get('Patient/p?_summary=true');
  expect(members(patient)).toEqual(['_birthDate', 'birthDate', 'id', 'meta', 'name', 'resourceType']);
  const { body: found } = await get('Observation?_id=o&_summary=true');
  const [{ resource }] = found.entry;
  expect(members(resource)).toEqual(['code', 'component', 'id', 'meta', 'resourceType', 'status', 'subject', 'valueQuantity']);
  expect(members(resource.component[0])).toEqual(['code', 'valueString']);
  expect(resource.meta.tag).toEqual([SUBSETTED]);
});

test('_summary=text gives the narrative, data all but it, count the number, false everything', async () => {
  expect(members((await get('Patient/p?_summary=text')).body)).toEqual(['id', 'meta', 'resourceType', 'text']);
  const { body } = await get('Patient/p?_summary=data');
  expect(body.text).toBeUndefined();
  expect(body.extension).toHaveLength(1);
  expect((await get('Patient?_summary=count')).body).toMatchObject({ total: 1 });
  expect((await get('Patient/p?_summary=false')).body.meta.tag).toEqual([{ code: 'kept' }]);
});

test('the pages of a search keep to it', async () => {
  await put('Patient/q', '{"resourceType":"Patient","id":"q","active":true,"gender":"male"}');
  const { body } = await get('Patient?_elements=gender&_count=1');
  const { body: second } = await get(body.link.find((link: any) => link.relation === 'next').url.slice(server.base.length + 1));
  expect(second.entry.map(({ resource }: any) => resource.active)).toEqual([undefined]);
});

test('a bad _summary is refused', async () => {
  expectRefusal(await get('Patient/p?_summary=short'), 400, { code: 'value', expression: '_summary' });
  expectRefusal(await get('Patient?_summary=short'), 400, { code: 'value', expression: '_summary' });
});
