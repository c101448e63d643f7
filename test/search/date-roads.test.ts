// Searches by date on every road, over ranges of all lengths, page by page and in every order, against the specification's sentences.
// https://hl7.org/fhir/R4/search.html#date
import fc from 'fast-check';
import type { Resource } from '../../src/fhir/resource.js';
import { searchStatement, totalStatement } from '../../src/search/compile.js';
import { createExtractor } from '../../src/search/extract.js';
import { keysOf, type PackedRow } from '../../src/search/packed-page.js';
import { parseSearch } from '../../src/search/parse.js';
import type { Cursor, Prefix } from '../../src/search/query.js';
import { slotsOf } from '../../src/search/slots.js';
import type { FrequencyOf } from '../../src/search/token-frequency.js';
import { MAX_MS, MIN_MS } from '../../src/fhir/date-time.js';
import { ALL, create, definitions, openFixture, type Fixture } from '../store/fixture.js';
import { PREFIXES, SENTENCES, type Moment } from './moments.js';

const DAY = 86_400_000;
const SECOND = 1000;
const ROWS = 240;
const PAGE = 5;

interface Dated extends Moment {
  readonly id: string;
  readonly subject: string;
  readonly code: string;
  readonly updated: number;
  readonly effective: Readonly<Record<string, unknown>>;
}

const instant = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** Where the indexes part the long from the short and from the longer, and a second either way. */
const EDGES = [DAY, 32 * DAY, 367 * DAY, 3670 * DAY].flatMap((length) => [-SECOND, 0, SECOND].map((more) => length + more));
/** And every length between a second and decades. */
const lengths = fc.oneof(
  fc.constantFrom(...EDGES),
  fc.integer({ min: 0, max: 240 }).map((tenth) => SECOND * Math.round(2 ** (tenth / 8))),
);
const seconds = fc.integer({ min: Date.UTC(2019, 0) / SECOND, max: Date.UTC(2021, 11) / SECOND }).map((second) => second * SECOND);

type Range = Pick<Dated, 'from' | 'to' | 'effective'>;
const written = (year: number, month: number, day: number, places: number): Range => {
  const text = [`${year}`, `${year}-${String(month).padStart(2, '0')}`, `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`][places] ?? '';
  const from = Date.UTC(year, places > 0 ? month - 1 : 0, places > 1 ? day : 1);
  const to = [Date.UTC(year + 1, 0), Date.UTC(year, month), from + DAY][places] ?? 0;
  return { from, to: to - 1, effective: { effectiveDateTime: text } };
};
const lasting = (from: number, length: number): Range => ({ from, to: from + length - 1, effective: { effectivePeriod: { start: instant(from), end: instant(from + length - SECOND) } } });
const ranges: fc.Arbitrary<Range | undefined> = fc.oneof(
  seconds.map((from): Range => ({ from, to: from + SECOND - 1, effective: { effectiveDateTime: instant(from) } })),
  fc.tuple(fc.integer({ min: 2018, max: 2022 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 28 }), fc.nat(2)).map((parts) => written(...parts)),
  { arbitrary: fc.tuple(seconds, lengths).map(([from, length]) => lasting(from, length)), weight: 4 },
  seconds.map((from): Range => ({ from, to: Infinity, effective: { effectivePeriod: { start: instant(from) } } })),
  seconds.map((end): Range => ({ from: -Infinity, to: end + SECOND - 1, effective: { effectivePeriod: { end: instant(end) } } })),
  fc.constant(undefined),
);

const sampled = fc.sample(fc.tuple(ranges, fc.nat(2), fc.nat(2), seconds), ROWS);
const edges = EDGES.map((length, index) => [lasting(Date.UTC(2020, 5, 1) + index * SECOND, length), 2, 2, Date.UTC(2020, 5, 1) + index * SECOND] as const);
const rows: readonly Dated[] = [...edges, ...sampled].map(([range, subject, code, updated], index) => ({
  ...(range ?? { from: NaN, to: NaN, effective: {} }), id: `d${String(index).padStart(3, '0')}`, subject: `p${subject}`, code: `c${code}`, updated,
}));

const extract = createExtractor(definitions);
let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture();
  await fixture.store.write(rows.flatMap(({ id, subject, code, updated, effective }) => {
    const named = { id, subject: { reference: `Patient/${subject}` }, code: { coding: [{ code }] } };
    const observed: Resource = { resourceType: 'Observation', status: 'final', ...named, ...effective };
    // In the side table.
    const abated = Object.fromEntries(Object.entries(effective).map(([name, value]) => [name.replace('effective', 'abatement'), value]));
    const condition: Resource = { resourceType: 'Condition', ...named, ...abated };
    return [observed, condition].map((resource) => create(resource.resourceType, id, { updated, text: JSON.stringify(resource), rows: extract(resource) }));
  }));
});
afterAll(() => fixture.close());

