// Whom a token names as its bearer, as references that can be written down: the person before the organisation (domain.md rulings 22 and 33).
import type { Definitions } from '../definitions/model.js';
import type { WriteContext } from '../store/rule.js';
import { organizationsOf } from './organizations.js';

/** `Patient/1`; several where organisations share the token's ODS code, none where the token names nobody who is held here. */
export async function ownReferences(definitions: Definitions, context: Pick<WriteContext, 'caller' | 'tx' | 'grant'>): Promise<readonly string[]> {
  const { caller } = context;
  if (caller.role === 'patient') return caller.patient === undefined ? [] : [`Patient/${caller.patient}`];
  if (caller.role === 'nominee') return caller.relatedPerson === undefined ? [] : [`RelatedPerson/${caller.relatedPerson}`];
  if (caller.practitionerRole !== undefined) return [`PractitionerRole/${caller.practitionerRole}`];
  return caller.organization === undefined ? [] : organizationsOf(caller.organization, definitions, context);
}
