// What each item of a purchase has of its purchase's money: the whole of its net while nothing was given back; else refunds, and what is
// paid so far, are parted among the items by their net amounts, odd pence by largest remainder, so that the sums are exact (domain.md ruling 51).

// Of nearly all purchases one line pays all, and nothing or everything is paid: their items have what they cost, and need no parting. To sort
// half a million items for that took 15 s.
const PLAIN = 'b.refunded = 0 and b.committed + b.paid = b.total and (b.paid = 0 or b.committed = 0)';

const partOf = (sum: 'held' | 'paid'): string => `
  case when w.${sum} = w.total then w.net when w.${sum} = 0 or w.total = 0 then 0 else div(w.net * w.${sum}::numeric, w.total) end as ${sum}_low,
  case when w.${sum} = w.total or w.${sum} = 0 or w.total = 0 then 0 else mod(w.net * w.${sum}::numeric, w.total) end as ${sum}_rest`;
const shareOf = (sum: 'held' | 'paid'): string => `
  (l.${sum}_low + case when row_number() over (partition by l.account, l.claim order by l.${sum}_rest desc, l.item)
    <= l.${sum} - sum(l.${sum}_low) over (partition by l.account, l.claim) then 1 else 0 end)::bigint as ${sum === 'held' ? 'net' : 'paid'}_share`;

export interface Shared {
  /** What money is parted by: `c.account`, or a constant where all accounts of a purchase count together. */
  readonly account: string;
  /** FROM: the rows of fhir.claim_commitment as `c`, and what they are joined to. */
  readonly commitments: string;
  /** Condition on the items `i` that are asked for. */
  readonly items: string;
}

/**
 * CTEs. The last, `shares`, has a row per item of each active purchase: account, claim, item, created, service, provider, category, quantity,
 * net_share (what is reserved or paid, less what came back) and paid_share (what is paid, less that). The condition on items is to be asked of
 * it again where it may hold for some items of a purchase only: parting needs them all.
 */
export const sharesOf = ({ account, commitments, items }: Shared): string => `
  bought as materialized (
    select ${account} as account, c.line, c.committed, c.paid, c.refunded, i.claim, i.item, i.created, i.service, i.provider, i.category, i.quantity, i.net, i.total
    from ${commitments} join fhir.purchase_item i on i.claim = c.claim where i.active and ${items} and (c.committed > 0 or c.paid > 0)),
  held as (
    select r.account, r.claim, sum(r.committed + r.paid - r.refunded) as held, sum(r.paid - r.refunded) as paid
    from (select distinct b.account, b.claim, b.line, b.committed, b.paid, b.refunded from bought b where not (${PLAIN})) r group by r.account, r.claim),
  low as (
    select w.*, ${partOf('held')}, ${partOf('paid')}
    from (select h.*, i.item, i.created, i.service, i.provider, i.category, i.quantity, i.net, i.total from held h join fhir.purchase_item i on i.claim = h.claim and i.active) w),
  shares as (
    select l.account, l.claim, l.item, l.created, l.service, l.provider, l.category, l.quantity, ${shareOf('held')}, ${shareOf('paid')} from low l
    union all
    select b.account, b.claim, b.item, b.created, b.service, b.provider, b.category, b.quantity, b.net, case when b.committed = 0 then b.net else 0 end from bought b where ${PLAIN})`;
