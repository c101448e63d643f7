// Closing and opening again the Task of a statement, in the transaction that places it.
import type { Resource } from '../../fhir/resource.js';
import type { WriteContext } from '../../store/rule.js';
import { quarantineTask, quarantineTaskId, settledTask } from './quarantine.js';

export type TaskContext = Pick<WriteContext, 'tx' | 'now' | 'put'>;

/** Gives the statement's Task this status; one that was placed at once has none until it is taken back. */
export async function settleTask(statement: string, status: 'requested' | 'completed' | 'rejected', reason: string, { tx, now, put }: TaskContext): Promise<void> {
  const stored = await tx.lock('Task', quarantineTaskId(statement));
  if (stored?.text == null && status !== 'requested') return;
  const task = stored?.text == null ? quarantineTask(statement, 'no-number', now) : (JSON.parse(stored.text) as Resource);
  await put(settledTask(task, status, reason, now));
}