interface Asked {
  readonly prefix: Prefix;
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

/** Moments at and around the ends of what is there, to the second, the day, the month or the year. */
const moments = fc.tuple(fc.nat(ROWS - 1), fc.boolean(), fc.constantFrom(-DAY, -SECOND, 0, SECOND, DAY), fc.nat(3)).map(([at, end, more, places]): Omit<Asked, 'prefix'> => {
  const near = rows[at]?.[end ? 'to' : 'from'] ?? NaN;
  const ms = (Number.isFinite(near) ? Math.floor(near / SECOND) * SECOND : Date.UTC(2020, 0)) + more;
  const date = new Date(ms);
  if (places === 3) return { text: instant(ms), from: ms, to: ms + SECOND - 1 };
  const { effective, from, to } = written(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), places);
  return { text: String(effective.effectiveDateTime), from, to };
});
const asked: fc.Arbitrary<Asked> = fc.tuple(fc.constantFrom(...PREFIXES), moments).map(([prefix, moment]) => ({ prefix, ...moment }));
/** Criteria, each a list of alternatives. */
const criteria = fc.array(fc.array(asked, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 2 });

const passes = (list: readonly (readonly Asked[])[], target: Moment): boolean =>
  !Number.isNaN(target.from) && list.every((either) => either.some(({ prefix, from, to }) => SENTENCES[prefix]({ from, to }, target)));

/** A token that a tenth of the rows are said to have is walked for. */
const common: FrequencyOf = (type) => ({ rows: 1e6, shares: new Map(['c0', 'c1'].map((code) => [slotsOf(definitions, type).byCode.get('code')?.hasher.anySystem(code) ?? 0n, 0.1])) });

interface Search {
  readonly type: string;
  readonly pairs: readonly (readonly [string, string])[];
}

async function page({ type, pairs }: Search, after?: Cursor): Promise<{ readonly ids: string[]; readonly next?: Cursor }> {
  const { query } = parseSearch({ definitions, type, pairs, handling: 'strict', defaultCount: PAGE, maxCount: 1000 });
  const statement = searchStatement(definitions, { ...query, ...(after && { after }) }, ALL, common);
  const found = statement.read((await fixture.database.query<PackedRow>(statement)).rows);
  const shown = found.slice(0, query.count);
  const last = shown.at(-1);
  return { ids: shown.map(({ id }) => id), ...(found.length > query.count && last && { next: { keys: keysOf(last), id: last.id } }) };
}

async function allPages(search: Search): Promise<string[]> {
  const ids: string[] = [];
  for (let next: Cursor | undefined, more = true; more;) {
    const got = await page(search, next);
    ids.push(...got.ids);
    next = got.next;
    more = next !== undefined;
  }
  return ids;
}

async function totalOf({ type, pairs }: Search): Promise<number> {
  const { query } = parseSearch({ definitions, type, pairs, handling: 'strict', defaultCount: PAGE, maxCount: 1000 });
  return Number((await fixture.database.query<{ total: string }>(totalStatement(definitions, query, ALL, common))).rows[0]?.total);
}

const clauses = (code: string, list: readonly (readonly Asked[])[]): [string, string][] => list.map((either) => [code, either.map(({ prefix, text }) => prefix + text).join(',')]);

/** Rows without the key come last either way; ties go by id, in the same direction. */
function inOrder(some: readonly Dated[], sort: string): string[] {
  const key = (row: Dated): number => (sort.endsWith('date') ? Math.max(MIN_MS, Math.min(MAX_MS, row.from)) : sort.endsWith('_lastUpdated') ? row.updated : 0);
  const way = sort.startsWith('-') ? -1 : 1;
  return [...some].sort((a, b) => way * (key(a) - key(b) || (a.id < b.id ? -1 : 1))).map(({ id }) => id);
}

