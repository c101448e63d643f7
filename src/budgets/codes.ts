// The systems and URLs of personal health budgets (domain.md 3.2, 3.3, 3.7).
import type { Coding } from '../fhir/resource.js';

export const BASE = 'https://fhir.entitle.example';

export const ACCOUNT_TYPE = `${BASE}/CodeSystem/account-type`;
export const CAREPLAN_CATEGORY = `${BASE}/CodeSystem/careplan-category`;
export const COVERAGE_TYPE = `${BASE}/CodeSystem/coverage-type`;
export const CLAIM_TYPE = `${BASE}/CodeSystem/claim-type`;
export const ORGANIZATION_ROLE = `${BASE}/CodeSystem/organization-role`;
export const TASK_CODE = `${BASE}/CodeSystem/task-code`;
const BUSINESS_ERROR = `${BASE}/CodeSystem/business-error`;

export const extensionUrl = (id: string): string => `${BASE}/StructureDefinition/ext-${id}`;

export const ALLOCATION = extensionUrl('allocation');
export const BUDGET_MANAGER = extensionUrl('budget-manager');
export const BUDGET_CAREPLAN = extensionUrl('budget-careplan');
export const ELIGIBILITY = extensionUrl('eligibility');
export const FUNDING_SOURCE = extensionUrl('funding-source');
export const OVERSPEND_POLICY = extensionUrl('overspend-policy');
export const DRAW_POLICY = extensionUrl('draw-policy');
export const BUDGET = extensionUrl('budget');
export const ALLOCATION_ID = extensionUrl('allocation-id');
export const RECORDED_BY = extensionUrl('recorded-by');
export const OVERSPEND = extensionUrl('overspend');
export const OUTSTANDING = extensionUrl('outstanding');
export const FINAL = extensionUrl('final');
export const LIST_CODE = `${BASE}/CodeSystem/list-code`;
export const DIRECTORY_OWNER = extensionUrl('directory-owner');
export const DIRECTORY = extensionUrl('directory');
export const DIRECTORY_ENTRY = extensionUrl('directory-entry');
export const PRICE = extensionUrl('price');
export const CAREPLAN_ACTIVITY = extensionUrl('careplan-activity');
export const PAYMENT_KIND = extensionUrl('payment-kind');
export const PAYEE_PERSON = extensionUrl('payee-person');
export const REVERSES = extensionUrl('reverses');
export const REVERSAL = extensionUrl('reversal');
export const CLAWBACK = extensionUrl('clawback');

/** CodeSystem business-error: what went wrong, for programs (details.coding). */
export type BusinessErrorCode =
  | 'INSUFFICIENT_FUNDS' | 'ACCOUNT_NOT_ACTIVE' | 'NOT_ELIGIBLE' | 'CURRENCY_MISMATCH' | 'TOTAL_MISMATCH' | 'REFUND_EXCEEDS_PAYMENT'
  | 'OUTSTANDING_CLAIMS' | 'ALLOCATION_EXCEEDED' | 'CAREPLAN_MISMATCH' | 'NOT_PAYER' | 'DUPLICATE_BUDGET' | 'NO_RELATIONSHIP' | 'FORBIDDEN_UPDATE' | 'EXCLUDED_SPEND';

export const businessError = (code: BusinessErrorCode): Coding => ({ system: BUSINESS_ERROR, code });
