// The format XML through the front door: every interaction takes it and answers in it, and says what is wrong with it. https://hl7.org/fhir/R4/xml.html
import { startServer, type Answer, type TestServer } from '../server.js';

let server: TestServer;
beforeAll(async () => { server = await startServer(); });
afterAll(() => server.close());

const XML = 'application/fhir+xml';
const FHIR = 'xmlns="http://hl7.org/fhir"';
const send = (method: string, path: string, body?: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  server.send(method, path, { token: server.tokens.admin, ...(body === undefined ? {} : { body }), headers: { accept: XML, ...(body === undefined ? {} : { 'content-type': XML }), ...headers } });
const readJson = (path: string): Promise<Answer> => server.send('GET', path, { token: server.tokens.admin });

const FULL = `<?xml version="1.0" encoding="UTF-8"?>
<!-- a comment, which is no part of the resource -->
<Patient ${FHIR} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://hl7.org/fhir patient.xsd">
  <id value="full"/>
  <text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml"><p title='one'>A &lt; B &#160;<br/></p></div></text>
  <contained><Organization><id value="o"/><name value="&quot;Trust&quot; &amp; Sons"/></Organization></contained>
  <contained><Practitioner><id value="p"/></Practitioner></contained>
  <extension url="https://example.org/weight"><valueDecimal value="1.500"/></extension>
  <extension url="https://example.org/height"><valueQuantity><value value="0.00000010"/><unit value="m"/></valueQuantity></extension>
  <active value="true"/>
  <name id="n1">
    <family id="f1" value="Müller"><extension url="https://example.org/own"><valueString value="x"/></extension></family>
    <given value="Ann"/>
    <given><extension url="http://hl7.org/fhir/StructureDefinition/data-absent-reason"><valueCode value="unknown"/></extension></given>
    <given value="Eve"/>
  </name>
  <birthDate value="1980-05-01"/>
  <multipleBirthInteger value="+2"/>
  <managingOrganization><reference value="#o"/></managingOrganization>
  <generalPractitioner><reference value="#p"/></generalPractitioner>
</Patient>`.replace(/(<managingOrganization>.*\n)\s*(<generalPractitioner>.*\n)/, '$2$1');

describe('writing', () => {
  test('XML is stored as the JSON that says the same, decimals as they are written', async () => {
    expect((await send('PUT', 'Patient/full', FULL)).status).toBe(201);
    const { text, body } = await readJson('Patient/full');
    expect(text).toContain('"valueDecimal":1.500');
    expect(text).toContain('"value":0.00000010');
    expect(body).toMatchObject({
      text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml"><p title=\'one\'>A &lt; B &#160;<br/></p></div>' },
      contained: [{ resourceType: 'Organization', id: 'o', name: '"Trust" & Sons' }, { resourceType: 'Practitioner', id: 'p' }],
      active: true,
      name: [{
        id: 'n1', family: 'Müller', _family: { id: 'f1', extension: [{ url: 'https://example.org/own', valueString: 'x' }] },
        given: ['Ann', null, 'Eve'], _given: [null, { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' }] }, null],
      }],
      birthDate: '1980-05-01', multipleBirthInteger: 2,
      generalPractitioner: [{ reference: '#p' }], managingOrganization: { reference: '#o' },
    });
  });

  test('what was written comes back in XML, elements in the order of the definition', async () => {
    const { status, headers, text } = await send('GET', 'Patient/full');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/fhir+xml; charset=utf-8');
    expect(headers['etag']).toBe('W/"1"');
    expect(text).toMatch(/^<\?xml version="1\.0" encoding="UTF-8"\?><Patient xmlns="http:\/\/hl7\.org\/fhir"><id value="full"\/><meta>/);
    expect(text).toContain('<valueDecimal value="1.500"/>');
    expect(text).toContain('<contained><Organization><id value="o"/><name value="&quot;Trust&quot; &amp; Sons"/></Organization></contained><contained>');
    expect(text).toContain('<family id="f1" value="Müller"><extension url="https://example.org/own"><valueString value="x"/></extension></family><given value="Ann"/><given><extension');
    expect(text).toContain(`<p title='one'>A &lt; B &#160;<br/></p></div></text><contained>`);
    expect(text.indexOf('<generalPractitioner>')).toBeLessThan(text.indexOf('<managingOrganization>'));
  });

  test('members of JSON in any order come in the order of the definition', async () => {
    await server.send('PUT', 'Patient/order', { token: server.tokens.admin, body: '{"birthDate":"1980","active":true,"id":"order","name":[{"given":["B"],"family":"A"}],"resourceType":"Patient"}' });
    expect((await send('GET', 'Patient/order')).text).toMatch(/<active value="true"\/><name><family value="A"\/><given value="B"\/><\/name><birthDate value="1980"\/><\/Patient>$/);
  });

  test('white space and markup in values survive both ways', async () => {
    const text = 'a\tb\nc\r\n<d> & "e" \'f\' 💷';
    await server.send('PUT', 'Basic/space', { token: server.tokens.admin, body: { resourceType: 'Basic', id: 'space', code: { text } } });
    const xml = (await send('GET', 'Basic/space')).text;
    expect((await send('PUT', 'Basic/space2', xml.replace('value="space"', 'value="space2"'))).status).toBe(201);
    expect((await readJson('Basic/space2')).body.code.text).toBe(text);
  });

  test('prefixes say the same as a default namespace', async () => {
    const xml = `<f:Patient xmlns:f="http://hl7.org/fhir" xmlns:h="http://www.w3.org/1999/xhtml"><f:id value="prefixed"/><f:text><f:status value="generated"/><h:div><h:p class="a&amp;b">x &lt; y<h:br/></h:p></h:div></f:text><f:active value="false"/></f:Patient>`;
    expect((await send('PUT', 'Patient/prefixed', xml)).status).toBe(201);
    const { body } = await readJson('Patient/prefixed');
    expect(body.active).toBe(false);
    expect(body.text.div).toBe('<div xmlns="http://www.w3.org/1999/xhtml"><p class="a&amp;b">x &lt; y<br/></p></div>');
  });
});

describe('interactions', () => {
  test('create answers in XML, and Prefer is kept', async () => {
    const made = await send('POST', 'Patient', `<Patient ${FHIR}><active value="true"/></Patient>`);
    expect(made.status).toBe(201);
    expect(made.text).toContain('<active value="true"/></Patient>');
    expect((await send('POST', 'Patient', `<Patient ${FHIR}/>`, { prefer: 'return=OperationOutcome' })).text).toContain('<OperationOutcome xmlns="http://hl7.org/fhir">');
  });

  test('a search is a Bundle of resources in XML', async () => {
    const { status, text } = await send('GET', 'Patient?_id=full');
    expect(status).toBe(200);
    expect(text).toMatch(/<Bundle xmlns="http:\/\/hl7\.org\/fhir">.*<type value="searchset"\/><total value="1"\/><link>.*<entry><fullUrl value="[^"]*Patient\/full"\/><resource><Patient><id value="full"\/>/);
    expect(text).toContain('<valueDecimal value="1.500"/>');
    expect(text).toContain('<search><mode value="match"/></search>');
  });

  test('history, vread and the CapabilityStatement are there in XML', async () => {
    expect((await send('GET', 'Patient/full/_history')).text).toContain('<type value="history"/>');
    expect((await send('GET', 'Patient/full/_history/1')).text).toContain('<Patient xmlns=');
    expect((await send('GET', 'metadata')).text).toContain('<format value="application/fhir+xml"/>');
  });

  test('a transaction in XML is carried out and answered in XML', async () => {
    const entry = (id: string) => `<entry><fullUrl value="urn:uuid:${id}"/><resource><Patient><active value="true"/><extra/></Patient></resource><request><method value="POST"/><url value="Patient"/></request></entry>`.replace('<extra/>', '');
    const bundle = `<Bundle ${FHIR}><type value="transaction"/>${entry('61ebe359-bfdc-4613-8bf2-c5e300945f0a')}${entry('88f151c0-a954-468a-88bd-5ae15c08e059')}</Bundle>`;
    const { status, text } = await send('POST', '', bundle);
    expect(status).toBe(200);
    expect(text).toContain('<type value="transaction-response"/>');
    expect(text.match(/<status value="201/g)).toHaveLength(2);
  });

  test('operations take Parameters in XML', async () => {
    const { status, text } = await send('POST', 'Patient/$validate', `<Parameters ${FHIR}><parameter><name value="resource"/><resource><Patient><gender value="x"/></Patient></resource></parameter></Parameters>`);
    expect(status).toBe(200);
    expect(text).toContain('<expression value="Patient.gender"/>');
  });

  test('a FHIRPath Patch may come as XML', async () => {
    await send('PUT', 'Patient/patched', `<Patient ${FHIR}><id value="patched"/><birthDate value="1980"/></Patient>`);
    const operation = `<Parameters ${FHIR}><parameter><name value="operation"/>
      <part><name value="type"/><valueCode value="replace"/></part><part><name value="path"/><valueString value="Patient.birthDate"/></part><part><name value="value"/><valueDate value="1981-02"/></part></parameter></Parameters>`;
    expect((await send('PATCH', 'Patient/patched', operation)).text).toContain('<birthDate value="1981-02"/>');
  });

  test('a refusal is in XML', async () => {
    const { status, headers, text } = await send('GET', 'Patient/nobody');
    expect(status).toBe(404);
    expect(headers['content-type']).toBe('application/fhir+xml; charset=utf-8');
    expect(text).toMatch(/<OperationOutcome xmlns="http:\/\/hl7\.org\/fhir"><id value="[^"]+"\/><issue><severity value="error"\/><code value="not-found"\/>/);
  });

  test('what validation finds is told with its place in the XML', async () => {
    const { status, text } = await send('POST', 'Patient', `<Patient ${FHIR}>\n  <active value="true"/>\n  <gender value="x"/>\n</Patient>`);
    expect(status).toBe(400);
    expect(text).toMatch(/issue-line"><valueInteger value="3"\/>.*<expression value="Patient.gender"\/>/);
  });

  test('in an entry of a Bundle too', async () => {
    const bundle = `<Bundle ${FHIR}><type value="transaction"/>\n<entry>\n<resource>\n<Patient>\n<name>\n<use value="x"/>\n<family value="x"/></name></Patient></resource><request><method value="POST"/><url value="Patient"/></request></entry></Bundle>`;
    const { text } = await send('POST', '', bundle);
    expect(text).toMatch(/issue-line"><valueInteger value="6"\/>/);
  });
});

describe('what is refused', () => {
  const patient = (content: string): string => `<Patient ${FHIR}>\n${content}\n</Patient>`;
  test.each([
    ['an element that FHIR does not define', patient('<nickname value="x"/>'), /no element <nickname> in Patient/, 'Patient', 2],
    ['an element of another type', patient('<name><value value="x"/></name>'), /no element <value> in HumanName/, 'Patient.name[0]', 2],
    ['an attribute that FHIR does not define', patient('<active value="true" xsi="1"/>'), /no attribute xsi/, 'Patient.active', 2],
    ['xsi:type', patient('<active xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="boolean" value="true"/>'), /no attribute xsi:type/, 'Patient.active', 2],
    ['a value of what has none', patient('<name value="x"/>'), /no attribute value/, 'Patient.name[0]', 2],
    ['an id of a resource as an attribute', `<Patient ${FHIR} id="x"/>`, /no attribute id/, 'Patient', 1],
    ['an id of a data type as an element', patient('<name><id value="x"/></name>'), /no element <id>/, 'Patient.name[0]', 2],
    ['the wrong order', patient('<birthDate value="1980"/>\n<active value="true"/>'), /<active> must stand before <birthDate>/, 'Patient.active', 3],
    ['a list with something between', patient('<name><given value="a"/><family value="b"/></name>'), /<family> must stand before <given>/, 'Patient.name[0].family', 2],
    ['what may stand once, twice', patient('<active value="true"/><active value="true"/>'), /<active> may stand once/, 'Patient.active', 2],
    ['two forms of one element', patient('<deceasedBoolean value="true"/><deceasedDateTime value="2020"/>'), /<deceasedBoolean> and <deceasedDateTime> are forms of one element/, 'Patient.deceased.ofType(dateTime)', 2],
    ['another namespace', '<Patient xmlns="http://example.org"/>', /namespace of FHIR/, undefined, 1],
    ['no namespace', '<Patient/>', /namespace of FHIR/, undefined, 1],
    ['an element of another namespace', patient('<active xmlns="http://example.org" value="true"/>'), /must be in the namespace http:\/\/hl7\.org\/fhir/, 'Patient', 2],
    ['a narrative outside XHTML', patient('<text><status value="generated"/><div>x</div></text>'), /must be in the namespace http:\/\/www\.w3\.org\/1999\/xhtml/, 'Patient.text', 2],
    ['no resource', `<HumanName ${FHIR}/>`, /no resource type/, undefined, 1],
    ['an abstract resource', `<DomainResource ${FHIR}/>`, /no resource type/, undefined, 1],
    ['a data type where a resource must be', patient('<contained><HumanName/></contained>'), /no resource type/, 'Patient.contained[0]', 2],
    ['two resources in one place', patient('<contained><Basic/><Basic/></contained>'), /holds one resource/, 'Patient.contained[0]', 2],
    ['no resource where one must be', patient('<contained/>'), /there is none/, 'Patient.contained[0]', 2],
    ['an empty element', patient('<name/>'), /must have elements in it/, 'Patient.name[0]', 2],
    ['an empty primitive', patient('<active/>'), /must have a value or extensions/, 'Patient.active', 2],
    ['text', patient('<active>true</active>'), /<active value="…"\/>/, 'Patient.active', 2],
    ['CDATA', patient('<active><![CDATA[true]]></active>'), /Text may stand in narratives alone/, 'Patient.active', 2],
    ['a number that is none', patient('<multipleBirthInteger value="two"/>'), /"two" is no integer/, 'Patient.multipleBirth.ofType(integer)', 2],
    ['a decimal that JSON could not hold', patient('<extension url="https://example.org/x"><valueDecimal value="1."/></extension>'), /"1\." is no decimal/, 'Patient.extension[0].value.ofType(decimal)', 2],
    ['a truth that is none', patient('<active value="1"/>'), /write true or false/, 'Patient.active', 2],
    ['a DOCTYPE', `<!DOCTYPE Patient [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n<Patient ${FHIR}/>`, /no DOCTYPE/, undefined, 1],
    ['entities that expand', `<!DOCTYPE Patient [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Patient ${FHIR}><language value="&b;"/></Patient>`, /no DOCTYPE/, undefined, 1],
    ['entities of HTML', patient('<text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml">&nbsp;</div></text>'), /not well-formed XML: undefined entity/, 'Patient.text.div', 2],
    ['tags that do not match', patient('<name><family value="x"></name>'), /not well-formed XML/, undefined, 2],
    ['a prefix that is bound to nothing', patient('<f:active value="true"/>'), /not well-formed XML: unbound namespace prefix/, 'Patient', 2],
    ['two roots', `<Patient ${FHIR}/><Patient ${FHIR}/>`, /not well-formed XML/, undefined, 1],
    ['JSON', '{"resourceType":"Patient"}', /not well-formed XML/, undefined, 1],
    ['another encoding', `<?xml version="1.0" encoding="ISO-8859-1"?><Patient ${FHIR}/>`, /UTF-8/, undefined, 1],
    ['a character that XML does not have', patient('<language value="&#0;"/>'), /not well-formed XML/, 'Patient', 2],
  ])('%s', async (_what, xml, words, expression, line) => {
    const { status, body } = await send('POST', 'Patient', xml, { accept: 'application/fhir+json' });
    expect(status).toBe(400);
    expect(body.issue).toHaveLength(1);
    expect(body.issue[0].details.text).toMatch(words);
    if (expression !== undefined) expect(body.issue[0].expression).toEqual([expression]);
    expect(body.issue[0].extension[0]).toEqual({ url: 'http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-line', valueInteger: line });
  });

  test.each([
    ['elements', `${'<extension url="https://example.org/x">'.repeat(3000)}${'</extension>'.repeat(3000)}`],
    ['a narrative', `<text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml">${'<b>'.repeat(100_000)}${'</b>'.repeat(100_000)}</div></text>`],
  ])('%s that go too deep', async (_what, content) => {
    const { status, body } = await send('POST', 'Patient', `<Patient ${FHIR}>${content}</Patient>`, { accept: 'application/fhir+json' });
    expect(status).toBe(400);
    expect(body.issue[0].code).toBe('too-long');
  });

  test('a patient under the URL of a Basic', async () => {
    expect((await send('POST', 'Basic', `<Patient ${FHIR}/>`)).status).toBe(400);
  });
});
