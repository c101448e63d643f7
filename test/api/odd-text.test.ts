// Text that means something to whoever handles it next: wildcards, NUL, half characters, members of prototypes, endless and deep, at every door.
import { gzipSync } from 'node:zlib';
import { startServer, type Answer, type TestServer } from '../server.js';
import { sendRaw } from './raw-request.js';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  const people = ['100% Cotton', 'a_b', 'axb', 'back\\slash', 'O\'Brien', 'plain', '50%', 'Ünal', 'semi;colon', '--comment', '$1', '{x}', 'a|b', 'a,b'];
  await server.seed(people.map((family, index) => ({ resourceType: 'Patient', id: `p${index}`, name: [{ family }], address: [{ city: family }], identifier: [{ system: 'urn:x', value: family }] })));
  await server.seed([
    { resourceType: 'HealthcareService', id: 'h', active: true, name: 'a_b 100%' }, { resourceType: 'HealthcareService', id: 'other', active: true, name: 'axb 1000' },
    { resourceType: 'ValueSet', id: 'v', url: 'http://example.org/a_b', status: 'active', name: 'a_b', title: '100%' }, { resourceType: 'ValueSet', id: 'w', url: 'http://example.org/axb', status: 'active', name: 'axb', title: '100x' },
  ]);
});
afterAll(() => server.close());

const get = (path: string, token = server.tokens.admin, headers: Readonly<Record<string, string>> = {}): Promise<Answer> => sendRaw(server.base, { method: 'GET', path: `/fhir/R4/${path}`, headers: { authorization: `Bearer ${token}`, ...headers } });
const families = ({ body }: Answer): string[] => (body.entry ?? []).map(({ resource }: any) => resource.name[0].family).sort();
const ids = ({ body }: Answer): string[] => (body.entry ?? []).map(({ resource }: any) => resource.id).sort();
/** As a search parameter writes it. */
const written = (text: string): string => encodeURIComponent(text.replace(/[\\,|$]/g, '\\$&'));
function expectAnswered(asked: unknown, { status, text, body }: Answer): void {
  expect([asked, status < 500 ? 'below 500' : `${status} ${text.slice(0, 300)}`]).toEqual([asked, 'below 500']);
  // The sign-in page tells people.
  if (status >= 400 && text !== '' && !text.includes('role="alert"')) expect([asked, body?.resourceType ?? typeof (body?.error ?? body?.message)]).toEqual([asked, body?.resourceType === 'OperationOutcome' ? 'OperationOutcome' : 'string']);
}

