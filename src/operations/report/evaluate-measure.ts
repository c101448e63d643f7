// Measure/$evaluate-measure: how many people have budgets, and what is spent on them, for the commissioner that owns them
// (domain.md C32E14, rulings 51 and 62). https://hl7.org/fhir/R4/measure-operation-evaluate-measure.html
import { createClauses, type Clauses } from '../../access/clauses.js';
import { ownOrganization, ownTree } from '../../access/organizations.js';
import { BASE } from '../../budgets/codes.js';
import { exposedBy } from '../../budgets/report/measure-exposed.js';
import { measurePeople, type MeasureAsked } from '../../budgets/report/measure-people.js';
import { measureSpend } from '../../budgets/report/measure-spend.js';
import type { Definitions } from '../../definitions/model.js';
import type { CsvCell } from '../../fhir/csv.js';
import { instantText } from '../../fhir/date-time.js';
import { poundsText } from '../../fhir/decimal.js';
import { fail } from '../../fhir/errors.js';
import { exactJson } from '../../fhir/exact-json.js';
import type { Issue } from '../../fhir/issue.js';
import type { Resource } from '../../fhir/resource.js';
import { SUBSETTED } from '../../fhir/subsetted.js';
import type { Context } from '../../interactions/context.js';
import type { Clause } from '../../search/query.js';
import { asksCsv, csvResponse } from '../csv-answer.js';
import { readInput, type Input, type InputNames } from '../input.js';
import { groupElement, isMasked, peopleGroups, spendGroups, type Figure, type ReportGroup } from './measure-groups.js';
import { viewOf, type Operation } from '../operation.js';
import { presentText } from '../present.js';
import { readSpan } from '../span.js';

const NAMES: InputNames = { periodStart: 'text', periodEnd: 'text', reportType: 'text', reporter: 'text', suppress: 'boolean' };

/** By id of the bundled Measure: what it counts. */
const MEASURES: Readonly<Record<string, (asked: MeasureAsked, context: Context, suppress: boolean) => Promise<readonly ReportGroup[]>>> = {
  'phb-people': async (asked, { db }, suppress) => peopleGroups(await measurePeople(db, asked), suppress),
  'phb-spend': async (asked, { db }, suppress) => spendGroups(await measureSpend(db, asked), suppress ? await exposedBy(db, asked) : undefined),
};

export interface EvaluateParts {
  readonly definitions: Definitions;
  readonly validate: (resource: Resource) => readonly Issue[];
}

export function createEvaluateMeasureOperation({ definitions, validate }: EvaluateParts): Operation {
  const clauses = createClauses(definitions);
  return viewOf('Measure', 'evaluate-measure', async (request, context) => {
    const { id = '' } = request;
    const input = readInput(request, NAMES, validate);
    const asked = periodOf(input);
    const measure = await measureOf(id, context);
    const { reporter, owners, own } = await reporterOf(input.text('reporter'), clauses, context);
    const groups = await measure({ ...asked, owners }, context, !own || input.flag('suppress') === true);
    return asksCsv(request) ? csvResponse(id, ...table(id, groups)) : { status: 200, body: reportText(id, groups, { input, reporter, context }) };
  });
}

function periodOf(input: Input): Pick<MeasureAsked, 'from' | 'until'> {
  for (const name of ['periodStart', 'periodEnd']) if (!input.has(name)) throw fail('invalid-parameter', { text: `$evaluate-measure needs ${name}: a day, such as 2026-06-30` });
  const type = input.text('reportType');
  if (type !== undefined && type !== 'population') throw fail('invalid-parameter', { text: 'reportType is population: a report on budgets is never about one person' });
  return readSpan(input, 'periodStart', 'periodEnd');
}

async function measureOf(id: string, context: Context) {
  await presentText('Measure', id, context);
  const measure = Object.hasOwn(MEASURES, id) ? MEASURES[id] : undefined;
  if (!measure) throw fail('invalid-parameter', { text: `The server evaluates Measure/${Object.keys(MEASURES).join(' and Measure/')}, not Measure/${id}` });
  return measure;
}

