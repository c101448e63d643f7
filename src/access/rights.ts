// Who may do what, as data: one row per role of the matrix in domain.md section 4. What is not here is refused.
import type { Role } from '../fhir/caller.js';
import type { AudienceName } from './audiences.js';
import { OPERATIONS } from './operations.js';

/** C create, R read (vread and history too), U update and patch, D delete, S search. P: update as a proposal, which changes nothing but makes a Task (ruling 28). */
export type Letters = string;

export interface RoleRights {
  /** Per resource type; `*` stands for every type. */
  readonly types: Readonly<Record<string, Letters>>;
  /** Operation codes, or `*`. */
  readonly operations: readonly string[];
  /** May the role send batches and transactions, and with entries of which method only? Each entry is judged on its own all the same. */
  readonly bundles: boolean | 'GET' | 'POST';
  /** Rows that depend on the caller: of a type that neither the audience names nor OPEN there are none. Without an audience all rows of a type are seen but for those `rows` names. */
  readonly audience?: AudienceName;
  /** Per type, the rows the role sees, whatever its audience, and the only ones it may write: a name in rows.ts. */
  readonly rows?: Readonly<Record<string, RowRule>>;
  readonly receiptsOnly?: boolean;
}

export type RowRule = 'status-assertions' | 'home-office-statements' | 'feed-statements' | 'entitlement-evidence' | 'own-subscriptions' | 'own-files' | 'assessment-documents' | 'assessment-files' | 'own-assessing' | 'none';

/** Definitions are public knowledge: every caller with a token may read them. */
const DEFINITIONS: Readonly<Record<string, Letters>> = {
  StructureDefinition: 'RS', CodeSystem: 'RS', ValueSet: 'RS', ConceptMap: 'RS', OperationDefinition: 'RS',
  SearchParameter: 'RS', NamingSystem: 'RS', CompartmentDefinition: 'RS',
};

const ORGANIZATIONS: Readonly<Record<string, Letters>> = {
  Organization: 'RS', Practitioner: 'RS', PractitionerRole: 'RS', Location: 'RS', Endpoint: 'RS', HealthcareService: 'RS',
};

/** Types of which nobody's rows are private. */
export const OPEN: ReadonlySet<string> = new Set([...Object.keys(DEFINITIONS), ...Object.keys(ORGANIZATIONS)]);

/** What every role around a budget may read. */
const AROUND_BUDGETS: Readonly<Record<string, Letters>> = { ...DEFINITIONS, ...ORGANIZATIONS, List: 'RS' };

/** One's own Subscriptions, to what one may search for: each notification passes the subscriber's Grant as it is then (ruling 22). */
const SUBSCRIPTIONS: Readonly<Record<string, Letters>> = { Subscription: 'CRUDS' };
const OWN_SUBSCRIPTIONS: NonNullable<RoleRights['rows']> = { Subscription: 'own-subscriptions' };

/** A purchase's own: payments are made by operations, never sent. */
const PAYMENTS: Readonly<Record<string, Letters>> = { PaymentNotice: 'RS', PaymentReconciliation: 'RS' };

