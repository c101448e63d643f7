// The one function through which all money of budgets moves. One statement per account changes the budget's row, its lines and the
// claims' rows, and adds the ledger's rows from what came out; a CHECK of the database stands behind it (domain.md ruling 12).
import type { Queryable, Statement } from '../../db/database.js';
import type { Caller } from '../../fhir/caller.js';
import { explainRefusal } from './ledger-refusal.js';
import { addSums, availableOf, effectOf, NOTHING, type Posting, type Sums } from './postings.js';

/** Account.status of a budget in which a movement is allowed. */
export type BudgetState = 'active' | 'on-hold' | 'inactive' | 'entered-in-error';

export interface PostContext {
  /** Within the transaction of the act: a refusal must roll back everything. */
  readonly db: Queryable;
  /** Who is written into the ledger. */
  readonly caller: Caller;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The states of the budget in which these movements are allowed; looked at in the statement that takes the lock. Default: active. */
  readonly states?: readonly BudgetState[];
}

/** A row of the ledger as written. */
export interface Posted {
  readonly posting: Posting;
  /** Its place in the account's ledger, from 1. */
  readonly number: number;
  /** Available of the whole account after the row, in pence. */
  readonly available: bigint;
}

/**
 * Moves money: all postings or none, in the order given within each account; accounts are taken in the order of their ids, so that
 * two acts can't wait for each other. Posting the same ids again (a COMMIT whose answer was lost) changes nothing.
 *
 * Throws, and the transaction must then be left: InsufficientFunds (422) where a line would go below zero and may not, with the
 * amount that is available; 422 ACCOUNT_NOT_ACTIVE; 422 business-rule where a claim has less reserved or paid than is taken.
 * To judge something before money moves (shares of a joint budget), take `lockBudgets` first.
 */
export async function post(postings: readonly Posting[], context: PostContext): Promise<Posted[]> {
  const accounts = new Map<string, Posting[]>();
  for (const posting of postings) {
    const list = accounts.get(posting.account);
    if (list) list.push(posting);
    else accounts.set(posting.account, [posting]);
  }
  const posted = new Map<Posting, Posted>();
  for (const account of [...accounts.keys()].sort(byBytes)) {
    for (const one of await postTo(account, accounts.get(account) ?? [], context)) posted.set(one.posting, one);
  }
  return postings.flatMap((posting) => posted.get(posting) ?? []);
}

export const byBytes = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

interface PostedRow {
  readonly id: string;
  /** 0: the row is a line that had enough when another had not. -1: the budget, which was in a state that allows the postings. */
  readonly number: number;
  readonly available_after: string;
}

async function postTo(account: string, postings: readonly Posting[], context: PostContext): Promise<Posted[]> {
  const { rows } = await context.db.query<PostedRow>(statement(account, postings, context));
  const added = rows.filter(({ number }) => number > 0);
  const found = added.length === postings.length ? added : await postedBefore(account, postings, context);
  if (!found) throw await explainRefusal(account, postings, { db: context.db, states: context.states ?? ACTIVE, allowed: rows.some(({ number }) => number < 0), enough: new Set(rows.map(({ id }) => id)) });
  const byId = new Map(found.map((row) => [row.id, row]));
  return postings.flatMap((posting) => {
    const row = byId.get(posting.id);
    return row ? [{ posting, number: row.number, available: BigInt(row.available_after) }] : [];
  });
}

const ACTIVE: readonly BudgetState[] = ['active'];
const BEFORE = { name: 'ledger-before', text: 'select id, number, available_after::text from fhir.ledger where account = $1 and id = any((select $2::text[])::text[])' };

/** The rows of a run whose COMMIT had worked. */
async function postedBefore(account: string, postings: readonly Posting[], { db }: PostContext): Promise<readonly PostedRow[] | undefined> {
  const { rows } = await db.query<PostedRow>({ ...BEFORE, values: [account, postings.map(({ id }) => id)] });
  return rows.length === postings.length ? rows : undefined;
}

