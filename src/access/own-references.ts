// Whom a token names as its bearer, as references that can be written down: the person before the organisation (domain.md rulings 22 and 33).
import type { Definitions } from '../definitions/model.js';
import { ODS_CODE } from '../fhir/ods-code.js';
import type { WriteContext } from '../store/rule.js';

/** `Patient/1`; several where organisations share the token's ODS code, none where the token names nobody who is held here. */
export async function ownReferences(definitions: Definitions, { caller, tx, grant }: Pick<WriteContext, 'caller' | 'tx' | 'grant'>): Promise<readonly string[]> {
  if (caller.role === 'patient') return caller.patient === undefined ? [] : [`Patient/${caller.patient}`];
  if (caller.role === 'nominee') return caller.relatedPerson === undefined ? [] : [`RelatedPerson/${caller.relatedPerson}`];
  const own = caller.practitionerRole === undefined ? [] : [`PractitionerRole/${caller.practitionerRole}`];
  const parameter = definitions.searchParameters('Organization').get('identifier');
  if (caller.organization === undefined || own.length > 0 || !parameter) return own;
  const where = { kind: 'parameter', parameter, values: [{ text: `${ODS_CODE}|${caller.organization}` }] } as const;
  const { matches } = await tx.search(grant, { type: 'Organization', where, sort: [], count: 2, includes: [], total: 'none', self: [] });
  return matches.map(({ id }) => `Organization/${id}`);
}
