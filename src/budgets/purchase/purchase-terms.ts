// What may be bought and when: nothing that is excluded, within the budget's period, and on a direct payment only once a care plan is linked
// (domain.md 3.8 rule 15, 3.9; rulings 49 and 55).
import { dateRange, periodRange, type TimeRange } from '../../fhir/date-time.js';
import { asObject, asObjects, asText, codesOf } from '../../fhir/elements.js';
import { fault } from '../../fhir/faults.js';
import { fail } from '../../fhir/errors.js';
import type { Issue } from '../../fhir/issue.js';
import type { JsonObject, Resource } from '../../fhir/resource.js';
import type { WriteContext } from '../../store/rule.js';
import { BASE, businessError } from '../codes.js';
import { isActive } from './purchase-lifecycle.js';
import type { Budget } from '../ledger/totals.js';

const EXCLUDED = `${BASE}/CodeSystem/excluded-spend`;

/** Throws 422 EXCLUDED_SPEND for what the version before, had it been active, did not buy; the commissioner may approve it. */
export function checkExcluded(before: Resource | undefined, after: Resource, { act, caller }: WriteContext): void {
  if (!isActive(after) || (act === 'approve' && (caller.role === 'commissioner' || caller.role === 'admin'))) return;
  const bought = new Set(isActive(before) ? excludedIn(before).map(({ code }) => code) : []);
  const [first] = excludedIn(after).filter(({ code }) => !bought.has(code));
  if (!first) return;
  const text = `A personal health budget does not buy ${first.code}: send the purchase as a draft, and ask the commissioner for Claim/$approve`;
  throw fail('business-rule', { text, expression: first.path, coding: businessError('EXCLUDED_SPEND') });
}

interface Excluded {
  readonly code: string;
  readonly path: string;
}

function excludedIn(claim: Resource | undefined): Excluded[] {
  const inPart = (part: JsonObject, path: string): Excluded[] => [
    ...codesOf(part['productOrService'], EXCLUDED).map((code) => ({ code, path: `${path}.productOrService` })),
    ...asObjects(part['detail']).flatMap((one, index) => inPart(one, `${path}.detail[${index}]`)),
    ...asObjects(part['subDetail']).flatMap((one, index) => inPart(one, `${path}.subDetail[${index}]`)),
  ];
  return asObjects(claim?.['item']).flatMap((item, index) => inPart(item, `Claim.item[${index}]`));
}

/** Items that were given before the budget began or after it ended. */
export function periodFaults(after: Resource, { from, until }: Budget): readonly Issue[] {
  return asObjects(after['item']).flatMap((item, index) => {
    const given = servicedIn(item);
    if (!given || (given.lo < until && given.hi > from)) return [];
    return [fault('business-rule', 'This was given outside the period of the budget (Account.servicePeriod)', `Claim.item[${index}].serviced`)];
  });
}

function servicedIn(item: JsonObject): TimeRange | undefined {
  const date = asText(item['servicedDate']);
  if (date !== undefined) return dateRange(date, 'Europe/London');
  const period = asObject(item['servicedPeriod']);
  return period && periodRange(asText(period['start']), asText(period['end']), 'Europe/London');
}