export const RIGHTS: Readonly<Partial<Record<Role, RoleRights>>> = {
  admin: { types: { '*': 'CRUDS' }, operations: ['*'], bundles: true },

  patient: {
    types: {
      ...AROUND_BUDGETS, ...PAYMENTS, ...SUBSCRIPTIONS, Patient: 'R', RelatedPerson: 'RS', Account: 'RS', CarePlan: 'RS', Claim: 'CRUS', Coverage: 'RS', Task: 'RS',
      Consent: 'CRS', DocumentReference: 'CRS', Binary: 'CR', AuditEvent: 'RS',
    },
    operations: OPERATIONS.patient,
    bundles: true,
    audience: 'patient',
    rows: OWN_SUBSCRIPTIONS,
  },

  nominee: {
    types: {
      ...AROUND_BUDGETS, ...PAYMENTS, ...SUBSCRIPTIONS, Patient: 'R', RelatedPerson: 'R', Account: 'RS', CarePlan: 'RS', Claim: 'CRS', DocumentReference: 'CRS', Binary: 'CR',
    },
    operations: OPERATIONS.nominee,
    bundles: true,
    audience: 'nominee',
    rows: OWN_SUBSCRIPTIONS,
  },

  'care-coordinator': {
    types: {
      ...AROUND_BUDGETS, ...PAYMENTS, ...SUBSCRIPTIONS, Patient: 'CRS', RelatedPerson: 'CRUS', Account: 'CRS', CarePlan: 'CRUS', Claim: 'CRUS', Coverage: 'RS', Task: 'CRUS',
      CareTeam: 'CRUS', Consent: 'CRS', Observation: 'CRS', DocumentReference: 'CRS', Binary: 'CR', Group: 'RS', HealthcareService: 'CRUDS', List: 'CRUDS',
    },
    operations: OPERATIONS['care-coordinator'],
    bundles: true,
    audience: 'professional',
    rows: OWN_SUBSCRIPTIONS,
  },

  // A care coordinator who plans and drafts, and neither pays nor amends.
  broker: {
    types: {
      ...AROUND_BUDGETS, ...PAYMENTS, ...SUBSCRIPTIONS, Patient: 'RS', RelatedPerson: 'RS', Account: 'RS', CarePlan: 'CRUS', Claim: 'CRUS', Coverage: 'RS', Task: 'CRUS',
      CareTeam: 'RS', Observation: 'RS', DocumentReference: 'CRS', Binary: 'CR', Group: 'RS',
    },
    operations: OPERATIONS.broker,
    bundles: true,
    audience: 'professional',
    rows: OWN_SUBSCRIPTIONS,
  },

  'budget-manager': {
    types: {
      ...AROUND_BUDGETS, ...PAYMENTS, ...SUBSCRIPTIONS, Patient: 'CRS', RelatedPerson: 'RS', Account: 'CRUS', CarePlan: 'RS', Claim: 'CRUS', Coverage: 'RS', Task: 'CRUS',
      Consent: 'CRS', Observation: 'CRS', DocumentReference: 'CRS', Binary: 'CR', Group: 'RS', Measure: 'RS', MeasureReport: 'RS',
      HealthcareService: 'CRUDS', List: 'CRUDS',
    },
    operations: OPERATIONS['budget-manager'],
    bundles: true,
    audience: 'manager',
    rows: OWN_SUBSCRIPTIONS,
  },

  commissioner: {
    types: {
      ...AROUND_BUDGETS, ...PAYMENTS, ...SUBSCRIPTIONS, Patient: 'RS', RelatedPerson: 'RS', Account: 'CRS', CarePlan: 'RS', Claim: 'RS', Coverage: 'RS', Task: 'RS',
      Observation: 'CRS', DocumentReference: 'RS', Binary: 'R', Group: 'CRUS', Measure: 'RS', MeasureReport: 'RS', AuditEvent: 'RS', Provenance: 'RS',
    },
    operations: OPERATIONS.commissioner,
    bundles: true,
    audience: 'commissioner',
    rows: OWN_SUBSCRIPTIONS,
  },

  provider: { types: { ...AROUND_BUDGETS, ...SUBSCRIPTIONS, HealthcareService: 'RSP' }, operations: OPERATIONS.provider, bundles: true, audience: 'provider', rows: OWN_SUBSCRIPTIONS },

  'third-party': {
    types: { ...AROUND_BUDGETS, ...PAYMENTS, ...SUBSCRIPTIONS, Account: 'RS', Claim: 'CRS', DocumentReference: 'CRS', Binary: 'CR' },
    operations: OPERATIONS['third-party'],
    bundles: true,
    audience: 'third-party',
    rows: OWN_SUBSCRIPTIONS,
  },

  // Nothing else, not even definitions (ruling 31).
  practice: { types: { Patient: 'R', Task: 'RUS' }, operations: OPERATIONS.practice, bundles: true, audience: 'practice' },

  ovm: {
    types: { ...DEFINITIONS, ...ORGANIZATIONS, Patient: 'CRS', Observation: 'CRUS', Coverage: 'CRUS', DocumentReference: 'CRS', Binary: 'CR', Subscription: 'CRUDS', AuditEvent: 'RS', Provenance: 'RS' },
    operations: OPERATIONS.ovm,
    bundles: true,
    // What the server records of an organisation's own accesses is chosen by audit/; those that clients sent are nobody's but theirs.
    rows: { Observation: 'status-assertions', Coverage: 'entitlement-evidence', DocumentReference: 'assessment-documents', Binary: 'assessment-files', Subscription: 'own-subscriptions', AuditEvent: 'none', Provenance: 'own-assessing' },
  },

  // Three facts for one named patient, by the two status surfaces; their answerers take the request before any row is looked for.
  supplier: {
    types: { ...DEFINITIONS, Observation: 'RS', Subscription: 'CRUDS' },
    operations: OPERATIONS.supplier,
    bundles: 'GET',
    rows: { Observation: 'none', Subscription: 'own-subscriptions' },
  },

  // Write-only: the rows are those its conditional creates and withdrawals may match, and nothing is ever shown of them.
  'home-office': {
    types: { ...DEFINITIONS, Observation: 'CU', Binary: 'C' },
    operations: OPERATIONS['home-office'],
    bundles: 'POST',
    rows: { Observation: 'home-office-statements', Binary: 'own-files' },
    receiptsOnly: true,
  },

  // The same for a further feed; that it speaks for its own source only is a rule of the statements (chargeable-status/).
  feed: {
    types: { ...DEFINITIONS, Observation: 'CU', Binary: 'C' },
    operations: OPERATIONS.feed,
    bundles: true,
    rows: { Observation: 'feed-statements', Binary: 'own-files' },
    receiptsOnly: true,
  },
};
