// Which composite parameters are answered by their parts, and that the answers are those of the pairs.
import fc from 'fast-check';
import type { JsonObject, Resource } from '../../src/fhir/resource.js';
import { searchStatement } from '../../src/search/compile.js';
import { createExtractor } from '../../src/search/extract.js';
import type { PackedRow } from '../../src/search/packed-page.js';
import { parseSearch } from '../../src/search/parse.js';
import { slotsOf } from '../../src/search/slots.js';
import { ALL, create, definitions, openFixture, type Fixture } from '../store/fixture.js';

describe('of the composite parameters', () => {
  const composites = definitions.resourceTypes.flatMap((type) => [...slotsOf(definitions, type).byCode.values()].filter(({ parameter }) => parameter.type === 'composite'));

  it('these are both of their parts', () => {
    expect(composites.filter(({ both }) => both).map(({ type, code }) => `${type}.${code}`)).toEqual([
      'Observation.code-value-concept', 'Observation.code-value-date', 'Observation.code-value-quantity',
    ]);
  });

  it('these of the same type find pairs: value-string finds the text of a concept too, and components repeat', () => {
    expect(composites.filter(({ type, both }) => type === 'Observation' && !both).map(({ code }) => code)).toEqual([
      'code-value-string', 'combo-code-value-concept', 'combo-code-value-quantity', 'component-code-value-concept', 'component-code-value-quantity',
    ]);
  });
});

describe('the rows', () => {
  const extract = createExtractor(definitions);
  const coded = (code: string): JsonObject => ({ coding: [{ system: 'urn:a', code }] });
  const weight: Resource = { resourceType: 'Observation', id: 'x', status: 'final', code: coded('w'), valueQuantity: { value: 60 } };

  it('of a value on the resource are those of its parameter alone', () => {
    expect(extract(weight).quantities).toHaveLength(1);
    expect(extract({ ...weight, valueQuantity: undefined, valueDateTime: '2024' })).toMatchObject({ quantities: [], dates: [expect.anything()] });
  });

  it('of a component are those of its pairs as well', () => {
    const { code, valueQuantity } = weight as unknown as Record<string, JsonObject>;
    expect(extract({ ...weight, valueQuantity: undefined, component: [{ code, valueQuantity }] }).quantities).toHaveLength(3);
  });

  it.each([
    [weight, 'code-value-quantity combo-code-value-quantity'],
    [{ ...weight, code: undefined }, ''],
    [{ ...weight, valueQuantity: undefined, valueCodeableConcept: coded('v') }, 'code-value-concept combo-code-value-concept'],
    [{ ...weight, valueQuantity: undefined, component: [{ code: coded('c'), valueQuantity: { value: 1 } }] }, 'combo-code-value-quantity component-code-value-quantity'],
  ])('say which composites have a value: %j', (resource, codes) => {
    const { present } = extract(resource);
    const marked = [...slotsOf(definitions, 'Observation').byCode.values()].filter(({ code, position }) => code.includes('code-value-') && present[position - 1] === '1');
    expect(marked.map(({ code }) => code).join(' ')).toBe(codes);
  });
});

interface Coding { readonly system?: string; readonly code: string }
interface Measured { readonly codes: readonly Coding[]; readonly value?: number; readonly concept?: readonly Coding[] }
interface Seen extends Measured { readonly components: readonly Measured[] }

const coding: fc.Arbitrary<Coding> = fc.record({ system: fc.constantFrom('urn:a', 'urn:b'), code: fc.constantFrom('x', 'y', 'z') }, { requiredKeys: ['code'] });
const codings = fc.array(coding, { minLength: 1, maxLength: 2 });
const measured: fc.Arbitrary<Measured> = fc.oneof(fc.record({ codes: codings, value: fc.integer({ min: 0, max: 3 }) }), fc.record({ codes: codings, concept: codings }), fc.record({ codes: codings }));
const seen: fc.Arbitrary<Seen> = fc.tuple(measured, fc.array(measured, { maxLength: 2 })).map(([own, components]) => ({ ...own, components }));

