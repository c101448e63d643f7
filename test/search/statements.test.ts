// The SQL that searches become: a few texts whole, and for each road what must and must not be in it.
import { loadDefinitions } from '../../src/definitions/load.js';
import { clauseSql } from '../../src/search/clause-sql.js';
import { searchStatement, totalStatement } from '../../src/search/compile.js';
import type { Grant } from '../../src/search/grant.js';
import { parseSearch } from '../../src/search/parse.js';
import type { Cursor, Query } from '../../src/search/query.js';
import { slotsOf } from '../../src/search/slots.js';
import { referenceHash, tokenHasher } from '../../src/search/token-hash.js';
import type { FrequencyOf } from '../../src/search/token-frequency.js';
import { ALL } from '../store/fixture.js';

const definitions = loadDefinitions({ profiles: false });

function query(type: string, search: string, more: Partial<Query> = {}): Query {
  const pairs = search.split('&').filter((pair) => pair !== '').map((pair) => pair.split(/=(.*)/s).slice(0, 2) as [string, string]);
  return { ...parseSearch({ definitions, type, pairs, handling: 'strict', defaultCount: 20, maxCount: 1000 }).query, ...more };
}

const statement = (type: string, search: string, more: Partial<Query> = {}, grant: Grant = ALL, frequencyOf?: FrequencyOf) =>
  searchStatement(definitions, query(type, search, more), grant, frequencyOf);
const textOf = (type: string, search: string, more: Partial<Query> = {}): string => statement(type, search, more).text;

const hasher = tokenHasher('code');
const shares = (...codes: (readonly [string, number])[]): FrequencyOf => () => ({ rows: 1_000_000, shares: new Map(codes.map(([code, share]) => [hasher.anySystem(code), share])) });

describe('whole', () => {
  it('newest of a patient: the index of subject and date, in its order', () => {
    expect(statement('Observation', 'patient=p1&_sort=-date')).toMatchInlineSnapshot(`
{
  "name": "search joynjjrbax7o",
  "read": [Function],
  "text": "select string_agg(id || E'\\x1f' || coalesce(k0, E'\\x1d') || E'\\x1f' || res, E'\\x1e') as page from (select r.id, r.res, r.date_lo::text as k0 from fhir."Observation" r where r.res is not null and r.subject = $1::text order by r.date_lo desc nulls last, r.id desc limit 21) p",
  "values": [
    "Patient/p1",
  ],
}
`);
  });

  it('a rare token: the GIN, then a sort that no index offers to walk', () => {
    expect(statement('Observation', 'code=a,b&_sort=-date').text).toMatchInlineSnapshot(`"select string_agg(id || E'\\x1f' || coalesce(k0, E'\\x1d') || E'\\x1f' || res, E'\\x1e') as page from (select r.id, r.res, r.date_lo::text as k0 from fhir."Observation" r where r.res is not null and r.tokens && (select $1::bigint[]) order by (r.date_lo + 0) desc nulls last, (r.id || '') desc limit 21) p"`);
  });

  it('nothing asked: the primary key', () => {
    expect(statement('Observation', '').text).toMatchInlineSnapshot(`"select string_agg(id || E'\\x1f' || res, E'\\x1e') as page from (select r.id, r.res from fhir."Observation" r where r.res is not null order by r.id asc limit 21) p"`);
  });

  it('a chain: an uncorrelated select of the subjects', () => {
    expect(statement('Observation', 'subject:Patient.identifier=s|1').text).toMatchInlineSnapshot(`"select string_agg(id || E'\\x1f' || res, E'\\x1e') as page from (select r.id, r.res from fhir."Observation" r where r.res is not null and r.subject = any(array(select 'Patient/' || o1.id from fhir."Patient" o1 where o1.res is not null and o1.tokens && (select $1::bigint[]))) order by (r.id || '') asc limit 21) p"`);
  });

  it('a total', () => {
    expect(totalStatement(definitions, query('Observation', 'patient=p1'), ALL).text).toMatchInlineSnapshot(`"select count(*) as total from fhir."Observation" r where r.res is not null and r.subject = $1::text"`);
  });

  it('a clause on a row that is found already', () => {
    const values: unknown[] = ['x'];
    expect(clauseSql(definitions, 'Observation', query('Observation', 'code=a&patient=p1').where, 't', values)).toMatchInlineSnapshot(`"((t.tokens && (select $2::bigint[])) is true and (t.subject = $3::text) is true)"`);
    expect(values).toHaveLength(3);
  });
});

