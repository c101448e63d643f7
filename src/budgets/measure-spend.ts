// What was spent on personal health budgets in a period, by the directory's categories: active purchases of the period less refunds,
// which is what the ledger holds of them (domain.md C32E14, rulings 51 and 62).
import type { Queryable } from '../db/database.js';
import { HELD_SUMS, SHARES } from './item-shares.js';
import type { MeasureAsked } from './measure-people.js';

export interface MeasuredSpend {
  /** Code of directory-category; undefined for what is in none; `total` stands apart. */
  readonly category: string | undefined;
  /** People for whom something was bought. */
  readonly people: number;
  /** Pence: bought, and paid of it; less refunds. */
  readonly spend: bigint;
  readonly paid: bigint;
}

export interface SpendReport {
  readonly total: MeasuredSpend;
  readonly categories: readonly MeasuredSpend[];
}

const SPEND = `
  with held as materialized (
    select c.account, c.claim, ${HELD_SUMS}
    from fhir.budget_account b join fhir.claim_commitment c on c.account = b.account
    where b.owner = any ($1) and exists (select from fhir.purchase_item i where i.claim = c.claim and i.active and i.created >= $2 and i.created < $3)
    group by c.account, c.claim),
  ${SHARES}
  select grouping(s.category) = 1 as whole, s.category, count(distinct b.patient) as people, coalesce(sum(s.net_share), 0)::bigint::text as spend, coalesce(sum(s.paid_share), 0)::bigint::text as paid
  from shares s join fhir.budget_account b on b.account = s.account
  group by grouping sets ((s.category), ()) order by 1 desc, 2 nulls last`;

interface Row {
  readonly whole: boolean;
  readonly category: string | null;
  readonly people: number;
  readonly spend: string;
  readonly paid: string;
}

export async function measureSpend(db: Queryable, { owners, from, until }: MeasureAsked): Promise<SpendReport> {
  const { rows } = await db.query<Row>({ name: 'measure-spend', text: SPEND, values: [owners, from, until] });
  const sums = rows.map(({ whole, category, people, spend, paid }) => ({ whole, category: category ?? undefined, people, spend: BigInt(spend), paid: BigInt(paid) }));
  const total = sums.find(({ whole }) => whole) ?? { category: undefined, people: 0, spend: 0n, paid: 0n };
  return { total, categories: sums.filter(({ whole }) => !whole) };
}
