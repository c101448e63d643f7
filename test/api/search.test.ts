// search by every kind of parameter, through HTTP. https://hl7.org/fhir/R4/search.html
import { startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';
import { IDS, LOINC, UCUM, loadSearchData } from './search-data.js';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  await loadSearchData(server);
});
afterAll(() => server.close());

const encode = (query: string): string => encodeURI(query).replaceAll('+', '%2B');
const get = (query: string, headers: Record<string, string> = {}) => server.send('GET', encode(query), { token: server.tokens.admin, headers });
const ids = (body: any, mode = 'match'): string[] => (body.entry ?? []).filter((entry: any) => entry.search.mode === mode).map((entry: any) => entry.resource.id);
const link = (body: any, relation: string): string | undefined => body.link.find((one: any) => one.relation === relation)?.url;

test('answers a searchset with self link, fullUrls and modes', async () => {
  const { status, body, headers } = await get('Patient?_id=anne');
  expect(status).toBe(200);
  expect(headers['content-type']).toBe('application/fhir+json; charset=utf-8');
  expect(body).toMatchObject({ resourceType: 'Bundle', type: 'searchset', link: [{ relation: 'self', url: `${server.base}/Patient?_id=anne` }] });
  expect(body.entry).toEqual([{ fullUrl: `${server.base}/Patient/anne`, resource: expect.objectContaining({ id: 'anne' }), search: { mode: 'match' } }]);
});

test('nothing found is a searchset without entries', async () => {
  const { status, body } = await get('Patient?_id=nobody');
  expect(status).toBe(200);
  expect(body).not.toHaveProperty('entry');
});

const cases: readonly (readonly [query: string, found: readonly string[]])[] = [
  // string
  ['Patient?family=weiss', ['anne', 'bob']],
  ['Patient?family=WEISS-MU', ['anne']],
  ['Patient?family:exact=Weissmann', ['bob']],
  ['Patient?family:exact=weissmann', []],
  ['Patient?family:contains=mann', ['bob']],
  ['Patient?given=anne&given=marie', ['anne']],
  ['Patient?given=anne,bob', ['anne', 'bob']],
  ['Patient?name=cara\\,', ['cara']],
  ['Patient?address-city=bath', ['anne']],
  ['Patient?address-postalcode:missing=false', ['anne']],
  // token
  [`Patient?identifier=${IDS}|A1`, ['anne']],
  ['Patient?identifier=B1', ['bob']],
  ['Patient?identifier=|C1', ['cara']],
  ['Patient?identifier=|A1', []],
  [`Patient?identifier=${IDS}|`, ['anne', 'bob']],
  ['Patient?gender=female', ['anne', 'cara']],
  ['Patient?gender:not=female', ['bob']],
  ['Patient?active=true', ['anne']],
  ['Patient?active:missing=true', ['cara']],
  ['Patient?deceased=true', ['cara']],
  ['Patient?phone=01234', ['anne']],
  ['Patient?_tag=urn:tags|red', ['anne']],
  ['Patient?_security=R', ['anne']],
  ['Patient?_profile=http://example.org/profile', ['anne']],
  [`Observation?code=${LOINC}|29463-7`, ['weight', 'weight-bob']],
  ['Observation?code:text=heart', ['pulse']],
  ['Observation?status:not=final', ['undated']],
  ['Observation?value-concept=urn:moods|good', ['undated']],
  // reference
  ['Observation?subject=Patient/bob', ['undated', 'weight-bob']],
  ['Observation?subject=bob', ['undated', 'weight-bob']],
  ['Observation?subject:Patient=bob', ['undated', 'weight-bob']],
  ['Observation?patient=Patient/bob', ['undated', 'weight-bob']],
  ['Observation?subject=Group/bob', []],
  ['Patient?organization=trust', ['anne']],
  // date
  ['Patient?birthdate=1970-05-17', ['anne']],
  ['Patient?birthdate=1970-05', ['anne', 'bob']],
  ['Patient?birthdate=1970', ['anne', 'bob']],
  ['Patient?birthdate=ge1999', ['cara']],
  ['Patient?birthdate=lt1970-05-18&birthdate=ge1970-05-01', ['anne', 'bob']],
  ['Patient?birthdate=sa1970-05-31', ['cara']],
  ['Patient?birthdate=eb1970-05-17', []],
  ['Patient?birthdate=ne1970', ['cara']],
  ['Observation?date=2026-04-02', []],
  ['Observation?date=2026-04', ['pressure']],
  ['Observation?date=ge2026-04-02', ['pressure']],
  ['Observation?date=lt2026-02', ['pulse']],
  ['Observation?date=2026-01-10T09:00:00Z', ['pulse']],
  ['Observation?date=2026-01-10T10:00:00+01:00', ['pulse']],
  ['Observation?date:missing=true', ['undated']],
  // number
  ['RiskAssessment?probability=gt0.8', ['high']],
  ['RiskAssessment?probability=0.1', ['low']],
  ['RiskAssessment?probability=lt0.10', []],
  ['RiskAssessment?probability=le0.1', ['low']],
  // quantity
  [`Observation?value-quantity=65.5|${UCUM}|kg`, ['weight']],
  ['Observation?value-quantity=65.5||kg', ['weight']],
  ['Observation?value-quantity=gt70', ['pulse', 'weight-bob']],
  [`Observation?value-quantity=gt70|${UCUM}|kg`, ['weight-bob']],
  ['Observation?value-quantity=ap70', ['pulse', 'weight']],
  [`Observation?component-value-quantity=120|${UCUM}|mm[Hg]`, ['pressure']],
  // uri
  ['ValueSet?url=http://example.org/fhir/ValueSet/colours', ['vs']],
  ['ValueSet?url=http://example.org/fhir', []],
  // composite
  [`Observation?code-value-quantity=${LOINC}|29463-7$gt70`, ['weight-bob']],
  // special and several together
  ['Patient?_id=anne,bob,nobody', ['anne', 'bob']],
  ['Patient?gender=female&birthdate=lt1980', ['anne']],
  ['Patient?_lastUpdated=lt2020-01-01', []],
  ['Patient?_lastUpdated=gt2020-01-01', ['anne', 'bob', 'cara']],
  // chained and reverse chained
  [`Observation?subject:Patient.identifier=${IDS}|B1`, ['undated', 'weight-bob']],
  ['Observation?patient.family=weissmann', ['undated', 'weight-bob']],
  ['Observation?subject:Patient.organization.name=st anne', ['pressure', 'pulse', 'weight']],
  [`Patient?_has:Observation:patient:code=${LOINC}|8867-4`, ['anne']],
  [`Organization?_has:Patient:organization:_has:Observation:patient:code=${LOINC}|8867-4`, ['trust']],
  ['Patient?_has:Observation:patient:status=preliminary', ['bob']],
];

