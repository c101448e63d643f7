// Whatever a caller sends, the server answers below 500, and refuses in an OperationOutcome.
import fc from 'fast-check';
import { startServer, type Answer, type TestServer } from '../server.js';
import { sendRaw } from './raw-request.js';

const PATIENT = {
  resourceType: 'Patient', id: 'p', active: true, meta: { tag: [{ system: 'urn:t', code: 'c' }], profile: ['http://example.org/p'] }, language: 'en',
  text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>' }, contained: [{ resourceType: 'Organization', id: 'o', name: 'O' }],
  extension: [{ url: 'http://example.org/e', valueDecimal: 1.5 }], identifier: [{ use: 'usual', system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990000018', period: { start: '2020', end: '2021-01' } }],
  name: [{ family: 'F', given: ['A', 'B'], _given: [null, { extension: [{ url: 'urn:x', valueString: 'x' }] }] }], telecom: [{ system: 'phone', value: '1', rank: 1 }], gender: 'female', birthDate: '1970-05-17', _birthDate: { id: 'b' },
  deceasedDateTime: '2020-01-01T10:00:00+01:00', address: [{ line: ['1'], postalCode: 'BA1 1AA' }], multipleBirthInteger: 2, managingOrganization: { reference: '#o' }, link: [{ other: { reference: 'Patient/q' }, type: 'seealso' }],
};
const OBSERVATION = {
  resourceType: 'Observation', status: 'final', code: { coding: [{ system: 'https://fhir.entitle.example/CodeSystem/status-assertion', code: 'ovm-assessment' }] }, subject: { reference: 'Patient/p' }, effectiveDateTime: '2026-05-10',
  performer: [{ identifier: { system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: 'RR8' }, type: 'Organization' }], valueCodeableConcept: { coding: [{ system: 'https://fhir.nhs.uk/spine-category-status-1', code: 'F' }] },
  component: [{ code: { text: 'x' }, valueQuantity: { value: 1.00, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' } }, { code: { text: 'y' }, valuePeriod: { start: '2020-01-01' } }],
};
const BUNDLE = {
  resourceType: 'Bundle', type: 'transaction',
  entry: [
    { fullUrl: 'urn:uuid:1', resource: PATIENT, request: { method: 'PUT', url: 'Patient/p', ifMatch: 'W/"1"' } },
    { fullUrl: 'urn:uuid:2', resource: { ...OBSERVATION, subject: { reference: 'urn:uuid:1' } }, request: { method: 'POST', url: 'Observation', ifNoneExist: '_id=x' } },
    { resource: { resourceType: 'Group', type: 'person', actual: true, member: [{ entity: { reference: 'Patient?_id=p' } }] }, request: { method: 'PUT', url: 'Group?identifier=x' } },
    { request: { method: 'DELETE', url: 'Patient/q' } }, { request: { method: 'GET', url: 'Patient?name=f&_include=Patient:organization' } },
  ],
};

let server: TestServer;
beforeAll(async () => { server = await startServer(); });
afterAll(() => server.close());

function expectAnswered(asked: unknown, { status, text, body }: Pick<Answer, 'status' | 'text' | 'body'>): void {
  const told = status < 400 || text === '' || (body?.resourceType === 'OperationOutcome' && typeof body.issue[0].details.text === 'string');
  if (status >= 500 || !told) throw new Error(`${status} ${text.slice(0, 500)} for ${JSON.stringify(asked).slice(0, 3000)}`);
}

const strange = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(null, '', ' ', [], {}, [null], [[]], [{}], -1, 0, 1e21, 1e-300, true, 'urn:uuid:1', '\u0001', '💥'.repeat(300), 'x'.repeat(9000), '9999-12-31', '0001-01-01', '2026-06-31', 'Patient/p', 'Patient/p/_history/9', '#', '#o', 'Patient?', 'http://[bad', '%zz', 'a|b$c,d\\'),
  fc.string({ unit: 'binary', maxLength: 30 }),
);
/** Where in the tree (as a share of all places) and what to do there. */
const change = fc.record({ at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), how: fc.constantFrom('replace', 'remove', 'rename', 'wrap', 'repeat'), value: strange, name: fc.oneof(fc.constantFrom('resourceType', 'id', 'meta', 'extension', 'reference', 'value', '_id', 'toString', 'valueString', 'x'), fc.string({ maxLength: 8 })) });
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

/** A copy with one place changed. */
function mutate(root: object, { at, how, value, name }: Change): object {
  const copy = structuredClone(root) as Record<string, unknown>;
  const places: [Record<string, unknown>, string][] = [];
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const key of Object.keys(node)) {
      places.push([node as Record<string, unknown>, key]);
      walk((node as Record<string, unknown>)[key]);
    }
  };
  walk(copy);
  const [parent, key] = places[Math.floor(at * places.length)] ?? [copy, 'id'];
  const old = parent[key];
  if (how === 'replace') parent[key] = value;
  else if (how === 'wrap') parent[key] = [old];
  else if (how === 'repeat') parent[key] = Array.from({ length: 50 }, () => old);
  else if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else {
    Reflect.deleteProperty(parent, key);
    if (how === 'rename') parent[name] = old;
  }
  return copy;
}
const changes = fc.array(change, { minLength: 1, maxLength: 3 });
const mutated = (root: object): fc.Arbitrary<object> => changes.map((list) => list.reduce(mutate, root));

const runs = { numRuns: 150 };

test.each([['PUT', 'Patient/p', PATIENT], ['POST', 'Patient', PATIENT], ['POST', 'Observation', OBSERVATION], ['POST', 'Bundle', { ...BUNDLE, type: 'collection', entry: [{ resource: OBSERVATION }] }]] as const)('%s %s with a resource changed at random; what is taken can be read and found', async (method, path, resource) => {
  await fc.assert(fc.asyncProperty(mutated(resource), async (body) => {
    const answer = await server.send(method, path, { token: server.tokens.admin, body });
    expectAnswered(body, answer);
    if (answer.status >= 300) return;
    const read = await server.send('GET', `${answer.body.resourceType}/${answer.body.id}`, { token: server.tokens.admin });
    expect({ status: read.status, same: read.text === answer.text }).toEqual({ status: 200, same: true });
  }), runs);
});

test('transactions and batches changed at random', async () => {
  await fc.assert(fc.asyncProperty(mutated(BUNDLE), fc.boolean(), async (bundle, asBatch) => {
    const body = asBatch ? { ...bundle, type: 'batch' } : bundle;
    const answer = await server.send('POST', '', { token: server.tokens.admin, body });
    expectAnswered(body, answer);
    for (const entry of answer.body.entry ?? []) expect(Number(entry.response.status.slice(0, 3))).toBeLessThan(500);
  }), runs);
});

test('text that was JSON before something was cut out, put in or doubled', async () => {
  const text = JSON.stringify(PATIENT);
  const place = fc.nat(text.length);
  await fc.assert(fc.asyncProperty(place, fc.nat(40), fc.oneof(fc.constantFrom('', '{', '}', '[', ']', '"', ',', ':', '\\', '\\u0000', '\\ud800', 'e999', '\u0000', '\ufeff', '/*'), fc.string({ unit: 'binary', maxLength: 6 })), async (at, length, put) => {
    const body = text.slice(0, at) + put + text.slice(at + length);
    expectAnswered(body, await server.send('PUT', 'Patient/p', { token: server.tokens.admin, body }));
  }), runs);
});

const piece = fc.oneof(
  fc.constantFrom('Patient', 'Observation', 'Group', 'p', '_history', '_search', '1', '0', '$chargeable-status', '$x', 'metadata', '', '.', '..', '_', '%', '%00', '%2F', '%ff', '__proto__', 'x'.repeat(70), '~', '?', '#', ';a=b'),
  fc.string({ maxLength: 10 }),
);
const name = fc.oneof(
  fc.constantFrom('name', 'identifier', 'birthdate', 'gender', '_id', '_lastUpdated', '_sort', '_count', '_include', '_revinclude', '_include:iterate', '_total', '_summary', '_elements', '_format', '_page', '_before', '_since', 'value-quantity', 'code-value-quantity', 'date', 'subject', 'patient', 'url',
    '_has:Observation:patient:code', 'subject:Patient.name', 'subject.identifier', 'general-practitioner', 'organization.partof.name', '_filter', '_text', '_query', '_list', '_type', 'near', 'phonetic', '_has', '_has:x', ':', '.', 'asOf'),
  fc.string({ maxLength: 12 }),
);
const modifier = fc.constantFrom('', '', '', ':exact', ':contains', ':missing', ':not', ':text', ':in', ':below', ':above', ':of-type', ':identifier', ':Patient', ':iterate', ':x', ':exact:exact');
const value = fc.oneof(
  fc.constantFrom('x', 'true', 'false', '', ',', '|', '||', 'a|b|c', '$', 'a$b', '\\', '\\,', 'ge2020', '2020-01-01T00:00:00Z', '2020-13', 'ap1', '1e400', '-1', '0', '99999999999', '1e99999999', 'NaN', '*', 'Patient:organization', 'Observation:subject:Patient', '-birthdate,name', 'Patient/p', 'http://x/Patient/p', 'urn:uuid:1', 'eq', 'https://fhir.nhs.uk/Id/nhs-number|9990000018', 'https://fhir.nhs.uk/fhir-observation-code-1|0001'),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.nat().map((count) => 'x,'.repeat(count % 300)),
);
const pair = fc.tuple(name, modifier, value, fc.boolean()).map(([key, mod, text, escaped]) => (escaped ? `${encodeURIComponent(key)}${mod}=${encodeURIComponent(text.replace(/\p{Surrogate}/gu, '?'))}` : `${key}${mod}=${text}`));
const query = fc.array(pair, { maxLength: 4 }).map((pairs) => pairs.join('&'));
/** What may stand in a request line. */
const wire = (text: string): string => Buffer.from(text, 'utf8').toString('latin1').replace(/[\x00-\x20\x7f]/g, '+');
const authorised = () => ({ authorization: `Bearer ${server.tokens.admin}` });

test('searches at random, by GET and by POST, strict and lenient', async () => {
  await fc.assert(fc.asyncProperty(fc.constantFrom('Patient', 'Observation', 'ValueSet', 'Encounter', 'Location'), query, fc.constantFrom('strict', 'lenient'), async (type, text, handling) => {
    expectAnswered(text, await sendRaw(server.base, { method: 'GET', path: wire(`/fhir/R4/${type}?${text}`), headers: { ...authorised(), prefer: `handling=${handling}` } }));
    expectAnswered(text, await sendRaw(server.base, { method: 'POST', path: `/fhir/R4/${type}/_search`, headers: { ...authorised(), 'content-type': 'application/x-www-form-urlencoded' }, body: text }));
  }), { numRuns: 300 });
});

test('URLs at random, by every method', async () => {
  await fc.assert(fc.asyncProperty(fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'), fc.array(piece, { maxLength: 5 }), query, fc.constantFrom(undefined, '{}', '{"resourceType":"Patient"}', '[]'), async (method, path, text, body) => {
    const target = wire(`/fhir/R4/${path.join('/')}?${text}`).replaceAll('#', '%23');
    // Bytes beyond ASCII are refused before the method is known, with a body that no one expects after a HEAD.
    const asked = { method, path: method === 'HEAD' ? target.replace(/[^\x21-\x7e]/g, '+') : target };
    expectAnswered(asked, await sendRaw(server.base, { ...asked, headers: { ...authorised(), ...(body !== undefined && { 'content-type': 'application/fhir+json' }) }, ...(body !== undefined && { body }) }));
  }), { numRuns: 300 });
});

