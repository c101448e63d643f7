// Breaking the glass: a care coordinator without a relationship who says why is let through once, and it is on record (domain.md ruling 30).
import type { Caller } from '../fhir/caller.js';
import { fail } from '../fhir/errors.js';
import type { FhirRequest } from '../fhir/request.js';

const LEAST_CHARACTERS = 10;

/** The reason of the request, where one is sent. Throws 403 for other roles and for Bundles, 400 for a reason that says nothing. */
export function glassReason({ role }: Caller, { breakGlassReason, interaction }: Pick<FhirRequest, 'breakGlassReason' | 'interaction'>): string | undefined {
  if (breakGlassReason === undefined) return undefined;
  if (role !== 'care-coordinator') throw fail('forbidden', { text: `The role ${role} may not break the glass: leave X-Break-Glass-Reason out` });
  if (interaction === 'batch') throw fail('forbidden', { text: 'The glass is broken for one request at a time: send it by itself, not in a Bundle' });
  const reason = breakGlassReason.trim();
  if (reason.length < LEAST_CHARACTERS) throw fail('invalid-parameter', { text: `X-Break-Glass-Reason must say why, in at least ${LEAST_CHARACTERS} characters` });
  return reason;
}
