// Criteria that name many values at once, through HTTP: value sets, hierarchies of codes and of resources, paths and versions of URLs.
// https://hl7.org/fhir/R4/search.html#modifiers
import { startServer, type TestServer } from '../server.js';

const FLOWERS = 'http://flowers.example/kinds';

const coded = (code: string, system = FLOWERS) => ({ coding: [{ system, code }] });
const seen = (id: string, code: object, more: object = {}) => ({ resourceType: 'Basic', id, code, ...more });

const RESOURCES = [
  {
    resourceType: 'CodeSystem', id: 'kinds', url: FLOWERS, status: 'active', content: 'complete', hierarchyMeaning: 'is-a', name: 'Kinds',
    concept: [{ code: 'flower', concept: [{ code: 'rose', concept: [{ code: 'tea-rose' }] }, { code: 'lily' }] }, { code: 'tree' }],
  },
  { resourceType: 'ValueSet', id: 'garden', url: 'http://flowers.example/garden', version: '2', status: 'active', compose: { include: [{ system: FLOWERS, concept: [{ code: 'rose' }, { code: 'lily' }] }] } },
  { resourceType: 'ValueSet', id: 'unsaid', url: 'http://flowers.example/unsaid', status: 'active', compose: { include: [{ system: 'http://flowers.example/unknown' }] } },
  seen('a-flower', coded('flower')), seen('a-rose', coded('rose')), seen('a-tea-rose', coded('tea-rose')), seen('a-lily', coded('lily')), seen('a-tree', coded('tree')),
  seen('other-rose', coded('rose', 'http://other.example'), { meta: { profile: ['http://flowers.example/profile/one|1.2'] } }),
  seen('said', { text: 'rose' }, { meta: { profile: ['http://flowers.example/profile/one'], source: 'http://feeds.example/a/b#7' } }),
  ...[['site'], ['house', 'site'], ['room', 'house'], ['elsewhere']].map(([id, above]) => ({
    resourceType: 'Location', id, name: id, ...(above !== undefined && { partOf: { reference: `Location/${above}` } }),
  })),
  ...['site', 'house', 'room', 'elsewhere'].map((at) => ({
    resourceType: 'Encounter', id: `in-${at}`, status: 'finished', class: { system: 'urn:class', code: 'AMB' }, location: [{ location: { reference: `Location/${at}` } }],
  })),
  { resourceType: 'Patient', id: 'pat', gender: 'female' },
  ...[['plain', 'http://forms.example/q'], ['one', 'http://forms.example/q|1'], ['one-two', 'http://forms.example/q|1.2'], ['ten', 'http://forms.example/q|10'], ['longer', 'http://forms.example/q/r']].map(([id, questionnaire]) => (
    { resourceType: 'QuestionnaireResponse', id, status: 'completed', questionnaire }
  )),
];

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  const entry = RESOURCES.map((resource) => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${String(resource.id)}` } }));
  const { status, text } = await server.send('POST', '', { token: server.tokens.admin, body: { resourceType: 'Bundle', type: 'transaction', entry } });
  if (status !== 200) throw new Error(text);
});
afterAll(() => server.close());

const get = (query: string) => server.send('GET', encodeURI(query), { token: server.tokens.admin });
const idsOf = (body: any): string[] => (body.entry ?? []).map((entry: any) => entry.resource.id).sort();

const FOUND: readonly (readonly [search: string, ids: string])[] = [
  ['Basic?code:in=http://flowers.example/garden', 'a-lily a-rose'],
  ['Basic?code:in=http://flowers.example/garden|2', 'a-lily a-rose'],
  ['Basic?code:in=ValueSet/garden', 'a-lily a-rose'],
  ['Basic?code:not-in=ValueSet/garden', 'a-flower a-tea-rose a-tree other-rose said'],
  [`Basic?code:below=${FLOWERS}|rose`, 'a-rose a-tea-rose'],
  [`Basic?code:below=${FLOWERS}|rose,${FLOWERS}|tree`, 'a-rose a-tea-rose a-tree'],
  [`Basic?code:above=${FLOWERS}|tea-rose`, 'a-flower a-rose a-tea-rose'],
  [`Basic?code:below=${FLOWERS}|flower&code:not=lily`, 'a-flower a-rose a-tea-rose'],
  ['Patient?gender:in=http://hl7.org/fhir/ValueSet/administrative-gender', 'pat'],
  ['Patient?gender:below=female', 'pat'],
  ['Basic?_profile=http://flowers.example/profile/one', 'other-rose said'],
  ['Basic?_profile=http://flowers.example/profile/one|1.2', 'other-rose'],
  ['Basic?_profile:below=http://flowers.example', 'other-rose said'],
  ['Basic?_profile:below=http://flowers.example/pro', ''],
  ['Basic?_profile:below=http://flowers.example/profile/one|1', 'other-rose'],
  ['Basic?_source:below=http://feeds.example/a', 'said'],
  ['Basic?_profile:above=http://flowers.example/profile/one/two', 'other-rose said'],
  ['Encounter?location:below=house', 'in-house in-room'],
  ['Encounter?location:below=Location/site', 'in-house in-room in-site'],
  ['Encounter?location:above=Location/house', 'in-house in-site'],
  ['Encounter?location:above=elsewhere,room', 'in-elsewhere in-house in-room in-site'],
  ['Location?partof:below=site', 'house room'],
  ['Location?partof:above=house', 'house room'],
  ['Location?_has:Encounter:location:location:below=house', 'house room'],
  ['Encounter?location:Location.partof:below=house', 'in-room'],
  ['QuestionnaireResponse?questionnaire=http://forms.example/q', 'one one-two plain ten'],
  ['QuestionnaireResponse?questionnaire=http://forms.example/q|1', 'one'],
  ['QuestionnaireResponse?questionnaire:below=http://forms.example/q|1', 'one one-two'],
  ['QuestionnaireResponse?questionnaire:below=http://forms.example/q', 'longer one one-two plain ten'],
  ['QuestionnaireResponse?questionnaire:above=http://forms.example/q|1.2', 'one one-two plain ten'],
];

test.each(FOUND)('%s finds %s', async (search, ids) => {
  const { status, body } = await get(search);
  expect(status).toBe(200);
  expect(idsOf(body)).toEqual(ids.split(' ').filter((id) => id !== ''));
});

const REFUSED: readonly (readonly [search: string, words: RegExp])[] = [
  ['Basic?code:in=http://flowers.example/nowhere', /value set http:\/\/flowers\.example\/nowhere is not known/],
  ['Basic?code:in=ValueSet/nowhere', /ValueSet\/nowhere/],
  ['Basic?code:below=rose', /system\|code/],
  [`Basic?code:below=${FLOWERS}|daisy`, /daisy/],
  ['Basic?code:above=http://nowhere.example|x', /nowhere\.example/],
  ['Basic?code:in=ValueSet/unsaid', /unknown/],
  ['Encounter?subject:below=Patient/pat', /:below does not go with subject/],
  ['Encounter?location:below=Patient/pat', /Location/],
];

test.each(REFUSED)('%s is refused in words', async (search, words) => {
  const { status, body } = await get(search);
  expect(status).toBe(400);
  expect(body.issue[0].details.text).toMatch(words);
});

test('a criterion of a conditional create may not name a list', async () => {
  const { status, body } = await server.send('POST', 'Basic', { token: server.tokens.admin, body: seen('x', coded('rose')), headers: { 'if-none-exist': 'code:in=ValueSet/garden' } });
  expect(status).toBe(400);
  expect(body.issue[0].details.text).toMatch(/list the codes/);
});
