// Who acted, in which role and to what end: a row that accesses have in common, named by a hash of what it says.
import { createHash } from 'node:crypto';
import type { Queryable } from '../db/database.js';
import type { Caller } from '../fhir/caller.js';

export interface Agent {
  readonly client: string;
  readonly subject: string | null;
  /** Null for the server itself, and for a caller that could not be identified. */
  readonly role: string | null;
  readonly organization: string | null;
  readonly practitionerRole: string | null;
  readonly patient: string | null;
  readonly relatedPerson: string | null;
  readonly purpose: string | null;
}

const LONGEST_SUBJECT = 200;

const NOBODY: Agent = { client: 'unknown', subject: null, role: null, organization: null, practitionerRole: null, patient: null, relatedPerson: null, purpose: null };

/** A caller without a token, or with one that is not believed. */
export const UNKNOWN_AGENT: Agent = NOBODY;
/** This service: it starts and stops. */
export const SERVER_AGENT: Agent = { ...NOBODY, client: 'entitle-fhir' };

export function agentOf({ client, subject, role, organization, practitionerRole, patient, relatedPerson, audit }: Caller, purpose: string): Agent {
  // Of a supplier's token the subject is the supplier; its audit claims name the person who asks.
  const person = audit?.['sub'];
  return {
    client, role, purpose, subject: typeof person === 'string' && person.length <= LONGEST_SUBJECT ? person : subject,
    organization: organization ?? null, practitionerRole: practitionerRole ?? null, patient: patient ?? null, relatedPerson: relatedPerson ?? null,
  };
}

const cells = (agent: Agent): (string | null)[] =>
  [agent.client, agent.subject, agent.role, agent.organization, agent.practitionerRole, agent.patient, agent.relatedPerson, agent.purpose];

/** Half of a SHA-256, in the form of a UUID: an agent that was changed has another. */
export function agentId(agent: Agent): string {
  const hex = createHash('sha256').update(JSON.stringify(cells(agent))).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

const KEEP = {
  name: 'audit agent',
  text: `insert into fhir.audit_agent (id, client, subject, role, organization, practitioner_role, patient, related_person, purpose)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (id) do nothing`,
};

export async function keepAgent(db: Queryable, id: string, agent: Agent): Promise<void> {
  await db.query({ ...KEEP, values: [id, ...cells(agent)] });
}
