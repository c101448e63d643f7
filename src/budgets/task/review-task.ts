// The Tasks of reviews: one that is due, and what it becomes when the review was held (domain.md 2.1 E1 AC4, 3.9, ruling 45).
import { dateRange, instantText } from '../../fhir/date-time.js';
import type { JsonValue, Resource } from '../../fhir/resource.js';
import { BASE, TASK_CODE } from '../codes.js';
import type { ReviewOutcome } from './review.js';

const PROFILE = `${BASE}/StructureDefinition/phb-review`;

/** The first review is held within so many months of the first payment, the next ones never further apart than a year. */
export const FIRST_REVIEW_MONTHS = 3;
export const NEXT_REVIEW_MONTHS = 12;

export interface ReviewedBudget {
  /** Logical id of the Account. */
  readonly account: string;
  readonly patient: string;
  /** Of the owning Organization; a joint budget may have none. */
  readonly owner: string | undefined;
}

/** A review that is to be held by `due`, a day (`2027-02-28`); `now` in milliseconds. */
export function dueTask(id: string, { account, patient, owner }: ReviewedBudget, due: string, now: number): Resource {
  return {
    resourceType: 'Task',
    id,
    meta: { profile: [PROFILE] },
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: TASK_CODE, code: 'budget-review' }] },
    description: `Review the budget by ${due}`,
    focus: { reference: `Account/${account}` },
    for: { reference: `Patient/${patient}` },
    authoredOn: instantText(now),
    ...(owner !== undefined && { owner: { reference: `Organization/${owner}` } }),
    restriction: { period: { end: due } },
  };
}

export interface Review {
  readonly outcome: ReviewOutcome;
  /** A day, as is nextDue. */
  readonly reviewedOn: string;
  readonly nextDue: string | undefined;
  readonly notes: string | undefined;
  /** Logical id of the CarePlan. */
  readonly plan: string;
  /** `PractitionerRole/1`: who held it. */
  readonly reviewer: string | undefined;
}

/** What a due Task becomes: the members that change. */
export function heldReview({ outcome, reviewedOn, nextDue, notes, plan, reviewer }: Review, now: number): Readonly<Record<string, JsonValue>> {
  return {
    basedOn: [{ reference: `CarePlan/${plan}` }],
    status: 'completed',
    executionPeriod: { start: reviewedOn, end: reviewedOn },
    lastModified: instantText(now),
    ...(reviewer !== undefined && { requester: { reference: reviewer } }),
    ...(notes !== undefined && { note: [{ text: notes }] }),
    output: [
      { type: { text: 'outcome' }, valueCode: outcome },
      ...(nextDue === undefined ? [] : [{ type: { text: 'nextDue' }, valueDate: nextDue }]),
    ],
  };
}

/** The same day so many months later, or the last of that month: `2026-11-30` and 3 give `2027-02-28`. */
export function monthsAfter(day: string, months: number): string {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  const last = new Date(Date.UTC(year, month + months, 0)).getUTCDate();
  return new Date(Date.UTC(year, month - 1 + months, Math.min(date, last))).toISOString().slice(0, 10);
}

/** Is it a whole day of the calendar? */
export const isDay = (text: string): boolean => text.length === 10 && dateRange(text) !== undefined;
