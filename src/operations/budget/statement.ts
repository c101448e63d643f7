// Account/$statement: every movement of a budget's money in time order, with what it was for and what was then available
// (domain.md 3.6, rulings 16, 35, 50, 57). As a searchset or as CSV.
import { extensionUrl } from '../../budgets/codes.js';
import { moneyText } from '../../budgets/ledger/money.js';
import { placeBefore, statementPage, type StatementAsked, type StatementPage, type StatementPlace } from '../../budgets/statement/statement.js';
import { statementResources, type Shown, type StatementResources } from '../../budgets/statement/statement-resources.js';
import type { StatementRow } from '../../budgets/statement/statement-row.js';
import { seenBudget } from '../../budgets/ledger/totals.js';
import type { Definitions } from '../../definitions/model.js';
import type { CsvCell } from '../../fhir/csv.js';
import { listText, type Link, type ListedEntry } from '../../fhir/bundle.js';
import { instantText } from '../../fhir/date-time.js';
import type { Issue } from '../../fhir/issue.js';
import type { FhirRequest, FhirResponse } from '../../fhir/request.js';
import type { Resource } from '../../fhir/resource.js';
import type { Context } from '../../interactions/context.js';
import { nextUrl, placeOf, selfUrl } from '../../search/search-request.js';
import { asksCsv, csvResponse } from '../csv-answer.js';
import { readInput, type InputNames } from '../input.js';
import { viewOf, type Operation } from '../operation.js';
import { ownLines } from './own-lines.js';
import { readSpan } from '../span.js';
import { STATEMENT_HEAD, statementCells } from './statement-csv.js';

const NAMES: InputNames = { start: 'text', end: 'text', _count: 'count' };
const DEFAULT_COUNT = 50;
/** Rows that are read at once for a file of them all. */
const FILE_COUNT = 1000;

export interface StatementParts {
  readonly definitions: Definitions;
  readonly validate: (resource: Resource) => readonly Issue[];
}

export function createStatementOperation(parts: StatementParts): Operation {
  return viewOf('Account', 'statement', async (request, context) => {
    const asked = await readAsked(request, context, parts);
    const page = await pageOf(asked, context, parts);
    return asked.file ? csv(request, asked, page, context, parts) : bundle(request, asked, page, context);
  });
}

interface Asked extends StatementAsked {
  /** What the links of the pages say. */
  readonly pairs: readonly (readonly [string, string])[];
  readonly counted: boolean;
  readonly first: boolean;
}

/** The words of the request as its links name it: everything of this one Account. */
const scoped = (request: FhirRequest): FhirRequest => ({ ...request, type: undefined, id: undefined, compartment: { type: 'Account', id: request.id ?? '' } });

async function readAsked(request: FhirRequest, context: Context, { definitions, validate }: StatementParts): Promise<Asked> {
  const place = placeOf(scoped(request), context.parts.pageSecret);
  const query = place?.pairs ?? request.query;
  const input = readInput(place ? { ...request, query, body: undefined } : request, NAMES, validate);
  const { from, until } = readSpan(input);
  const count = input.count('_count');
  const pairs = (['start', 'end', '_count'] as const).flatMap((name) => (input.has(name) ? [[name, String(name === '_count' ? count : input.text(name))] as const] : []));
  const format = query.filter(([name]) => name === '_format');
  const lines = context.grant.caller.role === 'third-party' ? await linesOf(request.id ?? '', context, definitions) : undefined;
  return {
    account: request.id ?? '', until, file: asksCsv({ ...request, query }), pairs: [...pairs, ...format], counted: count !== undefined, first: place === undefined,
    after: place?.after ? placeAt(place.after) : placeBefore(from),
    count: Math.min(count ?? DEFAULT_COUNT, context.parts.limits.page),
    ...(lines && { lines }),
  };
}

async function linesOf(account: string, context: Context, definitions: Definitions): Promise<readonly string[]> {
  const budget = await seenBudget({ db: context.db, definitions }, context.grant, account);
  return budget ? (await ownLines(budget.lines, context)).map(({ line }) => line) : [];
}

