// Bad input of every kind: the right 4xx with an OperationOutcome that says where, nothing written, never a 5xx.
// https://hl7.org/fhir/R4/http.html#Status-Codes
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { startServer, type Answer, type TestServer } from '../server.js';
import { sendRaw } from './raw-request.js';
import { expectRefusal } from './refusal.js';
import { rowCounts } from './row-counts.js';

const LIMIT = 300_000;
const LINE = 'http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-line';

let server: TestServer;
let before: Readonly<Record<string, number>>;
beforeAll(async () => {
  server = await startServer({ BODY_LIMIT_BYTES: String(LIMIT) });
  await server.send('PUT', 'Patient/there', { token: server.tokens.admin, body: { resourceType: 'Patient', id: 'there' } });
  before = await rowCounts(server);
});
// Counted once for all: nothing in this file may write.
afterAll(async () => {
  try {
    expect(await rowCounts(server)).toEqual(before);
  } finally {
    await server.close();
  }
});

const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => server.send(method, path, { token: server.tokens.admin, body, headers });
const raw = (method: string, path: string, body?: string | Buffer, headers: Record<string, string | string[]> = {}): Promise<Answer> => sendRaw(server.base, {
  method, path: `/fhir/R4${path}`, ...(body !== undefined && { body }),
  headers: { authorization: `Bearer ${server.tokens.admin}`, ...(body !== undefined && { 'content-type': 'application/fhir+json' }), ...headers },
});
const patient = (rest: string): string => `{"resourceType":"Patient",${rest}}`;

describe('JSON that is none', () => {
  test.each([
    ['{"resourceType":"Patient",}', 1, 27],
    ['{"resourceType":"Patient"', 1, 26],
    ['{"resourceType":"Patient"\n"active":true}', 2, 1],
    ['{\n  "resourceType": "Patient",\n  "active": tru\n}', 3, 13],
    ["{'resourceType':'Patient'}", 1, 2],
    ['{"resourceType":"Patient"} trailing', 1, 28],
    ['{"resourceType":"Patient","active":truefalse}', 1, 40],
    ['{"resourceType":"Patient","birthDate":"1970\n"}', 1, 44],
    ['{"resourceType":"Patient","multipleBirthInteger":01}', 1, 51],
    ['{"resourceType":"Patient","multipleBirthInteger":NaN}', 1, 50],
    ['{"resourceType":"Patient","gender":"\\x41"}', 1, 37],
    ['{/* comment */"resourceType":"Patient"}', 1, 2],
    ['nonsense', 1, 1],
    ['<Patient xmlns="http://hl7.org/fhir"/>', 1, 1],
  ])('%j is refused with line and column', async (body, line, column) => {
    const answer = await send('POST', 'Patient', body);
    expectRefusal(answer, 400, { code: 'structure', text: new RegExp(`line ${line}, column ${column}\\b`) });
    expect(answer.body.issue[0].extension).toContainEqual({ url: LINE, valueInteger: line });
  });

  test('bytes that are not UTF-8 are refused', async () => {
    expectRefusal(await raw('POST', '/Patient', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])), 400, { code: 'structure', text: /UTF-8/ });
    expectRefusal(await raw('POST', '/Patient', Buffer.from('{"resourceType":"Patient"}', 'utf16le')), 400);
  });

  test.each([['an array', '[]'], ['an array of resources', '[{"resourceType":"Patient"}]'], ['a string', '"Patient"'], ['a number', '5'], ['null', 'null'], ['true', 'true'], ['an object without type', '{}'], ['a type that is no string', '{"resourceType":5}'], ['a type that is empty', '{"resourceType":""}']])(
    '%s is no resource',
    async (_what, body) => {
      for (const [method, path] of [['POST', 'Patient'], ['PUT', 'Patient/x'], ['POST', '']] as const) expectRefusal(await send(method, path, body), 400);
    },
  );

  test('no body at all is refused', async () => {
    expectRefusal(await send('POST', 'Patient'), 400, { text: /Patient/ });
    expectRefusal(await raw('POST', '/Patient', ''), 400);
    expectRefusal(await send('PUT', 'Patient/x'), 400);
    expectRefusal(await send('POST', ''), 400);
    expectRefusal(await raw('POST', '/Patient', '   '), 400);
  });
});

