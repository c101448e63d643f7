// The states of a Task of the budgets' workflow, and which may follow which (domain.md ruling 63).

export const FIRST_STATE = 'requested';

const NEXT: Readonly<Record<string, readonly string[]>> = {
  requested: ['accepted', 'rejected', 'cancelled'],
  accepted: ['in-progress', 'completed', 'cancelled'],
  'in-progress': ['completed', 'failed', 'on-hold'],
  'on-hold': ['in-progress', 'cancelled'],
};

/** The states that may follow; none where it is the last. */
export const statesAfter = (state: string): readonly string[] => NEXT[state] ?? [];