const placeAt = ({ keys: [at, number], id }: { readonly keys: readonly (string | number | null)[]; readonly id: string }): StatementPlace => ({ at: Number(at), account: id, number: Number(number) });
const cursorOf = ({ at, number, account }: StatementPlace) => ({ keys: [at, number], id: account });

async function pageOf(asked: StatementAsked, { db, grant }: Context, { definitions }: StatementParts): Promise<StatementPage> {
  const page = await statementPage({ db, definitions }, grant, asked);
  if (!page) throw grant.absent('Account', asked.account);
  return page;
}

function bundle(request: FhirRequest, { pairs, first }: Asked, page: StatementPage, context: Context): FhirResponse {
  const resources = statementResources(page.found, context.grant);
  const links: Link[] = [{ relation: 'self', url: selfUrl(scoped(request), pairs) }];
  const last = page.rows.at(-1);
  if (page.more && last) links.push({ relation: 'next', url: nextUrl(scoped(request), { pairs, after: cursorOf(last) }, context.parts.pageSecret) });
  const total = page.total !== undefined || (first && !page.more) ? { total: page.total ?? page.rows.length } : {};
  const body = listText({ ...total, links, base: request.base, rows: entries(page.rows, resources), includes: resources.evidence });
  // A budget is one patient's, and so is all that was bought from it.
  return { status: 200, body, about: [page.patient], aboutAll: true };
}

/** A resource has its own URL where it stands first; the rows that show it again are told by the ledger's ids, since no two entries may have one URL (bdl-7). */
function entries(rows: readonly StatementRow[], resources: StatementResources): ListedEntry[] {
  const named = new Set<Shown>();
  return rows.map((row) => {
    const shown = resources.of(row);
    const extension = extensionOf(row);
    if (shown.id === undefined || named.has(shown)) return { uuid: row.id, text: shown.text, extension };
    named.add(shown);
    return { place: `${shown.type}/${shown.id}`, text: shown.text, extension };
  });
}

const [BALANCE, KIND, AMOUNT, LINE, AT] = ['running-balance', 'ledger-kind', 'ledger-amount', 'allocation-id', 'ledger-time'].map(extensionUrl);

/** As text: none of it is anything but numbers, codes and ids, and fifty of them as objects cost as much as the page. */
const extensionOf = ({ balance, kind, amount, line, at }: StatementRow): string =>
  `[{"url":"${BALANCE}","valueMoney":${moneyText(balance)}},{"url":"${KIND}","valueCode":"${kind}"},{"url":"${AMOUNT}","valueMoney":${moneyText(amount)}},{"url":"${LINE}","valueId":"${line}"},{"url":"${AT}","valueInstant":"${instantText(at)}"}]`;

/** The whole statement, unless a page of it is asked for; then a Link header leads to the next. */
async function csv(request: FhirRequest, asked: Asked, first: StatementPage, context: Context, parts: StatementParts): Promise<FhirResponse> {
  const cells = [...cellsOf(first, context)];
  let page = first;
  for (let last = page.rows.at(-1); page.more && last && !asked.counted; last = page.rows.at(-1)) {
    page = await pageOf({ ...asked, after: last, count: FILE_COUNT }, context, parts);
    cells.push(...cellsOf(page, context));
  }
  const last = page.rows.at(-1);
  const next = page.more && last ? nextUrl(scoped(request), { pairs: asked.pairs, after: cursorOf(last) }, context.parts.pageSecret) : undefined;
  return csvResponse(`statement-${asked.account}`, STATEMENT_HEAD, cells, { about: [first.patient], ...(next !== undefined && { headers: { link: `<${next}>; rel="next"` } }) });
}

function cellsOf(page: StatementPage, { grant }: Context): readonly (readonly CsvCell[])[] {
  const resources = statementResources(page.found, grant);
  return page.rows.map((row) => statementCells(row, resources));
}