describe('JSON that FHIR does not allow', () => {
  test.each([
    ['a member twice', patient('"active":true,"active":false'), 'structure', 'Patient.active'],
    ['a member twice, deep', patient('"name":[{"family":"a","family":"b"}]'), 'structure', 'Patient.name[0].family'],
    ['a member twice, escaped', patient('"active":true,"\\u0061ctive":false'), 'structure', 'Patient.active'],
    ['__proto__', patient('"__proto__":{"active":true}'), 'structure', undefined],
    ['constructor', patient('"constructor":{"prototype":{}}'), undefined, undefined],
    ['an unknown element', patient('"nickname":"x"'), 'structure', undefined],
    ['an unknown element, deep', patient('"name":[{"surname":"x"}]'), 'structure', undefined],
    ['another type\'s element', patient('"subject":{"reference":"x"}'), 'structure', undefined],
    ['a string for a boolean', patient('"active":"true"'), undefined, 'Patient.active'],
    ['a number for a string', patient('"name":[{"family":5}]'), undefined, 'Patient.name[0].family'],
    ['an object for a list', patient('"name":{"family":"x"}'), undefined, 'Patient.name'],
    ['a list for an object', patient('"maritalStatus":[{"text":"x"}]'), undefined, 'Patient.maritalStatus'],
    ['null', patient('"active":null'), undefined, 'Patient.active'],
    ['an empty list', patient('"name":[]'), undefined, 'Patient.name'],
    ['an empty object', patient('"name":[{}]'), undefined, 'Patient.name[0]'],
    ['an empty string', patient('"gender":""'), undefined, 'Patient.gender'],
    ['a code that is not of its value set', patient('"gender":"weiblich"'), undefined, 'Patient.gender'],
    ['two of a choice', patient('"deceasedBoolean":true,"deceasedDateTime":"2020-01-01"'), undefined, undefined],
    ['a choice that is none', patient('"deceasedString":"x"'), 'structure', undefined],
    ['a date that is none', patient('"birthDate":"2026-02-30"'), undefined, 'Patient.birthDate'],
    ['a date of another form', patient('"birthDate":"17/05/1970"'), undefined, 'Patient.birthDate'],
    ['a time for a date', patient('"birthDate":"1970-05-17T00:00:00Z"'), undefined, 'Patient.birthDate'],
    ['a dateTime without offset', patient('"deceasedDateTime":"2020-01-01T10:00:00"'), undefined, undefined],
    ['a broken integer', patient('"multipleBirthInteger":1.5'), undefined, undefined],
    ['an integer out of range', patient('"multipleBirthInteger":99999999999'), undefined, undefined],
    ['a resource without type inside', patient('"contained":[{"id":"x"}]'), undefined, undefined],
    ['an unknown type inside', patient('"contained":[{"resourceType":"Nonsense","id":"x"}]'), undefined, undefined],
    ['an extension without url', patient('"extension":[{"valueString":"x"}]'), undefined, undefined],
  ])('%s', async (_what, body, code, expression) => {
    for (const [method, path] of [['POST', 'Patient'], ['POST', '']] as const) {
      const bundle = `{"resourceType":"Bundle","type":"transaction","entry":[{"resource":${body},"request":{"method":"POST","url":"Patient"}}]}`;
      const answer = await send(method, path, path === '' ? bundle : body);
      expectRefusal(answer, 400, { ...(code !== undefined && { code }) });
      if (expression !== undefined) expect(answer.text).toContain(path === '' ? expression.replace('Patient', 'Bundle.entry[0].resource') : expression);
    }
  });

  test.each([['NUL', '\\u0000'], ['half a pair, high', '\\ud800'], ['half a pair, low', '\\udc00'], ['a pair the wrong way round', '\\udc00\\ud800']])('%s in a string is refused', async (_what, escape) => {
    expectRefusal(await send('POST', 'Patient', patient(`"name":[{"family":"a${escape}b"}]`)), 400, { code: 'value', expression: 'Patient.name[0].family' });
    expectRefusal(await send('POST', 'Patient', patient(`"name":[{"family":"x","${escape}":"b"}]`)), 400);
  });

  test.each(['1e400', '-1e400', '1e-400', '9'.repeat(2000), `0.${'0'.repeat(1200)}1`, '1e99999999999999999999'])('the number %s is refused', async (number) => {
    const body = `{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":${number}}}`;
    expectRefusal(await send('POST', 'Observation', body), 400, { code: 'value' });
  });
});

