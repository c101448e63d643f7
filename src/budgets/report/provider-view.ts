// What providers sold on personal health budgets: their own items alone, and nothing of whom they were for (domain.md C32E13, rulings 51 and 64).
import type { Queryable } from '../../db/database.js';
import { sharesOf } from './item-shares.js';

export interface Sold {
  /** Logical id of the HealthcareService; undefined where the sum is over several. */
  readonly service: string | undefined;
  /** Milliseconds: the day of the item, or of the month's beginning. */
  readonly at: number | undefined;
  readonly count: number;
  readonly quantity: string;
  /** Pence. */
  readonly net: bigint;
  readonly paid: bigint;
}

export interface SoldAsked {
  /** Logical ids of the organisations whose items these are. */
  readonly providers: readonly string[];
  /** Only this one. */
  readonly service?: string | undefined;
  /** Milliseconds; `until` exclusive. */
  readonly from: number;
  readonly until: number;
  readonly groupBy: 'item' | 'month' | 'service';
  /** At most so many rows. */
  readonly most: number;
}

const LONDON = `to_timestamp(s.created / 1000.0) at time zone 'Europe/London'`;
const MONTH = `(extract(epoch from date_trunc('month', ${LONDON}) at time zone 'Europe/London') * 1000)::bigint`;
const SUMS = 'count(*) as count, sum(s.quantity)::text as quantity, sum(s.net_share)::bigint::text as net, sum(s.paid_share)::bigint::text as paid';

const GROUPS: Readonly<Record<SoldAsked['groupBy'], string>> = {
  item: `select s.service, s.created as at, 1 as count, s.quantity::text as quantity, s.net_share::bigint::text as net, s.paid_share::bigint::text as paid
    from own s order by s.created, s.claim, s.item`,
  month: `select null as service, ${MONTH} as at, ${SUMS} from own s group by 2 order by 2`,
  service: `select s.service, null::bigint as at, ${SUMS} from own s group by 1 order by 1`,
};

const own = (item: string): string => `${item}.provider = any ($1) and ${item}.created >= $2 and ${item}.created < $3 and ($4::text is null or ${item}.service = $4)`;

const textOf = (groupBy: SoldAsked['groupBy']): string => `
  with ${sharesOf({ account: "''::text", commitments: 'fhir.claim_commitment c', items: own('i') })},
  own as (select * from shares s where ${own('s')})
  ${GROUPS[groupBy]} limit $5`;

type Row = Readonly<Record<'quantity' | 'net' | 'paid', string>> & { readonly service: string | null; readonly at: number | null; readonly count: number };

export async function soldBy(db: Queryable, { providers, service, from, until, groupBy, most }: SoldAsked): Promise<readonly Sold[]> {
  const { rows } = await db.query<Row>({ name: `sold-by-${groupBy}`, text: textOf(groupBy), values: [providers, from, until, service ?? null, most] });
  return rows.map(({ service: of, at, count, quantity, net, paid }) => ({ service: of ?? undefined, at: at ?? undefined, count, quantity, net: BigInt(net), paid: BigInt(paid) }));
}
