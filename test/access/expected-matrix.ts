// The matrix of domain.md section 4 and its rulings, copied out by hand: nothing of src is imported here, and nothing of src imports this.

/** C create, R read, U update, D delete, S search, by type; a type that is not named is refused altogether. */
type Letters = Readonly<Record<string, string>>;

export interface Expected {
  /** Whose letters: the role of the matrix. */
  readonly letters: Letters;
  /** The rows of test/access/rows.ts (and patients, people and the care team of the world) that the bearer sees, of the types whose rows are not open to all. */
  readonly sees: readonly string[];
}

const OPEN: Letters = {
  StructureDefinition: 'RS', CodeSystem: 'RS', ValueSet: 'RS', ConceptMap: 'RS', OperationDefinition: 'RS', SearchParameter: 'RS', NamingSystem: 'RS', CompartmentDefinition: 'RS',
};
const DIRECTORY: Letters = { Organization: 'RS', Practitioner: 'RS', PractitionerRole: 'RS', Location: 'RS', Endpoint: 'RS', HealthcareService: 'RS', List: 'RS' };
const PAYMENTS: Letters = { PaymentNotice: 'RS', PaymentReconciliation: 'RS' };

const PATIENT: Letters = {
  ...OPEN, ...DIRECTORY, ...PAYMENTS, Patient: 'R', RelatedPerson: 'RS', Account: 'RS', CarePlan: 'RS', Claim: 'CRUS', Coverage: 'RS', Task: 'RS', Consent: 'CRS',
  DocumentReference: 'CRS', Binary: 'CR', AuditEvent: 'RS',
};
const NOMINEE: Letters = { ...OPEN, ...DIRECTORY, ...PAYMENTS, Patient: 'R', RelatedPerson: 'R', Account: 'RS', CarePlan: 'RS', Claim: 'CRS', DocumentReference: 'CRS', Binary: 'CR' };
const COORDINATOR: Letters = {
  ...OPEN, ...DIRECTORY, ...PAYMENTS, Patient: 'CRS', RelatedPerson: 'CRUS', Account: 'CRS', CarePlan: 'CRUS', Claim: 'CRUS', Coverage: 'RS', Task: 'CRUS', CareTeam: 'CRUS', Consent: 'CRS',
  Observation: 'CRS', DocumentReference: 'CRS', Binary: 'CR', Group: 'RS', HealthcareService: 'CRUDS', List: 'CRUDS',
};
const BROKER: Letters = {
  ...OPEN, ...DIRECTORY, ...PAYMENTS, Patient: 'RS', RelatedPerson: 'RS', Account: 'RS', CarePlan: 'CRUS', Claim: 'CRUS', Coverage: 'RS', Task: 'CRUS', CareTeam: 'RS', Observation: 'RS',
  DocumentReference: 'CRS', Binary: 'CR', Group: 'RS',
};
const MANAGER: Letters = {
  ...OPEN, ...DIRECTORY, ...PAYMENTS, Patient: 'CRS', RelatedPerson: 'RS', Account: 'CRUS', CarePlan: 'RS', Claim: 'CRUS', Coverage: 'RS', Task: 'CRUS', Consent: 'CRS', Observation: 'CRS',
  DocumentReference: 'CRS', Binary: 'CR', Group: 'RS', Measure: 'RS', MeasureReport: 'RS', HealthcareService: 'CRUDS', List: 'CRUDS',
};
const COMMISSIONER: Letters = {
  ...OPEN, ...DIRECTORY, ...PAYMENTS, Patient: 'RS', RelatedPerson: 'RS', Account: 'CRS', CarePlan: 'RS', Claim: 'RS', Coverage: 'RS', Task: 'RS', Observation: 'CRS', DocumentReference: 'RS',
  Binary: 'R', Group: 'CRUS', Measure: 'RS', MeasureReport: 'RS', AuditEvent: 'RS', Provenance: 'RS',
};
const PROVIDER: Letters = { ...OPEN, ...DIRECTORY };
const THIRD_PARTY: Letters = { ...OPEN, ...DIRECTORY, ...PAYMENTS, Account: 'RS', Claim: 'CRS', DocumentReference: 'CRS', Binary: 'CR' };
const PRACTICE: Letters = { Patient: 'R', Task: 'RUS' };
const OVM: Letters = { ...OPEN, Organization: 'RS', Practitioner: 'RS', PractitionerRole: 'RS', Location: 'RS', Endpoint: 'RS', HealthcareService: 'RS', Patient: 'CRS', Observation: 'CRUS', Coverage: 'CRUS', DocumentReference: 'CRS', Binary: 'CR', AuditEvent: 'RS', Provenance: 'RS' };

const EVERYBODYS = ['HealthcareService/gym'];
const DIRECTORIES = [...EVERYBODYS, 'List/directory'];

/** All that is around ada's budget, but for the payments and documents of single purchases. */
const AROUND_ADA = ['Patient/ada', 'RelatedPerson/nominee', 'RelatedPerson/proposed', 'RelatedPerson/ended', 'CareTeam/team', 'Consent/ada', 'CarePlan/ada', 'CarePlan/unlinked', 'Coverage/ada', 'Coverage/care',
  'Observation/decision', 'Task/review', 'Task/practice', 'Account/ada', 'Account/care', 'Account/joint', 'Claim/own', 'Claim/isf', 'Claim/joint'];
const PURCHASES = ['PaymentNotice/ada', 'PaymentNotice/isf', 'PaymentNotice/advance', 'PaymentReconciliation/ada', 'PaymentReconciliation/isf', 'DocumentReference/cited', 'Binary/cited'];
const CRITERIA = ['Group/criteria', 'Group/criteria-bob'];

