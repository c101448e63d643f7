// XML Patch through the front door: on a resource by id, by criteria, and in a Bundle. https://hl7.org/fhir/R4/http.html#patch
import { startServer, type Answer, type TestServer } from '../server.js';

let server: TestServer;
beforeAll(async () => { server = await startServer(); });
afterAll(() => server.close());

const XML_PATCH = 'application/xml-patch+xml';
const token = (): string => server.tokens.admin;
const patch = (path: string, operations: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  server.send('PATCH', path, { token: token(), body: `<?xml version="1.0" encoding="UTF-8"?>\n<diff xmlns:f="http://hl7.org/fhir">${operations}</diff>`, headers: { 'content-type': XML_PATCH, ...headers } });

const DIV = '<div xmlns="http://www.w3.org/1999/xhtml"><p title=\'x\'>A&#160;&lt; B</p></div>';
async function put(id: string, more: string = ''): Promise<void> {
  const body = `{"resourceType":"Patient","id":"${id}","text":{"status":"generated","div":${JSON.stringify(DIV)}},"extension":[{"url":"https://example.org/x","valueDecimal":1.500}],"active":true,"name":[{"family":"One","given":["Ann","Eve"]},{"family":"Two"}],"managingOrganization":{"display":"Trust"}${more}}`;
  expect((await server.send('PUT', `Patient/${id}`, { token: token(), body })).status).toBe(201);
}
const read = async (id: string): Promise<Answer> => server.send('GET', `Patient/${id}`, { token: token() });

async function refused(id: string, operations: string, status: number, words: RegExp): Promise<void> {
  const before = (await read(id)).text;
  const answer = await patch(`Patient/${id}`, operations);
  expect(answer.status).toBe(status);
  expect(answer.body).toMatchObject({ resourceType: 'OperationOutcome' });
  expect(answer.body.issue[0].details.text).toMatch(words);
  expect((await read(id)).text).toBe(before);
}

test('values, elements and lists are replaced, added and removed; the rest keeps its digits and its narrative', async () => {
  await put('all');
  const { status, headers, body, text } = await patch('Patient/all', `
    <replace sel="f:Patient/f:active/@value">false</replace>
    <replace sel="f:Patient/f:name[f:family/@value='Two']/f:family"><f:family value="Three"/></replace>
    <remove sel="f:Patient/f:name[1]/f:given[1]"/>
    <add sel="f:Patient"><f:birthDate value="1980-02-01"/></add>
    <add sel="f:Patient/f:name[1]" pos="before"><f:name><f:text value="Zero"/></f:name></add>
    <add sel="f:Patient/f:managingOrganization" type="@id">mo</add>
    <remove sel="f:Patient/f:managingOrganization/f:display"/>
    <add sel="f:Patient/f:managingOrganization"><f:reference value="Organization/1"/></add>`);
  expect(status).toBe(200);
  expect(headers['etag']).toBe('W/"2"');
  expect(body).toMatchObject({
    active: false, birthDate: '1980-02-01', name: [{ text: 'Zero' }, { family: 'One', given: ['Eve'] }, { family: 'Three' }],
    managingOrganization: { id: 'mo', reference: 'Organization/1' }, text: { div: DIV },
  });
  expect(body.managingOrganization.display).toBeUndefined();
  expect(text).toContain('"valueDecimal":1.500');
});

test('what is added stands where FHIR wants it, wherever the patch puts it', async () => {
  await put('order');
  const { status, body } = await patch('Patient/order', '<add sel="/f:Patient" pos="prepend"><gender xmlns="http://hl7.org/fhir" value="female"/></add><add sel="/f:Patient"><f:name><f:family value="Last"/></f:name></add>');
  expect(status).toBe(200);
  expect(body).toMatchObject({ gender: 'female', name: [{ family: 'One' }, { family: 'Two' }, { family: 'Last' }] });
});

test('elements that are left with nothing go', async () => {
  await put('empty');
  const { status, body } = await patch('Patient/empty', '<remove sel="f:Patient/f:name[2]/f:family"/><remove sel="f:Patient/f:managingOrganization/f:display"/>');
  expect(status).toBe(200);
  expect(body.name).toEqual([{ family: 'One', given: ['Ann', 'Eve'] }]);
  expect(body.managingOrganization).toBeUndefined();
});

test('extensions, contained resources and narratives are reached', async () => {
  await put('deep', ',"contained":[{"resourceType":"Organization","id":"o","name":"Old"}],"generalPractitioner":[{"reference":"#o"}]');
  const { status, body, text } = await patch('Patient/deep', `
    <replace sel="f:Patient/f:extension[@url='https://example.org/x']/f:valueDecimal/@value">2.50</replace>
    <replace sel="f:Patient/f:contained/f:Organization[f:id/@value='o']/f:name/@value">New</replace>
    <replace sel="f:Patient/f:text/h:div/h:p/text()">C &amp; D</replace>`);
  expect(status).toBe(200);
  expect(text).toContain('"valueDecimal":2.50');
  expect(body.contained[0].name).toBe('New');
  expect(body.text.div).toBe('<div xmlns="http://www.w3.org/1999/xhtml"><p title="x">C &amp; D</p></div>');
});

test('a patch is answered in XML where that is asked for', async () => {
  await put('answer');
  expect((await patch('Patient/answer', '<replace sel="f:Patient/f:active/@value">false</replace>', { accept: 'application/fhir+xml' })).text).toContain('<active value="false"/>');
});

test('all operations are applied or none', async () => {
  await put('atomic');
  await refused('atomic', '<replace sel="f:Patient/f:active/@value">false</replace><remove sel="f:Patient/f:birthDate"/>', 422, /Operation 2 of the XML Patch \(remove\) fails at f:Patient\/f:birthDate: there is nothing/);
});

describe('what is refused', () => {
  beforeAll(() => put('kept'));
  test.each([
    ['a place that is two', '<remove sel="f:Patient/f:name"/>', 422, /2 nodes/],
    ['the resource', '<remove sel="f:Patient"/>', 422, /send a DELETE/],
    ['another type', '<remove sel="f:Observation/f:status"/>', 422, /nothing at this place/],
    ['another id', '<replace sel="f:Patient/f:id/@value">other</replace>', 400, /can not change the id/],
    ['no id', '<remove sel="f:Patient/f:id"/>', 400, /can not change the id/],
    ['an element that FHIR does not define', '<add sel="f:Patient"><f:nickname value="x"/></add>', 422, /leaves what is no resource: FHIR defines no element <nickname>/],
    ['an attribute that FHIR does not define', '<add sel="f:Patient/f:active" type="@x">y</add>', 422, /no attribute x/],
    ['an element twice', '<add sel="f:Patient"><f:active value="true"/></add>', 422, /<active> may stand once/],
    ['text', '<add sel="f:Patient/f:active">true</add>', 422, /Text may stand in narratives alone/],
    ['a value of another kind', '<replace sel="f:Patient/f:active/@value">yes</replace>', 422, /write true or false/],
    ['what validation refuses', '<add sel="f:Patient"><f:gender value="x"/></add>', 422, /gender/],
    ['no XML', '<replace', 400, /not well-formed/],
    ['no operation', '', 400, /holds no operation/],
    ['no XPath', '<remove sel="f:Patient["/>', 400, /can not be read as an XPath/],
  ])('%s', async (_what, operations, status, words) => { await refused('kept', operations, status, words); });

  test('a resource whose narrative is deeper than a patch can reach', async () => {
    const div = `<div xmlns="http://www.w3.org/1999/xhtml">${'<b>'.repeat(500)}x${'</b>'.repeat(500)}</div>`;
    expect((await server.send('PUT', 'Basic/deep', { token: token(), body: { resourceType: 'Basic', id: 'deep', text: { status: 'generated', div }, code: { text: 'x' } } })).status).toBe(201);
    expect((await patch('Basic/deep', '<replace sel="f:Basic/f:code/f:text/@value">y</replace>')).status).toBe(422);
  });

  test('a patch of what is not there', async () => {
    expect((await patch('Patient/nobody', '<remove sel="f:Patient/f:active"/>')).status).toBe(404);
  });

  test('an XML Patch by PUT', async () => {
    expect((await server.send('PUT', 'Patient/kept', { token: token(), body: '<diff/>', headers: { 'content-type': XML_PATCH } })).status).toBe(415);
  });

  test('If-Match of another version', async () => {
    expect((await patch('Patient/kept', '<remove sel="f:Patient/f:active"/>', { 'if-match': 'W/"9"' })).status).toBe(412);
  });
});

test('a conditional patch finds its resource by criteria', async () => {
  await put('found', ',"identifier":[{"system":"https://example.org/id","value":"f1"}]');
  const { status, body } = await patch('Patient?identifier=https://example.org/id|f1', '<replace sel="f:Patient/f:active/@value">false</replace>');
  expect(status).toBe(200);
  expect(body).toMatchObject({ id: 'found', active: false });
  expect((await patch('Patient?identifier=https://example.org/id|none', '<remove sel="f:Patient/f:active"/>')).status).toBe(404);
  expect((await patch('Patient?active=true', '<remove sel="f:Patient/f:active"/>')).status).toBe(412);
});

test('a transaction takes one as a Binary', async () => {
  await put('entry');
  const data = Buffer.from('<diff xmlns:f="http://hl7.org/fhir"><replace sel="f:Patient/f:active/@value">false</replace></diff>').toString('base64');
  const entry = { resource: { resourceType: 'Binary', contentType: XML_PATCH, data }, request: { method: 'PATCH', url: 'Patient/entry' } };
  expect((await server.send('POST', '', { token: token(), body: { resourceType: 'Bundle', type: 'transaction', entry: [entry] } })).status).toBe(200);
  expect((await read('entry')).body.active).toBe(false);
});

test('the CapabilityStatement and the refusal of another media type say so', async () => {
  expect((await server.send('GET', 'metadata')).body.patchFormat).toContain(XML_PATCH);
  expect((await server.send('PATCH', 'Patient/kept', { token: token(), body: 'x', headers: { 'content-type': 'text/plain' } })).headers['accept-patch']).toContain(XML_PATCH);
});
