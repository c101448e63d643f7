// A supplier asks by the operation, or reads the status observation, only if its client is registered for that (VM-31); the search asks for itself.
import { fail } from '../../fhir/errors.js';
import type { FhirRequest } from '../../fhir/request.js';
import type { Clients } from '../../identity/clients.js';
import type { Answerer } from '../../store/answerer.js';
import { spineError } from './spine-error.js';
import { requireInteraction, VM_OPERATION_SPELLINGS, VM_SEARCH_SPELLINGS } from './vm-interaction.js';

/** Answers nothing itself: it refuses, or hands the request on. */
export function createVmAccreditation(clients: Pick<Clients, 'find'>): Answerer {
  return {
    concerns: (request, { caller }) => caller.role === 'supplier' && (caller.audit !== undefined || spellingsOf(request) !== undefined),
    async answer(request, { grant: { caller } }) {
      // It names one record and is judged by the search: on another road nobody would look at what it says.
      if (caller.audit !== undefined) throw fail('forbidden', { text: 'A token with audit claims is for the Visitors and Migrants search of the record it names, and for nothing else' });
      const found = clients.find(caller.client);
      const client = found instanceof Promise ? await found : found;
      if (client === undefined) throw spineError('ASID_CHECK_FAILED', 'The client of this token is not registered');
      requireInteraction(client, spellingsOf(request) ?? VM_SEARCH_SPELLINGS);
      return undefined;
    },
  };
}

function spellingsOf({ interaction, type, operation }: FhirRequest): ReadonlySet<string> | undefined {
  if (interaction === 'operation') return operation === 'chargeable-status' ? VM_OPERATION_SPELLINGS : undefined;
  return interaction === 'read' && type === 'Observation' ? VM_SEARCH_SPELLINGS : undefined;
}