describe('too much', () => {
  test('a body that is nested 10,000 deep is refused, well-formed or not', async () => {
    const deep = (open: string, close: string) => patient(`"extension":${open.repeat(10_000)}1${close.repeat(10_000)}`);
    for (const body of [deep('[', ']'), deep('{"a":', '}'), '['.repeat(100_000), '{"a":'.repeat(30_000)]) expectRefusal(await send('POST', 'Patient', body), 400);
    expectRefusal(await send('POST', 'Patient', deep('[', ']')), 400, { code: 'too-long', text: /nested/ });
  });

  test('a body that is longer than the server takes is 413', async () => {
    const answer = await raw('POST', '/Patient', patient(`"language":"${'x'.repeat(LIMIT)}"`));
    expectRefusal(answer, 413, { code: 'too-long' });
    expectRefusal(await raw('POST', '/Patient', Buffer.alloc(LIMIT + 1), { 'transfer-encoding': 'chunked' }), 413, { code: 'too-long' });
  });

  test('a list of 100,000 is answered in good time', async () => {
    const started = Date.now();
    const answer = await send('POST', 'Patient', patient(`"name":[${'{},'.repeat(90_000)}{}]`));
    expectRefusal(answer, 400);
    // A hundred issues and a count are enough for anyone.
    expect(answer.body.issue.length).toBeLessThanOrEqual(101);
    expect(Date.now() - started).toBeLessThan(5000);
  });

  test('headers that are too long are 431', async () => {
    expectRefusal(await raw('GET', `/Patient?name=${'x'.repeat(40_000)}`), 431, { code: 'too-long' });
    expectRefusal(await raw('GET', '/Patient', undefined, { 'x-long': 'x'.repeat(40_000) }), 431, { code: 'too-long' });
  });

  test('a query of 10,000 characters is answered', async () => {
    expect((await raw('GET', `/Patient?name=${'x'.repeat(10_000)}`)).status).toBe(200);
    expectRefusal(await raw('GET', `/Patient?${'a=b&'.repeat(2500)}`, undefined, { prefer: 'handling=strict' }), 400);
  });
});

describe('media types', () => {
  test.each(['application/pdf', 'text/turtle', 'text/plain', 'text/html', 'multipart/form-data', 'application/x-www-form-urlencoded', 'application/octet-stream', 'image/png', 'garbage', ';', 'application/', 'application/fhir+json; charset=utf-16', 'application/fhir+json; fhirVersion=3.0', 'application/xml; fhirVersion=5.0', 'application/json-patch+json'])(
    'a body of %s is 415',
    async (type) => {
      for (const [method, path] of [['POST', '/Patient'], ['PUT', '/Patient/x'], ['POST', '']] as const)
        expectRefusal(await raw(method, path, '{"resourceType":"Patient","id":"x"}', { 'content-type': type }), 415, { code: 'not-supported' });
    },
  );

  test('a body without a type is 415', async () => {
    expectRefusal(await sendRaw(server.base, { method: 'POST', path: '/fhir/R4/Patient', body: '{}', headers: { authorization: `Bearer ${server.tokens.admin}` } }), 415);
  });

  test('a body in a coding the server does not read is 415', async () => {
    expectRefusal(await raw('POST', '/Patient', '{"resourceType":"Patient"}', { 'content-encoding': 'zstd' }), 415, { text: /zstd/ });
  });

  test('POST _search takes a form and nothing else', async () => {
    expectRefusal(await raw('POST', '/Patient/_search', '{"name":"x"}'), 415);
    expectRefusal(await raw('POST', '/Patient/_search', 'name=%zz', { 'content-type': 'application/x-www-form-urlencoded' }), 400);
  });

  test.each(['text/html', 'image/*', 'application/fhir+json;q=0', 'application/fhir+xml;q=0', 'application/fhir+json; fhirVersion=3.0', '*/*;q=0', 'text/turtle', 'garbage'])('Accept: %s is 406', async (accept) => {
    for (const path of ['/Patient', '/Patient/there', '/metadata']) expectRefusal(await raw('GET', path, undefined, { accept }), 406, { code: 'not-supported' });
  });

  test.each(['*/*', 'application/*', 'application/json', 'application/fhir+json', 'application/fhir+json; fhirVersion=4.0', 'application/fhir+xml, application/fhir+json;q=0.1', 'text/html, */*;q=0.1', ''])('Accept: %s is answered', async (accept) => {
    expect((await raw('GET', '/Patient/there', undefined, { accept })).status).toBe(200);
  });

  test.each(['ttl', 'html', 'nonsense', 'application/fhir%2Bjson;fhirVersion=1.0', '__proto__'])('_format=%s is 406', async (format) => expectRefusal(await raw('GET', `/Patient/there?_format=${format}`), 406));

  test.each(['json', 'application/json', 'application/fhir%2Bjson', 'application/fhir+json', 'text/json'])('_format=%s is answered, whatever Accept says', async (format) => {
    expect((await raw('GET', `/Patient/there?_format=${format}`, undefined, { accept: 'application/fhir+xml' })).status).toBe(200);
  });
});

