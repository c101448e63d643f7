// A page of a budget's ledger as its statement shows it: one row per movement, in time order, with what was available after it
// (domain.md rulings 16, 35, 50, 57), and what those rows refer to. One indexed round trip, however long the ledger.
import type { Grant } from '../../search/grant.js';
import type { Clause } from '../../search/query.js';
import { clauseSql } from '../../search/clause-sql.js';
import { statementName } from '../../search/statement-name.js';
import type { Ground } from '../../store/visible-rows.js';
import type { LedgerKind } from '../ledger/postings.js';
import { referredSql, type Found } from './statement-resources.js';
import type { StatementRow } from './statement-row.js';

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
  /** What they refer to, as it is stored. */
  readonly found: readonly Found[];
  /** There are more rows. */
  readonly more: boolean;
  /** All rows, where none of them was asked for. */
  readonly total?: number;
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
  /** As lines of a file: each row's Claim is found, also where the row shows its payment, and no evidence. */
  readonly file?: boolean;
}

/** Before all rows from this moment (ms) on. */
export const placeBefore = (at: number): StatementPlace => ({ at, account: '', number: 0 });

/** $1 the Account, $2 to $4 the place, $5 until, $6 how many rows at most, $7 the lines. */
const SEEN = (where: string): string => `
  seen as materialized (select t.id, b.kind, b.patient from fhir."Account" t join fhir.budget_account b on b.account = t.id where t.id = $1 and t.res is not null ${where})`;
const ON_PAGE = 'r.at >= $2 and r.at < $5 and (r.at, r.account, r.number) > ($2, $3::text collate "C", $4)';

// A row of the page is one text: each column costs the driver more than all of them so, and none holds a space.
const CELLS = (balance: string): string => `concat_ws(' ', r.account, r.id, r.number, r.at, r.line, r.kind, r.amount, ${balance},
  coalesce(r.claim, '/'), coalesce(r.notice, '/'), coalesce(r.provenance, '/')) as head, r.at, r.account, r.number, r.claim, r.notice, r.provenance`;

/** Of a budget by itself each row holds what was available after it. */
const PAGE = `
  page as materialized (select ${CELLS('r.available_after')} from fhir.ledger r
    where r.account = $1 and ${ON_PAGE} and (select kind from seen) = 'phb' order by r.at, r.number limit $6)`;

/** A joint budget has no rows of its own: those of the budgets in it that the Grant shows. */
const PARTS = (where: string): string => `
  parts as materialized (
    select id as account from seen where kind = 'phb'
    union all
    select b.account from seen s join fhir.budget_account b on b.parent = s.id join fhir."Account" t on t.id = b.account
    where s.kind = 'joint-budget' and t.res is not null ${where})`;

// Where rows of several accounts are of one millisecond, they are told in the order of the accounts. What was available before the page is
// that of each account's last row before it; a caller who sees some lines only has theirs summed.
const SUMMED_PAGE = (where: string, lines: boolean): string => `${PARTS(where)},
  opening as (${lines ? OPENING_OF_LINES : OPENING}),
  page as materialized (
    select ${CELLS('o.available + sum(r.allocated - r.committed - r.spent) over (order by r.at, r.account, r.number)')}
    from opening o, parts p cross join lateral (
      select * from fhir.ledger r where r.account = p.account and ${ON_PAGE} ${lines ? 'and r.line = any ($7)' : ''} order by r.at, r.number limit $6) r
    order by r.at, r.account, r.number limit $6)`;

const OPENING = `
  select coalesce(sum(r.available_after), 0) as available from parts p cross join lateral (
    select r.available_after from fhir.ledger r
    where r.account = p.account and r.at <= $2 and (r.at, r.account, r.number) <= ($2, $3::text collate "C", $4)
    order by r.at desc, r.number desc limit 1) r`;

const OPENING_OF_LINES = `
  select coalesce(sum(r.allocated - r.committed - r.spent), 0) as available from parts p join fhir.ledger r on r.account = p.account
  where r.line = any ($7) and (r.at, r.account, r.number) <= ($2, $3::text collate "C", $4)`;

