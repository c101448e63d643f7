// What a budget holds at this moment, from its totals; and as it stood at an earlier one, from its ledger.
import type { Queryable } from '../../db/database.js';
import type { Resource } from '../../fhir/resource.js';
import type { Grant } from '../../search/grant.js';
import { guarded, type Ground } from '../../store/visible-rows.js';
import { byBytes } from './ledger.js';
import type { Sums } from './postings.js';

export interface BudgetLine extends Sums {
  readonly line: string;
  /** notional, third-party, direct-payment or unallocated. */
  readonly model: string;
  /** `Organization/1`. */
  readonly holder: string | undefined;
  readonly mayOverdraw: boolean;
  readonly ended: boolean;
}

/** The row of a budget: what it is, and the sums over its lines. */
export interface Budget extends Sums {
  readonly account: string;
  readonly kind: 'phb' | 'joint-budget';
  /** Account.status. */
  readonly state: string;
  /** Logical ids. */
  readonly patient: string;
  readonly owner: string | undefined;
  readonly parent: string | undefined;
  readonly policy: string | undefined;
  readonly funding: string | undefined;
  readonly basis: string | undefined;
  /** servicePeriod in milliseconds, until exclusive. */
  readonly from: number;
  readonly until: number;
  /** When money first left the budget, in milliseconds: its first review is due three months later (domain.md 3.9). */
  readonly firstPaid: number | undefined;
  /** In the order of the Account, ended lines last. */
  readonly lines: readonly BudgetLine[];
}

type Cell = string | number | boolean | null;
type BudgetRow = Readonly<Record<string, Cell>> & { readonly lines: string | null };

const SUMS = ['allocated', 'committed', 'spent', 'disbursed'] as const;
const sumColumns = (alias: string): string => SUMS.map((sum) => `${alias}.${sum}::text`).join(', ');

/** One array of text per line: JSON would make doubles of the amounts. */
const LINES = `(select json_agg(json_build_array(l.line, l.model, l.holder, l.may_overdraw, l.ended, ${sumColumns('l')}) order by l.ended, l.position)::text
  from fhir.budget_line l where l.account = b.account) as lines`;
const COLUMNS = `b.account, b.kind, b.state, b.patient, b.owner, b.parent, b.policy, b.funding, b.basis, b.period_from, b.period_until, b.first_paid, ${sumColumns('b')}, ${LINES}`;

const READ = { name: 'budget-read', text: `select ${COLUMNS} from fhir.budget_account b where b.account = any ($1)` };
const CHILDREN = { name: 'budget-children', text: `select ${COLUMNS} from fhir.budget_account b where b.parent = $1 order by b.account` };
const LOCK = { name: 'budget-lock', text: 'select from fhir.budget_account where account = $1 for update' };

/** The budgets of these accounts, those that there are, by account id. Who may see them has been judged by reading the Accounts under a Grant. */
export async function readBudgets(db: Queryable, accounts: readonly string[]): Promise<ReadonlyMap<string, Budget>> {
  const { rows } = await db.query<BudgetRow>({ ...READ, values: [accounts] });
  return new Map(rows.map((row) => [String(row['account']), toBudget(row)]));
}

/** The budget of an Account that the Grant shows, with the Account's version: one round trip. Undefined where there is no such budget to be seen. */
export async function seenBudget(ground: Ground, grant: Grant, account: string): Promise<(Budget & { readonly version: number }) | undefined> {
  const statement = guarded(ground.definitions, grant, 'Account', {
    name: 'budget-seen',
    values: [account],
    text: (where) => `select t.version, ${COLUMNS} from fhir."Account" t join fhir.budget_account b on b.account = t.id where t.id = $1 and t.res is not null ${where}`,
  });
  const row = statement && (await ground.db.query<BudgetRow>(statement)).rows[0];
  return row && { ...toBudget(row), version: Number(row['version']) };
}

/** What a budget holds at this moment, over all its lines; amounts in pence. */
export interface HeldSums extends Sums {
  /** Of its Account. */
  readonly version: string;
  /** See heldByHolder. */
  readonly held: bigint;
  /** Logical id. */
  readonly patient: string;
}

// One column: each costs the driver more than all of them as text.
const HELD = `concat_ws(' ', t.version, ${SUMS.map((sum) => `b.${sum}`).join(', ')},
  (select coalesce(sum(l.disbursed - l.spent), 0) from fhir.budget_line l where l.account = b.account and l.model = 'direct-payment'), b.patient) as held`;