// The budget's row is changed first, since the others are joined to it: whoever waits, waits there, and PostgreSQL then looks at each row as
// it is after the wait. A line that has not enough is not changed; then nothing is written to the ledger, the lines that had enough come back
// instead (number 0), and the caller leaves the transaction.
const LINE_SUMS = `l.allocated + d.allocated - l.committed - d.committed - l.spent - d.spent`;
const POST = `
  with given as materialized (
    select * from unnest($8::text[], $9::text[], $10::text[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[],
      $17::text[], $18::int[], $19::text[], $20::text[], $21::text[])
      with ordinality as g (id, line, kind, amount, allocated, committed, spent, disbursed, following, claim, item, notice, provenance, reverses, place)),
  budget as (
    update fhir.budget_account b set allocated = b.allocated + $3::bigint, committed = b.committed + $4::bigint, spent = b.spent + $5::bigint,
      disbursed = b.disbursed + $6::bigint, entries = b.entries + cardinality($8::text[]), posted = greatest(b.posted, $2::bigint),
      first_paid = coalesce(b.first_paid, case when $38::boolean then greatest(b.posted, $2::bigint) end)
    where b.account = $1 and b.state = any ($7::text[]) and b.kind = 'phb'
      and not exists (select from fhir.ledger e where e.account = $1 and e.id = ($8::text[])[1])
    returning b.allocated - b.committed - b.spent as available, b.entries - cardinality($8::text[]) as first, b.posted),
  changed as (
    update fhir.budget_line l set allocated = l.allocated + d.allocated, committed = l.committed + d.committed, spent = l.spent + d.spent, disbursed = l.disbursed + d.disbursed
    from budget, unnest($22::text[], $23::bigint[], $24::bigint[], $25::bigint[], $26::bigint[], $27::boolean[], $28::boolean[])
      as d (line, allocated, committed, spent, disbursed, overdraw, held)
    where l.account = $1 and l.line = d.line
      and (${LINE_SUMS} >= 0 or d.allocated - d.committed - d.spent >= 0 or (l.may_overdraw and d.overdraw))
      and l.allocated + d.allocated >= 0 and l.committed + d.committed >= 0 and l.spent + d.spent >= 0 and l.disbursed + d.disbursed >= 0
      and (not d.held or l.disbursed + d.disbursed - l.spent - d.spent >= 0)
      and (not l.ended or (d.allocated <= 0 and d.committed <= 0 and d.disbursed <= 0))
    returning l.line),
  opened as (
    insert into fhir.claim_commitment as c (account, claim, line, committed, paid, refunded)
    select $1, d.claim, d.line, d.committed, d.paid, d.refunded
    from budget, unnest($29::text[], $30::text[], $31::bigint[], $32::bigint[], $33::bigint[], $34::boolean[]) as d (claim, line, committed, paid, refunded, opens)
    where d.opens
    on conflict (account, claim, line) do update set committed = c.committed + excluded.committed, paid = c.paid + excluded.paid, refunded = c.refunded + excluded.refunded
    returning c.claim),
  claimed as (
    update fhir.claim_commitment c set committed = c.committed + d.committed, paid = c.paid + d.paid, refunded = c.refunded + d.refunded
    from budget, unnest($29::text[], $30::text[], $31::bigint[], $32::bigint[], $33::bigint[], $34::boolean[]) as d (claim, line, committed, paid, refunded, opens)
    where not d.opens and c.account = $1 and c.claim = d.claim and c.line = d.line
      and c.committed + d.committed >= 0 and c.refunded + d.refunded <= c.paid + d.paid
    returning c.claim),
  added as (
    insert into fhir.ledger (account, id, line, kind, amount, allocated, committed, spent, disbursed, number, at, available_after,
      actor, role, organization, claim, item, notice, provenance, reverses)
    select $1, g.id, g.line, g.kind, g.amount, g.allocated, g.committed, g.spent, g.disbursed, b.first + g.place, b.posted, b.available - g.following,
      $35, $36, $37, g.claim, g.item, g.notice, g.provenance, g.reverses
    from given g, budget b
    where (select count(*) from changed) = cardinality($22::text[])
      and (select count(*) from opened) + (select count(*) from claimed) = cardinality($29::text[])
    returning id, number, available_after)
  select id, number, available_after::text from added
  union all select line, 0, null from changed where not exists (select from added)
  union all select '', -1, null from budget where not exists (select from added)`;

