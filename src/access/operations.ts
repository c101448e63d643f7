// Which operations a role may call, as data, and which of them it may only propose (domain.md section 4, ruling 28). Row rules hold beside it.
import type { Role } from '../fhir/caller.js';

/** Terminology is public knowledge. */
const TERMINOLOGY = ['lookup', 'validate-code', 'subsumes', 'expand', 'translate'];

/** Operations that every caller with a token may use, also one whose role has no rights at all: they tell of nothing but what was sent, or of the caller's own jobs. */
export const EVERYBODYS: ReadonlySet<string> = new Set(['validate', 'versions', 'job']);

/** Of one's own Subscriptions. */
const TOLD = ['status', 'events', 'dead-letters'];

const VIEW = ['balance', 'statement', 'spend-by-activity'];

/** All but what `admin` has, which is everything. */
type Named = Exclude<Role, 'admin'>;

export const OPERATIONS: Readonly<Record<Named, readonly string[]>> = {
  patient: [...TERMINOLOGY, ...TOLD, ...VIEW, 'link-careplan', 'link-activity', 'nominate', 'end-nomination', 'pay'],
  nominee: [...TERMINOLOGY, ...TOLD, ...VIEW, 'link-careplan', 'link-activity', 'accept-nomination', 'end-nomination', 'pay'],
  'care-coordinator': [
    ...TERMINOLOGY, ...TOLD, ...VIEW, 'open-budget', 'link-careplan', 'unlink-careplan', 'link-activity', 'approve-nomination', 'end-nomination', 'assign-allocation', 'adjust-allocation',
    'transfer-allocation', 'review', 'close', 'pay', 'refund', 'clawback', 'phb-eligibility', 'everything', 'chargeable-status',
  ],
  broker: [...TERMINOLOGY, ...TOLD, ...VIEW, 'link-careplan', 'unlink-careplan', 'link-activity', 'phb-eligibility'],
  'budget-manager': [
    ...TERMINOLOGY, ...TOLD, ...VIEW, 'open-budget', 'link-careplan', 'unlink-careplan', 'link-activity', 'approve-nomination', 'assign-allocation', 'adjust-allocation',
    'transfer-allocation', 'review', 'close', 'suspend', 'reopen', 'join', 'leave', 'pay', 'refund', 'clawback', 'approve', 'reject', 'phb-eligibility',
  ],
  commissioner: [
    ...TERMINOLOGY, ...TOLD, ...VIEW, 'open-budget', 'approve-nomination', 'end-nomination', 'adjust-allocation', 'transfer-allocation', 'review', 'close', 'suspend', 'reopen',
    'refund', 'clawback', 'approve', 'reject', 'phb-eligibility', 'candidates', 'phb-candidates', 'evaluate-measure', 'export',
  ],
  provider: [...TERMINOLOGY, ...TOLD, 'purchases', 'refund'],
  'third-party': [...TERMINOLOGY, ...TOLD, 'balance', 'statement', 'pay'],
  practice: [],
  ovm: [...TERMINOLOGY, ...TOLD, 'chargeable-status'],
  supplier: [...TERMINOLOGY, ...TOLD, 'chargeable-status'],
  'home-office': [...TERMINOLOGY, 'ingest-status-feed'],
  feed: [...TERMINOLOGY, 'ingest-status-feed'],
};

/** Operations that are carried out only when a manager or commissioner calls them with `proposal` = the Task that the role's call made. */
const PROPOSALS: Readonly<Partial<Record<Role, readonly string[]>>> = {
  'care-coordinator': ['adjust-allocation', 'transfer-allocation', 'close', 'refund', 'clawback'],
  // A provider confirms that it gave money back.
  provider: ['refund'],
};

/** Does this role's call of the operation only make a Task (202)? The operation itself answers so. */
export function mayOnlyPropose(role: Role, operation: string): boolean {
  return PROPOSALS[role]?.includes(operation) ?? false;
}
