// The row rules of domain.md section 4 and its rulings, copied out by hand: whose rows, in which states, in which periods. Nothing of src is imported
// here, and nothing of src imports this. The cases are made in row-rule-rows.ts: each is a patient of its own with a row of every type around them,
// alike in all but the one fact that the case is named after.

export interface RowRule {
  readonly says: string;
  /** Names of world.ts. */
  readonly bearers: readonly string[];
  /** What is seen in the cases of `seen`, and in them nothing else: `Type`, or `Type.variant`. */
  readonly types: readonly string[];
  readonly seen: readonly string[];
  /** In these nothing at all is seen. */
  readonly hidden: readonly string[];
}

/** A claim, what it cites, and what was paid of it. */
const PURCHASE = ['Claim', 'DocumentReference', 'Binary', 'PaymentNotice', 'PaymentReconciliation'];
/** All that a professional sees around a patient. The rest of the compartment, entitlement above all, is not theirs. */
const AROUND = ['Patient', 'RelatedPerson', 'Account', 'CarePlan', 'CarePlan.unlinked', 'Coverage', 'Task', 'Task.request', 'Task.practice', 'CareTeam', 'Consent', 'Observation', ...PURCHASE];
const NOBODYS = ['elsewhere', 'nowhere'];

export const RULES: readonly RowRule[] = [
  {
    says: 'NOM: the accounts that list them, approved and in its period, and what hangs on those',
    bearers: ['nominee'],
    types: ['Patient', 'Account', 'CarePlan', ...PURCHASE],
    seen: ['nominee-approved', 'nominee-approved-with-an-end-ahead', 'nominee-approved-without-a-start', 'nominee-approved-beside-another', 'nominee-approved-after-a-rejection'],
    hidden: [
      'nominee-proposed', 'nominee-accepted', 'nominee-ended', 'nominee-rejected', 'nominee-approved-once', 'nominee-approved-from-next-century', 'nominee-is-another', 'nominee-approved-once-and-proposed-now',
      'nominee-approved-once-beside-another-now', ...NOBODYS,
    ],
  },
  { says: 'NOM: a nomination is nobody else\'s', bearers: ['ended'], types: [], seen: [], hidden: ['nominee-approved', 'nominee-proposed'] },
  {
    says: 'CC: patients with a relationship: an active CareTeam of theirs, or one that an active CarePlan names, with the token\'s PractitionerRole in it (ruling 26)',
    bearers: ['coordinator', 'broker'],
    types: AROUND,
    seen: ['team-active', 'team-active-of-several', 'team-of-active-plan'],
    hidden: [
      'team-proposed', 'team-suspended', 'team-inactive', 'team-entered-in-error', 'team-of-others', 'team-inactive-beside-another-active', 'team-of-draft-plan', 'team-of-on-hold-plan', 'team-of-revoked-plan', 'team-of-completed-plan',
      'team-of-entered-in-error-plan', 'inactive-team-of-active-plan', 'owner-own', 'patient-of-own', ...NOBODYS,
    ],
  },
  { says: 'CC: a team is its members\' alone', bearers: ['stranger'], types: AROUND, seen: ['team-of-others', 'team-inactive-beside-another-active'], hidden: ['team-active', 'team-of-active-plan', 'owner-own'] },
  {
    says: 'MGR: a caseload is the relationships and the subjects of accounts that the organisation or one below it owns (ruling 26)',
    bearers: ['manager'],
    types: AROUND,
    seen: ['owner-own', 'owner-below', 'owner-far-below'],
    hidden: ['owner-authority', 'owner-nobody', 'patient-of-own', 'patient-by-practice', 'team-active', 'team-of-active-plan', ...NOBODYS],
  },
  {
    says: 'ICB: Account.owner is the organisation or one below it (merged organisations are below their successor)',
    bearers: ['commissioner'],
    types: ['Patient', 'RelatedPerson', 'Account', 'CarePlan', 'Coverage', 'Task', 'Task.request', 'Observation', 'AuditEvent', 'Provenance', ...PURCHASE],
    seen: ['owner-own', 'owner-below', 'owner-far-below'],
    hidden: ['owner-authority', 'owner-nobody', 'team-active', ...NOBODYS],
  },
  {
    says: 'ICB: below is not above: the organisation that was merged sees what it owned, not what its successor does',
    bearers: ['predecessor'],
    types: ['Patient', 'RelatedPerson', 'Account', 'CarePlan', 'Coverage', 'Task', 'Task.request', 'Observation', 'AuditEvent', 'Provenance', ...PURCHASE],
    seen: ['owner-below', 'owner-far-below'],
    hidden: ['owner-own', 'patient-of-own', 'patient-by-practice'],
  },
  {
    says: 'ICB: a patient belongs to managingOrganization, else to the commissioner above the practice (ruling 25); their budgets stay their owner\'s',
    bearers: ['commissioner'],
    types: ['Patient', 'RelatedPerson', 'Observation', 'AuditEvent'],
    seen: ['patient-of-own', 'patient-of-below', 'patient-by-practice', 'patient-of-trust-by-practice'],
    hidden: ['patient-of-other-by-practice'],
  },
  {
    says: 'A joint account is read by the owners of its children; a claim by the owner of every child drawn (ruling 57)',
    bearers: ['commissioner'],
    types: ['Patient', 'RelatedPerson', 'Observation', 'AuditEvent', 'Provenance', 'Account', 'Account.first', 'Coverage.first'],
    seen: ['joint-drawn-on-both'],
    hidden: [],
  },
  {
    says: 'A joint claim on the own child alone is its owner\'s',
    bearers: ['commissioner'],
    types: ['Patient', 'RelatedPerson', 'Observation', 'AuditEvent', 'Provenance', 'Account', 'Account.first', 'Coverage.first', 'Claim', 'DocumentReference', 'Binary', 'PaymentNotice', 'PaymentReconciliation'],
    seen: ['joint-drawn-on-first'],
    hidden: [],
  },
  {
    says: 'The owner of the joint account itself sees no claim that others pay a part of',
    bearers: ['commissioner'],
    types: ['Patient', 'RelatedPerson', 'Observation', 'AuditEvent', 'Provenance', 'Account', 'Account.first', 'Coverage.first', 'Task', 'Task.request'],
    seen: ['joint-owned-drawn-on-both'],
    hidden: [],
  },
  {
    says: 'The other owner sees its own child and no claim that others pay',
    bearers: ['authority'],
    types: ['Patient', 'RelatedPerson', 'Observation', 'AuditEvent', 'Provenance', 'Account', 'Account.second', 'Coverage.second'],
    seen: ['joint-drawn-on-both', 'joint-drawn-on-first'],
    hidden: ['owner-own', 'patient-of-own'],
  },
  { says: 'third party: the account of an own line, and the claims on it (ruling 35)', bearers: ['isf'], types: ['Account', ...PURCHASE], seen: ['line-own', 'line-own-beside-another'], hidden: ['line-of-another', 'line-of-nobody', 'owner-own', ...NOBODYS] },
  { says: 'third party: no claims on the lines of others', bearers: ['isf'], types: ['Account'], seen: ['claim-on-another-line'], hidden: [] },
  { says: 'GP: the practice\'s own patients, and the tasks about them that it was given (ruling 31)', bearers: ['practice'], types: ['Patient', 'Task.practice'], seen: ['practice-own', 'practice-one-of-two'], hidden: ['practice-of-another', 'practice-task-of-anothers-patient', ...NOBODYS] },
  { says: 'GP: a task of another practice is not theirs', bearers: ['practice'], types: ['Patient'], seen: ['practice-own-task-of-another', 'patient-by-practice'], hidden: [] },
  {
    says: 'PT: the own compartment: budgets, purchases, plans and reviews, never entitlement or the tasks of others',
    bearers: ['ada'],
    types: ['RelatedPerson', 'Account', 'CarePlan', 'CarePlan.unlinked', 'Coverage', 'Task', 'Consent', 'AuditEvent', ...PURCHASE],
    seen: ['self'],
    hidden: ['owner-own', 'team-active', 'nominee-approved', ...NOBODYS],
  },
  { says: 'OVM: any patient, their assessments and evidence, and nothing of budgets', bearers: ['ovm'], types: ['Patient', 'Observation.assessment', 'Observation.statement', 'Coverage.evidence'], seen: ['owner-own', 'elsewhere', 'nowhere', 'team-active'], hidden: [] },
  { says: 'SUP, HO, PRV: no row of anybody\'s', bearers: ['supplier', 'homeOffice', 'provider'], types: [], seen: [], hidden: ['owner-own', 'elsewhere'] },
];