/** By bearer: a name of world.ts. */
export const EXPECTED: Readonly<Record<string, Expected>> = {
  ada: {
    letters: PATIENT,
    sees: [...DIRECTORIES, 'Patient/ada', 'RelatedPerson/nominee', 'RelatedPerson/proposed', 'RelatedPerson/ended', 'Account/ada', 'Account/care', 'Account/joint', 'Claim/own', 'Claim/isf', 'Claim/joint',
      'CarePlan/ada', 'CarePlan/unlinked', 'Coverage/ada', 'Coverage/care', 'Task/review', 'Consent/ada', 'AuditEvent/ada', ...PURCHASES, 'DocumentReference/mine', 'Binary/mine', 'Binary/loose'],
  },
  bob: {
    letters: PATIENT,
    sees: [...DIRECTORIES, 'Patient/bob', 'RelatedPerson/bob', 'Account/bob', 'Claim/bob', 'Claim/namesake', 'CarePlan/bob', 'Coverage/bob', 'Consent/bob', 'AuditEvent/bob', 'PaymentNotice/bob',
      'PaymentReconciliation/bob', 'DocumentReference/bob', 'Binary/bob'],
  },
  nominee: { letters: NOMINEE, sees: [...DIRECTORIES, 'Patient/ada', 'RelatedPerson/nominee', 'Account/ada', 'CarePlan/ada', 'Claim/own', 'Claim/isf', ...PURCHASES] },
  proposed: { letters: NOMINEE, sees: [...DIRECTORIES, 'RelatedPerson/proposed'] },
  ended: { letters: NOMINEE, sees: [...DIRECTORIES, 'RelatedPerson/ended'] },
  coordinator: { letters: COORDINATOR, sees: [...DIRECTORIES, ...AROUND_ADA, ...PURCHASES, ...CRITERIA] },
  stranger: { letters: COORDINATOR, sees: [...DIRECTORIES, ...CRITERIA] },
  broker: { letters: BROKER, sees: [...DIRECTORIES, ...AROUND_ADA, ...PURCHASES, ...CRITERIA] },
  // In no care team: by the accounts of the organisation alone. Other owners' accounts and the shares of others stay hidden (ruling 57).
  manager: {
    letters: MANAGER,
    sees: [...DIRECTORIES, ...CRITERIA, ...AROUND_ADA.filter((row) => !['CareTeam/team', 'Account/care', 'Claim/joint'].includes(row)), ...PURCHASES, 'Measure/people', 'MeasureReport/icb'],
  },
  commissioner: {
    letters: COMMISSIONER,
    sees: [...DIRECTORIES, 'Patient/ada', 'Patient/eve', 'RelatedPerson/nominee', 'RelatedPerson/proposed', 'RelatedPerson/ended', 'Account/ada', 'Account/joint', 'Claim/own', 'Claim/isf', 'CarePlan/ada', 'Coverage/ada',
      'Observation/decision', 'Task/review', 'Group/criteria', 'Measure/people', 'MeasureReport/icb', 'AuditEvent/ada', 'Provenance/ada', ...PURCHASES],
  },
  // Merged into the commissioner, and below it: what it owned, not what its successor does.
  predecessor: {
    letters: COMMISSIONER,
    sees: [...DIRECTORIES, 'Patient/ada', 'RelatedPerson/nominee', 'RelatedPerson/proposed', 'RelatedPerson/ended', 'Account/ada', 'Account/joint', 'Claim/own', 'Claim/isf', 'CarePlan/ada', 'Coverage/ada',
      'Observation/decision', 'Task/review', 'Measure/people', 'AuditEvent/ada', 'Provenance/ada', ...PURCHASES],
  },
  otherCommissioner: {
    letters: COMMISSIONER,
    sees: [...DIRECTORIES, 'Patient/bob', 'RelatedPerson/bob', 'Account/bob', 'Claim/bob', 'Claim/namesake', 'CarePlan/bob', 'Coverage/bob', 'Observation/decision-bob', 'Group/criteria-bob', 'Measure/people',
      'MeasureReport/other', 'AuditEvent/bob', 'Provenance/bob', 'PaymentNotice/bob', 'PaymentReconciliation/bob', 'DocumentReference/bob', 'Binary/bob'],
  },
  // Owner of a child of the joint account: sees that and its own child, and no purchase that others pay a part of.
  authority: {
    letters: COMMISSIONER,
    sees: [...DIRECTORIES, 'Patient/ada', 'RelatedPerson/nominee', 'RelatedPerson/proposed', 'RelatedPerson/ended', 'Account/care', 'Account/joint', 'Coverage/care', 'Observation/decision', 'Measure/people', 'AuditEvent/ada'],
  },
  provider: { letters: PROVIDER, sees: DIRECTORIES },
  isf: { letters: THIRD_PARTY, sees: [...DIRECTORIES, 'Account/ada', 'Claim/isf', 'PaymentNotice/isf', 'PaymentReconciliation/isf'] },
  otherIsf: { letters: THIRD_PARTY, sees: [...DIRECTORIES, 'Account/ada'] },
  practice: { letters: PRACTICE, sees: ['Patient/ada', 'Patient/eve', 'Task/practice'] },
  otherPractice: { letters: PRACTICE, sees: ['Patient/bob', 'Task/bob'] },
  ovm: { letters: OVM, sees: [...EVERYBODYS, 'Patient/ada', 'Patient/bob', 'Patient/eve', 'Coverage/ehic', 'Observation/assessment', 'Provenance/assessment', 'DocumentReference/visa', 'Binary/visa'] },
  supplier: { letters: { ...OPEN, Observation: 'RS' }, sees: [] },
  homeOffice: { letters: { ...OPEN, Observation: 'CU', Binary: 'C' }, sees: [] },
};