test.each(cases)('%s', async (query, found) => {
  const { status, body, text } = await get(`${query}&_sort=_id`);
  expect({ status, text: status === 200 ? '' : text }).toEqual({ status: 200, text: '' });
  expect(ids(body)).toEqual(found);
  const form = await server.send('POST', `${query.slice(0, query.indexOf('?'))}/_search`, {
    token: server.tokens.admin, body: `${encode(query).slice(query.indexOf('?') + 1)}&_sort=_id`, headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  expect(ids(form.body)).toEqual(found);
});

test('an absolute reference to this server is the relative one', async () => {
  expect(ids((await get(`Observation?subject=${server.base}/Patient/bob&_sort=_id`)).body)).toEqual(['undated', 'weight-bob']);
});

test('POST _search reads the URL and the body together', async () => {
  const { body } = await server.send('POST', 'Patient/_search?gender=female', { token: server.tokens.admin, body: 'birthdate=lt1980', headers: { 'content-type': 'application/x-www-form-urlencoded' } });
  expect(ids(body)).toEqual(['anne']);
  const { body: bare } = await server.send('POST', 'Patient/_search?gender=male', { token: server.tokens.admin });
  expect(ids(bare)).toEqual(['bob']);
});

describe('_sort', () => {
  test.each([
    ['Patient?_sort=birthdate', ['bob', 'anne', 'cara']],
    ['Patient?_sort=-birthdate,_id', ['cara', 'anne', 'bob']],
    ['Patient?_sort=family', ['bob', 'anne', 'cara']],
    ['Observation?_sort=-date', ['pressure', 'weight-bob', 'weight', 'pulse', 'undated']],
  ])('%s', async (query, order) => {
    const found = ids((await get(query)).body);
    expect([...found].sort()).toEqual([...order].sort());
    // Rows that the key does not tell apart, or that have none of it, may come either way: the others have their order.
    if (!query.includes('family') && !query.endsWith('birthdate')) expect(found).toEqual(order);
    else expect(found.indexOf('cara')).toBe(2);
  });

  test('_lastUpdated has the newest first with a minus', async () => {
    await server.send('PUT', 'Patient/bob', { token: server.tokens.admin, body: { ...(await get('Patient/bob')).body, language: 'en' } });
    expect(ids((await get('Patient?_sort=-_lastUpdated')).body)[0]).toBe('bob');
    expect(ids((await get('Patient?_sort=_lastUpdated')).body).at(-1)).toBe('bob');
  });
});

describe('totals', () => {
  test.each(['Patient?_count=0', 'Patient?_summary=count', 'Patient?gender=female&_count=0'])('%s answers the total alone', async (query) => {
    const { body } = await get(query);
    expect(body.total).toBe(query.includes('gender') ? 2 : 3);
    expect(body).not.toHaveProperty('entry');
  });

  test('_total=accurate counts all matches, not the page and not what is included', async () => {
    const { body } = await get('Observation?_total=accurate&_count=2&_include=Observation:subject');
    expect(body.total).toBe(5);
    expect(ids(body)).toHaveLength(2);
  });

  test('without being asked for there is none that is wrong', async () => {
    expect([undefined, 3]).toContain((await get('Patient')).body.total);
  });
});

describe('_include', () => {
  test('brings what the matches refer to, once, as mode include', async () => {
    const { body } = await get('Observation?_include=Observation:subject&subject=Patient/anne');
    expect(ids(body)).toHaveLength(3);
    expect(ids(body, 'include')).toEqual(['anne']);
    expect(body.entry.at(-1).fullUrl).toBe(`${server.base}/Patient/anne`);
  });

  test('of a target type brings only that', async () => {
    expect(ids((await get('Observation?_include=Observation:subject:Group')).body, 'include')).toEqual([]);
    expect(ids((await get('Observation?_id=pulse&_include=Observation:subject:Patient')).body, 'include')).toEqual(['anne']);
  });

  test('does not repeat what matched already', async () => {
    const { body } = await get('Observation?_id=pulse,pressure&_include=Observation:has-member');
    expect(ids(body).sort()).toEqual(['pressure', 'pulse']);
    expect(ids(body, 'include')).toEqual([]);
  });

  test(':iterate goes on from what was included', async () => {
    const { body } = await get('Observation?_id=pulse&_include=Observation:subject&_include:iterate=Patient:organization');
    expect(ids(body, 'include').sort()).toEqual(['anne', 'trust']);
  });

  test('_revinclude brings what refers to the matches', async () => {
    expect(ids((await get('Patient?_id=bob&_revinclude=Observation:subject')).body, 'include').sort()).toEqual(['undated', 'weight-bob']);
  });

  test('leaves out a target that is deleted or was never there', async () => {
    const put = (resource: { resourceType: string; id: string }) => server.send('PUT', `${resource.resourceType}/${resource.id}`, { token: server.tokens.admin, body: resource });
    await put({ resourceType: 'Patient', id: 'gone' });
    for (const target of ['gone', 'never']) await put({ resourceType: 'Condition', id: `of-${target}`, subject: { reference: `Patient/${target}` } } as never);
    await server.send('DELETE', 'Patient/gone', { token: server.tokens.admin });
    const { body } = await get('Condition?_include=Condition:subject&_sort=_id');
    expect(ids(body)).toEqual(['of-gone', 'of-never']);
    expect(ids(body, 'include')).toEqual([]);
  });
});

describe('what is not known', () => {
  test('is left out with a warning, and the self link tells so', async () => {
    const { status, body } = await get('Patient?shoe-size=43&gender=male');
    expect(status).toBe(200);
    expect(ids(body)).toEqual(['bob']);
    expect(link(body, 'self')).toBe(`${server.base}/Patient?gender=male`);
    const [outcome] = body.entry.filter((entry: any) => entry.search.mode === 'outcome');
    expect(outcome.resource).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ severity: 'warning', code: 'not-supported', details: { text: expect.stringContaining('shoe-size') } }] });
  });

  test('is refused under Prefer: handling=strict', async () => {
    expectRefusal(await get('Patient?shoe-size=43', { prefer: 'handling=strict' }), 400, { code: 'not-supported', text: /shoe-size/, expression: 'shoe-size' });
    expect((await get('Patient?shoe-size=43', { prefer: 'handling=lenient' })).status).toBe(200);
    expect((await get('Patient?gender=male', { prefer: 'handling=strict' })).status).toBe(200);
  });

  // https://hl7.org/fhir/R4/search.html#errors: empty parameters are not an error
  test.each(['family=', 'birthdate=', '_id=', '_count=', '_sort=', '_include=', '_summary=', '_elements=', '_format=', 'family:exact=', '_type='])('a parameter without a value (%s) is left out', async (empty) => {
    const { status, body } = await get(`Patient?${empty}&gender=male`);
    expect(status).toBe(200);
    expect(ids(body)).toEqual(['bob']);
    if (empty !== '_type=') expect(link(body, 'self')).toBe(`${server.base}/Patient?gender=male`);
  });

  test('a parameter without a value never widens what a write is conditional on', async () => {
    const response = await server.send('DELETE', 'Patient?gender=male&_id=', { token: server.tokens.admin });
    expectRefusal(response, 400);
    expect((await get('Patient?gender=male')).body.entry).toHaveLength(1);
  });

  test('_type without a value asks for all types', async () => {
    expect(ids((await get('?_type=&_id=bob')).body)).toEqual(['bob']);
  });

  test.each([
    'Patient?birthdate=yesterday', 'Patient?birthdate=2026-13-01', 'Patient?birthdate=2026-02-30', 'Patient?birthdate=xx2026', 'Patient?birthdate=gt',
    'RiskAssessment?probability=abc', 'RiskAssessment?probability=1e999999999', 'Observation?value-quantity=heavy||kg',
    'Patient?gender:exact=male', 'Patient?birthdate:contains=1970', 'Patient?family:below=x', 'Patient?active:missing=perhaps', 'Patient?_id:exact=anne',
    'Patient?_count=-1', 'Patient?_count=many', 'Patient?_lastUpdated=soon', 'Patient?_total=roughly', 'Observation?subject:Nonsense=1', 'Observation?code-value-quantity=a',
    'Observation?subject:Patient.birthdate=x', 'Patient?name=a%00b',
  ])('%s is refused', async (query) => {
    expectRefusal(await server.send('GET', query.includes('%') ? query : encode(query), { token: server.tokens.admin }), 400);
  });

  test.each(['Observation?value-quantity=1e400', 'Patient?_has:Observation:nonsense:code=x', 'Patient?_sort=gender', 'Patient?_include=Nonsense', 'Patient?_include=Patient:nonsense', 'Patient?_sort=nonsense', 'Patient?_sort=', 'Patient?=x', 'Patient?&&', 'Patient?_has:x=y', 'Patient?_has=y', 'Patient?gender=', 'Patient?gender', 'Observation?subject.nonsense=x'])(
    '%s is answered or refused, and never fails',
    async (query) => {
      const { status, body } = await get(query);
      expect([200, 400]).toContain(status);
      expect(body.resourceType).toBe(status === 200 ? 'Bundle' : 'OperationOutcome');
    },
  );
});

test('a very long list of values is answered', async () => {
  const many = Array.from({ length: 1500 }, (_, index) => `n${index}`).join(',');
  expect(ids((await get(`Patient?_id=${many},anne`)).body)).toEqual(['anne']);
  const form = await server.send('POST', 'Patient/_search', { token: server.tokens.admin, body: `identifier=${many},${many},B1`, headers: { 'content-type': 'application/x-www-form-urlencoded' } });
  expect(ids(form.body)).toEqual(['bob']);
});

test('too many criteria are refused, and so are chains without end', async () => {
  expectRefusal(await get(`Patient?${Array.from({ length: 100 }, () => 'gender=male').join('&')}`), 400);
  const chain = `${'link:Patient.'.repeat(60)}name=x`;
  expect((await get(`Patient?${chain}`)).status).toBeLessThan(500);
  expect((await get(`Patient?${'_has:Patient:link:'.repeat(60)}name=x`)).status).toBeLessThan(500);
});