describe('URLs', () => {
  test.each([
    ['GET', '/Nonsense', 404], ['GET', '/patient', 404], ['GET', '/Patient/there/nonsense', 404], ['GET', '/Patient/there/_history/1/x', 404], ['GET', '/Patient/_nonsense', 404], ['GET', '/_nonsense', 404],
    ['GET', '/Resource', 404], ['GET', '/DomainResource/1', 404], ['GET', '/__proto__', 404], ['GET', '/constructor/x', 404], ['GET', '/Patient/$nonsense', 404], ['POST', '/$nonsense', 404], ['POST', '/Patient/there/$nonsense', 404],
    ['GET', '/Group/there/$chargeable-status', 404], ['GET', '/$chargeable-status', 404], ['GET', '/metadata/x', 404], ['GET', '//Patient', 404], ['GET', '/Patient//there', 400], ['GET', '/Patient/the%20re', 400],
    ['GET', '/Patient/..%2f..%2fetc%2fpasswd', 400], ['GET', `/Patient/${'x'.repeat(65)}`, 400], ['GET', `/Patient/${'x'.repeat(3000)}`, 400], ['GET', '/Patient/_', 404], ['GET', '/Patient/th_re', 400], ['GET', '/Patient/%00', 400], ['GET', '/Patient/%ff', 400],
    ['PUT', '/Patient/there/_history', 405], ['PATCH', '/Patient/there/_history/1', 405], ['POST', '/Patient/there', 405], ['GET', '/Patient/_search', 405], ['PUT', '', 405], ['DELETE', '', 405], ['POST', '/metadata', 405],
    ['OPTIONS', '/Patient/there/nonsense', 404], ['TRACE', '/Patient', 405], ['PROPFIND', '/Patient', 405], ['LOCK', '/Patient/there', 405],
  ])('%s %s is %s', async (method, path, status) => expectRefusal(await raw(method, path), status));

  test.each(['/Patient?name=%', '/Patient?name=%zz', '/Patient?%E0%A4%A=x', '/Patient?name=%ff', '/Patient?name=%00', '/Patient/there/_history?_since=%zz'])('the bad escape of %s is refused', async (path) => {
    expectRefusal(await raw('GET', path), 400);
  });

  test.each(['/Patient/%', '/Patient/%zz', '/%E0%A4%A', '/%'])('the bad escape in the path %s is refused', async (path) => {
    const answer = await raw('GET', path);
    expectRefusal(answer, answer.status === 404 ? 404 : 400);
  });

  test('an id may be percent-encoded', async () => expect((await raw('GET', '/Patient/th%65re')).status).toBe(200));

  test('a name of a type is told to be case-sensitive', async () => expectRefusal(await raw('GET', '/patient/there'), 404, { code: 'not-supported', text: /case-sensitive/ }));

  test('what a URL takes is told', async () => {
    const answer = await raw('POST', '/Patient/there');
    expectRefusal(answer, 405, { text: /GET, PUT/ });
    expect(answer.headers['allow']).toMatch(/GET/);
  });
});

