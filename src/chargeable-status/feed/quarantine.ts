// The worklist: a Task for each statement that no machine could place, and for each that came again under its key with other content.
import { createHash } from 'node:crypto';
import { instantText } from '../../fhir/date-time.js';
import type { Resource } from '../../fhir/resource.js';
import { SPINE_ERROR, STATUS_TASK } from '../codes.js';
import type { Unplaced } from './placing.js';

const REASONS: Readonly<Record<Unplaced, string>> = {
  'no-number': 'No patient here holds the NHS number; it is matched by itself when one comes',
  'no-person': 'No patient here has this name, date of birth, gender and postal code; it is tried again when patients change',
  several: 'Several patients have this name, date of birth, gender and postal code: say which with Observation/[id]/$match-statement',
  incomplete: 'To match by demographics takes family and given name, date of birth, gender and postal code: some are missing',
};

/** Two ids that follow from what they are about, so that nobody has to look for the Task. */
export const quarantineTaskId = (statement: string): string => `quarantine-${statement}`;
export const conflictId = (source: string, key: string, content: string): string =>
  `conflict-${createHash('sha256').update(JSON.stringify([source, key, content])).digest('hex').slice(0, 40)}`;

export function quarantineTask(statement: string, why: Unplaced, now: number): Resource {
  return {
    resourceType: 'Task',
    id: quarantineTaskId(statement),
    status: 'requested',
    statusReason: { text: REASONS[why] },
    intent: 'order',
    code: { coding: [{ system: STATUS_TASK, code: 'status-quarantine', display: 'Find the patient of a statement' }] },
    focus: { reference: `Observation/${statement}` },
    authoredOn: instantText(now),
    lastModified: instantText(now),
  };
}

/** `content` is the rejected resource as it came. */
export function conflictTask(id: string, statement: string, content: string, now: number): Resource {
  return {
    resourceType: 'Task',
    id,
    status: 'requested',
    statusReason: { text: 'The source sent other content under a key it had used: nothing of it counts. A changed status comes under a new key' },
    intent: 'order',
    code: {
      coding: [
        { system: STATUS_TASK, code: 'status-conflict', display: 'Settle two statements under one key' },
        { system: SPINE_ERROR, code: 'CONFLICTING_VALUES' },
      ],
    },
    focus: { reference: `Observation/${statement}` },
    authoredOn: instantText(now),
    lastModified: instantText(now),
    input: [{ type: { text: 'What was sent' }, valueString: content }],
  };
}

/** The Task after somebody or something has settled it. */
export function settledTask(task: Resource, status: 'requested' | 'completed' | 'rejected', reason: string, now: number): Resource {
  return { ...task, status, statusReason: { text: reason }, lastModified: instantText(now) };
}
