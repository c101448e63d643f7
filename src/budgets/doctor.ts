// Does the money add up? The ledger summed and compared with what is kept beside it: totals, running balances, claims, and the amounts
// that the Accounts themselves show (domain.md 3.8 rule 13). Reads only.
import type { Queryable } from '../db/database.js';
import { poundsText, toPence } from '../fhir/decimal.js';
import type { Resource } from '../fhir/resource.js';
import { allocationsOf } from './account/account.js';

export interface Difference {
  /** Logical id of the Account. */
  readonly account: string;
  /** What differs, in words. */
  readonly text: string;
}

const SUMS = ['allocated', 'committed', 'spent', 'disbursed'] as const;
const sumsOf = (of: (sum: string) => string): string => SUMS.map(of).join(', ');
const same = (left: string, right: string): string => SUMS.map((sum) => `${left}.${sum} = ${right}.${sum}`).join(' and ');

/** Each gives account and text of what is wrong. */
const CHECKS: readonly string[] = [
  `with summed as (select account, line, ${sumsOf((sum) => `sum(${sum}) as ${sum}`)} from fhir.ledger group by account, line)
   select coalesce(l.account, s.account) as account, 'line ' || coalesce(l.line, s.line) || ' does not hold what its ledger says' as text
   from fhir.budget_line l full join summed s on s.account = l.account and s.line = l.line
   where not coalesce(${SUMS.map((sum) => `coalesce(l.${sum}, 0) = coalesce(s.${sum}, 0)`).join(' and ')}, false)`,
  `with summed as (select account, ${sumsOf((sum) => `sum(${sum}) as ${sum}`)} from fhir.budget_line group by account)
   select b.account, 'its totals are not those of its lines' as text from fhir.budget_account b left join summed s using (account)
   where b.kind = 'phb' and not coalesce(${same('b', 's')}, false)`,
  `select account, 'the balance after row ' || number || ' of its ledger is not the one before with the row' as text
   from (select account, number, available_after, sum(allocated - committed - spent) over (partition by account order by number) as available,
     row_number() over (partition by account order by number) as place from fhir.ledger) e
   where available <> available_after or number <> place`,
  `select b.account, 'its ledger has not as many rows as were counted' as text from fhir.budget_account b
   left join (select account, count(*) as rows from fhir.ledger group by account) e using (account) where b.entries <> coalesce(e.rows, 0)`,
  `with summed as (select account, claim, line, sum(committed) as committed, sum(amount) filter (where kind = 'spend') as paid, sum(amount) filter (where kind = 'refund') as refunded
     from fhir.ledger where claim is not null group by account, claim, line)
   select coalesce(c.account, s.account) as account, 'Claim/' || coalesce(c.claim, s.claim) || ' does not hold what the ledger says' as text
   from fhir.claim_commitment c full join summed s on s.account = c.account and s.claim = c.claim and s.line = c.line
   where c.account is null or c.committed <> coalesce(s.committed, 0) or c.paid <> coalesce(s.paid, 0) or c.refunded <> coalesce(s.refunded, 0)`,
  `with bought as (select claim, bool_or(active) as active, sum(net) as net, min(total) as least, max(total) as most from fhir.purchase_item group by claim),
     held as (select claim, min(account) as account, sum(committed + paid) as held from fhir.claim_commitment group by claim)
   select h.account, 'the items kept of Claim/' || b.claim || ' do not come to what its ledger holds' as text from bought b join held h using (claim)
   where b.active and (b.net <> h.held or b.least <> b.net or b.most <> b.net)`,
  `select c.account, 'no items are kept of Claim/' || c.claim as text
   from (select claim, min(account) as account from fhir.claim_commitment group by claim) c join fhir."Claim" t on t.id = c.claim and t.res is not null
   where t.res::json ->> 'use' = 'claim' and not exists (select from fhir.purchase_item i where i.claim = c.claim)`,
];

const PAGE = 500;
const SHOWN = {
  name: 'doctor-accounts',
  text: `select t.id, t.res, (select json_object_agg(l.line, l.allocated::text)::text from fhir.budget_line l where l.account = t.id) as lines
    from fhir."Account" t join fhir.budget_account b on b.account = t.id
    where t.id > $1 and b.kind = 'phb' and b.state <> 'entered-in-error' and t.res is not null order by t.id limit ${PAGE}`,
};

export interface Examination {
  readonly budgets: number;
  readonly differences: readonly Difference[];
}

/** Examines every budget. Run while money moves, a budget may show a difference that is none: ask again. */
export async function examineBudgets(db: Queryable): Promise<Examination> {
  const differences: Difference[] = [];
  for (const text of CHECKS) differences.push(...(await db.query<{ account: string; text: string }>({ text, values: [] })).rows);
  let budgets = 0;
  for (let after = '', full = true; full; ) {
    const { rows } = await db.query<{ id: string; res: string; lines: string | null }>({ ...SHOWN, values: [after] });
    for (const { id, res, lines } of rows) differences.push(...shownDifferences(id, JSON.parse(res) as Resource, JSON.parse(lines ?? '{}') as Record<string, string>));
    budgets += rows.length;
    after = rows.at(-1)?.id ?? '';
    full = rows.length === PAGE;
  }
  return { budgets, differences };
}

/** What the Account shows of its lines must be what they were granted. */
function shownDifferences(account: string, resource: Resource, granted: Readonly<Record<string, string>>): Difference[] {
  return allocationsOf(resource).flatMap(({ lineId = '', amount }) => {
    const shown = typeof amount?.['value'] === 'number' ? toPence(String(amount['value'])) : undefined;
    const held = BigInt(granted[lineId] ?? 0);
    if (shown === held) return [];
    return [{ account, text: `line ${lineId} shows £${shown === undefined ? '?' : poundsText(shown)} and was granted £${poundsText(held)}` }];
  });
}