describe('bundles', () => {
  const entry = (request: unknown, resource?: unknown) => ({ request, ...(resource !== undefined && { resource }) });
  test.each([
    ['another type', { type: 'collection' }, 'Bundle.type'], ['a response', { type: 'transaction-response' }, 'Bundle.type'], ['a history', { type: 'history' }, 'Bundle.type'], ['no type', {}, 'Bundle.type'], ['a type that is a list', { type: ['batch'] }, 'Bundle.type'],
    ['entries that are an object', { type: 'transaction', entry: {} }, 'Bundle.entry'], ['entries that are text', { type: 'batch', entry: 'x' }, 'Bundle.entry'], ['a null entry', { type: 'transaction', entry: [null] }, 'Bundle.entry[0]'],
    ['no request', { type: 'transaction', entry: [{ resource: { resourceType: 'Patient' } }] }, 'Bundle.entry[0].request'], ['a request that is text', { type: 'transaction', entry: [entry('GET Patient')] }, 'Bundle.entry[0].request'],
    ['no method', { type: 'transaction', entry: [entry({ url: 'Patient' })] }, 'Bundle.entry[0].request.method'], ['a method in lower case', { type: 'transaction', entry: [entry({ method: 'get', url: 'Patient' })] }, 'Bundle.entry[0].request.method'],
    ['no url', { type: 'transaction', entry: [entry({ method: 'GET' })] }, 'Bundle.entry[0].request.url'], ['a url that is a number', { type: 'transaction', entry: [entry({ method: 'GET', url: 5 })] }, 'Bundle.entry[0].request.url'],
    ['a url with a bad escape', { type: 'transaction', entry: [entry({ method: 'GET', url: 'Patient?name=%zz' })] }, 'Bundle.entry[0].request.url'],
    ['a bad id', { type: 'transaction', entry: [entry({ method: 'GET', url: 'Patient/a b' })] }, 'Bundle.entry[0].request.url'],
    ['a resource that is text', { type: 'transaction', entry: [entry({ method: 'POST', url: 'Patient' }, 'x')] }, 'Bundle.entry[0]'],
    ['a resource that is a list', { type: 'transaction', entry: [entry({ method: 'POST', url: 'Patient' }, [])] }, 'Bundle.entry[0]'],
    ['a resource of no type', { type: 'transaction', entry: [entry({ method: 'POST', url: 'Patient' }, {})] }, 'Bundle.entry[0]'],
    ['a fullUrl twice', { type: 'transaction', entry: ['a', 'b'].map(() => ({ fullUrl: 'urn:uuid:1', ...entry({ method: 'POST', url: 'Patient' }, { resourceType: 'Patient' }) })) }, 'Bundle.entry[1].fullUrl'],
    ['a bundle in a bundle', { type: 'transaction', entry: [entry({ method: 'POST', url: '/' }, { resourceType: 'Bundle', type: 'batch' })] }, 'Bundle.entry[0].request'],
    ['an If-Match that is none', { type: 'transaction', entry: [entry({ method: 'PUT', url: 'Patient/there', ifMatch: 'abc' }, { resourceType: 'Patient', id: 'there' })] }, 'Bundle.entry[0].resource'],
  ])('with %s is refused at its place', async (_what, members, expression) => {
    expectRefusal(await send('POST', '', { resourceType: 'Bundle', ...members }), 400, { expression });
  });

  test('a Bundle may be stored as a resource like any other, if it is valid', async () => {
    expectRefusal(await send('POST', 'Bundle', { resourceType: 'Bundle' }), 400, { expression: 'Bundle', text: /type/ });
  });
});

describe('headers', () => {
  test.each([
    ['if-none-match', 'garbage'], ['if-modified-since', 'garbage'], ['prefer', 'return=nonsense; handling=nonsense'], ['prefer', ',,;;=='], ['x-request-id', '\u0001'.repeat(3)], ['x-request-id', 'x'.repeat(5000)], ['range', 'bytes=0-1'], ['expect', 'nonsense'],
    ['accept-encoding', 'nonsense'], ['host', 'evil"host<script>'], ['if-match', '💥'.normalize()], ['content-length', '0'],
  ])('a read with %s: %s does not fail', async (name, value) => {
    const answer = await raw('GET', '/Patient/there', undefined, { [name]: Buffer.from(value).toString('latin1').replace(/[\x00-\x1f\x7f]/g, ' ') }).catch((error: unknown) => error);
    if (answer instanceof Error) throw answer;
    expect((answer as Answer).status).toBeLessThan(500);
    expect((answer as Answer).text).not.toContain('<script>');
  });

  test('a host that is none does not get into links', async () => {
    const { text } = await raw('GET', '/Patient', undefined, { host: 'evil.example/x?y=<script>' });
    expect(text).not.toContain('<script>');
  });

  test('what is no HTTP is answered with 400 or hung up on', async () => {
    const { hostname, port } = new URL(server.base);
    const said = await new Promise<string>((resolve) => {
      const socket = connect(Number(port), hostname, () => socket.write('NONSENSE\r\n\r\n'));
      let text = '';
      socket.on('data', (chunk) => { text += chunk.toString(); });
      socket.on('close', () => { resolve(text); });
      socket.on('error', () => { resolve(text); });
    });
    expect(said).toMatch(/^(?:HTTP\/1\.1 400 |$)/);
  });

  test('a caller that hangs up in the middle of its body does no harm', async () => {
    const { hostname, port } = new URL(server.base);
    const agent = new Agent();
    await new Promise<void>((resolve) => {
      const cut = request({ hostname, port, agent, method: 'POST', path: '/fhir/R4/Patient', headers: { authorization: `Bearer ${server.tokens.admin}`, 'content-type': 'application/fhir+json', 'content-length': '100' } });
      cut.on('error', () => { resolve(); });
      cut.write('{"resourceType"');
      setTimeout(() => cut.destroy(), 20);
    });
    agent.destroy();
    expect((await send('GET', 'Patient/there')).status).toBe(200);
  });
});