interface Reporter {
  /** Logical id of the Organization. */
  readonly reporter: string;
  /** That one and all below it. */
  readonly owners: readonly string[];
  /** The caller is of the reporter, or of one above it. */
  readonly own: boolean;
}

/** A commissioner reports on itself and those below it; an administrator on anyone. */
async function reporterOf(asked: string | undefined, clauses: Clauses, context: Context): Promise<Reporter> {
  const { caller } = context.grant;
  const mine = caller.organization === undefined ? [] : await idsOf(ownTree(clauses, caller), context);
  const reporter = asked === undefined ? await ownId(clauses, mine, context) : /(?:^|\/)Organization\/([A-Za-z0-9.-]{1,64})$/.exec(asked)?.[1];
  if (reporter === undefined) throw fail('invalid-parameter', { text: asked === undefined ? 'Say whose budgets are to be counted: reporter=Organization/[id]' : 'reporter is a reference such as Organization/[id]' });
  const own = mine.includes(reporter);
  if (!own && caller.role !== 'admin') throw fail('forbidden', { text: 'A commissioner reports on its own organisation and those below it: leave reporter out for your own' });
  const owners = await idsOf(clauses.below('Organization', 'partof', clauses.ids(reporter)), context);
  if (owners.length === 0) throw fail('not-found', { text: `There is no Organization/${reporter}` });
  return { reporter, owners, own };
}

/** The top of the caller's own organisations: the one that its token names. */
async function ownId(clauses: Clauses, mine: readonly string[], context: Context): Promise<string | undefined> {
  if (mine.length === 0) return undefined;
  const [top] = await idsOf(ownOrganization(clauses, context.grant.caller), context);
  return top;
}

const MOST_AT_ONCE = 1000;

async function idsOf(where: Clause, { store, grant }: Context): Promise<readonly string[]> {
  const found: string[] = [];
  let page = await store.search(grant, queryOf(where));
  found.push(...page.matches.map(({ id }) => id));
  while (page.next) {
    page = await store.search(grant, { ...queryOf(where), after: page.next });
    found.push(...page.matches.map(({ id }) => id));
  }
  return found;
}

const queryOf = (where: Clause) => ({ type: 'Organization', where, sort: [], count: MOST_AT_ONCE, includes: [], total: 'none', self: [] }) as const;

function reportText(id: string, groups: readonly ReportGroup[], { input, reporter, context }: { readonly input: Input; readonly reporter: string; readonly context: Context }): string {
  return exactJson({
    resourceType: 'MeasureReport',
    meta: { profile: [`${BASE}/StructureDefinition/phb-measure-report`], ...(isMasked(groups) && { tag: [SUBSETTED] }) },
    status: 'complete',
    type: 'summary',
    measure: `${BASE}/Measure/${id}`,
    date: instantText(context.now),
    reporter: { reference: `Organization/${reporter}` },
    period: { start: input.text('periodStart'), end: input.text('periodEnd') },
    group: groups.map(groupElement),
  });
}

const LEFT_OUT = 'suppressed';
const peopleCell = (people: number | undefined): CsvCell => (people === undefined ? LEFT_OUT : { written: String(people) });
const poundsCell = (pence: bigint | undefined): CsvCell => (pence === undefined ? LEFT_OUT : { written: poundsText(pence) });

/** Head and rows of the report as CSV: each model as a row of its own. */
function table(id: string, groups: readonly ReportGroup[]): [readonly string[], readonly (readonly CsvCell[])[]] {
  if (id === 'phb-spend') return [['group', 'people', 'spend', 'paid'], groups.map(({ code, people, spend, paid }) => [code, peopleCell(people), poundsCell(spend), poundsCell(paid)])];
  const rows = groups.flatMap(({ code, strata, people }): readonly (Pick<Figure, 'people'> & { readonly code: string })[] => strata ?? [{ code, people }]);
  return [['group', 'people'], rows.map(({ code, people }) => [code, peopleCell(people)])];
}
