// A page of a budget's ledger as its statement shows it: one row per movement, in time order, with what was available after it
// (domain.md rulings 16, 35, 50, 57), and what those rows refer to. One indexed round trip, however long the ledger.
import type { Grant } from '../search/grant.js';
import type { Clause } from '../search/query.js';
import { clauseSql } from '../search/clause-sql.js';
import { statementName } from '../search/statement-name.js';
import type { Ground } from '../store/visible-rows.js';
import type { LedgerKind } from './postings.js';
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

/** The page without the row that tells whether there are more. */
const SHOWN = 'shown as materialized (select * from page order by at, account, number limit $6 - 1)';

// A row of the page is one text: each column costs the driver more than all of them so, and none holds a space.
const CELLS = `s.patient, r.account, r.id, r.number, r.at, r.line, r.kind, r.amount, o.available + sum(r.allocated - r.committed - r.spent) over (order by r.at, r.account, r.number),
  coalesce(r.claim, '/'), coalesce(r.notice, '/'), coalesce(r.provenance, '/')`;
const CELL_COUNT = 12;
const ROWS = `(select concat_ws(' ', ${CELLS}) as head, null::text as res from seen s cross join opening o left join page r on true order by r.at, r.account, r.number)`;

interface Row {
  /** A row of the page; or what it refers to, as `Claim/1 t` where the Grant shows it. */
  readonly head: string;
  readonly res: string | null;
}

/** Undefined where the Grant shows no such budget. */
export async function statementPage(ground: Ground, grant: Grant, { account, after, until, count, lines }: StatementAsked): Promise<StatementPage | undefined> {
  const clause = grant.rows('Account');
  if (clause.kind === 'none') return undefined;
  if (count === 0) return countedPage(ground, clause, { account, from: after.at, until, lines });
  const values: unknown[] = [account, after.at, after.account, after.number, until, count + 1, ...(lines ? [lines] : [])];
  const where = clause.kind === 'all' ? '' : `and (${clauseSql(ground.definitions, 'Account', clause, 't', values, LOOKED_AT)})`;
  const opening = lines ? OPENING_OF_LINES : OPENING;
  const text = `with ${ACCOUNTS(where)}, ${opening}, ${PAGE(lines ? 'and e.line = any ($7)' : '')}, ${SHOWN} ${ROWS} union all ${referredSql(ground.definitions, grant, values)}`;
  const { rows: [first, ...others] } = await ground.db.query<Row>({ name: statementName(text), text, values });
  if (!first) return undefined;
  const [patient = ''] = first.head.split(' ', 1);
  const found: Found[] = [];
  const rows = toRows(first);
  for (const row of others) {
    if (row.res === null) rows.push(...toRows(row));
    else found.push(toFound(row.head, row.res));
  }
  return { patient, rows: rows.slice(0, count), found, more: rows.length > count };
}

interface Counted {
  readonly account: string;
  readonly from: number;
  readonly until: number;
  readonly lines: readonly string[] | undefined;
}

async function countedPage({ db, definitions }: Ground, clause: Clause, { account, from, until, lines }: Counted): Promise<StatementPage | undefined> {
  const values: unknown[] = [account, from, until, ...(lines ? [lines] : [])];
  const where = clause.kind === 'all' ? '' : `and (${clauseSql(definitions, 'Account', clause, 't', values, LOOKED_AT)})`;
  const text = `with ${ACCOUNTS(where)} select s.patient, (select count(*) from parts p join fhir.ledger e on e.account = p.account
    where e.at >= $2 and e.at < $3 ${lines ? 'and e.line = any ($4)' : ''})::int as total from seen s`;
  const { rows: [row] } = await db.query<{ patient: string; total: number }>({ name: statementName(text), text, values });
  return row && { ...row, rows: [], found: [], more: false };
}

/** None where the page is empty: only the patient is told. */
function toRows({ head }: Row): StatementRow[] {
  const cells = head.split(' ');
  if (cells.length < CELL_COUNT) return [];
  const [, account = '', id = '', number, at, line = '', kind, amount = '', balance = '', claim = '', notice = '', provenance = ''] = cells;
  return [{ account, id, number: Number(number), at: Number(at), line, kind: kind as LedgerKind, amount: BigInt(amount), balance: BigInt(balance), claim: optional(claim), notice: optional(notice), provenance: optional(provenance) }];
}

const optional = (cell: string): string | undefined => (cell === '/' ? undefined : cell);

function toFound(head: string, text: string): Found {
  const slash = head.indexOf('/');
  return { type: head.slice(0, slash), id: head.slice(slash + 1, -2), text, seen: head.endsWith('t') };
}
