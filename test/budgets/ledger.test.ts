// The ledger against a model of the rules: random acts, one after another and all at once, on a real database.
import fc from 'fast-check';
import type { Caller } from '../../src/fhir/caller.js';
import { createIds } from '../../src/fhir/id.js';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { InsufficientFunds } from '../../src/budgets/ledger/ledger-refusal.js';
import { post, type Posted } from '../../src/budgets/ledger/ledger.js';
import { availableOf, effectOf, type LedgerKind, type Posting } from '../../src/budgets/ledger/postings.js';
import { readBudgets, type Budget } from '../../src/budgets/ledger/totals.js';
import type { Database } from '../../src/db/database.js';
import { openDatabase } from '../../src/db/pool.js';
import { cloneDatabase } from '../database.js';

const newId = createIds(Date.now, randomBytes);
const caller: Caller = { role: 'admin', client: 'test', subject: 'tester', scopes: [], organization: 'QWE' };
let database: Database;
let drop: () => Promise<void>;
beforeAll(async () => {
  const clone = await cloneDatabase();
  database = openDatabase({ url: clone.url, size: 8, prepared: true });
  drop = () => clone.drop();
});
afterAll(async () => {
  await database.close();
  await drop();
});

const LINES = ['notional', 'direct'] as const;

/** A budget of £100.00 notional and £50.00 direct payment. */
async function budget(state = 'active'): Promise<string> {
  const account = newId();
  await database.query({ text: `insert into fhir.budget_account (account, opened, kind, state, patient, period_from, period_until) values ($1, 0, 'phb', $2, 'p', 0, 1)`, values: [account, state] });
  await database.query({ text: `insert into fhir.budget_line (account, line, model, may_overdraw, position) values ($1, 'notional', 'notional', false, 1), ($1, 'direct', 'direct-payment', true, 2)`, values: [account] });
  await move([posting(account, 'notional', 'allocation', 10_000n), posting(account, 'direct', 'allocation', 5_000n)], [state]);
  return account;
}

const posting = (account: string, line: string, kind: LedgerKind, amount: bigint, rest: Partial<Posting> = {}): Posting => ({ id: newId(), account, line, kind, amount, ...rest });
const move = (postings: readonly Posting[], states?: readonly string[], now = Date.now()): Promise<Posted[]> =>
  database.transaction((db) => post(postings, { db, caller, now, ...(states && { states: states as ['active'] }) }));
const read = async (account: string): Promise<Budget> => (await readBudgets(database, [account])).get(account)!;

/** Until some statement waits for a lock. */
async function waited(): Promise<void> {
  const waiting = { text: `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%budget_account%'`, values: [] };
  for (let tries = 0; (await database.beside.query(waiting)).rows.length === 0; tries += 1) {
    if (tries > 500) throw new Error('nothing waits');
    await sleep(10);
  }
}

/** What must be true of any ledger: its sums are the totals, its balances a chain, its numbers without a gap. */
async function reconcile(account: string): Promise<void> {
  const totals = await read(account);
  const { rows } = await database.query<Record<string, any>>({ text: 'select * from fhir.ledger where account = $1 order by number', values: [account] });
  expect(rows.map(({ number }) => number)).toEqual(rows.map((_row, index) => index + 1));
  let available = 0n;
  for (const row of rows) {
    available += BigInt(row['allocated'] - row['committed'] - row['spent']);
    expect(BigInt(row['available_after'])).toBe(available);
  }
  expect(availableOf(totals)).toBe(available);
  const sum = (list: readonly Record<string, any>[], name: string): bigint => list.reduce((total, row) => total + BigInt(row[name]), 0n);
  for (const name of ['allocated', 'committed', 'spent', 'disbursed'] as const) {
    expect(totals[name]).toBe(sum(rows, name));
    for (const line of totals.lines) expect(line[name]).toBe(sum(rows.filter((row) => row['line'] === line.line), name));
  }
}

