// Who records a purchase: the caller itself, as its token names it; an administrator may name anyone (domain.md ruling 33).
import type { Definitions } from '../definitions/model.js';
import { fail } from '../fhir/errors.js';
import type { Resource } from '../fhir/resource.js';
import type { WriteContext } from '../store/rule.js';
import { ODS_CODE } from '../fhir/ods-code.js';
import { businessError } from './codes.js';
import { recordedBy } from './purchase.js';

const EXPRESSION = 'Claim.extension';

/**
 * The reference to record: the caller's own where none is sent, that of the earlier version where there is one. Throws 422 for another, and
 * where the token names nobody.
 */
export async function recorderOf(after: Resource, before: Resource | undefined, definitions: Definitions, context: WriteContext): Promise<string> {
  const sent = recordedBy(after);
  if (context.caller.role === 'admin' && sent !== undefined) return sent;
  const earlier = recordedBy(before);
  if (earlier !== undefined) {
    if (sent === undefined || sent === earlier) return earlier;
    throw fail('business-rule', { text: `Who recorded the purchase can't be changed: it was ${earlier}`, expression: EXPRESSION, coding: businessError('FORBIDDEN_UPDATE') });
  }
  const own = await ownReferences(definitions, context);
  if (sent === undefined) {
    const [first] = own;
    if (first === undefined) throw fail('required', { text: 'Say who records the purchase: ext-recorded-by; your token names no one', expression: EXPRESSION });
    return first;
  }
  if (own.includes(sent)) return sent;
  throw fail('business-rule', { text: `A purchase is recorded in one's own name: leave ext-recorded-by out${own[0] === undefined ? '' : `, or send ${own[0]}`}`, expression: EXPRESSION });
}

/** What the token says of its bearer, the person before the organisation. */
async function ownReferences(definitions: Definitions, { caller, tx, grant }: WriteContext): Promise<readonly string[]> {
  if (caller.role === 'patient') return caller.patient === undefined ? [] : [`Patient/${caller.patient}`];
  if (caller.role === 'nominee') return caller.relatedPerson === undefined ? [] : [`RelatedPerson/${caller.relatedPerson}`];
  const own = caller.practitionerRole === undefined ? [] : [`PractitionerRole/${caller.practitionerRole}`];
  const parameter = definitions.searchParameters('Organization').get('identifier');
  if (caller.organization === undefined || own.length > 0 || !parameter) return own;
  const where = { kind: 'parameter', parameter, values: [{ text: `${ODS_CODE}|${caller.organization}` }] } as const;
  const { matches } = await tx.search(grant, { type: 'Organization', where, sort: [], count: 2, includes: [], total: 'none', self: [] });
  return matches.map(({ id }) => `Organization/${id}`);
}
