// `_filter`, through HTTP: its grammar, every operator, and what it says of a mistake. https://hl7.org/fhir/R4/search_filter.html
import { startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';
import { IDS, LOINC, UCUM, loadSearchData } from './search-data.js';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  await loadSearchData(server);
  const list = { resourceType: 'List', id: 'ward', status: 'current', mode: 'working', entry: [{ item: { reference: 'Patient/anne' } }, { item: { reference: 'Observation/weight-bob' } }] };
  await server.send('PUT', 'List/ward', { token: server.tokens.admin, body: list });
});
afterAll(() => server.close());

const get = (path: string, token = server.tokens.admin) => server.send('GET', path, { token });
const filter = (type: string, text: string, more = '') => get(`${type}?_filter=${encodeURIComponent(text)}${more}`);
const ids = (body: any): string[] => (body.entry ?? []).filter((entry: any) => entry.search.mode === 'match').map((entry: any) => entry.resource.id);

const cases: readonly (readonly [type: string, text: string, found: readonly string[]])[] = [
  // strings: whole, without case
  ['Patient', 'given eq "anne"', ['anne']],
  ['Patient', 'given eq ANN', []],
  ['Patient', 'family eq "Weiss-Muller"', ['anne']],
  ['Patient', 'family ne weissmann', ['anne']],
  ['Patient', 'family co "mann"', ['bob']],
  ['Patient', 'family sw weiss', ['anne', 'bob']],
  ['Patient', 'family ew MANN', ['bob']],
  ['Patient', 'family ew eiss', []],
  ['Patient', 'name co "called \\"C\\""', ['cara']],
  ['Patient', 'name co "cara,"', ['cara']],
  // tokens, references, uris
  ['Patient', 'gender eq female', ['anne', 'cara']],
  ['Patient', 'gender ne female', ['bob']],
  ['Patient', `identifier eq ${IDS}|A1`, ['anne']],
  ['Patient', 'active ne true', ['bob']],
  ['Patient', '_id eq anne', ['anne']],
  ['Patient', '_id ne anne', ['bob', 'cara']],
  ['Observation', 'subject re Patient/bob', ['undated', 'weight-bob']],
  ['Observation', 'subject eq bob', ['undated', 'weight-bob']],
  ['Observation', 'subject:Patient eq bob', ['undated', 'weight-bob']],
  ['ValueSet', 'url eq http://example.org/fhir/ValueSet/colours', ['vs']],
  // dates, numbers, quantities
  ['Patient', 'birthdate ge 1999', ['cara']],
  ['Patient', 'birthdate gt 1970-05-31', ['cara']],
  ['Patient', 'birthdate lt 1999-12-31', ['anne', 'bob']],
  ['Patient', 'birthdate le 1970-05', ['anne', 'bob']],
  ['Patient', 'birthdate eq 1970-05-17', ['anne']],
  ['Patient', 'birthdate ne 1970', ['cara']],
  ['Patient', 'birthdate sa 1970-05-31', ['cara']],
  ['Patient', 'birthdate eb 1999-12', ['anne', 'bob']],
  ['Patient', 'birthdate po 1970-05-17', ['anne', 'bob']],
  ['Observation', 'date po 2026-04-02', ['pressure']],
  ['Observation', 'date po 2026-03-15T10:00:00Z', ['weight-bob']],
  ['RiskAssessment', 'probability gt 0.5', ['high']],
  ['RiskAssessment', 'probability ap 0.1', ['low']],
  ['Observation', `value-quantity ge 70|${UCUM}|kg`, ['weight-bob']],
  // is there one?
  ['Patient', 'active pr false', ['cara']],
  ['Patient', 'active pr true', ['anne', 'bob']],
  ['Observation', 'date pr false', ['undated']],
  // logic: left to right
  ['Patient', 'gender eq female and birthdate lt 1980', ['anne']],
  ['Patient', 'gender eq male or birthdate ge 1999', ['bob', 'cara']],
  ['Patient', 'gender eq male or gender eq female and birthdate ge 1999', ['cara']],
  ['Patient', 'gender eq male or (gender eq female and birthdate ge 1999)', ['bob', 'cara']],
  ['Patient', 'not (gender eq male)', ['anne', 'cara']],
  ['Patient', 'not(gender eq male) and not (_id eq cara)', ['anne']],
  ['Patient', '((gender eq male))', ['bob']],
  ['Patient', '  gender   eq  male  ', ['bob']],
  // chains, brackets, reverse
  ['Observation', 'patient.family eq weissmann', ['undated', 'weight-bob']],
  ['Observation', 'subject:Patient.organization.name sw "st anne"', ['pressure', 'pulse', 'weight']],
  ['Observation', `patient[gender eq male].identifier eq ${IDS}|B1`, ['undated', 'weight-bob']],
  ['Observation', `patient[gender eq female].identifier eq ${IDS}|B1`, []],
  ['Observation', 'patient[birthdate lt 1980 and active eq true].family pr true', ['pressure', 'pulse', 'weight']],
  ['Patient', '_has:Observation:patient:status eq preliminary', ['bob']],
  ['Patient', '_has:Observation:patient:code eq 8867-4 or gender eq male', ['anne', 'bob']],
];

test.each(cases)('%s: %s', async (type, text, found) => {
  const { status, body, text: answer } = await filter(type, text, '&_sort=_id');
  expect({ status, answer: status === 200 ? '' : answer }).toEqual({ status: 200, answer: '' });
  expect(ids(body)).toEqual(found);
});

