// Whatever a value set is composed of, it expands to exactly the codes that it says are in it, and to what sets of codes make of it.
import fc from 'fast-check';
import type { CodeSystem, ValueSet, ValueSetComposeInclude } from '@medplum/fhirtypes';
import type { Database } from '../../src/db/database.js';
import { loadDefinitions } from '../../src/definitions/load.js';
import type { Resource } from '../../src/fhir/resource.js';
import { createTerminology, type Terminology } from '../../src/terminology/terminology.js';

const SYSTEM = 'urn:letters';
const CODES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
/** Of a: b, c; of b: d, e; of c: e (twice a child), f. g and h stand alone. */
const BELOW: Readonly<Record<string, readonly string[]>> = { a: ['b', 'c', 'd', 'e', 'f'], b: ['d', 'e'], c: ['e', 'f'] };
const letters: CodeSystem = {
  resourceType: 'CodeSystem', url: SYSTEM, status: 'active', content: 'complete', caseSensitive: true,
  property: [{ code: 'vowel', type: 'boolean' }],
  concept: [
    { code: 'a', property: [{ code: 'vowel', valueBoolean: true }], concept: [{ code: 'b', concept: [{ code: 'd' }, { code: 'e', property: [{ code: 'vowel', valueBoolean: true }] }] }, { code: 'c', concept: [{ code: 'e' }, { code: 'f' }] }] },
    { code: 'g' }, { code: 'h', property: [{ code: 'inactive', valueBoolean: true }] },
  ],
};
const noRows: Database['query'] = () => Promise.resolve({ rows: [], count: 0 });
const nobody: Database = { query: noRows, beside: { query: noRows }, transaction: () => Promise.reject(new Error('none')), ping: () => Promise.resolve(), close: () => Promise.resolve() };
const with_ = (...sets: ValueSet[]): Terminology =>
  createTerminology({ own: [letters, ...sets] as unknown as Resource[], findStored: () => Promise.resolve([]), db: nobody });
const STAMP = { now: 0, identifier: 'urn:uuid:x' };
const flat = (contains: NonNullable<ValueSet['expansion']>['contains'] = []): string[] => contains.flatMap(({ code, contains: below }) => [code ?? '', ...flat(below)]);

interface Part {
  readonly include: ValueSetComposeInclude;
  readonly holds: ReadonlySet<string>;
}
const select = (test: (code: string) => boolean): ReadonlySet<string> => new Set(CODES.filter(test));
const code = fc.constantFrom(...CODES);
const filterPart = (op: string, test: (code: string, value: string) => boolean): fc.Arbitrary<Part> =>
  code.map((value) => ({ include: { system: SYSTEM, filter: [{ property: 'concept', op: op as 'is-a', value }] }, holds: select((one) => test(one, value)) }));
const below = (one: string, value: string): boolean => (BELOW[value] ?? []).includes(one);
const part: fc.Arbitrary<Part> = fc.oneof(
  fc.subarray(CODES, { minLength: 1 }).map((list) => ({ include: { system: SYSTEM, concept: list.map((one) => ({ code: one })) }, holds: new Set(list) })),
  fc.constant({ include: { system: SYSTEM }, holds: new Set(CODES) }),
  filterPart('is-a', (one, value) => one === value || below(one, value)),
  filterPart('descendent-of', below),
  filterPart('is-not-a', (one, value) => one !== value && !below(one, value)),
  filterPart('generalizes', (one, value) => one === value || below(value, one)),
  fc.boolean().map((vowel) => ({ include: { system: SYSTEM, filter: [{ property: 'vowel', op: 'exists' as const, value: String(vowel) }] }, holds: select((one) => ['a', 'e'].includes(one) === vowel) })),
);

const either = (parts: readonly Part[]): ReadonlySet<string> => new Set(parts.flatMap(({ holds }) => [...holds]));

test('include and exclude: the expansion, the verdict on each code, and what sets make of it are the same', async () => {
  await fc.assert(fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 3 }), fc.array(part, { maxLength: 2 }), fc.boolean(), async (includes, excludes, inactive) => {
    const set: ValueSet = {
      resourceType: 'ValueSet', status: 'active',
      compose: { ...(inactive ? {} : { inactive: false }), include: includes.map(({ include }) => include), ...(excludes.length > 0 && { exclude: excludes.map(({ include }) => include) }) },
    };
    const terminology = with_();
    const without = either(excludes);
    const expected = CODES.filter((one) => either(includes).has(one) && !without.has(one) && (inactive || one !== 'h'));
    expect(flat((await terminology.expand(set, {}, STAMP)).expansion?.contains).sort()).toEqual(expected);
    expect(flat((await terminology.expand(set, { excludeNested: true }, STAMP)).expansion?.contains).sort()).toEqual(expected);
    for (const one of [...CODES, 'z']) expect((await terminology.validateInSet(set, { system: SYSTEM, code: one })).result).toBe(expected.includes(one));
  }), { numRuns: 200 });
});

