// The list of operations: what is not here is not there. A list you can read beats a folder that loads itself.
import type { NonePolicy } from '../chargeable-status/status/effective-status.js';
import { createAdjustAllocationOperation } from './budget/adjust-allocation.js';
import { createAmendMetaOperation } from './resource/amend-meta.js';
import { createAssignAllocationOperation } from './budget/assign-allocation.js';
import { createBalanceOperation } from './budget/balance.js';
import { createCandidatesOperations } from './report/candidates.js';
import { createChargeableStatusOperation } from './status/chargeable-status.js';
import { createClawbackOperation } from './purchase/clawback.js';
import { createCloseOperation } from './budget/close.js';
import { createDecidePurchaseOperation } from './purchase/decide-purchase.js';
import { createDefineFeedOperation, createFeedsOperation } from './status/define-feed.js';
import { createEvaluateMeasureOperation } from './report/evaluate-measure.js';
import { createEverythingOperation } from './record/everything.js';
import { createDiffOperation } from './resource/diff.js';
import { createDocumentOperation } from './record/document.js';
import { createExportOperations, type ExportParts } from './record/export.js';
import { createExpandOperation } from './terminology/expand.js';
import { createGraphOperation } from './record/graph.js';
import { createIngestOperation, type IngestOperationParts } from './status/ingest-status-feed.js';
import { createLinkActivityOperation } from './purchase/link-activity.js';
import { createLinkCarePlanOperation } from './budget/link-careplan.js';
import { createJoinOperation } from './budget/join.js';
import { createLastnOperation } from './record/lastn.js';
import { createLeaveOperation } from './budget/leave.js';
import { createLookupOperation } from './terminology/lookup.js';
import { createNominateOperation } from './budget/nominate.js';
import { createOpenBudgetOperation } from './budget/open-budget.js';
import { createMatchOperation } from './record/match.js';
import { createMetaOperation } from './resource/meta.js';
import type { Operation } from './operation.js';
import { createPayOperation } from './purchase/pay.js';
import { createEligibilityOperation } from './report/phb-eligibility.js';
import { createRefundOperation } from './purchase/refund.js';
import { createReopenOperation } from './budget/reopen.js';
import { createReviewOperation } from './budget/review.js';
import { createNominationOperations } from './budget/settle-nomination.js';
import { createPurchasesOperations } from './report/purchases.js';
import { createSettleOperations } from './status/settle-statement.js';
import { createStatementOperation } from './budget/statement.js';
import { createSpendByActivityOperation } from './report/spend-by-activity.js';
import { createDeadLettersOperation, createSubscriptionEventsOperation } from './subscription/subscription-events.js';
import { createSubscriptionStatusOperation } from './subscription/subscription-status.js';
import { createSubsumesOperation } from './terminology/subsumes.js';
import { createActivateOperation, createDeactivateOperation, type SwitchParts } from './search-parameter/switch-parameter.js';
import { createSuspendOperation } from './budget/suspend.js';
import type { TerminologyOperations } from './terminology/terminology-parts.js';
import { createTransferAllocationOperation } from './budget/transfer-allocation.js';
import { createTranslateOperation } from './terminology/translate.js';
import { createUnlinkCarePlanOperation } from './budget/unlink-careplan.js';
import { createValidateOperation, type ValidateParts } from './resource/validate.js';
import { createValidateCodeInSet, createValidateCodeInSystem } from './terminology/validate-code.js';
import { createVersionsOperation } from './versions.js';

export const createOperations = (parts: { readonly nonePolicy: NonePolicy } & TerminologyOperations & ValidateParts & IngestOperationParts & SwitchParts & ExportParts): readonly Operation[] => [
  createChargeableStatusOperation(parts.nonePolicy),
  createIngestOperation(parts),
  createDefineFeedOperation(parts),
  createFeedsOperation(parts),
  ...createSettleOperations(parts.nonePolicy),
  createEverythingOperation('Patient', parts),
  createEverythingOperation('Group', parts),
  createEverythingOperation('Encounter', parts),
  createMatchOperation(parts),
  ...createExportOperations(parts),
  createLookupOperation(parts),
  createValidateCodeInSystem(parts),
  createSubsumesOperation(parts),
  createExpandOperation(parts),
  createValidateCodeInSet(parts),
  createTranslateOperation(parts),
  createValidateOperation(parts),
  createLastnOperation(),
  createDocumentOperation(parts),
  createDiffOperation(parts),
  createGraphOperation(parts),
  createVersionsOperation(parts),
  createMetaOperation(parts),
  createAmendMetaOperation('meta-add', parts),
  createAmendMetaOperation('meta-delete', parts),
  createActivateOperation(parts),
  createDeactivateOperation(parts),
  createOpenBudgetOperation(parts),
  createBalanceOperation(parts),
  createStatementOperation(parts),
  createEvaluateMeasureOperation(parts),
  ...createPurchasesOperations(parts),
  createAdjustAllocationOperation(parts),
  createAssignAllocationOperation(parts),
  createTransferAllocationOperation(parts),
  createJoinOperation(parts),
  createLeaveOperation(parts),
  createDecidePurchaseOperation('approve', parts),
  createDecidePurchaseOperation('reject', parts),
  createPayOperation(parts),
  createRefundOperation(parts),
  createClawbackOperation(parts),
  createLinkCarePlanOperation(parts),
  createUnlinkCarePlanOperation(parts),
  createLinkActivityOperation(parts),
  createSpendByActivityOperation(parts),
  createReviewOperation(parts),
  createSuspendOperation(parts),
  createCloseOperation(parts),
  createReopenOperation(parts),
  createNominateOperation(parts),
  ...createNominationOperations(parts),
  ...createCandidatesOperations(parts),
  createEligibilityOperation(parts),
  createSubscriptionStatusOperation(parts),
  createSubscriptionEventsOperation(parts),
  createDeadLettersOperation(parts),
];
