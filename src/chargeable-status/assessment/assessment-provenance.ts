// Who assessed a patient, corrected that or took it back, and for which trust: the Provenance beside each version of an assessment (domain.md section 4).
import { organizationReference } from '../../fhir/ods-code.js';
import { provenanceOn } from '../../fhir/provenance.js';
import type { JsonValue, Resource } from '../../fhir/resource.js';
import type { Write, WriteContext } from '../../store/rule.js';

/** The version that the write makes is the one after `before`. */
export function assessmentProvenance({ id, before, after }: Write, { caller, newId, now }: Pick<WriteContext, 'caller' | 'newId' | 'now'>): Resource {
  const version = before === undefined ? 1 : Number((before['meta'] as { readonly versionId?: string } | undefined)?.versionId ?? 0) + 1;
  const activity = before === undefined ? 'assess' : after?.['status'] === 'entered-in-error' ? 'retract' : 'correct';
  const provenance = provenanceOn([`Observation/${id}/_history/${version}`], { id: newId(), activity, caller, now });
  if (caller.organization === undefined) return provenance;
  // As an agent of its own the trust can be searched for, and finds its own acts.
  const agent = [...(provenance['agent'] as JsonValue[]), { type: { text: 'organization' }, who: organizationReference(caller.organization) }];
  return { ...provenance, agent };
}
