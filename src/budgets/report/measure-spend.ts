// What was spent on personal health budgets in a period, by the directory's categories: active purchases of the period less refunds,
// which is what the ledger holds of them (domain.md C32E14, rulings 51 and 62).
import type { Queryable } from '../../db/database.js';
import { sharesOf } from './item-shares.js';
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

const IN_PERIOD = 'i.created >= $2 and i.created < $3';

// Summed by account first: people are counted over a few thousand rows, not over every item.
const SPEND = `
  with ${sharesOf({ account: 'c.account', commitments: 'fhir.budget_account b join fhir.claim_commitment c on c.account = b.account and b.owner = any ($1)', items: IN_PERIOD })},
  sums as (select s.account, s.category, sum(s.net_share) as spend, sum(s.paid_share) as paid from shares s group by s.account, s.category)
  select grouping(s.category) = 1 as whole, s.category, count(distinct b.patient) as people, coalesce(sum(s.spend), 0)::bigint::text as spend, coalesce(sum(s.paid), 0)::bigint::text as paid
  from sums s join fhir.budget_account b on b.account = s.account
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
