// The ids of the events that the server records: no client can choose one, and nobody can change what has it.
import { fail, type FhirError } from '../fhir/errors.js';
import type { FhirRequest } from '../fhir/request.js';
import type { WriteRule } from '../store/rule.js';

const PREFIX = 'audit-';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const CHANGES = new Set(['create', 'update', 'patch', 'delete']);

/** The logical id of an event. */
export const eventId = (uuid: string): string => PREFIX + uuid;

/** The whole prefix is the server's. */
export const isServerMade = (id: string | undefined): boolean => id?.startsWith(PREFIX) === true;

/** Undefined where no event can have this id. */
export function eventUuid(id: string): string | undefined {
  const uuid = isServerMade(id) ? id.slice(PREFIX.length) : '';
  return UUID.test(uuid) ? uuid : undefined;
}

/** Throws 403 for a request that would change an event of the server's own, whoever asks. */
export function refuseChange({ type, interaction, id, body }: FhirRequest): void {
  if (type !== 'AuditEvent' || !CHANGES.has(interaction)) return;
  const named = id ?? (interaction === 'update' ? body?.value['id'] : undefined);
  if (typeof named === 'string' && isServerMade(named)) throw refusal(named);
}

/** The same for a write by any other road. */
export const serverMadeRule: WriteRule = {
  concerns: ({ type, id }) => type === 'AuditEvent' && isServerMade(id),
  complete: ({ id }) => Promise.reject(refusal(id)),
};

const refusal = (id: string): FhirError =>
  fail('forbidden', { text: `AuditEvent/${id.slice(0, 80)} is the server's own: ids that begin with ${PREFIX} can't be chosen, and what they name is never changed or deleted` });