describe('one act', () => {
  it('writes what each kind does, in order, with the balance after it', async () => {
    const account = await budget();
    const posted = await move([posting(account, 'notional', 'commit', 3_000n, { claim: 'c1' }), posting(account, 'notional', 'spend', 2_500n, { claim: 'c1' }), posting(account, 'notional', 'release', 500n, { claim: 'c1' }), posting(account, 'direct', 'advance', 4_000n)]);
    expect(posted.map(({ number, available }) => [number, available])).toEqual([[3, 12_000n], [4, 12_000n], [5, 12_500n], [6, 12_500n]]);
    expect(await read(account)).toMatchObject({ allocated: 15_000n, committed: 0n, spent: 2_500n, disbursed: 4_000n });
    await reconcile(account);
  });

  it('is done once, however often it is asked for under the same ids', async () => {
    const account = await budget();
    const one = [posting(account, 'notional', 'commit', 3_000n, { claim: 'c1' })];
    expect(await move(one)).toEqual(await move(one));
    expect((await read(account)).committed).toBe(3_000n);
    await reconcile(account);
  });

  it('is refused whole where one line has not enough, and says what that one has', async () => {
    const account = await budget();
    const act = move([posting(account, 'direct', 'commit', 1_000n), posting(account, 'notional', 'commit', 10_001n)]);
    await expect(act).rejects.toMatchObject({ status: 422, line: 'notional', needed: 10_001n, available: 10_000n });
    await expect(act).rejects.toBeInstanceOf(InsufficientFunds);
    expect(await read(account)).toMatchObject({ committed: 0n });
  });

  it('takes only a direct payment below zero, and only for a purchase already made; what comes back is always taken', async () => {
    const account = await budget();
    await expect(move([posting(account, 'notional', 'commit', 10_001n, { overdraw: true })])).rejects.toBeInstanceOf(InsufficientFunds);
    await expect(move([posting(account, 'direct', 'commit', 5_001n)])).rejects.toBeInstanceOf(InsufficientFunds);
    await move([posting(account, 'direct', 'commit', 9_000n, { overdraw: true, claim: 'c2' })]);
    expect((await read(account)).lines[1]).toMatchObject({ committed: 9_000n });
    await move([posting(account, 'direct', 'release', 1_000n, { claim: 'c2' })]);
    await reconcile(account);
  });

  it('takes back no more than a claim has reserved or was paid, and no more cash than the holder has', async () => {
    const account = await budget();
    await move([posting(account, 'notional', 'commit', 100n, { claim: 'a' }), posting(account, 'notional', 'commit', 100n, { claim: 'b' }), posting(account, 'direct', 'advance', 300n)]);
    await expect(move([posting(account, 'notional', 'release', 101n, { claim: 'a' })])).rejects.toMatchObject({ status: 422 });
    await move([posting(account, 'notional', 'spend', 100n, { claim: 'a' })]);
    await expect(move([posting(account, 'notional', 'refund', 101n, { claim: 'a' })])).rejects.toMatchObject({ status: 422 });
    await expect(move([posting(account, 'direct', 'clawback', 301n, { of: 'held' })])).rejects.toMatchObject({ status: 422 });
    await move([posting(account, 'direct', 'clawback', 300n, { of: 'held-and-granted' })]);
    expect((await read(account)).lines[1]).toMatchObject({ allocated: 4_700n, disbursed: 0n });
    await reconcile(account);
  });

  it('is for a budget in one of the states it names', async () => {
    const account = await budget('inactive');
    await expect(move([posting(account, 'notional', 'commit', 1n)])).rejects.toMatchObject({ issues: [expect.objectContaining({ coding: expect.objectContaining({ code: 'ACCOUNT_NOT_ACTIVE' }) })] });
    await expect(move([posting('nobody', 'notional', 'commit', 1n)])).rejects.toMatchObject({ status: 422 });
  });

  it('is done where the budget becomes active before it is found out why it was not', async () => {
    const account = await budget('on-hold');
    const reopened: string[] = [];
    const posted = await database.transaction((db) => {
      const meanwhile: typeof db = {
        ...db,
        async query(statement) {
          if (statement.name === 'ledger-refused-lines') {
            await database.beside.query({ text: `update fhir.budget_account set state = 'active' where account = $1`, values: [account] });
            reopened.push(account);
          }
          return db.query(statement);
        },
      };
      return post([posting(account, 'notional', 'commit', 1n)], { db: meanwhile, caller, now: Date.now() });
    });
    expect([posted.map(({ number }) => number), reopened]).toEqual([[3], [account]]);
    await reconcile(account);
  });

  it('is refused where that is so again and again', async () => {
    const account = await budget();
    const become = (state: string): Promise<unknown> => database.beside.query({ text: 'update fhir.budget_account set state = $2 where account = $1', values: [account, state] });
    const wavering = database.transaction((db) => post([posting(account, 'notional', 'commit', 1n)], {
      db: {
        ...db,
        async query(statement) {
          if (statement.name === 'ledger-post') await become('on-hold');
          if (statement.name === 'ledger-refused-lines') await become('active');
          return db.query(statement);
        },
      },
      caller, now: Date.now(),
    }));
    await expect(wavering).rejects.toMatchObject({ status: 422, issues: [expect.objectContaining({ coding: expect.objectContaining({ code: 'ACCOUNT_NOT_ACTIVE' }) })] });
    expect(await read(account)).toMatchObject({ committed: 0n });
  });

  it('finds the money that came back while it waited', async () => {
    const account = await budget();
    await move([posting(account, 'notional', 'commit', 10_000n, { claim: 'c' })]);
    let bought: Promise<Posted[]> = Promise.resolve([]);
    await database.transaction(async (db) => {
      await post([posting(account, 'notional', 'release', 6_000n, { claim: 'c' })], { db, caller, now: Date.now() });
      bought = move([posting(account, 'notional', 'commit', 5_000n, { claim: 'd' })]);
      bought.catch(() => undefined);
      await waited();
    });
    expect((await bought).map(({ number }) => number)).toEqual([5]);
    await expect(move([posting(account, 'notional', 'release', 20_000n, { claim: 'c' })])).rejects.toMatchObject({ status: 422 });
    await reconcile(account);
  });

  it('leaves rows that no earlier moment precedes, whatever the clock of another server says', async () => {
    const account = await budget();
    const later = Date.now() + 60_000;
    await move([posting(account, 'notional', 'commit', 1n)], undefined, later);
    await move([posting(account, 'notional', 'commit', 1n)], undefined, later - 50_000);
    const { rows } = await database.query<{ at: number }>({ text: 'select at from fhir.ledger where account = $1 order by number desc limit 2', values: [account] });
    expect(rows.map(({ at }) => at)).toEqual([later, later]);
  });
});

