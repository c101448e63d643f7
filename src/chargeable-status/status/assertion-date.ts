// When the source decided: required, to the day at least, and not in the future (domain.md 1.4.4).
import type { Issue } from '../../fhir/issue.js';
import type { Resource } from '../../fhir/resource.js';
import { asText, extensionsOf } from '../../fhir/elements.js';
import { extensionUrl } from '../codes.js';
import { fault } from '../../fhir/faults.js';
import { decisionOf, endOfDay, type Decision } from './decision.js';

const VALID_UNTIL = extensionUrl('valid-until');
/** A source's clock may run this much ahead of ours. */
const AHEAD_MS = 5 * 60_000;

export function dateFaults(observation: Resource, now: number): Issue[] {
  const expression = 'Observation.effective';
  const given = asText(observation['effectiveDateTime']);
  if (given === undefined) return [fault('required', 'Say when this was decided: effectiveDateTime', expression)];
  const decision = decisionOf(given);
  if (!decision) return [fault('invalid', 'effectiveDateTime must name the day at least, so that statements can be put in order', expression)];
  if (decision.at > now + AHEAD_MS) return [fault('business-rule', 'A decision can\'t lie in the future: effectiveDateTime', expression)];
  return validUntilOf(observation) === undefined || endOfDay(validUntilOf(observation) ?? '') !== undefined
    ? []
    : [fault('invalid', 'valid-until must be a day: YYYY-MM-DD', `Observation.extension`)];
}

/** When a checked assertion was decided. */
export function decidedOn(observation: Resource): Decision {
  const decision = decisionOf(asText(observation['effectiveDateTime']) ?? '');
  if (!decision) throw new Error('a status assertion was stored without a date');
  return decision;
}

/** The last day for which the author says it holds. */
export function validUntilOf(observation: Resource): string | undefined {
  const [extension] = extensionsOf(observation, VALID_UNTIL);
  return asText(extension?.['valueDate']);
}

/** The members of an assertion that say until when it holds. */
export function validity(validUntil: string | undefined): { validUntil?: string; lapsesAt?: number } {
  const lapsesAt = validUntil === undefined ? undefined : endOfDay(validUntil);
  return validUntil === undefined || lapsesAt === undefined ? {} : { validUntil, lapsesAt };
}
