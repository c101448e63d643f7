// Which events a caller may see: the row AuditEvent of the matrix in domain.md section 4.
import type { Caller } from '../fhir/caller.js';

export type AuditRows =
  | { readonly kind: 'all' }
  | { readonly kind: 'none' }
  /** Accesses by people and systems of this organisation (ODS code). */
  | { readonly kind: 'organization'; readonly organization: string }
  /** Accesses to this patient's record, told without other patients and without what was asked. */
  | { readonly kind: 'patient'; readonly patient: string };

/** A role that is not named here, or whose token lacks what its rule needs, sees nothing. */
export function auditRows({ role, organization, patient }: Caller): AuditRows {
  if (role === 'admin') return { kind: 'all' };
  if (role === 'patient' && patient !== undefined) return { kind: 'patient', patient };
  if ((role === 'ovm' || role === 'commissioner') && organization !== undefined) return { kind: 'organization', organization };
  return { kind: 'none' };
}
