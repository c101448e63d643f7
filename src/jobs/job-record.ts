// What a job writes is recorded as its client would have been recorded writing it: one access for each resource, with the patient it is
// about, in the transaction of the write. The trace names the job.
import { agentId, keepAgent, type Agent } from '../audit/agent.js';
import { besideWrite, storeBeside } from '../audit/audit-row.js';
import { purposeOf } from '../audit/purpose.js';
import type { Queryable } from '../db/database.js';
import { ROLES } from '../fhir/caller.js';
import type { Job } from './job.js';

export interface WrittenStatement {
  /** Of an Observation that is new. */
  readonly id: string;
  readonly patient: string | undefined;
}

export async function recordWrites(db: Queryable, job: Job, written: readonly WrittenStatement[], newId: () => string): Promise<void> {
  if (written.length === 0) return;
  const agent = agentOfJob(job);
  const id = agentId(agent);
  await keepAgent(db, id, agent);
  const rows = written.map((one) => ({
    id: newId(), agent: id, status: 201, interaction: 'create', what: `Observation/${one.id}/_history/1`,
    patients: one.patient === undefined ? [] : [one.patient], reason: null, trace: `${job.id} `, query: null,
  }));
  await storeBeside(db, besideWrite(rows));
}

function agentOfJob({ client, role: name }: Job): Agent {
  const role = ROLES.find((one) => one === name);
  return { client, subject: null, role: name, organization: null, practitionerRole: null, patient: null, relatedPerson: null, purpose: role ? purposeOf(role, {}) : null };
}