test('what one include imports holds together with its own codes', async () => {
  await fc.assert(fc.asyncProperty(part, part, fc.boolean(), async (own, other, alone) => {
    const imported: ValueSet = { resourceType: 'ValueSet', url: 'urn:other', status: 'active', compose: { include: [other.include] } };
    const set: ValueSet = { resourceType: 'ValueSet', url: 'urn:set', status: 'active', compose: { include: [{ ...(alone ? {} : own.include), valueSet: ['urn:other'] }] } };
    const expected = [...other.holds].filter((one) => alone || own.holds.has(one)).sort();
    const terminology = with_(imported, set);
    expect(flat((await terminology.expand(set, {}, STAMP)).expansion?.contains).sort()).toEqual(expected);
    expect([...(terminology.codes('urn:set') ?? [])].sort()).toEqual(expected.flatMap((one) => [`${SYSTEM}|${one}`, `|${one}`]).sort());
  }), { numRuns: 100 });
});

test('pages put together are the flat expansion', async () => {
  await fc.assert(fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 3 }), fc.integer({ min: 1, max: 5 }), async (parts, count) => {
    const set: ValueSet = { resourceType: 'ValueSet', status: 'active', compose: { include: parts.map(({ include }) => include) } };
    const terminology = with_();
    const whole = flat((await terminology.expand(set, { excludeNested: true }, STAMP)).expansion?.contains);
    const pages: string[] = [];
    for (let offset = 0; offset < CODES.length; offset += count) pages.push(...flat((await terminology.expand(set, { offset, count }, STAMP)).expansion?.contains));
    expect(pages).toEqual(whole);
  }), { numRuns: 50 });
});

describe('codes from memory', () => {
  const definitions = loadDefinitions();
  const terminology = createTerminology({ own: definitions.conformanceResources, findStored: () => Promise.resolve([]), db: nobody });

  test('are those of the required bindings, for every value set that those can list', () => {
    const bound = new Set<string>();
    for (const type of definitions.resourceTypes) for (const { binding } of definitions.type(type)?.elements ?? []) if (binding) bound.add(binding.valueSet);
    const compared = [...bound].filter((url) => definitions.codes(url) !== undefined);
    expect(compared.length).toBeGreaterThan(100);
    for (const url of compared) expect({ url, codes: new Set(terminology.codes(url)) }).toEqual({ url, codes: definitions.codes(url) });
  });

  test('are given for bindings that filter, and not where only another system knows', () => {
    expect(terminology.codes('http://terminology.hl7.org/ValueSet/v3-ActEncounterCode')?.has('http://terminology.hl7.org/CodeSystem/v3-ActCode|AMB')).toBe(true);
    expect(terminology.codes('http://hl7.org/fhir/ValueSet/currencies|4.0.1')?.has('|GBP')).toBe(true);
    expect(terminology.codes('http://hl7.org/fhir/ValueSet/condition-code')).toBeUndefined();
    expect(terminology.codes('http://hl7.org/fhir/ValueSet/no-such-set')).toBeUndefined();
  });

  test('HL7\'s sets all have a plan that works, or words that say why not', async () => {
    const { openPacked } = await import('../../src/terminology/packed.js');
    const sets = openPacked(new URL(`file://${process.cwd()}/`), []).all('ValueSet') as unknown as ValueSet[];
    const refused = new Map<string, number>();
    for (const set of sets) {
      const words = await terminology.expand(set, { count: 5 }, STAMP).then(() => 'expanded', (error: unknown) => (error instanceof Error ? error.message : String(error)).replace(/.*?(is not known here|has no property|can't be expanded).*/, '$1'));
      refused.set(words, (refused.get(words) ?? 0) + 1);
    }
    expect(sets).toHaveLength(1316);
    expect(refused.get('expanded')).toBeGreaterThan(1100);
    expect([...refused.keys()].filter((words) => !['expanded', 'is not known here', 'has no property', 'can\'t be expanded'].includes(words))).toEqual([]);
  });
});

test('sets that import each other twice over, forty deep, are planned at once', async () => {
  const set = (n: number): ValueSet => ({
    resourceType: 'ValueSet', url: `urn:deep:${n}`, status: 'active',
    compose: { include: n === 0 ? [{ system: SYSTEM }] : [{ valueSet: [`urn:deep:${n - 1}`] }, { valueSet: [`urn:deep:${n - 1}`] }] },
  });
  const sets = Array.from({ length: 40 }, (_, n) => set(n));
  const [deepest] = sets.toReversed();
  expect(flat((await with_(...sets).expand(deepest as ValueSet, {}, STAMP)).expansion?.contains)).toHaveLength(CODES.length);
});
