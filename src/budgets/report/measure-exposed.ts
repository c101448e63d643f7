// Which sums of a report, told outside the owner, would single people out beside another report: two that overlap, or one of an organisation and one of
// a part of it, differ by a month's spend of one owner, or by a day's. What few people make up in any of these is not told (domain.md C32E14).
import type { Queryable } from '../../db/database.js';
import { dateRange } from '../../fhir/date-time.js';
import { londonDate } from '../../fhir/london.js';
import type { MeasureAsked } from './measure-people.js';
import { SMALLEST_TOLD } from './suppression.js';

export interface Exposed {
  /** Is the sum of all categories one of them? */
  readonly total: boolean;
  /** Codes of directory-category; undefined for what is in none. */
  readonly categories: ReadonlySet<string | undefined>;
}

// Of a month that the report cuts each day counts, also those that are left out: another report may have them.
const EXPOSED = `
  with bought as (
    select b.owner, b.patient, i.category, to_timestamp(i.created / 1000) at time zone 'Europe/London' as day,
      (i.created >= $4 and i.created < $5) or (i.created >= $6 and i.created < $7) as cut
    from fhir.budget_account b join fhir.claim_commitment c on c.account = b.account and b.owner = any ($1) join fhir.purchase_item i on i.claim = c.claim
    where i.active and i.created >= $2 and i.created < $3 and (c.committed > 0 or c.paid > 0)),
  units as (select owner, patient, category, to_char(day, case when cut then 'YYYY-MM-DD' else 'YYYY-MM' end) as unit from bought)
  select distinct whole, category from (
    select grouping(category) = 1 as whole, category from units group by grouping sets ((owner, unit, category), (owner, unit)) having count(distinct patient) < $8) found`;

interface Row {
  readonly whole: boolean;
  readonly category: string | null;
}

export async function exposedBy(db: Queryable, { owners, from, until }: MeasureAsked): Promise<Exposed> {
  const [first, last] = [monthOf(from), monthOf(until - 1)];
  const [cutFirst, cutLast] = [first.lo < from, until < last.hi];
  const none = { lo: 0, hi: 0 };
  const [head, tail] = [cutFirst ? first : none, cutLast ? last : none];
  const values = [owners, cutFirst ? first.lo : from, cutLast ? last.hi : until, head.lo, head.hi, tail.lo, tail.hi, SMALLEST_TOLD];
  const { rows } = await db.query<Row>({ name: 'measure-exposed', text: EXPOSED, values });
  return { total: rows.some(({ whole }) => whole), categories: new Set(rows.filter(({ whole }) => !whole).map(({ category }) => category ?? undefined)) };
}

/** The month of London that a moment lies in: milliseconds, `hi` exclusive. */
function monthOf(ms: number): { readonly lo: number; readonly hi: number } {
  return dateRange(londonDate(ms).slice(0, 7), 'Europe/London') ?? { lo: ms, hi: ms };
}