describe('wildcards of LIKE are letters', () => {
  test.each([['%', []], ['_', []], ['a_b', ['a_b']], ['a%', []], ['100%', ['100% Cotton']], ['50_', []], ['\\', []], ['back\\', ['back\\slash']], ['%25', []], ['$1', ['$1']], ['--', ['--comment']], ['O\'', ['O\'Brien']], ['\'; drop table x; --', []]])('family=%s', async (text, expected) => {
    expect(families(await get(`Patient?family=${written(text)}`))).toEqual(expected);
    expect(families(await get(`Patient?address-city=${written(text)}`))).toEqual(expected);
  });
  test.each([['%', ['100% Cotton', '50%']], ['_', ['a_b']], ['\\', ['back\\slash']], ['0%', ['100% Cotton', '50%']], ['_b', ['a_b']], ['\'', ['O\'Brien']]])('family:contains=%s', async (text, expected) => {
    expect(families(await get(`Patient?family:contains=${written(text)}`))).toEqual(expected);
    expect(families(await get(`Patient?name:contains=${written(text)}`))).toEqual(expected);
  });
  test.each(['%', '_', 'a_', '\\'])('in every other search by text: %s', async (text) => {
    expect(families(await get(`Patient?family:exact=${written(text)}`))).toEqual([]);
    expect(families(await get(`Patient?identifier=urn:x|${written(text)}`))).toEqual([]);
    expect(ids(await get(`ValueSet?url:below=${written(`http://example.org/${text}`)}`))).toEqual([]);
    expect(ids(await get(`ValueSet?url=${written(`http://example.org/a${text}`)}`))).toEqual([]);
    expect(families(await get(`Patient?_filter=${encodeURIComponent(`family co "${text.replaceAll('\\', '\\\\')}x"`)}`))).toEqual([]);
    for (const path of [`Patient?_text=${written(text)}`, `Patient?_content=${written(text)}`, `Patient?identifier:text=${written(text)}`, `Patient?phonetic=${written(text)}`, `Patient?general-practitioner:identifier=${written(text)}`, `Patient?identifier:of-type=x|${written(text)}|y`]) expectAnswered(path, await get(path));
  });
  test('of directories and value sets', async () => {
    expect(ids(await get(`HealthcareService?name=${written('a_b')}`))).toEqual(['h']);
    expect(ids(await get(`HealthcareService?name:contains=${written('0%')}`))).toEqual(['h']);
    expect(ids(await get(`ValueSet?title=${written('100%')}`))).toEqual(['v']);
    expect(ids(await get(`ValueSet?name=${written('a_')}`))).toEqual(['v']);
  });
});

/** NUL, controls, halves of pairs and overlong forms, as they come in a URL. */
const BYTES = ['%00', 'a%00b', '%01', '%7F', '%C2%80', '%ED%A0%80', '%ED%B0%80', '%C0%80', '%FF%FE', '%EF%BF%BF', '%F4%90%80%80', '%E2%80%AE', '\\%00'];
const PARAMETERS = [
  'Patient?family=X', 'Patient?family:exact=X', 'Patient?family:contains=X', 'Patient?identifier=X', 'Patient?identifier=X|y', 'Patient?identifier=y|X', 'Patient?birthdate=X', 'Patient?_id=X', 'Patient?_lastUpdated=X', 'Patient?organization=X', 'Patient?organization:Organization.name=X',
  'Patient?_has:Observation:patient:code=X', 'Patient?_sort=X', 'Patient?_include=X', 'Patient?_elements=X', 'Patient?_filter=family eq "X"', 'Patient?_text=X', 'Patient?_content=X', 'Patient?_list=X', 'Patient?_page=X', 'Patient?_tag=X', 'Patient?_profile=X', 'Patient?X=y', 'Patient?gender:in=X',
  'Observation?value-quantity=1|X|X', 'Observation?code-value-quantity=X$1', 'Observation?value-string=X', 'ValueSet?url=X', 'ValueSet?url:below=X', 'ValueSet/$expand?url=X', 'ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender&filter=X', 'CodeSystem/$lookup?system=X&code=X', 'CodeSystem/$validate-code?url=X&code=X',
  'ConceptMap/$translate?system=X&code=X', 'Patient/$chargeable-status?identifier=X', 'Patient/X', 'Patient/p0/_history/X', 'Patient/p0/_history?_since=X', '_history?_at=X', 'Patient/$match-X', 'HealthcareService?location.near=X', '_jobs/X', '$export?_type=X', 'Patient?_type=X', 'metadata?_format=X', 'Observation?subject:Patient.identifier=X&code=https://fhir.nhs.uk/fhir-observation-code-1|0001',
];

test.each(PARAMETERS)('%s with bytes that are no text', async (path) => {
  for (const bytes of BYTES) expectAnswered([path, bytes], await get(path.replaceAll('X', bytes).replaceAll(' ', '%20').replaceAll('"', '%22')));
});

test.each(['x-request-id', 'if-none-match', 'if-modified-since', 'if-match', 'prefer', 'accept', 'x-purpose-of-use', 'x-break-glass-reason', 'x-correlation-id', 'traceparent', 'nhsd-session-urid', 'ssp-traceid', 'user-agent', 'forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-provenance', 'cookie'])('the header %s with bytes above ASCII', async (name) => {
  for (const value of ['\u00ff\u00fe', '\u0080', 'a\u00a0b', '%00', '\\u0000', '"\\ud800"', 'x'.repeat(4000), '['.repeat(2000), '{"__proto__":1}']) expectAnswered([name, value.slice(0, 20)], await get('Patient/p0', server.tokens.admin, { [name]: value }));
});

describe('the doors beside the FHIR service', () => {
  const post = (path: string, body: string | Buffer, headers: Readonly<Record<string, string>> = {}): Promise<Answer> => sendRaw(server.base, { method: 'POST', path, headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers }, body });
  const FORMS = ['/oauth2/token', '/oauth2/introspect', '/oauth2/revoke', '/oauth2/authorize'];

  test.each(FORMS)('%s takes odd forms without harm', async (path) => {
    const names = ['grant_type', 'client_id', 'code', 'code_verifier', 'refresh_token', 'redirect_uri', 'scope', 'client_assertion', 'token', 'launch', 'state', 'patient', 'role', 'organization', 'aud', 'code_challenge'];
    for (const bytes of BYTES) {
      for (const grant of ['authorization_code', 'refresh_token', 'client_credentials']) {
        const form = `grant_type=${grant}&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&response_type=code&code_challenge_method=S256&${names.slice(1).map((name) => `${name}=${bytes}`).join('&')}`;
        expectAnswered([path, bytes, grant], await post(path, form));
      }
      expectAnswered([path, bytes], await post(path, `${bytes}=${bytes}&__proto__=x&constructor=y&grant_type=__proto__`));
    }
    for (const odd of ['', '&&&===', 'a'.repeat(60_000), Array.from({ length: 5000 }, (_one, index) => `a${index}=1`).join('&'), 'grant_type=x&grant_type=y', '\u0000']) expectAnswered([path, odd.slice(0, 20)], await post(path, odd));
  });

  const JSONS = ['{"__proto__":{"hook":"patient-view"}}', '{"constructor":{"prototype":{}}}', '{"hook":"patient-view","hook":"x"}', '{"hook":"\\u0000"}', '{"hook":"\\ud800"}', '['.repeat(20_000), `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`, 'null', '5', '', '\u0000', '{"id":"\\u0000","name":"\\udc00"}',
    JSON.stringify({ hook: 'patient-view', hookInstance: 'x', context: { userId: 'Practitioner/1', patientId: '\u0000' }, prefetch: { patient: { resourceType: 'Patient', identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '\u0000' }] } } }),
    JSON.stringify({ name: 'a\u0000b', roles: ['__proto__'], organization: '\ud800', jwks: { keys: [{ __proto__: 1 }] } }), JSON.stringify({ name: 'a\u0000b', roles: ['ovm'] }), JSON.stringify({ name: '\ud800', roles: ['ovm'], organization: 'R\u0000' })];
  test('/cds-services takes odd JSON without harm', async () => {
    for (const body of JSONS) for (const path of ['/cds-services/chargeable-status', '/cds-services/chargeable-status/feedback']) expectAnswered([path, body.slice(0, 60)], await post(path, body, { 'content-type': 'application/json', authorization: `Bearer ${server.tokens.supplier}` }));
  });
  test('/admin/clients takes odd JSON and odd ids without harm', async () => {
    const authorization = `Bearer ${server.tokens.admin}`;
    for (const body of JSONS) expectAnswered(['PUT client', body.slice(0, 60)], await sendRaw(server.base, { method: 'PUT', path: '/admin/clients/odd', headers: { authorization, 'content-type': 'application/json' }, body }));
    for (const id of [...BYTES, '__proto__', 'x'.repeat(600), '..', '%2e%2e', 'a%2fb']) for (const method of ['GET', 'PUT', 'DELETE']) expectAnswered([method, id.slice(0, 40)], await sendRaw(server.base, { method, path: `/admin/clients/${id}`, headers: { authorization, 'content-type': 'application/json' }, ...(method === 'PUT' && { body: '{"name":"x","roles":["ovm"]}' }) }));
  });
});

describe('bodies', () => {
  const put = (body: string | Buffer, headers: Readonly<Record<string, string>> = {}): Promise<Answer> => sendRaw(server.base, { method: 'POST', path: '/fhir/R4/Patient', headers: { authorization: `Bearer ${server.tokens.admin}`, 'content-type': 'application/fhir+json', ...headers }, body });
  test.each(['resourceType', 'id', 'meta', '__proto__', 'constructor', 'name'])('with %s twice', async (name) => {
    const { status } = await put(`{"resourceType":"Patient","${name}":"Patient","${name}":"Observation"}`);
    expect([400, 422]).toContain(status);
  });
  test('XML that is deep, endless in one name, or full of references to characters', async () => {
    const xml = (inner: string): string => `<Patient xmlns="http://hl7.org/fhir">${inner}</Patient>`;
    for (const body of [xml('<extension url="x">'.repeat(20_000)), xml(`${'<extension url="x">'.repeat(5000)}${'</extension>'.repeat(5000)}`), xml(`<${'a'.repeat(100_000)}/>`), xml('<name><family value="&#0;"/></name>'), xml('<name><family value="&#xD800;"/></name>'), xml('<name><family value="&#xFFFFFFFF;"/></name>'), xml('<name><family value="&lol;"/></name>'),
      xml(`<name><family ${Array.from({ length: 5000 }, (_one, index) => `a${index}="1"`).join(' ')}/></name>`), '<?xml version="1.0" encoding="UTF-7"?><Patient xmlns="http://hl7.org/fhir"/>', xml('<text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml">'.concat('<div>'.repeat(20_000))), `<!DOCTYPE x [${'<!ENTITY a "b">'.repeat(10)}]>${xml('')}`]) {
      const answer = await put(body, { 'content-type': 'application/fhir+xml' });
      expect([body.slice(0, 80), [400, 413, 422].includes(answer.status), answer.text.includes('OperationOutcome')]).toEqual([body.slice(0, 80), true, true]);
    }
  });
  test('that unpack to more than may be sent', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '));
    expect((await put(bomb, { 'content-encoding': 'gzip' })).status).toBe(413);
    expect((await put(gzipSync(bomb), { 'content-encoding': 'gzip, gzip' })).status).toBeLessThan(500);
    expect((await put(bomb.subarray(0, 1000), { 'content-encoding': 'gzip' })).status).toBe(400);
  });
});