/** The account asked for, and those that are joined in it. */
const LOOKED_AT = 'select $1::text union all select account from fhir.budget_account where parent = $1';

/** Of whom and which kind the budget is; then the rows of the page, in order; then what they refer to. */
const SELECTED = `select concat_ws(' ', patient, kind) as head, null::text as res from seen
  union all (select head, null from page order by at, account, number)`;

interface Row {
  /** The budget's patient and kind; a row of the page; or what it refers to, as `Claim/1 t` where the Grant shows it. */
  readonly head: string;
  readonly res: string | null;
}

/** Undefined where the Grant shows no such budget. */
export async function statementPage(ground: Ground, grant: Grant, asked: StatementAsked): Promise<StatementPage | undefined> {
  const clause = grant.rows('Account');
  if (clause.kind === 'none') return undefined;
  if (asked.count === 0) return countedPage(ground, clause, asked);
  const page = await readPage(ground, grant, clause, { ...asked, summed: asked.lines !== undefined });
  return page?.kind === 'joint-budget' && !asked.lines ? readPage(ground, grant, clause, { ...asked, summed: true }) : page;
}

interface Reading extends StatementAsked {
  /** What was available is summed: the rows are of several accounts, or not all of one. */
  readonly summed: boolean;
}

async function readPage(ground: Ground, grant: Grant, clause: Clause, { account, after, until, count, lines, file, summed }: Reading): Promise<(StatementPage & { readonly kind: string | undefined }) | undefined> {
  const values: unknown[] = [account, after.at, after.account, after.number, until, count + 1, ...(lines ? [lines] : [])];
  const where = whereSeen(ground, clause, values);
  const text = `with ${SEEN(where)}, ${summed ? SUMMED_PAGE(where, lines !== undefined) : PAGE} ${SELECTED} union all ${referredSql(ground.definitions, grant, values, file === true)}`;
  const { rows: [first, ...others] } = await ground.db.query<Row>({ name: statementName(text), text, values });
  if (!first) return undefined;
  const [patient = '', kind] = first.head.split(' ');
  const found: Found[] = [];
  const rows: StatementRow[] = [];
  for (const { head, res } of others) {
    if (res === null) rows.push(toRow(head));
    else found.push(toFound(head, res));
  }
  return { kind, patient, rows: rows.slice(0, count), found, more: rows.length > count };
}

const whereSeen = ({ definitions }: Ground, clause: Clause, values: unknown[]): string =>
  clause.kind === 'all' ? '' : `and (${clauseSql(definitions, 'Account', clause, 't', values, LOOKED_AT)})`;

async function countedPage(ground: Ground, clause: Clause, { account, after, until, lines }: StatementAsked): Promise<StatementPage | undefined> {
  const values: unknown[] = [account, after.at, until, ...(lines ? [lines] : [])];
  const where = whereSeen(ground, clause, values);
  const text = `with ${SEEN(where)}, ${PARTS(where)} select s.patient, (select count(*) from parts p join fhir.ledger r on r.account = p.account
    where r.at >= $2 and r.at < $3 ${lines ? 'and r.line = any ($4)' : ''})::int as total from seen s`;
  const { rows: [row] } = await ground.db.query<{ patient: string; total: number }>({ name: statementName(text), text, values });
  return row && { ...row, rows: [], found: [], more: false };
}

function toRow(head: string): StatementRow {
  const [account = '', id = '', number, at, line = '', kind, amount = '', balance = '', claim = '', notice = '', provenance = ''] = head.split(' ');
  return { account, id, number: Number(number), at: Number(at), line, kind: kind as LedgerKind, amount, balance, claim: optional(claim), notice: optional(notice), provenance: optional(provenance) };
}

const optional = (cell: string): string | undefined => (cell === '/' ? undefined : cell);

function toFound(head: string, text: string): Found {
  const slash = head.indexOf('/');
  return { type: head.slice(0, slash), id: head.slice(slash + 1, -2), text, seen: head.endsWith('t') };
}
