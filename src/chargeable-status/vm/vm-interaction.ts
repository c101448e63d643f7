// The interactions of the Visitors and Migrants API by their Spine ids, which a supplier is accredited for one by one.
import type { Client } from '../../identity/client.js';
import { spineError } from './spine-error.js';

const SERVICE = 'urn:nhs:names:services:visitorsandmigrants';

export const VM_SEARCH = `${SERVICE}:fhir:rest:search:observation`;
export const VM_OPERATION = `${SERVICE}:fhir:operation:chargeable-status`;

/** The same interaction in the older and in the later grammar of Spine. */
export const VM_SEARCH_SPELLINGS: ReadonlySet<string> = new Set([VM_SEARCH, `${SERVICE}:Observation.read:1`]);

export const VM_OPERATION_SPELLINGS: ReadonlySet<string> = new Set([VM_OPERATION]);

/** 403 ASID_CHECK_FAILED where a supplier's client is not registered for the interaction (VM-31). */
export function requireInteraction(client: Client, spellings: ReadonlySet<string>): void {
  if (client.interactions.some((one) => one === '*' || spellings.has(one))) return;
  throw spineError('ASID_CHECK_FAILED', `The client ${client.id} is not registered for this interaction: an administrator adds it to the client's registration`);
}
