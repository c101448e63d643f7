// The systems and URLs of the chargeable-status domain, exactly as the published API names them (domain.md 1.1), and our own.

export { NHS_NUMBER_SYSTEM as NHS_NUMBER } from '../fhir/nhs-number.js';

export const BASE = 'https://fhir.entitle.example';

export const HOME_OFFICE_FEED = `${BASE}/Id/home-office-feed`;

export const HOME_OFFICE_PERSON = `${BASE}/Id/home-office-person`;
/** Keys and incoming statuses of a further feed: these and its code. */
export const FEED_KEYS = `${BASE}/Id/status-feed/`;
export const FEED_STATUSES = `${BASE}/CodeSystem/status-feed/`;

export const VM_CODE = 'https://fhir.nhs.uk/fhir-observation-code-1';
export const VM_COMPONENT = 'https://fhir.nhs.uk/spine-vm-observation-component-1';
export const BASIC_STATUS = 'https://fhir.nhs.uk/spine-chargeable-status-1';
export const CATEGORY_STATUS = 'https://fhir.nhs.uk/spine-category-status-1';
export const SPINE_ERROR = 'https://fhir.nhs.uk/spine-error-or-warning-code-1';
/** Error codes of everything but the V&M surface (domain.md 1.7). */
export const SPINE_R4_ERROR = 'https://fhir.nhs.uk/R4/CodeSystem/Spine-ErrorOrWarningCode';
export const BUSINESS_ERROR = `${BASE}/CodeSystem/business-error`;

export const STATUS_ASSERTION = `${BASE}/CodeSystem/status-assertion`;
/** Codes of the Tasks that a person has to settle. */
export const STATUS_TASK = `${BASE}/CodeSystem/status-task`;
export const HO_STATUS = `${BASE}/CodeSystem/ho-status`;
export const EVIDENCE_TYPE = `${BASE}/CodeSystem/evidence-type`;
/** The real PDS Coverage names an EHIC by this system. */
export const EU_EVIDENCE_TYPE = 'http://terminology.hl7.eu/CodeSystem/v3-ActCode';
export const EXEMPTION_REASON = `${BASE}/CodeSystem/exemption-reason`;

export const extensionUrl = (id: string): string => `${BASE}/StructureDefinition/ext-${id}`;
export const STATUS_EXTENSION = extensionUrl('chargeable-status');

/** The SubscriptionTopic of a change of the answer. */
export const STATUS_TOPIC = `${BASE}/SubscriptionTopic/chargeable-status-changed`;

/** Ids of the Observations that only the server makes: this and a UUID. */
export const VM_OBSERVATION_ID = 'chargeable-status-';
