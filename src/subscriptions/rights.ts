// Who may subscribe to what: what the subscriber may ask for, and no more; asked when it is stored and again when it is told.
import type { Caller, Role } from '../fhir/caller.js';
import { fail } from '../fhir/errors.js';
import type { FhirRequest } from '../fhir/request.js';
import type { Grant } from '../search/grant.js';
import { refuse } from './channel.js';
import type { Wanted } from './wanted.js';

/** The Grant of a caller for a request; throws 403. */
export type Permit = (caller: Caller, request: FhirRequest) => Grant;

/** Who may hear of everybody's status. Another who may ask for a status hears of one patient, whom the Subscription names: nobody lists people by status. */
const LISTENERS_OF_ALL: ReadonlySet<Role> = new Set(['ovm', 'admin']);
const LISTENERS_OF_ONE: ReadonlySet<Role> = new Set(['supplier']);

/** The request that would ask for the same. */
export function askingFor(wanted: Wanted): FhirRequest {
  const plain = { method: 'GET', query: [], base: '' } as const;
  if (wanted.kind === 'search') return { ...plain, interaction: 'search', type: wanted.type };
  return { ...plain, interaction: 'operation', type: 'Patient', operation: 'chargeable-status' };
}

/** Throws 403, or 422 where a filter would make it allowed. */
export function requireRight(caller: Caller, wanted: Wanted, permit: Permit): void {
  const grant = permit(caller, askingFor(wanted));
  if (wanted.kind === 'search') {
    if (grant.rows(wanted.type).kind === 'none') throw fail('forbidden', { text: `The role ${caller.role} sees no ${wanted.type} by search, so it can't subscribe to any`, expression: 'Subscription.criteria' });
    return;
  }
  if (LISTENERS_OF_ALL.has(caller.role)) return;
  if (!LISTENERS_OF_ONE.has(caller.role)) throw fail('forbidden', { text: `The role ${caller.role} may not subscribe to chargeable statuses`, expression: 'Subscription.criteria' });
  if (wanted.about === undefined) throw refuse('criteria', `The role ${caller.role} subscribes to one patient at a time: add the filter patient.identifier=https://fhir.nhs.uk/Id/nhs-number|[number]`);
}
