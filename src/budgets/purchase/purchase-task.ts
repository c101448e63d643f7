// What a commissioner is told of a purchase: that a line is overspent, or that it has to decide (domain.md 3.8 rule 7, ruling 13).
import { createHash } from 'node:crypto';
import { instantText } from '../../fhir/date-time.js';
import type { Resource } from '../../fhir/resource.js';
import type { WriteContext } from '../../store/rule.js';
import { TASK_CODE } from '../codes.js';
import type { Budget } from '../ledger/totals.js';


interface About {
  /** Logical id of the Claim. */
  readonly id: string;
  readonly budget: Budget;
}

type Asking = Pick<WriteContext, 'tx' | 'put' | 'now' | 'caller'>;

/** Ids that follow from what they are about, so that nobody has to look for the Task. */
const taskId = (kind: string, claim: string): string => `${kind}-${createHash('sha256').update(claim).digest('hex').slice(0, 40)}`;

export const flagOverspend = (about: About, reason: string, asking: Asking): Promise<void> =>
  asking.put(taskOf('overspend', { coding: [{ system: TASK_CODE, code: 'overspend' }] }, about, reason, asking));

export const askApproval = (about: About, reason: string, asking: Asking): Promise<void> =>
  asking.put(taskOf('approval', { coding: [{ system: TASK_CODE, code: 'budget-request' }], text: 'approve' }, about, reason, asking));

/** Closes what askApproval opened, if it did. */
export async function settleApproval(claim: string, status: 'completed' | 'rejected' | 'cancelled', reason: string | undefined, { tx, put, now }: Asking): Promise<void> {
  const stored = await tx.lock('Task', taskId('approval', claim));
  if (stored?.text == null) return;
  const task = JSON.parse(stored.text) as Resource;
  if (task['status'] !== 'requested') return;
  await put({ ...task, status, ...(reason !== undefined && { statusReason: { text: reason } }), lastModified: instantText(now) });
}

function taskOf(kind: string, code: object, { id, budget: { patient, owner } }: About, reason: string, { now, caller: { practitionerRole } }: Asking): Resource {
  const task = {
    resourceType: 'Task',
    id: taskId(kind, id),
    status: 'requested',
    statusReason: { text: reason },
    intent: 'order',
    code,
    focus: { reference: `Claim/${id}` },
    for: { reference: `Patient/${patient}` },
    authoredOn: instantText(now),
    lastModified: instantText(now),
    ...(practitionerRole !== undefined && { requester: { reference: `PractitionerRole/${practitionerRole}` } }),
    ...(owner !== undefined && { owner: { reference: `Organization/${owner}` } }),
  };
  return task as unknown as Resource;
}
