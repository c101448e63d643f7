// Which form an answer has, and in which a body may come: Accept, _format, _pretty, media types and content codings.
// https://hl7.org/fhir/R4/http.html#mime-type
import { brotliCompressSync, brotliDecompressSync, deflateSync, gunzipSync, gzipSync } from 'node:zlib';
import { request } from 'node:http';
import { startServer, type TestServer } from '../server.js';

const LIMIT = 65_536;
let server: TestServer;
beforeAll(async () => {
  server = await startServer({ BODY_LIMIT_BYTES: String(LIMIT) });
  await server.send('PUT', 'Patient/p', { token: server.tokens.admin, body: '{"resourceType":"Patient","id":"p","extension":[{"url":"https://example.org/x","valueDecimal":1.500}]}' });
});
afterAll(() => server.close());

interface Raw {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly bytes: Buffer;
}

/** With no header of its own. */
function raw(method: string, path: string, headers: Readonly<Record<string, string>> = {}, body?: string | Buffer): Promise<Raw> {
  const { hostname, port, pathname } = new URL(server.base);
  return new Promise((resolve, reject) => {
    const sent = request({ method, hostname, port, path: `${pathname}/${path}`, headers: { authorization: `Bearer ${server.tokens.admin}`, ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => { resolve({ status: response.statusCode ?? 0, headers: response.headers as Raw['headers'], bytes: Buffer.concat(chunks) }); });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function typeOf(path: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const { status, headers: got, bytes } = await raw('GET', path, headers);
  expect(status).toBe(200);
  expect(bytes.toString().startsWith(/xml/.test(got['content-type'] ?? '') ? '<?xml' : '{')).toBe(true);
  return got['content-type'] ?? '';
}

const JSON_TYPE = 'application/fhir+json; charset=utf-8';
const XML_TYPE = 'application/fhir+xml; charset=utf-8';

describe('Accept', () => {
  test.each([
    ['application/fhir+json', JSON_TYPE],
    ['application/fhir+xml', XML_TYPE],
    ['APPLICATION/FHIR+XML', XML_TYPE],
    ['application/fhir+xml; charset=utf-8', XML_TYPE],
    ['application/fhir+xml; fhirVersion=4.0', XML_TYPE],
    ['application/fhir+xml; fhirVersion="4.0"', XML_TYPE],
    ['application/json', 'application/json; charset=utf-8'],
    ['application/xml', 'application/xml; charset=utf-8'],
    ['text/xml', 'text/xml; charset=utf-8'],
    ['application/xml+fhir', XML_TYPE],
    ['*/*', JSON_TYPE],
    ['application/*', JSON_TYPE],
    ['text/html, application/fhir+xml', XML_TYPE],
    ['application/fhir+xml, application/fhir+json', XML_TYPE],
    ['application/fhir+json, application/fhir+xml', JSON_TYPE],
    ['application/fhir+json;q=0.5, application/fhir+xml;q=0.9', XML_TYPE],
    ['application/fhir+json;q=0.9, application/fhir+xml;q=0.5', JSON_TYPE],
    ['*/*, application/fhir+xml', XML_TYPE],
    ['*/*, application/fhir+json;q=0', XML_TYPE],
    ['application/fhir+xml;q=0, */*;q=0.1', JSON_TYPE],
    ['application/fhir+json; fhirVersion=5.0, application/fhir+xml;q=0.1', XML_TYPE],
    ['text/html, */*;q=0.1', JSON_TYPE],
  ])('%s is answered as %s', async (accept, type) => {
    expect(await typeOf('Patient/p', { accept })).toBe(type);
    expect(await typeOf('Patient?_id=p', { accept })).toBe(type);
  });

  test('without one the answer is JSON', async () => { expect(await typeOf('Patient/p')).toBe(JSON_TYPE); });

  test.each(['text/html', 'text/turtle', 'application/fhir+xml;q=0', 'application/fhir+xml; fhirVersion=3.0'])('%s can not be had: 406, in JSON', async (accept) => {
    const { status, headers, bytes } = await raw('GET', 'Patient/p', { accept });
    expect(status).toBe(406);
    expect(headers['content-type']).toBe(JSON_TYPE);
    expect(JSON.parse(bytes.toString())).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'not-supported' }] });
  });
});

describe('_format', () => {
  test.each(['xml', 'text/xml', 'application/xml', 'application/fhir%2Bxml', 'application/fhir+xml', 'XML', 'application/fhir%2Bxml;charset=utf-8', 'application/fhir%2Bxml;fhirVersion=4.0'])('%s is XML, whatever Accept says', async (format) => {
    expect(await typeOf(`Patient/p?_format=${format}`, { accept: 'application/fhir+json' })).toBe(XML_TYPE);
    expect(await typeOf(`Patient?_id=p&_format=${format}`, { accept: 'text/html' })).toBe(XML_TYPE);
  });

  test('without a value it says nothing', async () => {
    expect(await typeOf('Patient/p?_format=', { accept: 'application/fhir+xml' })).toBe(XML_TYPE);
  });

  test.each(['json', 'text/json', 'application/json', 'application/fhir%2Bjson'])('%s is JSON, whatever Accept says', async (format) => {
    expect(await typeOf(`Patient/p?_format=${format}`, { accept: 'application/fhir+xml' })).toBe(JSON_TYPE);
  });

  test.each(['ttl', 'html', 'fhir', 'application/fhir%2Bxml;fhirVersion=3.0'])('%s can not be had: 406', async (format) => {
    expect((await raw('GET', `Patient/p?_format=${format}`)).status).toBe(406);
  });

  const form = (body: string, headers: Readonly<Record<string, string>> = {}): Promise<Raw> => raw('POST', 'Patient/_search', { 'content-type': 'application/x-www-form-urlencoded', ...headers }, body);

  test('may stand in the form of a POST _search', async () => {
    const { status, headers, bytes } = await form('_id=p&_format=application%2Ffhir%2Bxml', { accept: 'text/html' });
    expect(status).toBe(200);
    expect(headers['content-type']).toBe(XML_TYPE);
    expect(bytes.toString()).toContain('<total value="1"/>');
    expect((await form('_id=p&_format=ttl')).status).toBe(406);
    expect((await form('nonsense=1&_format=xml', { prefer: 'handling=strict' })).headers['content-type']).toBe(XML_TYPE);
  });

  test('links of a page keep it', async () => {
    const { bytes } = await raw('GET', 'Patient?_format=xml&_count=1');
    expect(bytes.toString()).toMatch(/<link><relation value="self"\/><url value="[^"]*_format=xml/);
  });

  test('a refusal has the form that was asked for', async () => {
    expect((await raw('GET', 'Patient/nobody?_format=xml')).headers['content-type']).toBe(XML_TYPE);
    expect((await raw('GET', 'Patient/nobody', { accept: 'application/xml' })).headers['content-type']).toBe('application/xml; charset=utf-8');
    expect((await raw('GET', 'Pacient?_format=xml', { authorization: 'Bearer nonsense' })).bytes.toString()).toContain('<OperationOutcome xmlns="http://hl7.org/fhir">');
  });
});

