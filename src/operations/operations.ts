// The list of operations: what is not here is not there. A list you can read beats a folder that loads itself.
import type { NonePolicy } from '../chargeable-status/effective-status.js';
import { createAdjustAllocationOperation } from './adjust-allocation.js';
import { createAmendMetaOperation } from './amend-meta.js';
import { createAssignAllocationOperation } from './assign-allocation.js';
import { createBalanceOperation } from './balance.js';
import { createCandidatesOperations } from './candidates.js';
import { createChargeableStatusOperation } from './chargeable-status.js';
import { createClawbackOperation } from './clawback.js';
import { createCloseOperation } from './close.js';
import { createDecidePurchaseOperation } from './decide-purchase.js';
import { createDefineFeedOperation, createFeedsOperation } from './define-feed.js';
import { createEvaluateMeasureOperation } from './evaluate-measure.js';
import { createEverythingOperation } from './everything.js';
import { createDiffOperation } from './diff.js';
import { createDocumentOperation } from './document.js';
import { createExportOperations, type ExportParts } from './export.js';
import { createExpandOperation } from './expand.js';
import { createGraphOperation } from './graph.js';
import { createIngestOperation, type IngestOperationParts } from './ingest-status-feed.js';
import { createLinkActivityOperation } from './link-activity.js';
import { createLinkCarePlanOperation } from './link-careplan.js';
import { createJoinOperation } from './join.js';
import { createLastnOperation } from './lastn.js';
import { createLeaveOperation } from './leave.js';
import { createLookupOperation } from './lookup.js';
import { createNominateOperation } from './nominate.js';
import { createOpenBudgetOperation } from './open-budget.js';
import { createMatchOperation } from './match.js';
import { createMetaOperation } from './meta.js';
import type { Operation } from './operation.js';
import { createPayOperation } from './pay.js';
import { createEligibilityOperation } from './phb-eligibility.js';
import { createRefundOperation } from './refund.js';
import { createReopenOperation } from './reopen.js';
import { createReviewOperation } from './review.js';
import { createNominationOperations } from './settle-nomination.js';
import { createPurchasesOperations } from './purchases.js';
import { createSettleOperations } from './settle-statement.js';
import { createStatementOperation } from './statement.js';
import { createSpendByActivityOperation } from './spend-by-activity.js';
import { createDeadLettersOperation, createSubscriptionEventsOperation } from './subscription-events.js';
import { createSubscriptionStatusOperation } from './subscription-status.js';
import { createSubsumesOperation } from './subsumes.js';
import { createActivateOperation, createDeactivateOperation, type SwitchParts } from './switch-parameter.js';
import { createSuspendOperation } from './suspend.js';
import type { TerminologyOperations } from './terminology-parts.js';
import { createTransferAllocationOperation } from './transfer-allocation.js';
import { createTranslateOperation } from './translate.js';
import { createUnlinkCarePlanOperation } from './unlink-careplan.js';
import { createValidateOperation, type ValidateParts } from './validate.js';
import { createValidateCodeInSet, createValidateCodeInSystem } from './validate-code.js';
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
