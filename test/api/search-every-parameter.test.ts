// Every search parameter of every type answers, or is refused for a reason that stands here. https://hl7.org/fhir/R4/searchparameter-registry.html
import { loadDefinitions } from '../../src/definitions/load.js';
import type { SearchParameter } from '../../src/definitions/model.js';
import { startServer, type TestServer } from '../server.js';

const definitions = loadDefinitions();

/** Answered by no element, or answered by rules of their own that other tests ask. */
const BESIDE: ReadonlyMap<string, string> = new Map([
  ['_text', 'words'], ['_content', 'words'], ['_query', 'named queries'], ['_filter', 'an expression'], ['_list', 'a list'], ['_has', 'a reverse chain'], ['_type', 'the whole system'],
  ['age', 'published without an expression: an age changes with the clock'], ['birthOrderBoolean', 'published without an expression'],
]);

const VALUES: Readonly<Record<SearchParameter['type'], string>> = {
  string: 'smith', token: 'http://codes.example|x', reference: 'x1', date: 'ge2024-05', number: 'gt5.0', quantity: 'le5.0||mg', uri: 'http://uris.example/x', special: '51.5|-0.1|5|km', composite: '',
};

function valueOf(type: string, { type: kind, components = [] }: SearchParameter): string {
  if (kind !== 'composite') return VALUES[kind];
  const kinds = components.map(({ definition }) => [...definitions.searchParameters(type).values()].find(({ url }) => url === definition)?.type ?? 'string');
  return kinds.map((one) => (one === 'token' ? 'x' : VALUES[one])).join('$');
}

const REQUESTS = definitions.resourceTypes.flatMap((type) => [...definitions.searchParameters(type).values()]
  .filter(({ code }) => !BESIDE.has(code))
  .flatMap((parameter) => [`${type}?${parameter.code}=${parameter.code === '_id' ? 'x1' : encodeURIComponent(valueOf(type, parameter))}`, `${type}?${parameter.code}:missing=true`]));

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const AT_ONCE = 400;

test('each of them, by a value and by its absence', async () => {
  expect(REQUESTS.length).toBeGreaterThan(5000);
  const refused: string[] = [];
  for (let at = 0; at < REQUESTS.length; at += AT_ONCE) {
    const urls = REQUESTS.slice(at, at + AT_ONCE);
    const entry = urls.map((url) => ({ request: { method: 'GET', url: `${url}&_count=1` } }));
    const { status, body } = await server.send('POST', '', { token: server.tokens.admin, body: { resourceType: 'Bundle', type: 'batch', entry } });
    expect(status).toBe(200);
    for (const [index, { response, resource }] of body.entry.entries()) {
      const words = (response.outcome ?? resource.entry?.find((one: any) => one.search.mode === 'outcome')?.resource)?.issue[0].details.text;
      // The record of accesses is made of rows of its own, and names what it is searched by.
      if (urls[index]?.startsWith('AuditEvent?') && /not searched by .*: use date, patient/.test(String(words))) continue;
      if (!response.status.startsWith('200') || words !== undefined) refused.push(`${String(urls[index])}: ${response.status} ${String(words)}`);
    }
  }
  expect(refused).toEqual([]);
}, 300_000);

test.each([['Patient', 'age'], ['Patient', 'birthOrderBoolean']])('%s?%s is refused by name', async (type, code) => {
  const { status, body } = await server.send('GET', `${type}?${code}=1`, { token: server.tokens.admin, headers: { prefer: 'handling=strict' } });
  expect(status).toBe(400);
  expect(body.issue[0].details.text).toContain(code);
});