const act = fc.record({
  line: fc.constantFrom(...LINES),
  kind: fc.constantFrom<LedgerKind>('adjustment', 'transfer-in', 'transfer-out', 'commit', 'release', 'spend', 'refund', 'advance'),
  amount: fc.bigInt({ min: 1n, max: 6_000n }),
  overdraw: fc.boolean(),
});

/** Would the rules take it? Told from the sums alone. */
function allowed(line: Budget['lines'][number], one: Posting): boolean {
  const effect = effectOf(one);
  const after = { allocated: line.allocated + effect.allocated, committed: line.committed + effect.committed, spent: line.spent + effect.spent, disbursed: line.disbursed + effect.disbursed };
  if (Object.values(after).some((pence) => pence < 0n)) return false;
  return availableOf(after) >= 0n || availableOf(effect) >= 0n || (line.mayOverdraw && one.overdraw === true);
}

it('takes what the rules allow and refuses the rest, over any sequence', async () => {
  await fc.assert(fc.asyncProperty(fc.array(act, { maxLength: 25 }), async (acts) => {
    const account = await budget();
    for (const { line, kind, amount, overdraw } of acts) {
      const one = posting(account, line, kind, amount, { overdraw });
      const before = (await read(account)).lines.find((row) => row.line === line)!;
      const done = await move([one]).then(() => true, () => false);
      expect(done).toBe(allowed(before, one));
    }
    await reconcile(account);
  }), { numRuns: 25 });
});

it('gives the last penny once, with many at the same moment and acts over several budgets in any order', async () => {
  const accounts = [await budget(), await budget(), await budget()];
  const tries = Array.from({ length: 120 }, (_, index) => {
    const chosen = index % 3 === 0 ? [...accounts].reverse() : [accounts[index % 3]!];
    return move(chosen.map((account) => posting(account, 'notional', 'commit', 700n, { claim: `c${index}` }))).then(() => 1, (error: unknown) => (error instanceof InsufficientFunds ? 0 : Promise.reject(error as Error)));
  });
  const done = await Promise.all(tries);
  expect(done.filter((one) => one === 1).length).toBeGreaterThan(14);
  for (const account of accounts) {
    const { lines } = await read(account);
    expect(lines[0]!.committed).toBeLessThanOrEqual(10_000n);
    expect(lines[0]!.committed % 700n).toBe(0n);
    await reconcile(account);
  }
});

it('has a constraint of the database behind it', async () => {
  const account = await budget();
  const overspend = database.query({ text: `update fhir.budget_line set committed = allocated + 1 where account = $1 and line = 'notional'`, values: [account] });
  await expect(overspend).rejects.toMatchObject({ code: '23514', constraint: 'budget_line_available' });
});

describe('a row of the ledger', () => {
  const OWNED = ['create role ledger_owner', 'grant usage on schema fhir to ledger_owner', 'alter table fhir.ledger owner to ledger_owner', 'set local role ledger_owner'];

  it.each(['update fhir.ledger set actor = actor', 'delete from fhir.ledger', 'truncate fhir.ledger'])('can\'t be changed or removed by the owner of its table: %s', async (text) => {
    await budget();
    const changed = database.transaction(async (db) => {
      for (const before of OWNED) await db.query({ text: before, values: [] });
      await db.query({ text: 'select from fhir.ledger limit 1', values: [] });
      await db.query({ text, values: [] });
    });
    await expect(changed).rejects.toMatchObject({ code: '42501', message: 'permission denied for table ledger' });
  });

  it.each([
    ['amount = amount + 1', 'allocation'], ['committed = committed - 1', 'commit'], ['spent = 1', 'commit'], ['kind = \'refund\'', 'allocation'], ['kind = \'gift\'', 'allocation'], ['disbursed = 1', 'clawback'], ['amount = -amount, disbursed = -disbursed', 'advance'],
  ])('changes of its line what it shows: not %s', async (wrong, kind) => {
    const account = await budget();
    await move([posting(account, 'notional', 'commit', 100n), posting(account, 'direct', 'advance', 300n), posting(account, 'direct', 'clawback', 10n, { of: 'held' })]);
    const row = database.query({ text: `update fhir.ledger set ${wrong} where account = $1 and kind = $2`, values: [account, kind] });
    await expect(row).rejects.toMatchObject({ code: '23514', constraint: 'ledger_effects' });
  });
});
