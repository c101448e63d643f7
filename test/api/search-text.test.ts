// `_text` and `_content`: words of the narrative and of the whole resource. https://hl7.org/fhir/R4/search.html#content
import { startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';

let server: TestServer;
const narrative = (html: string) => ({ text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${html}</div>` } });
const CONFIDENTIALITY = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
const WORLD: any[] = [
  { resourceType: 'Condition', id: 'bone', subject: { reference: 'Patient/p' }, code: { text: 'Bone metastases' }, ...narrative('<p>Metastases in the <b>b</b>one &amp; marrow</p><p title="hidden">Zoë said so</p>') },
  { resourceType: 'Condition', id: 'liver', subject: { reference: 'Patient/p' }, code: { coding: [{ system: 'urn:sct', code: '94381002', display: 'Secondary malignancy' }] }, note: [{ text: 'Heart failure is known' }], ...narrative('<table><tr><td>Liver</td><td>metastases</td></tr></table>') },
  { resourceType: 'Condition', id: 'heart', subject: { reference: 'Patient/q' }, code: { text: 'Failure of the heart' }, ...narrative('Failure of the heart') },
  { resourceType: 'Condition', id: 'mute', subject: { reference: 'Patient/q' }, code: { text: 'Nothing said; dose 2.5 mg' } },
  { resourceType: 'Patient', id: 'p', name: [{ family: 'Müller' }], ...narrative('Frau Müller') },
  { resourceType: 'Patient', id: 'q', name: [{ family: 'Quill' }], meta: { security: [{ system: CONFIDENTIALITY, code: 'R' }] }, address: [{ city: 'Secretham' }], ...narrative('Lives in Secretham') },
];

beforeAll(async () => {
  server = await startServer();
  for (const resource of WORLD) await put(resource);
});
afterAll(() => server.close());

async function put(resource: any): Promise<void> {
  const { status, text } = await server.send('PUT', `${resource.resourceType}/${resource.id}`, { token: server.tokens.admin, body: resource });
  if (status > 201) throw new Error(text);
}
const get = (query: string, token = server.tokens.admin) => server.send('GET', encodeURI(query), { token });
const ids = (body: any): string[] => (body.entry ?? []).filter((entry: any) => entry.search.mode === 'match').map((entry: any) => entry.resource.id);

test.each<readonly [query: string, found: readonly string[]]>([
  ['Condition?_text=metastases', ['bone', 'liver']],
  ['Condition?_text=METASTASES', ['bone', 'liver']],
  ['Condition?_text=bone', ['bone']],
  ['Condition?_text=zoe', ['bone']],
  ['Condition?_text=Zoë', ['bone']],
  ['Condition?_text=div', []],
  ['Condition?_text=amp', []],
  ['Condition?_text=hidden', []],
  ['Condition?_text=meta', []],
  ['Condition?_text=meta*', ['bone', 'liver']],
  ['Condition?_text=(bone OR liver) and metastases', ['bone', 'liver']],
  ['Condition?_text=metastases NOT liver', ['bone']],
  ['Condition?_text=metastases AND NOT (liver OR marrow)', []],
  ['Condition?_text=liver metastases', ['liver']],
  ['Condition?_text="liver metastases"', ['liver']],
  ['Condition?_text="metastases liver"', []],
  ['Condition?_text=bone,heart', ['bone', 'heart']],
  ['Condition?_text=bone&_text=marrow', ['bone']],
  ['Condition?_text=malignancy', []],
  ['Condition?_content=malignancy', ['liver']],
  ['Condition?_content="heart failure"', ['liver']],
  ['Condition?_content=heart failure', ['heart', 'liver']],
  ['Condition?_content=2.5', ['mute']],
  ['Condition?_content=94381002', ['liver']],
  ['Condition?_content=subject', []],
  ['Condition?_content=metastases&subject=Patient/p', ['bone', 'liver']],
  ['Condition?_text=metastases&_sort=-_id', ['liver', 'bone']],
  ['Condition?subject:Patient._text=frau', ['bone', 'liver']],
  ['Patient?_has:Condition:subject:_text=liver', ['p']],
  ['Patient?_content=muller', ['p']],
])('%s', async (query, found) => {
  const { status, body, text } = await get(query.includes('_sort') ? query : `${query}&_sort=_id`);
  expect({ status, text: status === 200 ? '' : text }).toEqual({ status: 200, text: '' });
  expect(ids(body)).toEqual(found);
});

test('what is written, changed and deleted is found, found otherwise and found no more', async () => {
  const condition = (word: string) => ({ resourceType: 'Condition', id: 'turns', subject: { reference: 'Patient/p' }, ...narrative(word) });
  await put(condition('aardvark'));
  expect(ids((await get('Condition?_text=aardvark')).body)).toEqual(['turns']);
  await put(condition('buzzard'));
  expect(ids((await get('Condition?_text=aardvark')).body)).toEqual([]);
  expect(ids((await get('Condition?_text=buzzard')).body)).toEqual(['turns']);
  await server.send('DELETE', 'Condition/turns', { token: server.tokens.admin });
  expect(ids((await get('Condition?_text=buzzard')).body)).toEqual([]);
});

test('many at once are found, page by page and in the total', async () => {
  const entry = Array.from({ length: 1200 }, (_, index) => ({ resource: { resourceType: 'Basic', id: `b${index}`, code: { text: index % 3 === 0 ? 'zebra' : 'horse' } }, request: { method: 'PUT', url: `Basic/b${index}` } }));
  expect((await server.send('POST', '', { token: server.tokens.admin, body: { resourceType: 'Bundle', type: 'transaction', entry } })).status).toBe(200);
  const answers = await Promise.all(Array.from({ length: 5 }, () => get('Basic?_content=zebra&_total=accurate&_count=300')));
  for (const { body } of answers) expect(body.total).toBe(400);
  const [first] = answers;
  const next = first?.body.link.find((one: any) => one.relation === 'next').url.replace(`${server.base}/`, '');
  expect(new Set([...ids(first?.body), ...ids((await get(next)).body)]).size).toBe(400);
});

test('within a batch and a transaction', async () => {
  for (const type of ['batch', 'transaction']) {
    const body = { resourceType: 'Bundle', type, entry: [{ request: { method: 'GET', url: 'Condition?_text=bone' } }] };
    const answer = await server.send('POST', '', { token: server.tokens.admin, body });
    expect(ids(answer.body.entry[0].resource)).toEqual(['bone']);
  }
});

test.each<readonly [query: string, says: RegExp]>([
  ['_text="open', /" is missing/], ['_text=(bone', /\) is missing/], ['_text=bone)', /no \( before/], ['_text=bone OR', /a word before and after/],
  ['_text=AND', /a word before and after/], ['_content=***', /no letter/], [`_text=${'('.repeat(22)}a${')'.repeat(22)}`, /deep/], [`_content=${'a '.repeat(60)}`, /50 words/],
])('%s is refused', async (query, says) => {
  const answer = await get(`Condition?${query}`);
  expectRefusal(answer, 400, { text: says, expression: query.slice(0, query.indexOf('=')) });
});

test('no words at all are left out, and refused under strict', async () => {
  expect((await get('Condition?_text=')).body.entry.at(-1).search.mode).toBe('outcome');
  const strict = await server.send('GET', 'Condition?_text=', { token: server.tokens.admin, headers: { prefer: 'handling=strict' } });
  expectRefusal(strict, 400, { text: /_text/, expression: '_text' });
});

test('a type without a narrative is not searched by one', async () => {
  expect((await get('Binary?_text=x')).body.entry.at(-1).search.mode).toBe('outcome');
});

describe('a role that sees only a part', () => {
  test('finds nothing by the rest', async () => {
    const commissioner = await server.token('commissioner', { organization: 'X26' });
    expectRefusal(await get('Patient?_content=muller', commissioner), 403, { expression: '_content' });
    expectRefusal(await get('Patient?_text=frau', commissioner), 403, { expression: '_text' });
  });

  test('does not learn by a word where a restricted patient lives', async () => {
    expect(ids((await get('Patient?_text=secretham')).body)).toEqual(['q']);
    expect(ids((await get('Patient?_text=frau', server.tokens.ovm)).body)).toEqual(['p']);
    expect(ids((await get('Patient?_text=secretham', server.tokens.ovm)).body)).toEqual([]);
    expect(ids((await get('Patient?_content=secretham', server.tokens.ovm)).body)).toEqual([]);
  });
});
