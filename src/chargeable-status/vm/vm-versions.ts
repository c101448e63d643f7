// All versions that the status observation of a patient has had: 2n for the n-th answer, 2n+1 once that had lapsed (domain.md ruling 8).
import { hasLapsed, winnerOf, type NonePolicy, type Winner } from '../status/effective-status.js';
import type { Belief } from '../status/status-past.js';
import type { StatusRow } from '../status/status-row.js';
import { vmObservation } from './vm-observation.js';

export interface VmVersion {
  readonly version: number;
  /** Milliseconds since the epoch. */
  readonly updated: number;
  readonly method: 'POST' | 'PUT' | 'DELETE';
  /** Null where nothing was asserted any more. */
  readonly text: string | null;
}

/** Oldest first; `beliefs` are those of the row's patient, oldest first. */
export function vmVersions(row: StatusRow, beliefs: readonly Belief[], now: number, nonePolicy: NonePolicy): VmVersion[] {
  const versions: VmVersion[] = [];
  const answers = answersOf(beliefs, nonePolicy);
  answers.forEach(({ changes, changed, first, last }, index) => {
    const until = answers[index + 1]?.changed ?? now;
    if (!first) {
      // Before the first answer there is nothing to take back.
      if (versions.length > 0) versions.push({ version: 2 * changes, updated: changed, method: 'DELETE', text: null });
      return;
    }
    const shown = (winner: Winner, moment: number): void => {
      const { text, version, updated } = vmObservation({ ...row, winner, changes, changed }, moment);
      versions.push({ version: Number(version), updated, method: versions.at(-1)?.text == null ? 'POST' : 'PUT', text });
    };
    if (!hasLapsed(first, changed)) shown(first, changed);
    if (last && hasLapsed(last, until)) shown(last, until);
  });
  return versions;
}

/** One answer: what made it, and what it rested on in the end, which may be other evidence that reads the same. */
interface Answer {
  readonly changes: number;
  readonly changed: number;
  readonly first: Winner | undefined;
  readonly last: Winner | undefined;
}

function answersOf(beliefs: readonly Belief[], nonePolicy: NonePolicy): Answer[] {
  const answers: Answer[] = [];
  for (const { changes, changed, assertions } of beliefs) {
    const winner = winnerOf(assertions, Infinity, nonePolicy);
    const before = answers.at(-1);
    if (before?.changes === changes) answers[answers.length - 1] = { ...before, last: winner };
    else answers.push({ changes, changed, first: winner, last: winner });
  }
  return answers;
}