describe('_pretty', () => {
  test('lays JSON out, decimals as they are written', async () => {
    const { bytes } = await raw('GET', 'Patient/p?_pretty=true');
    expect(bytes.toString()).toMatch(/^\{\n {2}"resourceType": "Patient",\n/);
    expect(bytes.toString()).toContain('\n      "valueDecimal": 1.500\n');
  });

  test('lays XML out', async () => {
    const { bytes } = await raw('GET', 'Patient/p?_pretty=true&_format=xml');
    expect(bytes.toString()).toMatch(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n<Patient xmlns="http:\/\/hl7\.org\/fhir">\n {2}<id value="p"\/>\n/);
    expect(bytes.toString()).toContain('\n    <valueDecimal value="1.500"/>\n');
  });

  test('false, and what is neither, change nothing', async () => {
    const { bytes } = await raw('GET', 'Patient/p');
    for (const value of ['false', 'maybe', '']) expect((await raw('GET', `Patient/p?_pretty=${value}`)).bytes).toEqual(bytes);
  });

  test('goes for searches, refusals and the CapabilityStatement', async () => {
    for (const path of ['Patient?_id=p&_pretty=true', 'Patient/nobody?_pretty=true', 'metadata?_pretty=true']) expect((await raw('GET', path)).bytes.toString()).toMatch(/^\{\n {2}"resourceType"/);
  });
});

describe('Content-Type', () => {
  const patient = '{"resourceType":"Patient"}';
  test.each(['application/fhir+json', 'application/json', 'text/json', 'application/fhir+json; charset=UTF-8', 'application/fhir+json; fhirVersion=4.0'])('%s is taken as JSON', async (type) => {
    expect((await raw('POST', 'Patient', { 'content-type': type }, patient)).status).toBe(201);
  });

  test.each(['application/fhir+xml', 'application/xml', 'text/xml', 'application/xml+fhir', 'application/fhir+xml; charset=utf-8; fhirVersion=4.0'])('%s is taken as XML', async (type) => {
    expect((await raw('POST', 'Patient', { 'content-type': type }, '<Patient xmlns="http://hl7.org/fhir"/>')).status).toBe(201);
  });

  test.each(['text/plain', 'text/turtle', 'application/fhir+json; fhirVersion=3.0', 'application/fhir+xml; fhirVersion=5.0', 'application/fhir+xml; charset=iso-8859-1'])('%s is 415, in the form that was asked for', async (type) => {
    const { status, headers } = await raw('POST', 'Patient', { 'content-type': type, accept: 'application/fhir+xml' }, patient);
    expect(status).toBe(415);
    expect(headers['content-type']).toBe(XML_TYPE);
  });
});

describe('content codings of answers', () => {
  const UNPACK = { gzip: gunzipSync, br: brotliDecompressSync } as const;

  test.each([
    ['gzip', 'gzip'], ['br', 'br'], ['gzip, deflate, br', 'br'], ['gzip;q=1.0, br;q=0.5', 'gzip'], ['br;q=0, gzip', 'gzip'], ['*', 'br'], ['GZIP', 'gzip'], ['deflate, x-gzip', 'gzip'],
  ] as const)('Accept-Encoding: %s is answered in %s', async (accepted, coding) => {
    const plain = await raw('GET', 'metadata', { accept: 'application/fhir+xml' });
    const { status, headers, bytes } = await raw('GET', 'metadata', { accept: 'application/fhir+xml', 'accept-encoding': accepted });
    expect(status).toBe(200);
    expect(headers['content-encoding']).toBe(coding);
    expect(headers['vary']).toContain('accept-encoding');
    expect(headers['content-length']).toBe(String(bytes.length));
    expect(bytes.length).toBeLessThan(plain.bytes.length / 5);
    expect(UNPACK[coding](bytes)).toEqual(plain.bytes);
  });

  test.each(['identity', 'deflate', 'gzip;q=0', '*;q=0', 'nonsense', ''])('Accept-Encoding: %s is answered plain', async (accepted) => {
    const { headers } = await raw('GET', 'metadata', { 'accept-encoding': accepted });
    expect(headers['content-encoding']).toBeUndefined();
    expect(headers['vary']).toBe('accept, accept-encoding');
  });

  test('a short answer stays plain', async () => {
    expect((await raw('GET', 'Patient/p', { 'accept-encoding': 'gzip' })).headers['content-encoding']).toBeUndefined();
  });

  test('HEAD says the same as GET', async () => {
    const got = await raw('GET', 'metadata', { 'accept-encoding': 'gzip' });
    const { headers, bytes } = await raw('HEAD', 'metadata', { 'accept-encoding': 'gzip' });
    expect(bytes).toHaveLength(0);
    expect(headers['content-encoding']).toBe('gzip');
    expect(headers['content-length']).toBe(got.headers['content-length']);
  });
});

describe('content codings of bodies', () => {
  const basic = (size: number): Buffer => Buffer.from(JSON.stringify({ resourceType: 'Basic', code: { text: 'x'.repeat(size) } }));
  const post = (body: Buffer, coding: string): Promise<Raw> => raw('POST', 'Basic', { 'content-type': 'application/fhir+json', 'content-encoding': coding }, body);

  test.each([['gzip', gzipSync], ['x-gzip', gzipSync], ['GZIP', gzipSync], ['br', brotliCompressSync], ['deflate', deflateSync], ['identity', (body: Buffer) => body]] as const)('%s is taken', async (coding, pack) => {
    expect((await post(pack(basic(5000)), coding)).status).toBe(201);
  });

  test('the limit is of the unpacked body', async () => {
    expect((await post(gzipSync(basic(LIMIT - 100)), 'gzip')).status).toBe(201);
    for (const [coding, pack] of [['gzip', gzipSync], ['br', brotliCompressSync], ['deflate', deflateSync]] as const) {
      const bomb = pack(basic(20_000_000));
      expect(bomb.length).toBeLessThan(LIMIT);
      const { status, bytes } = await post(bomb, coding);
      expect(status).toBe(413);
      expect(bytes.toString()).toContain('"too-long"');
    }
  });

  test.each(['compress', 'zstd', 'gzip, br', 'nonsense', 'constructor'])('%s is 415, and the answer says which are taken', async (coding) => {
    const { status, headers } = await post(basic(10), coding);
    expect(status).toBe(415);
    expect(headers['accept-encoding']).toBe('gzip, br, deflate');
  });

  test('what is not in the coding it claims is 400', async () => {
    const packed = gzipSync(basic(5000));
    for (const [body, coding] of [[basic(10), 'gzip'], [packed, 'br'], [packed.subarray(0, 40), 'gzip'], [basic(10), 'deflate']] as const) expect((await post(body, coding)).status).toBe(400);
  });

  test('a form may be packed, and holds its _format all the same', async () => {
    const { status, headers } = await raw('POST', 'Patient/_search', { 'content-type': 'application/x-www-form-urlencoded', 'content-encoding': 'gzip' }, gzipSync('_id=p&_format=xml'));
    expect(status).toBe(200);
    expect(headers['content-type']).toBe(XML_TYPE);
  });

  test('nobody is unpacked for who has no token', async () => {
    expect((await raw('POST', 'Basic', { 'content-type': 'application/fhir+json', 'content-encoding': 'gzip', authorization: 'Bearer x' }, gzipSync(basic(20_000_000)))).status).toBe(401);
  });
});
