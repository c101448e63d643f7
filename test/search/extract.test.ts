// From resources to rows: what becomes a token, a string, a date, a quantity; and that no genuine resource is too strange.
import { loadDefinitions } from '../../src/definitions/load.js';
import { paramKey } from '../../src/definitions/param-key.js';
import { createExtractor } from '../../src/search/extract.js';
import { referenceHash, referenceSalt, tokenHasher } from '../../src/search/token-hash.js';
import { observations, patients, world } from './small-world.js';

const definitions = loadDefinitions({ profiles: false });
const extract = createExtractor(definitions);
const named = (id: string) => {
  const resource = world.find((one) => one.id === id);
  if (!resource) throw new Error(id);
  return resource;
};

it('hashes codings in all the forms they are asked for, and plain codes in one', () => {
  const { tokens } = extract(named('o1'));
  const code = tokenHasher('code');
  expect(tokens).toEqual(expect.arrayContaining([code.exact('http://loinc.org', '29463-7'), code.anySystem('29463-7'), code.system('http://loinc.org'), tokenHasher('status').anySystem('final')]));
  expect(tokens).not.toContain(tokenHasher('status').noSystem('final'));
  expect(extract(named('o4')).tokens).toContain(code.noSystem('29463-7'));
});

it('keeps the subject in its column alone, other references as tokens, and all local ones for includes', () => {
  const rows = extract(named('o1'));
  expect(rows).toMatchObject({ subject: 'Patient/p1', self: referenceHash('Observation/o1'), refs: ['Patient/p1 patient subject ', 'Encounter/e1 encounter ', 'Practitioner/dr1 performer '] });
  expect(rows.tokens).toContain(referenceHash('Encounter/e1') ^ referenceSalt('encounter'));
  expect(rows.tokens).not.toContain(referenceHash('Patient/p1') ^ referenceSalt('subject'));
  expect(extract(named('o12'))).toMatchObject({ subject: 'http://elsewhere.example/fhir/Patient/p1', refs: [] });
});

it('leaves the version of a reference out', () => {
  expect(extract(named('p2')).refs).toContain('Practitioner/dr1 general-practitioner ');
});

it('keeps the main date in its columns alone, hi exclusive, open ends at the ends of time', () => {
  expect(extract(named('o2'))).toMatchObject({ dateLo: Date.UTC(2024, 0, 15), dateHi: Date.UTC(2024, 0, 16), dates: [] });
  expect(extract(named('o6'))).toMatchObject({ dateLo: Date.UTC(2024, 1, 1), dateHi: 253_402_300_800_000 });
  expect(extract(named('o10'))).toMatchObject({ dateLo: null, dateHi: null });
  expect(extract(named('c1')).dates).toEqual([{ param: paramKey('Condition', 'recorded-date'), lo: Date.UTC(2011, 1, 3), hi: Date.UTC(2011, 1, 4) }]);
});

it('folds each part of a name once for each parameter, and keeps the words as written', () => {
  const names = extract(named('p3')).strings.filter(({ param }) => param === paramKey('Patient', 'name'));
  expect(names).toEqual([['muller', 'Müller'], ['zoe', 'Zoë'], ['dr', 'Dr']].map(([value, raw]) => ({ param: paramKey('Patient', 'name'), value, raw })));
});

it('cuts long words, and never within a character', () => {
  const rows = extract({ resourceType: 'Organization', id: 'x', name: `${'a'.repeat(255)}😀😀` });
  expect(rows.strings[0]?.value).toBe('a'.repeat(255));
  expect(rows.strings[0]?.raw).toHaveLength(259);
});

it('marks which parameters have a value, in code order', () => {
  const codes = [...definitions.searchParameters('Patient').keys()].sort();
  const marked = (id: string): string[] => codes.filter((_, index) => extract(named(id)).present[index] === '1');
  // Every patient is deceased or not: the expression says false where nothing is said.
  expect(marked('p6')).toEqual(['_id', '_lastUpdated', 'deceased']);
  expect(marked('P5')).toEqual(['_id', '_lastUpdated', '_tag', 'active', 'birthdate', 'deceased', 'family', 'given', 'name', 'phonetic']);
});

it('gives the same rows for the same resource, none twice', () => {
  for (const resource of [...patients, ...observations]) {
    const rows = extract(resource);
    expect(extract(resource)).toEqual(rows);
    expect(new Set(rows.tokens).size).toBe(rows.tokens.length);
    expect(new Set(rows.strings.map((row) => JSON.stringify(row))).size).toBe(rows.strings.length);
  }
});

it.each([
  { resourceType: 'Patient', id: 'x', name: 'not a list', identifier: [null, 'text', { value: 5 }], birthDate: 7, telecom: [{}], managingOrganization: 'Organization/1' },
  { resourceType: 'Observation', id: 'x', code: null, subject: [], effectivePeriod: {}, component: [{}], valueQuantity: { value: 'much' } },
])('takes values of the wrong type for none: %j', (resource) => {
  expect(() => extract(resource)).not.toThrow();
});
