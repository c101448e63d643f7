// Reading a Claim as a purchase on a budget, or as the commitment to one. Pure; what is misshapen is as if absent.
import { asObject, asObjects, asText, codesOf, extensionsOf, identifierOf, referenceId } from '../../fhir/elements.js';
import type { JsonObject, Resource } from '../../fhir/resource.js';
import { ALLOCATION_ID, BUDGET, CAREPLAN_ACTIVITY, CLAIM_TYPE, DIRECTORY_ENTRY, FINAL, OUTSTANDING, OVERSPEND, RECORDED_BY } from '../codes.js';

/** What marks a Claim as a purchase is the budget that it names, or its type; never its profile (domain.md ruling 2). */
export const isPurchase = (claim: Resource | undefined): boolean =>
  claim?.resourceType === 'Claim' && (extensionsOf(claim, BUDGET).length > 0 || codesOf(claim['type'], CLAIM_TYPE).includes('phb-purchase'));

/** Logical id of the Account; undefined where it is none, or several. */
export function budgetOf(claim: Resource | undefined): string | undefined {
  const named = extensionsOf(claim, BUDGET);
  return named.length === 1 ? referenceId(named[0]?.['valueReference'], 'Account') : undefined;
}

export const lineOf = (claim: Resource | undefined): string | undefined => asText(extensionsOf(claim, ALLOCATION_ID)[0]?.['valueId']);
/** `Patient/1`. */
export const recordedBy = (claim: Resource | undefined): string | undefined => asText(asObject(extensionsOf(claim, RECORDED_BY)[0]?.['valueReference'])?.['reference']);
export const isOverspent = (claim: Resource | undefined): boolean => extensionsOf(claim, OVERSPEND)[0]?.['valueBoolean'] === true;
export const isOutstanding = (claim: Resource | undefined): boolean => extensionsOf(claim, OUTSTANDING)[0]?.['valueBoolean'] === true;
export const statusOf = (claim: Resource | undefined): string | undefined => asText(claim?.['status']);
/** Reserves what will be bought; any other purchase has been made. */
export const isCommitment = (claim: Resource | undefined): boolean => claim?.['use'] === 'preauthorization';
/** Logical id of the patient. */
export const claimant = (claim: Resource | undefined): string | undefined => referenceId(claim?.['patient'], 'Patient');

/** The link of an item to an activity of a care plan. */
export interface ActivityLink {
  /** Logical id of the CarePlan. */
  readonly plan: string | undefined;
  readonly activityId: string | undefined;
  /** Indexed path: `Claim.item[0].extension[1]`. */
  readonly path: string;
}

export interface PurchaseItem {
  readonly index: number;
  /** The element: its amounts are read from the document. */
  readonly element: JsonObject;
  readonly activities: readonly ActivityLink[];
  /** Logical id of the HealthcareService. */
  readonly entry: string | undefined;
}

export function itemsOf(claim: Resource | undefined): PurchaseItem[] {
  return asObjects(claim?.['item']).map((element, index) => ({
    index,
    element,
    activities: asObjects(element['extension']).flatMap((extension, at) => {
      if (extension['url'] !== CAREPLAN_ACTIVITY) return [];
      return [{
        plan: referenceId(extensionsOf(extension, 'plan')[0]?.['valueReference'], 'CarePlan'),
        activityId: asText(extensionsOf(extension, 'activityId')[0]?.['valueId']),
        path: `Claim.item[${index}].extension[${at}]`,
      }];
    }),
    entry: referenceId(extensionsOf(element, DIRECTORY_ENTRY)[0]?.['valueReference'], 'HealthcareService'),
  }));
}

/** ext-careplan-activity; `plan` as a reference, `CarePlan/1`. */
export const activityExtension = (plan: string, activityId: string): JsonObject =>
  ({ url: CAREPLAN_ACTIVITY, extension: [{ url: 'plan', valueReference: { reference: plan } }, { url: 'activityId', valueId: activityId }] });

/** A commitment that the Claim fulfils. */
export interface Fulfilled {
  /** Logical id of the Claim; undefined where the link leads to none. */
  readonly claim: string | undefined;
  /** What the Claim leaves of it is given back: unless it says otherwise. */
  readonly final: boolean;
  readonly path: string;
}

const RELATED = 'http://terminology.hl7.org/CodeSystem/ex-relatedclaimrelationship';

export function fulfilledBy(claim: Resource | undefined): Fulfilled[] {
  return asObjects(claim?.['related']).flatMap((related, index) => {
    if (!codesOf(related['relationship'], RELATED).includes('prior')) return [];
    return [{ claim: referenceId(related['claim'], 'Claim'), final: extensionsOf(related, FINAL)[0]?.['valueBoolean'] !== false, path: `Claim.related[${index}]` }];
  });
}

/** `system|value` of each identifier that has both. */
export const identifiersOf = (claim: Resource | undefined): string[] => [...new Set(
  asObjects(claim?.['identifier']).map(identifierOf).flatMap(({ system, value }) => (system !== undefined && value !== undefined ? [`${system}|${value}`] : [])),
)];

/** The extensions with one set to this value, or dropped; others stay where they are. */
export function withExtension(extensions: readonly JsonObject[], url: string, value: Readonly<Record<string, unknown>> | undefined): JsonObject[] {
  const at = extensions.findIndex((one) => one['url'] === url);
  const others = extensions.filter((one) => one['url'] !== url);
  if (value === undefined) return others;
  const set = { url, ...value } as JsonObject;
  if (at < 0) return [...others, set];
  return extensions.flatMap((one, index) => (index === at ? [set] : one['url'] === url ? [] : [one]));
}