/** The sums of a budget that the Grant shows, without its lines. Undefined where there is none to be seen, and of a joint budget, which has no money of its own. */
export async function seenSums(ground: Ground, grant: Grant, account: string): Promise<HeldSums | undefined> {
  const from = (where: string): string => `from fhir."Account" t join fhir.budget_account b on b.account = t.id where b.kind = 'phb' and t.res is not null ${where}`;
  const statement = guarded(ground.definitions, grant, 'Account', {
    name: 'budget-sums',
    values: [account],
    text: (where) => `select ${HELD} ${from(where)} and t.id = $1`,
    together: (where) => `select t.id as asked, ${HELD} ${from(where)} and t.id = any((select $1::text[])::text[])`,
  });
  const row = statement && (await ground.db.query<{ readonly held: string }>(statement)).rows[0];
  if (!row) return undefined;
  const [version = '', allocated, committed, spent, disbursed, held = '0', patient = ''] = row.held.split(' ');
  return { version, ...sumsOf([allocated, committed, spent, disbursed]), held: BigInt(held), patient };
}

/** A budget with its Account, as the Grant shows it, in one round trip: what whoever draws on it must know. Undefined where there is none to be seen. */
export async function seenAccount(ground: Ground, grant: Grant, account: string): Promise<{ readonly budget: Budget; readonly resource: Resource } | undefined> {
  const from = (where: string): string => `from fhir."Account" t join fhir.budget_account b on b.account = t.id where t.res is not null ${where}`;
  const statement = guarded(ground.definitions, grant, 'Account', {
    name: 'budget-seen-account',
    values: [account],
    text: (where) => `select t.res, ${COLUMNS} ${from(where)} and t.id = $1`,
    together: (where) => `select t.id as asked, t.res, ${COLUMNS} ${from(where)} and t.id = any((select $1::text[])::text[])`,
  });
  const row = statement && (await ground.db.query<BudgetRow>(statement)).rows[0];
  return row && { budget: toBudget(row), resource: JSON.parse(String(row['res'])) as Resource };
}

const AS_OF = {
  name: 'budget-as-of',
  text: `select account, line, ${SUMS.map((sum) => `sum(${sum})::text as ${sum}`).join(', ')} from fhir.ledger where account = any ($1) and at <= $2 group by account, line`,
};

/** The sums of each line (by `account line`) at the end of an earlier moment (ms), from the ledger; a line that had none then is missing. */
export async function sumsAsOf(db: Queryable, accounts: readonly string[], at: number): Promise<ReadonlyMap<string, Sums>> {
  const { rows } = await db.query<Record<string, Cell>>({ ...AS_OF, values: [accounts, at] });
  return new Map(rows.map((row) => [`${row['account']} ${row['line']}`, sumsOf(SUMS.map((sum) => row[sum]))]));
}

/** As readBudgets, and nothing of them changes until the end of the transaction. Locks in the order of the ids, as `post` does; take all at once. */
export async function lockBudgets(db: Queryable, accounts: readonly string[]): Promise<ReadonlyMap<string, Budget>> {
  for (const account of [...new Set(accounts)].sort(byBytes)) await db.query({ ...LOCK, values: [account] });
  // Read after the wait: the statement that waited still sees what was there before.
  return readBudgets(db, accounts);
}

/** The budgets joined into this one, by id. */
export async function childrenOf(db: Queryable, parent: string): Promise<readonly Budget[]> {
  const { rows } = await db.query<BudgetRow>({ ...CHILDREN, values: [parent] });
  return rows.map(toBudget);
}

function toBudget(row: BudgetRow): Budget {
  return {
    account: String(row['account']),
    kind: row['kind'] as Budget['kind'],
    state: String(row['state']),
    patient: String(row['patient']),
    owner: optional(row['owner']),
    parent: optional(row['parent']),
    policy: optional(row['policy']),
    funding: optional(row['funding']),
    basis: optional(row['basis']),
    from: Number(row['period_from']),
    until: Number(row['period_until']),
    firstPaid: row['first_paid'] == null ? undefined : Number(row['first_paid']),
    ...sumsOf(SUMS.map((sum) => row[sum] ?? '0')),
    lines: row.lines === null ? [] : (JSON.parse(row.lines) as Cell[][]).map(toLine),
  };
}

function toLine([line, model, holder, mayOverdraw, ended, ...sums]: Cell[]): BudgetLine {
  return { line: String(line), model: String(model), holder: optional(holder), mayOverdraw: mayOverdraw === true, ended: ended === true, ...sumsOf(sums) };
}

export function sumsOf([allocated = '0', committed = '0', spent = '0', disbursed = '0']: readonly (Cell | undefined)[]): Sums {
  return { allocated: BigInt(String(allocated)), committed: BigInt(String(committed)), spent: BigInt(String(spent)), disbursed: BigInt(String(disbursed)) };
}

const optional = (cell: Cell | undefined): string | undefined => (cell == null ? undefined : String(cell));

/** What a holder has of the money that was advanced on direct-payment lines: what went out less what was bought with it (ruling 38). */
export function heldByHolder(lines: readonly BudgetLine[]): bigint {
  return lines.reduce((held, { model, disbursed, spent }) => (model === 'direct-payment' ? held + disbursed - spent : held), 0n);
}