describe('the road', () => {
  it('is not the planner\'s to choose: a token drives only where the order can\'t be walked', () => {
    expect(textOf('Observation', 'code=a&_sort=-date')).toContain('order by (r.date_lo + 0) desc nulls last, (r.id || \'\') desc');
    expect(textOf('Observation', 'patient=p1&code=a&_sort=-date')).toContain('(r.tokens && (select $2::bigint[])) is true');
  });

  it('of a common token is a walk that ends, and the GIN where it did not fill the page', () => {
    const { text } = statement('Observation', 'code=a&_sort=-date', {}, ALL, shares(['a', 0.1]));
    expect(text).toMatch(/from \(with near0 as materialized/);
    expect(text).toContain('order by r.date_lo desc nulls last, r.id desc limit 4000');
    expect(text).toContain('r.tokens && (select $');
  });

  it('of a common token and a rare one is that of the rare one', () => {
    const { text } = statement('Observation', 'code=a&code=b', {}, ALL, shares(['a', 0.1], ['b', 0.0001]));
    expect(text).toContain('(r.tokens && (select $1::bigint[])) is true and r.tokens && (select $2::bigint[])');
    expect(text).not.toContain('near');
  });

  it('of a token known, but in too few rows for a walk, is the GIN', () => {
    expect(statement('Observation', 'code=a', {}, ALL, shares(['a', 0.01])).text).not.toContain('near');
    expect(statement('Observation', 'code=a', {}, ALL, shares(['a', 0.02])).text).toContain('near');
  });

  it('of bounds on the order\'s own column is the walk', () => {
    expect(textOf('Observation', 'date=ge2024&_sort=-date')).not.toContain('near');
    expect(textOf('Patient', '_lastUpdated=gt2024&_sort=_lastUpdated')).toContain('order by r.updated asc, r.id asc');
  });
});

describe('what lasts until a date', () => {
  const SHORT = 'r.date_lo >= $';
  const LONG = 'r.date_hi - r.date_lo > 86400000';

  it('is the short ones, then those of each class of longer ones, in the order that is asked', () => {
    const newest = textOf('Observation', 'date=ge2024-05-01&_sort=-date');
    expect(newest.lastIndexOf(SHORT)).toBeLessThan(newest.indexOf(LONG));
    expect(newest).toContain('(values (1, $4::bigint - 2764799999), (2, $4::bigint - 31708799999), (3, $4::bigint - 317087999999), (4, -62135596800000::bigint)) c (class, start)');
    const oldest = textOf('Observation', 'date=ge2024-05-01&_sort=date');
    expect(oldest.indexOf(LONG)).toBeLessThan(oldest.lastIndexOf(SHORT));
    expect(newest + oldest).not.toContain('is null');
  });

  it('is bounded by what the criteria leave together', () => {
    const { values } = statement('Observation', 'date=ge2024-05-01&date=gt2023&_sort=-date');
    expect(values.slice(-2)).toEqual([Date.UTC(2024, 4, 1), Date.UTC(2024, 4, 2)]);
    expect(textOf('Observation', 'date=ge2024-05-01&date=2025&_sort=-date')).not.toContain(LONG);
    expect(textOf('Observation', 'date=ge2024,lt2020&_sort=-date')).not.toContain(LONG);
  });

  it('is found by the subject and the date together, in either order and in none', () => {
    for (const sort of ['&_sort=date', '&_sort=-date', '']) expect(textOf('Observation', `patient=p1&date=gt2024-05-01${sort}`)).toContain(LONG);
  });

  it('has no part in a search for what ends, or begins after', () => {
    for (const prefix of ['', 'lt', 'le', 'sa', 'eb', 'ne']) expect(textOf('Observation', `date=${prefix}2024-05-01&_sort=date`)).not.toContain(LONG);
  });
});

describe('a page after the first', () => {
  const after: Cursor = { keys: ['1700000000000'], id: 'o5' };

  it('begins at the place in the index that is walked', () => {
    expect(textOf('Observation', '_sort=-date', { after })).toContain('(r.date_lo, r.id) < ($2::bigint, $1::text)');
    expect(textOf('Observation', '_sort=_lastUpdated', { after })).toContain('(r.updated, r.id) > ($2::bigint, $1::text)');
    expect(textOf('Observation', '', { after })).toContain('r.id > $1::text');
  });

  it('after a row without a date looks among those without alone', () => {
    const text = textOf('Observation', '_sort=-date', { after: { keys: [null], id: 'o5' } });
    expect(text).toContain('r.date_lo is null and r.id < $1::text');
    expect(text).not.toContain('union');
  });
});

describe('a name for preparing', () => {
  it('is the same for other values, and another for another shape', () => {
    const one = statement('Observation', 'patient=p1&_sort=-date');
    expect(statement('Observation', 'patient=p2&_sort=-date')).toMatchObject({ name: one.name, text: one.text });
    expect(statement('Observation', 'patient=p2&_sort=date').name).not.toBe(one.name);
    expect(statement('Observation', 'code=a,b,c').name).toBe(statement('Observation', 'code=d').name);
    expect(statement('Patient', 'family=a').name).toBe(statement('Patient', 'given=b').name);
  });

  it('is not given to shapes that few searches share', () => {
    expect(statement('Patient', 'family=a,b')).not.toHaveProperty('name');
    expect(statement('Patient', '', { count: 37 })).not.toHaveProperty('name');
  });
});

describe('a text that is kept', () => {
  const asked = ['', 'patient=p1', 'patient=p1,p2', 'subject=Patient/p1', 'patient:missing=true', 'code=a', 'code=a,b', 'code:not=a&patient=p1', 'subject:Patient.name=x', '_id=o1', 'value-string=x'];
  const orders = ['', '_sort=date', '_sort=-date', '_sort=_lastUpdated', '_sort=-_id', '_sort=-date,_id', '_sort=value-quantity'];
  const after: Partial<Query> = { after: { keys: ['1700000000000'], id: 'o5' } };
  const searches = asked.flatMap((test) => orders.flatMap((order) => [5, 20].flatMap((count) => [{}, after].map((more) => [[test, order, `_count=${count}`].filter((one) => one !== '').join('&'), more] as const))));
  /** With slots, and so with frames, of its own. */
  const anew = (search: string, more: Partial<Query>) => {
    const parameters = new Map(definitions.searchParameters('Observation'));
    const own = { ...definitions, searchParameters: (type: string) => (type === 'Observation' ? parameters : definitions.searchParameters(type)) };
    return searchStatement(own, query('Observation', search, more), ALL);
  };

  it('is the one that would be written anew, whatever was written before', () => {
    for (const [search, more] of [...searches, ...searches.toReversed()]) {
      const { name, text, values } = statement('Observation', search, more);
      const { name: newName, text: newText, values: newValues } = anew(search, more);
      expect({ search, name, text, values }).toEqual({ search, name: newName, text: newText, values: newValues });
    }
  });

  it('goes with the values of each search', () => {
    const [one, other] = ['p1', 'p2'].map((id) => statement('Observation', `patient=${id}&_sort=-date`));
    expect(other?.text).toBe(one?.text);
    expect([one?.values, other?.values]).toEqual([['Patient/p1'], ['Patient/p2']]);
  });
});

it('no value stands in a text, and no text has an OFFSET', () => {
  const { text, values } = statement('Observation', 'patient=nhs9000000009&code=secret|x&value-string=secret&subject:Patient.name=secret&_include=Observation:patient&_sort=-date', {
    after: { keys: ['1700000000000'], id: 'secret' },
  });
  expect(text).not.toMatch(/secret|9000000009|1700000000000|offset/i);
  expect(values.join()).toMatch(/secret/);
  for (const [, number] of text.matchAll(/\$(\d+)/g)) expect(Number(number)).toBeLessThanOrEqual(values.length);
});

it('every value is named in the text, or PostgreSQL would refuse it', () => {
  for (const search of ['date=gt2024', 'date=ap2024', 'value-quantity=ne5||mg', 'code-value-quantity=a$sa5', 'date=lt2024&_sort=date', 'patient=p1&date=eb2024']) {
    const { text, values } = statement('Observation', search);
    values.forEach((_, index) => expect(text).toContain(`$${index + 1}::`));
  }
});

describe('what many rows point at', () => {
  const { salt } = slotsOf(definitions, 'HealthcareService').byCode.get('coverage-area') ?? { salt: 0n };
  const everywhere: FrequencyOf = () => ({ rows: 100_000, shares: new Map([[referenceHash('Location/everywhere') ^ salt, 0.9]]) });

  it('is walked, by names along their index', () => {
    const { text } = statement('HealthcareService', 'coverage-area=Location/everywhere&_sort=name', {}, ALL, everywhere);
    expect(text).toMatch(/^select .*with near0 as materialized .*from fhir\.string_index s\d+ where s\d+\.param = -?\d+ order by s\d+\.value asc, s\d+\.id asc/);
  });

  it('is gathered where few do', () => {
    expect(statement('HealthcareService', 'coverage-area=Location/one&_sort=name', {}, ALL, everywhere).text).not.toMatch(/near/);
  });
});