test('goes with other criteria, repeats, pages, counts and stands in the self link', async () => {
  const { body } = await filter('Patient', 'birthdate lt 1999', `&gender=female&_filter=${encodeURIComponent('family sw weiss')}&_total=accurate`);
  expect(ids(body)).toEqual(['anne']);
  expect(body.total).toBe(1);
  expect(body.link[0].url.match(/_filter=/g)).toHaveLength(2);
  const first = await filter('Observation', 'status eq final', '&_count=2&_sort=_id');
  const second = await get(first.body.link.find((one: any) => one.relation === 'next').url.replace(`${server.base}/`, ''));
  expect([...ids(first.body), ...ids(second.body)]).toEqual(['pressure', 'pulse', 'weight', 'weight-bob']);
});

test.each<readonly [type: string, text: string, says: RegExp]>([
  ['Patient', 'name', /character 5.*operators/],
  ['Patient', 'name is x', /character 6, at "is x".*eq, ne, co/],
  ['Patient', 'name eq', /character 8.*value is missing/],
  ['Patient', 'name eq "x', /character 9.*quoted/],
  ['Patient', 'name eq "\\x"', /character 9.*escapes of JSON/],
  ['Patient', '(name eq x', /character 11.*\) is missing/],
  ['Patient', 'name eq x)', /character 10/],
  ['Patient', 'name eq x xor name eq y', /character 11, at "xor/],
  ['Patient', 'name eq x and', /character 14/],
  ['Patient', 'name eq x name eq y', /character 11/],
  ['Patient', 'nonsense eq x', /character 1, .*not searched by nonsense/],
  ['Patient', 'gender eq male and nonsense eq x', /character 20/],
  ['Patient', 'birthdate gt soon', /"soon" is not a value of birthdate/],
  ['Patient', 'birthdate co 19', /co does not go with the date parameter birthdate/],
  ['Patient', 'gender gt male', /gt does not go with the token parameter gender/],
  ['Patient', 'gender po 2020', /po does not go/],
  ['Patient', 'name pr maybe', /name pr wants true/],
  ['Patient', 'name re Patient/1', /re does not go/],
  ['Patient', 'name:exact eq x', /:exact does not go/],
  ['Observation', 'patient[gender eq male] eq x', /character 24.*dot/],
  ['Observation', 'patient[gender eq male.name eq x', /character 29, at "eq x"/],
  ['Observation', 'focus.name eq x', /may point at any type/],
  ['Observation', 'related[type eq has-component].target pr true', /not searched by related.target/],
  ['Patient', '_has:Nonsense:x:y eq 1', /Write _has/],
  ['Patient', `${'('.repeat(50)}name eq x${')'.repeat(50)}`, /deep/],
  ['Patient', Array.from({ length: 200 }, () => 'name eq x').join(' and '), /100 tests/],
])('%s: %s is refused', async (type, text, says) => {
  const answer = await filter(type, text);
  expectRefusal(answer, 400, { expression: '_filter' });
  expect(answer.body.issue[0].details.text).toMatch(says);
});

test('a filter asks nothing that the Grant hides', async () => {
  const commissioner = await server.token('commissioner', { organization: 'X26' });
  expectRefusal(await get(`Patient?_filter=${encodeURIComponent('phone eq 01234')}`, commissioner), 403);
});

describe('_list', () => {
  test.each([['Patient?_list=ward', ['anne']], ['Patient?_list=List/ward', ['anne']], ['Observation?_list=ward', ['weight-bob']], ['Observation?_list=ward&status=preliminary', []], ['Patient?_list=nowhere,ward', ['anne']], ['Patient?_list=nowhere', []], ['Patient?_has:Observation:patient:_list=ward', ['bob']]])('%s', async (query, found) => {
    const { status, body } = await get(query);
    expect(status).toBe(200);
    expect(ids(body)).toEqual(found);
  });

  test.each([['$current-problems', /\$current-problems/], ['a b', /"a b"/]])('"%s" is refused by name', async (value, says) => {
    const answer = await get(`Patient?_list=${encodeURIComponent(value)}`);
    expectRefusal(answer, 400, { expression: '_list', text: says });
  });
});

test('a named query is refused by its name, whatever the handling', async () => {
  expectRefusal(await get('Patient?_query=everyone'), 400, { expression: '_query', text: /everyone/ });
});

test('chains go twelve hops deep, and those that multiply are refused', async () => {
  const hops = (count: number): string => `Organization?${'partof.'.repeat(count)}name=x`;
  expect((await get(hops(12))).status).toBe(200);
  expectRefusal(await get(hops(13)), 400, { text: /longer than 12 hops/ });
  expect((await get(`Organization?${'_has:Organization:partof:'.repeat(12)}name=x`)).status).toBe(200);
  expect((await get('Observation?subject:Patient.organization:Organization.partof:Organization._has:Patient:organization:gender=female')).status).toBe(200);
  expect((await get('Patient?_has:Observation:patient:performer:Practitioner._has:Patient:general-practitioner:gender=male')).status).toBe(200);
  const ways = `${'encounter.diagnosis.'.repeat(4)}encounter.diagnosis.code=x`;
  expect((await get(`Observation?${ways}`)).status).toBe(200);
  expectRefusal(await get(`Observation?${ways}&${ways}`), 400, { text: /name the type of each hop/ });
});

test.each(['_list:not=ward', '_text:exact=x', '_content:contains=x'])('%s is refused for its modifier', async (query) => {
  expectRefusal(await get(`Patient?${query}`), 400, { text: /takes no modifier/ });
});

test('codes have their system', async () => {
  expect(ids((await filter('Observation', `code eq ${LOINC}|29463-7`, '&_sort=_id')).body)).toEqual(['weight', 'weight-bob']);
  expect(ids((await filter('Observation', 'code eq urn:other|29463-7')).body)).toEqual([]);
});
