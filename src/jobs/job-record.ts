// What a job writes is recorded as its client would have been recorded writing it: one access for each resource, with the patient it is
// about, in the transaction of the write. The trace names the job.
import { agentId, keepAgent, type Agent } from '../audit/agent.js';
import { storeCreated } from '../audit/audit-row.js';
import { purposeOf } from '../audit/purpose.js';
import type { Queryable } from '../db/database.js';
import { inOneGo } from '../db/in-one-go.js';
import { ROLES } from '../fhir/caller.js';
import type { Job } from './job.js';

export interface WrittenStatement {
  /** Of an Observation that is new. */
  readonly id: string;
  readonly patient: string | undefined;
}

/** Sends all without waiting for an answer between. */
export async function recordWrites(db: Queryable, job: Job, written: readonly WrittenStatement[], newId: () => string): Promise<void> {
  if (written.length === 0) return;
  const agent = agentOfJob(job);
  const id = agentId(agent);
  const created = written.map((one) => ({ event: newId(), id: one.id, patient: one.patient }));
  await inOneGo([keepAgent(db, id, agent), storeCreated(db, { agent: id, type: 'Observation', trace: `${job.id} ` }, created)]);
}

function agentOfJob({ client, role: name }: Job): Agent {
  const role = ROLES.find((one) => one === name);
  return { client, subject: null, role: name, organization: null, practitionerRole: null, patient: null, relatedPerson: null, purpose: role ? purposeOf(role, {}) : null };
}