const written = ({ codes, value, concept }: Measured): JsonObject => ({
  code: { coding: codes as unknown as JsonObject[] },
  ...(value !== undefined && { valueQuantity: { value, unit: 'kg' } }), ...(concept && { valueCodeableConcept: { coding: concept as unknown as JsonObject[] } }),
});
const asked = ({ system, code }: Coding, any: boolean): string => (any ? code : `${system ?? ''}|${code}`);
const has = (list: readonly Coding[] | undefined, { system, code }: Coding, any: boolean): boolean => (list ?? []).some((one) => one.code === code && (any || one.system === system));

describe('the answers', () => {
  const extract = createExtractor(definitions);
  const world = fc.sample(seen, { numRuns: 150, seed: 7 });
  let fixture: Fixture;
  beforeAll(async () => {
    fixture = await openFixture();
    await fixture.store.write(world.map((one, index) => {
      const id = `o${String(index)}`;
      const resource: Resource = { resourceType: 'Observation', id, status: 'final', ...written(one), ...(one.components.length > 0 && { component: one.components.map(written) }) };
      return create('Observation', id, { rows: extract(resource), text: JSON.stringify(resource) });
    }));
  });
  afterAll(() => fixture.close());

  async function found(search: string): Promise<readonly string[]> {
    const [name = '', value = ''] = search.split(/=(.*)/s);
    const { query } = parseSearch({ definitions, type: 'Observation', pairs: [[name, value]], handling: 'strict', defaultCount: 1000, maxCount: 1000 });
    const statement = searchStatement(definitions, query, ALL);
    return statement.read((await fixture.database.query<PackedRow>(statement)).rows).map(({ id }) => id).sort();
  }

  const where = (code: string, test: (one: Measured) => boolean): string[] => world.flatMap((one, index) => {
    const own = code.startsWith('component-') ? [] : [one];
    const others = code.startsWith('code-') ? [] : one.components;
    return [...own, ...others].some(test) ? [`o${String(index)}`] : [];
  }).sort();

  it('of code and quantity are what a look at each pair says', async () => {
    const condition = fc.tuple(coding, fc.boolean(), fc.constantFrom('', 'gt', 'lt'), fc.integer({ min: 0, max: 3 }));
    await fc.assert(fc.asyncProperty(fc.constantFrom('code-value-quantity', 'combo-code-value-quantity', 'component-code-value-quantity'), fc.array(condition, { minLength: 1, maxLength: 2 }), async (code, conditions) => {
      const search = conditions.map(([one, any, prefix, number]) => `${asked(one, any)}$${prefix}${String(number)}`).join(',');
      const test = ({ codes, value }: Measured): boolean => value !== undefined && conditions.some(([one, any, prefix, number]) => has(codes, one, any) && (prefix === 'gt' ? value > number : prefix === 'lt' ? value < number : value === number));
      expect(await found(`${code}=${search}`)).toEqual(where(code, test));
    }), { numRuns: 150 });
  });

  it('of code and concept are what a look at each pair says', async () => {
    const condition = fc.tuple(coding, fc.boolean(), coding, fc.boolean());
    await fc.assert(fc.asyncProperty(fc.constantFrom('code-value-concept', 'combo-code-value-concept', 'component-code-value-concept'), fc.array(condition, { minLength: 1, maxLength: 2 }), async (code, conditions) => {
      const search = conditions.map(([one, any, other, anyOther]) => `${asked(one, any)}$${asked(other, anyOther)}`).join(',');
      const test = ({ codes, concept }: Measured): boolean => conditions.some(([one, any, other, anyOther]) => has(codes, one, any) && has(concept, other, anyOther));
      expect(await found(`${code}=${search}`)).toEqual(where(code, test));
    }), { numRuns: 150 });
  });
});