it('finds by the promoted date what the sentences say, in order, from page to page, with the right total', async () => {
  const others = fc.record({ subject: fc.option(fc.constantFrom('p0', 'p1')), code: fc.option(fc.constantFrom('c0', 'c2')), sort: fc.constantFrom('', 'date', '-date', '-_lastUpdated') });
  await fc.assert(fc.asyncProperty(criteria, others, async (list, { subject, code, sort }) => {
    const named: [string, string][] = [...(subject === null ? [] : [['patient', subject] as [string, string]]), ...(code === null ? [] : [['code', code] as [string, string]])];
    const search = { type: 'Observation', pairs: [...clauses('date', list), ...named, ...(sort === '' ? [] : [['_sort', sort] as [string, string]])] };
    const wanted = inOrder(rows.filter((row) => passes(list, row) && (subject === null || row.subject === subject) && (code === null || row.code === code)), sort);
    const pairs = JSON.stringify(search.pairs);
    expect({ pairs, ids: await allPages(search) }).toEqual({ pairs, ids: wanted });
    expect({ pairs, total: await totalOf(search) }).toEqual({ pairs, total: wanted.length });
  }), { numRuns: 250 });
}, 120_000);

it('finds what begins or ends at the very moment, whatever its length', async () => {
  const ends = rows.slice(0, EDGES.length).flatMap(({ from, to }) => [from, to + 1 - SECOND]);
  const roads = [['Observation', 'date'], ['Observation', 'date', 'date'], ['Observation', 'date', '-date'], ['Observation', 'date', '-date', 'p2'], ['Observation', 'date', 'date', 'p2'], ['Observation', 'date', '', 'p2'], ['Condition', 'abatement-date']] as const;
  for (const at of ends.flatMap((end) => [end - 1, end, end + SECOND - 1])) {
    for (const prefix of ['gt', 'ge', 'ap', 'eq'] as const) {
      const one: Asked = { prefix, text: new Date(at).toISOString(), from: at, to: at };
      for (const [type, code, sort = '', subject] of roads) {
        const pairs: [string, string][] = [[code, prefix + one.text], ['_count', '1000'], ...(sort === '' ? [] : [['_sort', sort] as [string, string]]), ...(subject === undefined ? [] : [['patient', subject] as [string, string]])];
        const wanted = inOrder(rows.filter((row) => passes([[one]], row) && (subject === undefined || row.subject === subject)), sort);
        expect({ type, pairs, ids: (await page({ type, pairs })).ids }).toEqual({ type, pairs, ids: wanted });
      }
    }
  }
}, 120_000);

it('finds what was updated at the very moment, with every prefix', async () => {
  for (const { updated } of rows.slice(0, 3)) {
    for (const from of [updated - SECOND, updated, updated + SECOND]) {
      for (const prefix of PREFIXES) {
        const asks = `${prefix}${instant(from)}`;
        const wanted = rows.filter((row) => SENTENCES[prefix]({ from, to: from + SECOND - 1 }, { from: row.updated, to: row.updated })).map(({ id }) => id);
        expect({ asks, ids: (await page({ type: 'Observation', pairs: [['_lastUpdated', asks], ['_count', '1000']] })).ids }).toEqual({ asks, ids: wanted });
      }
    }
  }
});

it('finds by a date of the side table and by the last update what the sentences say', async () => {
  await fc.assert(fc.asyncProperty(criteria, fc.option(fc.constantFrom('p0', 'p1')), async (list, subject) => {
    const of = subject === null ? [] : [['patient', subject] as [string, string]];
    const ids = (target: (row: Dated) => Moment): string[] => rows.filter((row) => passes(list, target(row)) && (subject === null || row.subject === subject)).map(({ id }) => id);
    const side = { type: 'Condition', pairs: [...clauses('abatement-date', list), ...of] };
    const pairs = JSON.stringify(side.pairs);
    expect({ pairs, ids: await allPages(side) }).toEqual({ pairs, ids: ids((row) => row) });
    const updated = { type: 'Observation', pairs: [...clauses('_lastUpdated', list), ...of] };
    expect({ pairs, ids: await allPages(updated) }).toEqual({ pairs, ids: ids((row) => ({ from: row.updated, to: row.updated })) });
  }), { numRuns: 120 });
}, 120_000);

it('finds by a date through a chain and through _has what the sentences say', async () => {
  await fixture.store.write(['p0', 'p1', 'p2'].map((id) => create('Patient', id, { text: `{"resourceType":"Patient","id":"${id}"}`, rows: extract({ resourceType: 'Patient', id }) })));
  await fc.assert(fc.asyncProperty(asked, async (one) => {
    const search = { type: 'Patient', pairs: clauses('_has:Observation:patient:date', [[one]]) };
    const pairs = JSON.stringify(search.pairs);
    const wanted = [...new Set(rows.filter((row) => passes([[one]], row)).map(({ subject }) => subject))].sort();
    expect({ pairs, ids: await allPages(search) }).toEqual({ pairs, ids: wanted });
  }), { numRuns: 60 });
}, 60_000);
