// Whose file is it, until something cites it? A Binary has no author, so its securityContext says: filled from the token where absent (domain.md ruling 22).
import type { Caller } from '../fhir/caller.js';
import type { WriteRule } from '../store/rule.js';

function owner({ patient, relatedPerson, practitionerRole, role }: Caller): string | undefined {
  if (role === 'patient') return patient && `Patient/${patient}`;
  if (role === 'nominee') return relatedPerson && `RelatedPerson/${relatedPerson}`;
  return practitionerRole && `PractitionerRole/${practitionerRole}`;
}

export const fileRule: WriteRule = {
  concerns: ({ type, kind }) => type === 'Binary' && kind === 'create',
  complete({ after }, { caller, grant }) {
    const reference = grant.judges && after?.['securityContext'] === undefined ? owner(caller) : undefined;
    return Promise.resolve(reference === undefined ? undefined : { securityContext: { reference } });
  },
};
