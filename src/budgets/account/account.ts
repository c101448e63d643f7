// Reading an Account as a budget: its mark, lines, managers, care plans and why it was granted. Pure; what is misshapen is as if absent.
import { asObject, asObjects, asText, codesOf, extensionsOf, referenceId } from '../../fhir/elements.js';
import type { JsonObject, Resource } from '../../fhir/resource.js';
import { ACCOUNT_TYPE, ALLOCATION, BUDGET_CAREPLAN, BUDGET_MANAGER, ELIGIBILITY } from '../codes.js';

export type BudgetKind = 'phb' | 'joint-budget';

/** What marks an Account as a budget is its type, never its profile (domain.md ruling 2). */
export function budgetKind(account: Resource | undefined): BudgetKind | undefined {
  const codes = codesOf(account?.['type'], ACCOUNT_TYPE);
  return codes.includes('phb') ? 'phb' : codes.includes('joint-budget') ? 'joint-budget' : undefined;
}

/** One ext-allocation: a line. */
export interface Allocation {
  /** Its place among the Account's extensions, and that of its amount among its own, for paths. */
  readonly index: number;
  readonly amountIndex: number;
  readonly lineId: string | undefined;
  readonly model: string | undefined;
  /** References: `Organization/1`. */
  readonly holder: string | undefined;
  readonly consent: string | undefined;
  /** Money as parsed: read it with readPence, never from here. */
  readonly amount: JsonObject | undefined;
  readonly purpose: string | undefined;
  readonly activityIds: readonly string[];
}

export function allocationsOf(account: Resource | undefined): Allocation[] {
  return asObjects(account?.['extension']).flatMap((extension, index) => {
    if (extension['url'] !== ALLOCATION) return [];
    const parts = asObjects(extension['extension']);
    const part = partsOf(extension);
    const amountIndex = parts.findIndex(({ url }) => url === 'amount');
    return [{
      index, amountIndex,
      lineId: asText(part('lineId')?.['valueId']),
      model: asText(part('model')?.['valueCode']),
      holder: asText(asObject(part('holder')?.['valueReference'])?.['reference']),
      consent: asText(asObject(part('consent')?.['valueReference'])?.['reference']),
      amount: asObject(part('amount')?.['valueMoney']),
      purpose: asText(part('purpose')?.['valueString']),
      activityIds: extensionsOf(extension, 'activityId').flatMap((one) => asText(one['valueId']) ?? []),
    }];
  });
}

/** Where the amount of a line stands: what readPence and errors take. */
export const amountPath = ({ index, amountIndex }: Allocation): string => `extension[${index}].extension[${amountIndex}].valueMoney`;

/** One ext-budget-manager: someone who may act for the patient. */
export interface BudgetManager {
  readonly index: number;
  /** Reference: `RelatedPerson/1`. */
  readonly party: string | undefined;
  readonly role: string | undefined;
  /** proposed, accepted, approved, ended or rejected. */
  readonly state: string | undefined;
  readonly start: string | undefined;
  readonly end: string | undefined;
  readonly maxPerPurchase: JsonObject | undefined;
}

export function managersOf(account: Resource | undefined): BudgetManager[] {
  return asObjects(account?.['extension']).flatMap((extension, index) => {
    if (extension['url'] !== BUDGET_MANAGER) return [];
    const part = partsOf(extension);
    const period = asObject(part('period')?.['valuePeriod']);
    return [{
      index,
      party: asText(asObject(part('party')?.['valueReference'])?.['reference']),
      role: asText(part('role')?.['valueCode']),
      state: asText(part('state')?.['valueCode']),
      start: asText(period?.['start']),
      end: asText(period?.['end']),
      maxPerPurchase: asObject(part('maxPerPurchase')?.['valueMoney']),
    }];
  });
}

/** One ext-budget-careplan. */
export interface LinkedPlan {
  readonly index: number;
  /** Logical id of the CarePlan. */
  readonly plan: string | undefined;
  readonly primary: boolean;
  /** Ids of the only activities that the budget pays for; none where it pays for all. */
  readonly activities: readonly string[];
}

export function plansOf(account: Resource | undefined): LinkedPlan[] {
  return asObjects(account?.['extension']).flatMap((extension, index) => {
    if (extension['url'] !== BUDGET_CAREPLAN) return [];
    const part = partsOf(extension);
    return [{ index, plan: referenceId(part('plan')?.['valueReference'], 'CarePlan'), primary: part('primary')?.['valueBoolean'] === true, activities: extensionsOf(extension, 'activityId').flatMap((one) => asText(one['valueId']) ?? []) }];
  });
}

/** ext-eligibility: on which basis the budget was decided on, by whom and when. */
export interface Eligibility {
  readonly basis: string | undefined;
  /** Logical id of the Organization. */
  readonly decidedBy: string | undefined;
  /** FHIR date. */
  readonly decidedOn: string | undefined;
  readonly exceptional: boolean;
}

export function eligibilityOf(account: Resource | undefined): Eligibility | undefined {
  const [extension] = extensionsOf(account, ELIGIBILITY);
  if (!extension) return undefined;
  const part = partsOf(extension);
  return {
    basis: asText(part('basis')?.['valueCode']),
    decidedBy: referenceId(part('decidedBy')?.['valueReference'], 'Organization'),
    decidedOn: asText(part('decidedOn')?.['valueDate']),
    exceptional: part('exceptional')?.['valueBoolean'] === true,
  };
}

/** The code of a plain extension: funding-source, overspend-policy, draw-policy. */
export const codeExtension = (account: Resource | undefined, url: string): string | undefined => asText(extensionsOf(account, url)[0]?.['valueCode']);

/** Logical id of the one Patient; undefined where it is none, or several. */
export function patientOf(account: Resource | undefined): string | undefined {
  const subjects = asObjects(account?.['subject']);
  return subjects.length === 1 ? referenceId(subjects[0], 'Patient') : undefined;
}

export const ownerOf = (account: Resource | undefined): string | undefined => referenceId(account?.['owner'], 'Organization');
export const parentOf = (account: Resource | undefined): string | undefined => referenceId(account?.['partOf'], 'Account');

/** servicePeriod as written. */
export function servicePeriodOf(account: Resource | undefined): { readonly start: string | undefined; readonly end: string | undefined } {
  const period = asObject(account?.['servicePeriod']);
  return { start: asText(period?.['start']), end: asText(period?.['end']) };
}

const partsOf = (extension: JsonObject) => (url: string): JsonObject | undefined => extensionsOf(extension, url)[0];
