// The day that a payment, refund or written notice is of, from the parameters of an operation.
import { isDate } from '../../fhir/date-time.js';
import { fail } from '../../fhir/errors.js';
import { londonDate } from '../../fhir/london.js';
import { AT, type Input } from '../input.js';

/** A day that is not to come, on London's calendar; today where none is sent. Throws 422. */
export function pastDay(input: Pick<Input, 'text'>, name: string, now: number): string {
  const today = londonDate(now);
  const day = dayOf(input, name) ?? today;
  if (day > today) throw fail('business-rule', { text: `${name} is ${day}, which is to come: today is ${today}`, expression: AT });
  return day;
}

/** A whole day; undefined where none is sent. Throws 422. */
export function dayOf(input: Pick<Input, 'text'>, name: string): string | undefined {
  const day = input.text(name);
  if (day === undefined || (day.length === 10 && isDate(day))) return day;
  throw fail('invalid', { text: `${name} is a day, such as 2026-11-21`, expression: AT });
}