function statement(account: string, postings: readonly Posting[], { caller, now, states = ACTIVE }: PostContext): Statement {
  const effects = postings.map(effectOf);
  const total = effects.reduce(addSums, NOTHING);
  const lines = lineChanges(postings, effects);
  const claims = claimChanges(postings, effects);
  return {
    name: 'ledger-post',
    text: POST,
    values: [
      account, now, ...sumTexts(total), states,
      ...columns(postings, (one) => [one.id, one.line, one.kind, String(one.amount)], 4),
      ...columns(effects, sumTexts, 4),
      followingOf(effects),
      ...columns(postings, (one) => [one.claim ?? null, one.item ?? null, one.notice ?? null, one.provenance ?? null, one.reverses ?? null], 5),
      ...columns(lines, ({ line, sums, overdraw, held }) => [line, ...sumTexts(sums), overdraw, held], 7),
      ...columns(claims, ({ claim, line, committed, paid, refunded, opens }) => [claim, line, String(committed), String(paid), String(refunded), opens], 6),
      caller.subject, caller.role, caller.organization ?? null,
      postings.some(({ kind }) => kind === 'spend' || kind === 'advance'),
    ],
  };
}

const sumTexts = ({ allocated, committed, spent, disbursed }: Sums): string[] => [allocated, committed, spent, disbursed].map(String);

/** Rows as one array per column, as unnest takes them. */
function columns<T>(items: readonly T[], row: (item: T) => readonly unknown[], width: number): unknown[][] {
  const rows = items.map(row);
  return Array.from({ length: width }, (_, column) => rows.map((cells) => cells[column]));
}

/** What the postings after each one change of what is available: the row's balance is the last one without that. */
function followingOf(effects: readonly Sums[]): string[] {
  let following = 0n;
  return effects.map((effect) => {
    following += availableOf(effect);
    return following;
  }).map((until) => String(following - until));
}

interface LineChange {
  readonly line: string;
  readonly sums: Sums;
  readonly overdraw: boolean;
  readonly held: boolean;
}

function lineChanges(postings: readonly Posting[], effects: readonly Sums[]): LineChange[] {
  const changes = new Map<string, LineChange>();
  for (const [index, { line, of, overdraw = false }] of postings.entries()) {
    const before = changes.get(line);
    changes.set(line, {
      line,
      sums: addSums(before?.sums ?? NOTHING, effects[index] ?? NOTHING),
      overdraw: overdraw || before?.overdraw === true,
      held: of === 'held' || of === 'held-and-granted' || before?.held === true,
    });
  }
  return [...changes.values()];
}

interface ClaimChange {
  readonly claim: string;
  readonly line: string;
  readonly committed: bigint;
  readonly paid: bigint;
  readonly refunded: bigint;
  /** May be the first of the claim on the line. */
  readonly opens: boolean;
}

function claimChanges(postings: readonly Posting[], effects: readonly Sums[]): ClaimChange[] {
  const changes = new Map<string, ClaimChange>();
  for (const [index, { claim, line, kind, amount }] of postings.entries()) {
    if (claim === undefined) continue;
    const key = `${claim} ${line}`;
    const before = changes.get(key);
    changes.set(key, {
      claim,
      line,
      committed: (before?.committed ?? 0n) + (effects[index]?.committed ?? 0n),
      paid: (before?.paid ?? 0n) + (kind === 'spend' ? amount : 0n),
      refunded: (before?.refunded ?? 0n) + (kind === 'refund' ? amount : 0n),
      opens: kind === 'commit' || before?.opens === true,
    });
  }
  return [...changes.values()];
}
