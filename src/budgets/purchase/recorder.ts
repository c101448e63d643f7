// Who records a purchase: the caller itself, as its token names it; an administrator may name anyone (domain.md ruling 33).
import { ownReferences } from '../../access/own-references.js';
import type { Definitions } from '../../definitions/model.js';
import { fail } from '../../fhir/errors.js';
import type { Resource } from '../../fhir/resource.js';
import type { WriteContext } from '../../store/rule.js';
import { businessError } from '../codes.js';
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
