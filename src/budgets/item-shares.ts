// What each item of a purchase has of its purchase's money: the whole of its net while nothing was given back; else refunds, and what is
// paid so far, are parted among the items by their net amounts, odd pence by largest remainder, so that the sums are exact (domain.md ruling 51).

/**
 * CTEs after one named `held` (account, claim, net, paid: pence of each account's part of each purchase). The last, `shares`, has a row per item:
 * account, claim, item, created, service, provider, category, quantity, net_share and paid_share.
 */
export const SHARES = `
  whole as (
    select h.account, h.claim, h.net as held, h.paid, i.item, i.created, i.service, i.provider, i.category, i.quantity, i.net,
      sum(i.net) over (partition by h.account, h.claim) as total
    from held h join fhir.purchase_item i on i.claim = h.claim and i.active),
  low as (
    select w.*, ${['held', 'paid'].map((sum) => `
      case when w.${sum} = w.total then w.net when w.${sum} = 0 or w.total = 0 then 0 else div(w.net * w.${sum}::numeric, w.total) end as ${sum}_low,
      case when w.${sum} = w.total or w.${sum} = 0 or w.total = 0 then 0 else mod(w.net * w.${sum}::numeric, w.total) end as ${sum}_rest`).join()}
    from whole w),
  shares as (
    select l.account, l.claim, l.item, l.created, l.service, l.provider, l.category, l.quantity, ${['held', 'paid'].map((sum) => `
      l.${sum}_low + case when row_number() over (partition by l.account, l.claim order by l.${sum}_rest desc, l.item)
        <= l.${sum} - sum(l.${sum}_low) over (partition by l.account, l.claim) then 1 else 0 end as ${sum === 'held' ? 'net' : 'paid'}_share`).join()}
    from low l)`;

/** The money of a purchase as reports count it: what is reserved or paid less what came back; and what is paid less that. */
export const HELD_SUMS = 'sum(c.committed + c.paid - c.refunded) as net, sum(c.paid - c.refunded) as paid';
