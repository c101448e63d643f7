// Nominations: who shall manage a budget for the patient, from being proposed to the end of it (domain.md 2.1 E1 AC2, 3.3, ruling 24).
import { dateRange, instantText } from '../../fhir/date-time.js';
import { asText } from '../../fhir/elements.js';
import { fault } from '../../fhir/faults.js';
import type { Issue } from '../../fhir/issue.js';
import { londonDate } from '../../fhir/london.js';
import type { JsonObject, Resource } from '../../fhir/resource.js';
import { managersOf, type BudgetManager } from './account.js';
import { BUDGET_MANAGER } from '../codes.js';
import { ageOn } from './eligibility.js';
import { moneyOf } from '../ledger/money.js';

export type NominationState = 'proposed' | 'accepted' | 'approved' | 'ended' | 'rejected';

/** States in which something may still come of it. */
const LIVE: ReadonlySet<string | undefined> = new Set(['proposed', 'accepted', 'approved']);
export const LEAST_AGE = 16;

/** Nominations that have not ended, of this party (`RelatedPerson/1`) or of all. */
export const liveNominations = (account: Resource, party?: string): BudgetManager[] =>
  managersOf(account).filter((one) => LIVE.has(one.state) && (party === undefined || one.party === party));

export interface Nomination {
  readonly party: string;
  /** A code of manager-role. */
  readonly role: string;
  readonly state: NominationState;
  /** A Period as sent. */
  readonly period: JsonObject;
  /** Pence. */
  readonly maxPerPurchase: bigint | undefined;
}

/** As ext-budget-manager, for exactJson. */
export function nominationExtension({ party, role, state, period, maxPerPurchase }: Nomination): object {
  return {
    url: BUDGET_MANAGER,
    extension: [
      { url: 'party', valueReference: { reference: party } },
      { url: 'role', valueCode: role },
      { url: 'state', valueCode: state },
      { url: 'period', valuePeriod: period },
      ...(maxPerPurchase === undefined ? [] : [{ url: 'maxPerPurchase', valueMoney: moneyOf(maxPerPurchase) }]),
    ],
  };
}

export interface NominationChange {
  readonly state: NominationState;
  readonly period?: JsonObject | undefined;
  /** Pence. */
  readonly maxPerPurchase?: bigint | undefined;
}

/** The Account's extensions with the nomination at `index` changed; what is not named stays. */
export function withNomination(extensions: readonly unknown[], index: number, { state, period, maxPerPurchase }: NominationChange): unknown[] {
  const set: Readonly<Record<string, object | undefined>> = {
    state: { valueCode: state },
    period: period && { valuePeriod: period },
    maxPerPurchase: maxPerPurchase === undefined ? undefined : { valueMoney: moneyOf(maxPerPurchase) },
  };
  return extensions.map((extension, place) => {
    if (place !== index) return extension;
    const { url, extension: parts } = extension as { url: string; extension: readonly JsonObject[] };
    const kept = parts.filter((part) => set[asText(part['url']) ?? ''] === undefined);
    const changed = Object.entries(set).flatMap(([name, value]) => (value ? [{ url: name, ...value }] : []));
    return { url, extension: [...kept, ...changed] };
  });
}

/** The period of a nomination that ends now: it is over at once, and never before it began. */
export function endedPeriod({ start, end }: Pick<BudgetManager, 'start' | 'end'>, now: number): JsonObject {
  const began = start === undefined ? undefined : dateRange(start, 'Europe/London');
  const over = end === undefined ? undefined : dateRange(end, 'Europe/London');
  // As exact as its beginning: a day can't be compared with a moment of it.
  const moment = start?.length === 10 ? londonDate(now) : instantText(now);
  const last = over && over.hi <= now ? end : began && began.lo > now ? start : moment;
  return { ...(start !== undefined && { start }), ...(last !== undefined && { end: last }) };
}

/** A nomination ends with the patient; a representative is still told what became of the budget (domain.md 6.7). */
export function endedByDeath(extensions: readonly unknown[], now: number): unknown[] {
  const account = { resourceType: 'Account', extension: extensions } as unknown as Resource;
  const ending = liveNominations(account).filter(({ role }) => role !== 'representative');
  return ending.reduce<unknown[]>((all, one) => withNomination(all, one.index, { state: 'ended', period: endedPeriod(one, now) }), [...extensions]);
}

/** Why somebody can't be a nominee of this patient (a logical id), each as a 422 at `expression`; nothing for an organisation or a professional. */
export function nomineeFaults(party: Resource, patient: string, now: number, expression: string): Issue[] {
  if (party.resourceType !== 'RelatedPerson') return [];
  const faults: Issue[] = [];
  const must = (text: string): void => { faults.push(fault('business-rule', text, expression)); };
  const { reference } = (party['patient'] ?? {}) as { reference?: unknown };
  if (reference !== `Patient/${patient}`) must('The nominee is related to another patient: RelatedPerson.patient must be the budget\'s');
  if (party['active'] === false) must('The nominee\'s record is not active any more: RelatedPerson.active');
  const end = asText((party['period'] as JsonObject | undefined)?.['end']);
  if (end !== undefined && (dateRange(end, 'Europe/London')?.hi ?? now) <= now) must('The relationship to the nominee is over: RelatedPerson.period');
  const born = asText(party['birthDate']);
  if (born !== undefined && isTooYoung(born, now)) must(`A nominee is at least ${LEAST_AGE} years old`);
  return faults;
}

/** Someone whose birthday is not known to the day is refused only where no day would do. */
function isTooYoung(born: string, now: number): boolean {
  const range = dateRange(born);
  return range !== undefined && ageOn(londonDate(now), new Date(range.lo).toISOString().slice(0, 10)) < LEAST_AGE;
}

/** 422s of the period of a nomination: it is not over before it begins to count. */
export function periodFaults(period: JsonObject, now: number, expression: string): Issue[] {
  const [start, end] = [asText(period['start']), asText(period['end'])];
  const [from, until] = [start, end].map((text) => (text === undefined ? undefined : dateRange(text, 'Europe/London')));
  const wrong = (text: string): Issue[] => [fault('business-rule', text, expression)];
  if (from && until && until.hi <= from.lo) return wrong('The period ends before it begins');
  return until && until.hi <= now ? wrong('The period is over: send one that ends later, or has no end') : [];
}
