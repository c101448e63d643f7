// Dates and numbers with every prefix, on random rows, against the specification's sentences evaluated one by one.
// https://hl7.org/fhir/R4/search.html#prefix
import fc from 'fast-check';
import type { Resource } from '../../src/fhir/resource.js';
import { searchStatement } from '../../src/search/compile.js';
import type { PackedRow } from '../../src/search/packed-page.js';
import { createExtractor } from '../../src/search/extract.js';
import { parseSearch } from '../../src/search/parse.js';
import type { Prefix } from '../../src/search/query.js';
import { PREFIXES, SENTENCES, type Moment } from './moments.js';
import { ALL, create, definitions, openFixture, type Fixture } from '../store/fixture.js';

const ROWS = 300;

const extract = createExtractor(definitions);
let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture();
});
afterAll(() => fixture.close());

async function store(resources: readonly Resource[]): Promise<void> {
  await fixture.store.write(resources.map((resource) => create(resource.resourceType, String(resource.id), { text: JSON.stringify(resource), rows: extract(resource) })));
}

async function found(type: string, name: string, value: string): Promise<string[]> {
  const { query } = parseSearch({ definitions, type, pairs: [[name, value]], handling: 'strict', defaultCount: 1000, maxCount: 1000 });
  const statement = searchStatement(definitions, query, ALL);
  return statement.read((await fixture.database.query<PackedRow>(statement)).rows).map(({ id }) => id);
}

describe('dates', () => {
  const two = (value: number): string => String(value).padStart(2, '0');
  /** A year, month, day or second around one new year, and its first and last millisecond by Date alone. */
  const written = fc.tuple(fc.constantFrom(2023, 2024, 2025), fc.constantFrom(1, 2, 12), fc.constantFrom(1, 28), fc.constantFrom(0, 23), fc.nat(3)).map(([year, month, day, hour, precision]) => {
    const text = [`${year}`, `${year}-${two(month)}`, `${year}-${two(month)}-${two(day)}`, `${year}-${two(month)}-${two(day)}T${two(hour)}:00:00Z`][precision] ?? '';
    const from = Date.UTC(year, precision > 0 ? month - 1 : 0, precision > 1 ? day : 1, precision > 2 ? hour : 0);
    const next = [Date.UTC(year + 1, 0), Date.UTC(year, month), from + 86_400_000, from + 1000][precision] ?? 0;
    return { text, from, to: next - 1 };
  });
  const period = fc.tuple(written, written, fc.nat(2)).map(([one, other, open]) => {
    const [start, end] = one.from <= other.from ? [one, other] : [other, one];
    const value = { ...(open !== 1 && { start: start.text }), ...(open !== 2 && { end: end.text }) };
    return { value, from: open === 1 ? -Infinity : start.from, to: open === 2 ? Infinity : Math.max(end.to, open === 1 ? end.to : start.from) };
  });

  it('of a column and of the side table agree with the sentences', async () => {
    const periods = fc.sample(period, ROWS);
    const points = fc.sample(written, ROWS);
    const id = (index: number): string => `d${String(index).padStart(3, '0')}`;
    await store([
      ...periods.map(({ value }, index): Resource => ({ resourceType: 'Encounter', id: id(index), status: 'finished', period: value })),
      ...points.map(({ text }, index): Resource => ({ resourceType: 'Condition', id: id(index), onsetDateTime: '2000', recordedDate: text, abatementDateTime: text })),
    ]);
    for (const { text, from, to } of fc.sample(written, 40)) {
      for (const prefix of PREFIXES) {
        const passes = (targets: readonly Moment[]): string[] => targets.flatMap((target, index) => (SENTENCES[prefix]({ from, to }, target) ? [id(index)] : []));
        expect({ search: prefix + text, ids: await found('Encounter', 'date', prefix + text) }).toEqual({ search: prefix + text, ids: passes(periods) });
        expect(await found('Condition', 'abatement-date', prefix + text)).toEqual(passes(points));
      }
    }
  });
});

describe('numbers', () => {
  /** Thousandths, so that the test can do with whole numbers. */
  const thousandths = fc.integer({ min: -3000, max: 3000 });
  const places = fc.constantFrom(0, 1, 2, 3);

  it('agree with the sentences to the precision written', async () => {
    const values = fc.sample(thousandths, ROWS);
    const id = (index: number): string => `n${String(index).padStart(3, '0')}`;
    await store(values.map((value, index): Resource => ({ resourceType: 'RiskAssessment', id: id(index), status: 'final', prediction: [{ probabilityDecimal: value / 1000 }] })));
    for (const [value, digits] of fc.sample(fc.tuple(thousandths, places), 40)) {
      const unit = 10 ** (3 - digits);
      const asked = Math.round(value / unit) * unit;
      const text = (asked / 1000).toFixed(digits);
      // Half a unit is 0.5 thousandths at the finest: all are doubled.
      const half = unit;
      const reach = Math.max(half, Math.abs(asked) * 0.2);
      const SENTENCES: Readonly<Record<Prefix, (double: number) => boolean>> = {
        eq: (double) => double >= 2 * asked - half && double < 2 * asked + half,
        ne: (double) => double < 2 * asked - half || double >= 2 * asked + half,
        gt: (double) => double > 2 * asked,
        lt: (double) => double < 2 * asked,
        ge: (double) => double >= 2 * asked,
        le: (double) => double <= 2 * asked,
        sa: (double) => double > 2 * asked,
        eb: (double) => double < 2 * asked,
        ap: (double) => Math.abs(double - 2 * asked) <= reach + 1e-9,
      };
      for (const prefix of PREFIXES) {
        const passes = values.flatMap((stored, index) => (SENTENCES[prefix](2 * stored) ? [id(index)] : []));
        expect({ search: prefix + text, ids: await found('RiskAssessment', 'probability', prefix + text) }).toEqual({ search: prefix + text, ids: passes });
      }
    }
  });
});
