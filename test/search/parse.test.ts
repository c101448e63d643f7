// What a query string may say, and what each mistake is answered with.
import { loadDefinitions } from '../../src/definitions/load.js';
import { FhirError } from '../../src/fhir/errors.js';
import { parseSearch } from '../../src/search/parse.js';

const definitions = loadDefinitions({ profiles: false });

function parse(type: string, search: string, handling: 'strict' | 'lenient' = 'strict') {
  const pairs = search.split('&').filter((pair) => pair !== '').map((pair) => pair.split(/=(.*)/s).slice(0, 2) as [string, string]);
  return parseSearch({ definitions, type, pairs, handling, defaultCount: 20, maxCount: 100 });
}

function refusal(type: string, search: string, handling: 'strict' | 'lenient' = 'strict') {
  try {
    parse(type, search, handling);
  } catch (error) {
    if (error instanceof FhirError) return { status: error.status, ...error.issues[0] };
    throw error;
  }
  return undefined;
}

it('reads criteria into a tree, and repeats what it understood', () => {
  const { query, warnings } = parse('Observation', 'patient=p1&code=a|b,c&_sort=-date,_id&_count=5&_total=accurate');
  expect(warnings).toEqual([]);
  expect(query).toMatchObject({
    type: 'Observation', count: 5, total: 'accurate',
    where: { kind: 'and', of: [{ kind: 'parameter', parameter: { code: 'patient' } }, { kind: 'parameter', parameter: { code: 'code' }, values: [{ text: 'a|b' }, { text: 'c' }] }] },
    sort: [{ parameter: { code: 'date' }, descending: true }, { parameter: { code: '_id' }, descending: false }],
    self: [['patient', 'p1'], ['code', 'a|b,c'], ['_sort', '-date,_id'], ['_count', '5'], ['_total', 'accurate']],
  });
});

it('finds nothing to say in an empty query', () => {
  expect(parse('Patient', '').query).toEqual({ type: 'Patient', where: { kind: 'all' }, sort: [], count: 20, includes: [], total: 'none', self: [] });
});

describe('a count', () => {
  it.each([['_count=0', 0, 'accurate'], ['_count=100', 100, 'none'], ['_count=5000', 100, 'none'], ['_summary=count', 0, 'accurate'], ['_summary=count&_total=none', 0, 'accurate'], ['', 20, 'none']])(
    '%s is %i with total %s', (search, count, total) => expect(parse('Patient', search).query).toMatchObject({ count, total }),
  );
});

describe('a parameter that is not known', () => {
  it.each([
    ['Patient', 'favourite-colour=red'], ['Patient', '_text=x'], ['Patient', 'age=7'],
    ['Patient', 'organization.nothing=x'], ['Patient', 'name.family=x'], ['Patient', '_has:Observation:encounter:code=x'], ['Patient', '_has:Observation:patient:nothing=x'],
    ['Patient', '_sort=colour'], ['Patient', '_sort=deceased'], ['Patient', '_include=Patient:gender'], ['Patient', '_include=Nothing:patient'], ['Patient', '_revinclude=Observation:code'],
  ])('%s?%s is refused by name under strict handling, and left out with a warning under lenient', (type, search) => {
    const [name] = search.split('=');
    expect(refusal(type, search)).toMatchObject({ status: 400, code: 'not-supported', expression: name });
    const { query, warnings } = parse(type, `${search}&_id=x`, 'lenient');
    expect(warnings).toEqual([expect.objectContaining({ severity: 'warning', code: 'not-supported', expression: name })]);
    expect(query.self).toEqual([['_id', 'x']]);
    expect(query.where).toEqual({ kind: 'ids', ids: ['x'] });
  });
});

