// How many people had a personal health budget in a period, by what was true then: a model counts where money was granted on a line of it,
// as the ledger says (domain.md C32E14, 3.9, ruling 62). A person with two models counts once in the total and once in each.
import type { Queryable } from '../../db/database.js';
import { londonDate } from '../../fhir/london.js';

export interface MeasuredPeople {
  readonly total: number;
  readonly notional: number;
  readonly thirdParty: number;
  readonly directPayment: number;
  /** In no model: what was granted was not yet assigned. */
  readonly unassigned: number;
  readonly adults: number;
  readonly cyp: number;
  /** On the basis of NHS Continuing Healthcare. */
  readonly chc: number;
}

export interface MeasureAsked {
  /** Logical ids of the organisations whose budgets are counted. */
  readonly owners: readonly string[];
  /** Milliseconds; `until` exclusive. */
  readonly from: number;
  readonly until: number;
}

// A line counts that held a grant when the period began, or was given one in it. One that is a line no more counts until the last grant was taken off it.
// What a budget was opened with counts from the day it runs from, also where it was entered later: a report on its first quarter has it.
const PEOPLE = `
  with owned as (
    select account, patient, basis, period_from from fhir.budget_account
    where owner = any ($1) and kind = 'phb' and state <> 'entered-in-error' and period_from < $3 and period_until > $2),
  granted as (
    select o.patient, o.basis, e.account, e.line, coalesce(sum(e.allocated) filter (where t.at < $2), 0) as before,
      coalesce(bool_or(t.at >= $2 and t.at < $3 and e.allocated > 0), false) as during,
      coalesce(max(e.at) filter (where e.allocated < 0), max(e.at)) as left_at
    from owned o join fhir.ledger e on e.account = o.account
      cross join lateral (select case e.kind when 'allocation' then least(e.at, o.period_from) else e.at end as at) t
    where e.allocated <> 0 group by o.patient, o.basis, e.account, e.line),
  models as (
    select g.patient, g.basis, l.model from granted g join fhir.budget_line l on l.account = g.account and l.line = g.line
    where g.during or (g.before > 0 and (not l.ended or g.left_at >= $2))),
  people as (
    select patient, bool_or(basis = 'nhs-chc') as chc, bool_or(model = 'notional') as notional, bool_or(model = 'third-party') as third_party,
      bool_or(model = 'direct-payment') as direct_payment from models group by patient),
  aged as (
    select p.*, case length(b.born) when 4 then b.born || '-12-31' when 7 then b.born || '-31' else b.born end as born
    from people p left join lateral (select t.res::json ->> 'birthDate' as born from fhir."Patient" t where t.id = p.patient) b on true)
  select count(*) as total, count(*) filter (where notional) as notional, count(*) filter (where third_party) as third_party,
    count(*) filter (where direct_payment) as direct_payment, count(*) filter (where not (notional or third_party or direct_payment)) as unassigned,
    count(*) filter (where born <= $4) as adults, count(*) filter (where born > $4) as cyp, count(*) filter (where chc) as chc
  from aged`;

const ADULT = 18;

type Row = Readonly<Record<'total' | 'notional' | 'third_party' | 'direct_payment' | 'unassigned' | 'adults' | 'cyp' | 'chc', number>>;

export async function measurePeople(db: Queryable, { owners, from, until }: MeasureAsked): Promise<MeasuredPeople> {
  const { rows } = await db.query<Row>({ name: 'measure-people', text: PEOPLE, values: [owners, from, until, adultsBornBy(until)] });
  const [row] = rows;
  if (!row) throw new Error('counting gave no row');
  const { third_party: thirdParty, direct_payment: directPayment, ...others } = row;
  return { ...others, thirdParty, directPayment };
}

/** Whoever was born on this day or before is 18 on the last day of the period. Of a birthday known to the month or year the last day counts: the age that is certain. */
function adultsBornBy(until: number): string {
  const last = londonDate(until - 1);
  return `${String(Number(last.slice(0, 4)) - ADULT).padStart(4, '0')}${last.slice(4)}`;
}
