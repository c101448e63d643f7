// What comes back is what was sent: digits, order, characters, and the parts of meta that are the client's.
// https://hl7.org/fhir/R4/json.html · https://hl7.org/fhir/R4/datatypes.html#decimal
import { startServer, type TestServer } from '../server.js';

let server: TestServer;
beforeAll(async () => { server = await startServer(); });
afterAll(() => server.close());

const roundtrip = async (id: string, type: string, rest: string) => {
  const written = await server.send('PUT', `${type}/${id}`, { token: server.tokens.admin, body: `{"resourceType":"${type}","id":"${id}",${rest}}` });
  expect(written.status).toBe(201);
  const read = await server.send('GET', `${type}/${id}`, { token: server.tokens.admin });
  expect(read.text).toBe(written.text);
  return read;
};
/** The text behind id and meta. */
const tail = (text: string): string => text.slice(text.indexOf('},') + 2, -1);

test('decimals keep every digit', async () => {
  const numbers = ['1.00', '0.1000000000000000000001', '123456789012345678.90', '-0.0', '1e2', '1.10E-5', '0.010'];
  const components = numbers.map((number) => `{"code":{"text":"x"},"valueQuantity":{"value":${number}}}`).join(',');
  const { text } = await roundtrip('decimals', 'Observation', `"status":"final","code":{"text":"x"},"component":[${components}]`);
  expect([...text.matchAll(/"value":([^}]*)/g)].map(([, number]) => number)).toEqual(numbers);
});

test('decimals survive an update of other members, a search and the history', async () => {
  await roundtrip('kept', 'Observation', '"status":"final","code":{"text":"x"},"valueQuantity":{"value":1.50}');
  for (const path of ['Observation?_id=kept', 'Observation/kept/_history', 'Observation/kept/_history/1']) {
    const { text } = await server.send('GET', path, { token: server.tokens.admin });
    expect(text).toContain('"valueQuantity":{"value":1.50}');
  }
});

test('members keep their order', async () => {
  const rest = '"status":"final","valueString":"z","code":{"text":"c","coding":[{"code":"b","system":"urn:a"}]},"category":[{"text":"a"}]';
  expect(tail((await roundtrip('order', 'Observation', rest)).text)).toBe(rest);
});

test('white space between tokens goes, inside strings it stays', async () => {
  const { text } = await roundtrip('space', 'Patient', ' "name" : [ { "text" : "a  b\\tc" } ] ');
  expect(tail(text)).toBe('"name":[{"text":"a  b\\tc"}]');
});

test.each(['Zoë', '北京', '🧬 emoji', 'עברית', 'e\u0301 combining', '\u2028 line', 'a\\b "c"', '\u00a0'])('text comes back as it was: %s', async (family) => {
  const id = `u${Buffer.from(family).toString('hex').slice(0, 40)}`;
  const { body } = await roundtrip(id, 'Patient', `"name":[${JSON.stringify({ family })}]`);
  expect(body.name[0].family).toBe(family);
});

test('the client\'s profile, tags and security stay in meta, version and time are the server\'s', async () => {
  const meta = { versionId: '9', lastUpdated: '1999-01-01T00:00:00Z', source: 'urn:s', profile: ['http://example.org/p'], security: [{ system: 'urn:x', code: 's' }], tag: [{ system: 'urn:t', code: '1' }] };
  const { body } = await roundtrip('meta', 'Patient', `"meta":${JSON.stringify(meta)}`);
  expect(body.meta).toEqual({ ...meta, versionId: '1', lastUpdated: expect.not.stringContaining('1999') });
});

test('extensions of primitives come back, also without a value', async () => {
  const rest = '"_birthDate":{"extension":[{"url":"http://example.org/e","valueCode":"unknown"}]},"name":[{"given":["A",null],"_given":[null,{"id":"g","extension":[{"url":"http://example.org/e","valueCode":"masked"}]}]}]';
  expect(tail((await roundtrip('primitives', 'Patient', rest)).text)).toBe(rest);
});