describe('a value that can\'t be', () => {
  it.each([
    ['Patient', 'birthdate=yesterday', 'birthdate'], ['Patient', 'birthdate=2020-13', 'birthdate'], ['Patient', 'birthdate=2023-02-29', 'birthdate'], ['Patient', 'birthdate=xx2020', 'birthdate'],
    ['Patient', '_lastUpdated=now', '_lastUpdated'], ['Patient', 'identifier=a|b|c', 'identifier'], ['Patient', 'identifier=|', 'identifier'],
    ['Patient', 'identifier=a,,b', 'identifier'], ['Patient', 'identifier:of-type=a|b', 'identifier'], ['Patient', 'name:missing=maybe', 'name'], ['Patient', '_id=a/b', '_id'],
    ['RiskAssessment', 'probability=half', 'probability'], ['RiskAssessment', 'probability=gt', 'probability'], ['RiskAssessment', 'probability=1e99999', 'probability'],
    ['Observation', 'value-quantity=5|kg', 'value-quantity'], ['Observation', 'value-quantity=x', 'value-quantity'], ['Observation', 'value-quantity=5|s|', 'value-quantity'],
    ['Observation', 'code-value-quantity=a', 'code-value-quantity'], ['Observation', 'code-value-quantity=a$b', 'value-quantity'], ['Observation', 'code-value-quantity=s|$5', 'code'],
    ['Observation', 'focus.name=x', 'focus.name'], ['Patient', 'name=a\0b', 'name'],
    ['Patient', '_count=-1', '_count'], ['Patient', '_count=ten', '_count'], ['Patient', '_total=some', '_total'], ['Patient', '_summary=short', '_summary'], ['Patient', '_include=organization', '_include'],
    ['Patient', '_has:Observation=x', '_has'], ['Patient', '_has:Nothing:patient:code=x', '_has'],
  ])('%s?%s is 400 however lenient the handling', (type, search, expression) => {
    expect(refusal(type, search, 'lenient')).toMatchObject({ status: 400, severity: 'error', code: 'value', expression });
  });
});

it.each([['Patient', 'birthdate'], ['Patient', 'identifier'], ['Patient', 'name'], ['Patient', 'organization'], ['ValueSet', 'url'], ['Patient', '_sort']])(
  '%s?%s= is 400 under strict handling, and left out with a warning under lenient',
  (type, name) => {
    expect(refusal(type, `${name}=`)).toMatchObject({ status: 400, severity: 'error', code: 'value', expression: name });
    const { query, warnings } = parse(type, `${name}=`, 'lenient');
    expect(warnings).toMatchObject([{ severity: 'warning', expression: name }]);
    expect(query).toMatchObject({ where: { kind: 'all' }, self: [], sort: [] });
  },
);

describe('a modifier that does not go', () => {
  it.each([
    ['Patient', 'gender:in=http://x', 'gender'], ['Patient', 'gender:not-in=http://x', 'gender'], ['Patient', 'gender:below=x', 'gender'], ['Patient', 'name:not=x', 'name'], ['Patient', 'birthdate:exact=2020', 'birthdate'],
    ['ValueSet', 'url:contains=http://x', 'url'], ['Observation', 'patient:Group=1', 'patient'], ['Observation', 'subject:Practitioner.name=x', 'subject'], ['Patient', '_id:exact=x', '_id'], ['Patient', '_include:once=Patient:organization', '_include'],
  ])('%s?%s is 400 however lenient the handling', (type, search, expression) => {
    expect(refusal(type, search, 'lenient')).toMatchObject({ status: 400, code: 'not-supported', expression });
  });
});

it('bounds the length of chains and the number of criteria', () => {
  expect(refusal('Observation', `${'derived-from:Observation.'.repeat(13)}code=x`)).toMatchObject({ status: 400 });
  expect(refusal('Observation', `${'derived-from:Observation.'.repeat(12)}code=x`)).toBeUndefined();
  expect(refusal('Patient', Array.from({ length: 65 }, () => 'name=a').join('&'))).toMatchObject({ status: 400 });
});

it('keeps what an escape protects', () => {
  const { query } = parse('Patient', 'name=a\\,b,c\\\\,d');
  expect(query.where).toMatchObject({ values: [{ text: 'a\\,b' }, { text: 'c\\\\' }, { text: 'd' }] });
});

it('takes names that every object has for unknown ones', () => {
  for (const name of ['constructor', '__proto__', 'toString', '_sort.x', '']) expect(refusal('Patient', `${name}=x`)).toMatchObject({ status: 400, code: 'not-supported' });
});
