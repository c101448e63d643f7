// Which parts of a budget's Account each operation may change. A client's own PUT or PATCH may change none of them:
// each has an operation that checks what the change means (domain.md rulings 11, 15; 2.1).

/** Parts that belong to operations. */
export type Owned = 'lines' | 'status' | 'managers' | 'plans' | 'parent' | 'parts';

/** By WriteContext.act: the code of the operation. */
const ACTS: Readonly<Record<string, readonly Owned[]>> = {
  'adjust-allocation': ['lines'],
  'assign-allocation': ['lines'],
  'transfer-allocation': ['lines'],
  clawback: ['lines'],
  suspend: ['status'],
  close: ['status', 'lines', 'managers'],
  reopen: ['status', 'lines'],
  nominate: ['managers'],
  'accept-nomination': ['managers'],
  'approve-nomination': ['managers'],
  'end-nomination': ['managers'],
  'link-careplan': ['plans'],
  'unlink-careplan': ['plans'],
  join: ['parent', 'parts'],
  leave: ['parent', 'parts'],
};

/** What a client is told to call instead. */
export const OPERATIONS: Readonly<Record<Owned, string>> = {
  lines: 'The lines and amounts of a budget are changed by Account/$adjust-allocation, $assign-allocation and $transfer-allocation',
  status: 'The status of a budget is changed by Account/$suspend, $close and $reopen',
  managers: 'Who manages a budget is changed by Account/$nominate, $accept-nomination, $approve-nomination and $end-nomination',
  plans: 'Care plans are linked by Account/$link-careplan and $unlink-careplan',
  parent: 'Budgets are joined by Account/$join and $leave',
  parts: 'Which budgets a joint one is made of is changed by Account/$join and $leave; only their priority is free',
};

export const mayChange = (act: string | undefined, part: Owned): boolean => act !== undefined && ACTS[act]?.includes(part) === true;
