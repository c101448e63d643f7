// Account/$balance: what a budget holds, now from its totals or at an earlier moment from its ledger (domain.md 3.6, rulings 35, 38, 41, 57).
import { moneyOf, moneyText } from '../../budgets/ledger/money.js';
import { addSums, availableOf, NOTHING, type Sums } from '../../budgets/ledger/postings.js';
import { UNALLOCATED } from '../../budgets/account/register.js';
import { childrenOf, heldByHolder, seenBudget, seenSums, sumsAsOf, type Budget, type BudgetLine, type HeldSums } from '../../budgets/ledger/totals.js';
import type { Definitions } from '../../definitions/model.js';
import { dateRange, instantText } from '../../fhir/date-time.js';
import { fail } from '../../fhir/errors.js';
import type { Issue } from '../../fhir/issue.js';
import type { Resource } from '../../fhir/resource.js';
import { SUBSETTED } from '../../fhir/subsetted.js';
import type { Context } from '../../interactions/context.js';
import { readInput, type InputNames } from '../input.js';
import { viewOf, type Operation } from '../operation.js';
import { ownLines } from './own-lines.js';
import { output, outputParts, parametersResponse, type OutputParameter } from '../output.js';

const NAMES: InputNames = { asOf: 'text', byAllocation: 'boolean' };

export interface BalanceParts {
  readonly definitions: Definitions;
  readonly validate: (resource: Resource) => readonly Issue[];
}

export function createBalanceOperation({ definitions, validate }: BalanceParts): Operation {
  return viewOf('Account', 'balance', async (request, context) => {
    const input = readInput(request, NAMES, validate);
    const plain = input.has('asOf') || input.has('byAllocation') || context.grant.caller.role === 'third-party' ? undefined : await seenSums({ db: context.db, definitions }, context.grant, request.id ?? '');
    if (plain) return { status: 200, body: balanceText(plain, context.now), about: [plain.patient], aboutAll: true };
    const asked = input.text('asOf');
    const at = asked === undefined ? undefined : momentOf(asked, context.now);
    const budget = await seenBudget({ db: context.db, definitions }, context.grant, request.id ?? '');
    if (!budget) throw context.grant.absent('Account', request.id ?? '');
    const lines = await linesAt(budget, at, context);
    const shown = context.grant.caller.role === 'third-party' ? await ownLines(lines, context) : lines;
    const told = parametersResponse([
      ...sumsOf(shown),
      ...(input.flag('byAllocation') === true ? (await toldOne(budget, shown, context, definitions)).filter(isLine).map(lineOf) : []),
      output('asOf', 'valueDateTime', instantText(at ?? context.now)),
      output('version', 'valueId', String(budget.version)),
    ], shown === lines ? undefined : { tag: [SUBSETTED] });
    return { ...told, about: [budget.patient] };
  });
}

/** As text: all of it is numbers and codes, and as objects it costs as much as the rest of the answer. */
function balanceText(sums: HeldSums, now: number): string {
  const { allocated, committed, spent, disbursed, held, version } = sums;
  const amounts = moneyPart('allocated', allocated) + moneyPart('committed', committed) + moneyPart('spent', spent) + moneyPart('disbursed', disbursed)
    + moneyPart('heldByHolder', held) + moneyPart('available', availableOf(sums));
  return `{"resourceType":"Parameters","parameter":[${amounts}{"name":"asOf","valueDateTime":"${instantText(now)}"},{"name":"version","valueId":"${version}"}]}`;
}

const moneyPart = (name: string, pence: bigint): string => `{"name":"${name}","valueMoney":${moneyText(pence)}},`;

/** The end of the moment asked for: of the whole day where a date was sent, but not later than now. */
function momentOf(text: string, now: number): number {
  const range = dateRange(text, 'Europe/London');
  if (!range) throw fail('invalid-parameter', { text: 'asOf is a date or dateTime, such as 2026-11-21 or 2026-11-21T12:00:00Z' });
  if (range.lo > now) throw fail('invalid-parameter', { text: 'asOf lies in the future: leave it out for the balance of this moment' });
  return Math.min(range.hi - 1, now);
}

/** A joint budget has no lines of its own: those of the budgets in it. */
async function linesAt(budget: Budget, at: number | undefined, { db }: Context): Promise<readonly BudgetLine[]> {
  const parts = budget.kind === 'joint-budget' ? await childrenOf(db, budget.account) : [budget];
  if (at === undefined) return parts.flatMap(({ lines }) => lines);
  const then = await sumsAsOf(db, parts.map(({ account }) => account), at);
  return parts.flatMap(({ account, lines }) => lines.map((line) => ({ ...line, ...(then.get(`${account} ${line.line}`) ?? NOTHING) })));
}

/** Of a joint budget each owner is told the total, and its own lines one by one (ruling 57). */
async function toldOne(budget: Budget, lines: readonly BudgetLine[], { db, grant }: Context, definitions: Definitions): Promise<readonly BudgetLine[]> {
  if (budget.kind !== 'joint-budget') return lines;
  const own = new Set<string>();
  for (const { account } of await childrenOf(db, budget.account)) {
    for (const { line } of (await seenBudget({ db, definitions }, grant, account))?.lines ?? []) own.add(line);
  }
  return lines.filter(({ line }) => own.has(line));
}

/** A line is one that the Account lists (ruling 11); what others were, and `unallocated`, is told for as long as there is money of it. */
const isLine = ({ line, ended, allocated, committed, spent, disbursed }: BudgetLine): boolean =>
  (!ended && line !== UNALLOCATED) || [allocated, committed, spent, disbursed].some((sum) => sum !== 0n);

function sumsOf(lines: readonly BudgetLine[]): (OutputParameter | undefined)[] {
  const total = lines.reduce<Sums>(addSums, NOTHING);
  const { allocated, committed, spent, disbursed } = total;
  const sums = { allocated, committed, spent, disbursed, heldByHolder: heldByHolder(lines), available: availableOf(total) };
  return Object.entries(sums).map(([name, pence]) => output(name, 'valueMoney', moneyOf(pence)));
}

const lineOf = (line: BudgetLine): OutputParameter =>
  outputParts('line', [output('lineId', 'valueId', line.line), output('model', 'valueCode', line.model), ...sumsOf([line])]);
