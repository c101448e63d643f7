// A page of a budget's ledger as its statement shows it: one row per movement, in time order, with what was available after it
// (domain.md rulings 16, 35, 50, 57). One indexed round trip, however long the ledger.
import type { Grant } from '../search/grant.js';
import { clauseSql } from '../search/clause-sql.js';
import { statementName } from '../search/statement-name.js';
import type { Ground } from '../store/visible-rows.js';
import type { LedgerKind } from './postings.js';

/** A row of the ledger; amounts in pence. */
export interface StatementRow {
  readonly account: string;
  /** Id of the row. */
  readonly id: string;
  readonly number: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly line: string;
  readonly kind: LedgerKind;
  readonly amount: bigint;
  /** Available after the row, of all that the statement shows. */
  readonly balance: bigint;
  /** Logical ids. */
  readonly claim: string | undefined;
  readonly notice: string | undefined;
  readonly provenance: string | undefined;
}

/** The row after which a page begins. */
export interface StatementPlace {
  readonly at: number;
  readonly account: string;
  readonly number: number;
}

export interface StatementPage {
  /** Logical id of the patient. */
  readonly patient: string;
  readonly rows: readonly StatementRow[];
  /** There are more rows. */
  readonly more: boolean;
}

export interface StatementAsked {
  /** Logical id of the Account. */
  readonly account: string;
  readonly after: StatementPlace;
  /** Milliseconds, exclusive. */
  readonly until: number;
  readonly count: number;
  /** Only these lines, where the caller is shown no others. */
  readonly lines?: readonly string[];
}

/** Before all rows from this moment (ms) on. */
export const placeBefore = (at: number): StatementPlace => ({ at, account: '', number: 0 });

// A joint budget has no rows of its own: those of the budgets in it that the Grant shows. Where rows of several accounts are of one
// millisecond, they are told in the order of the accounts. What was available before the page is that of each account's last row before it;
// a caller who sees some lines only has theirs summed.
const ACCOUNTS = (where: string): string => `
  seen as materialized (select t.id, b.kind, b.patient from fhir."Account" t join fhir.budget_account b on b.account = t.id where t.id = $1 and t.res is not null ${where}),
  parts as materialized (
    select id as account from seen where kind = 'phb'
    union all
    select b.account from seen s join fhir.budget_account b on b.parent = s.id join fhir."Account" t on t.id = b.account
    where s.kind = 'joint-budget' and t.res is not null ${where})`;

const OPENING = `
  opening as (select coalesce(sum(o.available_after), 0) as available from parts p cross join lateral (
    select e.available_after from fhir.ledger e
    where e.account = p.account and e.at <= $2 and (e.at, e.account, e.number) <= ($2, $3::text collate "C", $4)
    order by e.at desc, e.number desc limit 1) o)`;

const OPENING_OF_LINES = `
  opening as (select coalesce(sum(e.allocated - e.committed - e.spent), 0) as available from parts p join fhir.ledger e on e.account = p.account
    where e.line = any ($7) and (e.at, e.account, e.number) <= ($2, $3::text collate "C", $4))`;

const PAGE = (lines: string): string => `
  page as materialized (select r.* from parts p cross join lateral (
    select e.* from fhir.ledger e
    where e.account = p.account and e.at >= $2 and e.at < $5 and (e.at, e.account, e.number) > ($2, $3::text collate "C", $4) ${lines}
    order by e.at, e.number limit $6) r
    order by r.at, r.account, r.number limit $6)`;

/** The account asked for, and those that are joined in it. */
const LOOKED_AT = 'select $1::text union all select account from fhir.budget_account where parent = $1';

const COLUMNS = 'r.account, r.id, r.number, r.at, r.line, r.kind, r.amount::text, r.claim, r.notice, r.provenance';
const ROWS = `
  select s.patient, ${COLUMNS}, (o.available + sum(r.allocated - r.committed - r.spent) over (order by r.at, r.account, r.number))::text as balance
  from seen s cross join opening o left join page r on true order by r.at, r.account, r.number`;

type Row = Readonly<Record<'patient' | 'account' | 'id' | 'line' | 'kind' | 'amount' | 'balance', string>> & Readonly<Record<'claim' | 'notice' | 'provenance', string | null>> & { readonly number: number | null; readonly at: number };

/** Undefined where the Grant shows no such budget. */
export async function statementPage(ground: Ground, grant: Grant, { account, after, until, count, lines }: StatementAsked): Promise<StatementPage | undefined> {
  const clause = grant.rows('Account');
  if (clause.kind === 'none') return undefined;
  const values: unknown[] = [account, after.at, after.account, after.number, until, count + 1, ...(lines ? [lines] : [])];
  const where = clause.kind === 'all' ? '' : `and (${clauseSql(ground.definitions, 'Account', clause, 't', values, LOOKED_AT)})`;
  const opening = lines ? OPENING_OF_LINES : OPENING;
  const text = `with ${ACCOUNTS(where)}, ${opening}, ${PAGE(lines ? 'and e.line = any ($7)' : '')} ${ROWS}`;
  const { rows } = await ground.db.query<Row>({ name: statementName(text), text, values });
  const [first] = rows;
  if (!first) return undefined;
  const found = rows.flatMap((row) => (row.number === null ? [] : [toRow(row, row.number)]));
  return { patient: first.patient, rows: found.slice(0, count), more: found.length > count };
}

function toRow({ account, id, at, line, kind, amount, balance, claim, notice, provenance }: Row, number: number): StatementRow {
  return {
    account, id, number, at, line, kind: kind as LedgerKind, amount: BigInt(amount), balance: BigInt(balance),
    claim: claim ?? undefined, notice: notice ?? undefined, provenance: provenance ?? undefined,
  };
}