test('headers at random', async () => {
  const names = fc.constantFrom('accept', 'content-type', 'prefer', 'if-match', 'if-none-match', 'if-none-exist', 'if-modified-since', 'x-request-id', 'host', 'authorization', 'x-forwarded-host', 'content-encoding', 'accept-charset', 'origin');
  const values = fc.oneof(fc.constantFrom('', '*', 'W/"1"', '"', ';', ',', '=', 'application/fhir+json', 'application/fhir+json; charset="', 'return=', 'handling=strict', 'identifier=x', '?', 'Patient?name=%', 'Bearer', 'Bearer x.y.z', 'a'.repeat(3000)), value);
  await fc.assert(fc.asyncProperty(fc.constantFrom('GET', 'POST', 'PUT'), fc.array(fc.tuple(names, values), { minLength: 1, maxLength: 4 }), async (method, list) => {
    const headers = { ...authorised(), 'content-type': 'application/fhir+json', ...Object.fromEntries(list.map(([key, text]) => [key, wire(text).replaceAll('+', ' ')])) };
    const body = method === 'GET' ? {} : { body: JSON.stringify({ resourceType: 'Patient', id: 'h' }) };
    expectAnswered({ method, list }, await sendRaw(server.base, { method, path: method === 'POST' ? '/fhir/R4/Patient' : '/fhir/R4/Patient/h', headers, ...body }));
  }), runs);
});
