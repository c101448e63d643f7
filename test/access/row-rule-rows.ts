// The cases of expected-row-rules.ts as rows, seeded past the rules of the domain. By default a patient is registered, owned and looked after by others.
import type { Resource } from '../../src/fhir/resource.js';
import { assessmentBody, coverageBody, statementBody } from '../domain/people.js';
import { budgetBody, coded, coverageOf, managerEntry, organizationBody, planBody, purchaseBody, teamBody, type World } from '../domain/world.js';

interface Facts {
  /** Organisations' ids; null names none. */
  readonly managing?: string | null;
  readonly practices?: readonly string[];
  readonly owner?: string | null;
  readonly managers?: readonly object[];
  readonly team?: Team;
  /** A team of nobody's that the plan of this status names. */
  readonly plan?: { readonly status: string; readonly team: Team };
  /** Holders of the lines l1, l2 …; the claim is on `claimLine`. */
  readonly holders?: readonly (string | null)[];
  readonly claimLine?: string;
  /** Owner of the practice's task. */
  readonly taskOwner?: string;
  readonly joint?: readonly ('first' | 'second')[];
  readonly patient?: string;
}

interface Team {
  readonly status: string;
  readonly members: readonly string[];
}

const ref = (reference: string): { reference: string } => ({ reference });
const OTHER_TEAM = 'another';

function casesOf({ organizations: of, related, roles, patients }: World): Readonly<Record<string, Facts>> {
  const me = `RelatedPerson/${related.nominee}`;
  const other = `RelatedPerson/${related.proposed}`;
  const [once, later] = [{ start: '2020-01-01', end: '2021-01-01' }, { start: '2100-01-01' }];
  const nominee = (...managers: object[]): Facts => ({ managers });
  const ours = [`PractitionerRole/${roles.coordinator}`, `PractitionerRole/${roles.broker}`];
  const theirs = [`PractitionerRole/${roles.stranger}`];
  const team = (status: string, members = ours): Facts => ({ team: { status, members } });
  const plan = (status: string, teamStatus = 'active'): Facts => ({ plan: { status, team: { status: teamStatus, members: ours } } });
  return {
    elsewhere: {}, nowhere: { managing: null, practices: [] },
    'nominee-approved': nominee(managerEntry(me, 'approved')),
    'nominee-approved-with-an-end-ahead': nominee(managerEntry(me, 'approved', { start: '2020-01-01', end: '2100-01-01' })),
    'nominee-approved-without-a-start': nominee(managerEntry(me, 'approved', { end: '2100-01-01' })),
    'nominee-approved-beside-another': nominee(managerEntry(other, 'approved'), managerEntry(me, 'approved')),
    'nominee-approved-after-a-rejection': nominee(managerEntry(me, 'rejected', once), managerEntry(me, 'approved')),
    'nominee-proposed': nominee(managerEntry(me, 'proposed')), 'nominee-accepted': nominee(managerEntry(me, 'accepted')), 'nominee-ended': nominee(managerEntry(me, 'ended')), 'nominee-rejected': nominee(managerEntry(me, 'rejected')),
    'nominee-approved-once': nominee(managerEntry(me, 'approved', once)), 'nominee-approved-from-next-century': nominee(managerEntry(me, 'approved', later)), 'nominee-is-another': nominee(managerEntry(other, 'approved')),
    'nominee-approved-once-and-proposed-now': nominee(managerEntry(me, 'approved', once), managerEntry(me, 'proposed')),
    'nominee-approved-once-beside-another-now': nominee(managerEntry(me, 'approved', once), managerEntry(other, 'approved')),

    'team-active': team('active'), 'team-active-of-several': team('active', [...theirs, ...ours]), 'team-of-active-plan': plan('active'),
    'team-proposed': team('proposed'), 'team-suspended': team('suspended'), 'team-inactive': team('inactive'), 'team-entered-in-error': team('entered-in-error'), 'team-of-others': team('active', theirs),
    'team-inactive-beside-another-active': { team: { status: 'inactive', members: ours }, plan: { status: 'active', team: { status: 'active', members: theirs } } },
    'team-of-draft-plan': plan('draft'), 'team-of-on-hold-plan': plan('on-hold'), 'team-of-revoked-plan': plan('revoked'), 'team-of-completed-plan': plan('completed'), 'team-of-entered-in-error-plan': plan('entered-in-error'),
    'inactive-team-of-active-plan': plan('active', 'inactive'),

    'owner-own': { owner: of.icb }, 'owner-below': { owner: of.oldCcg }, 'owner-far-below': { owner: 'far-below' }, 'owner-authority': { owner: of.authority }, 'owner-nobody': { owner: null },
    'patient-of-own': { managing: of.icb }, 'patient-of-below': { managing: 'beside' }, 'patient-by-practice': { managing: null, practices: [of.practice] },
    'patient-of-trust-by-practice': { managing: of.region, practices: [of.practice] }, 'patient-of-other-by-practice': { managing: of.otherIcb, practices: [of.practice] },
    'joint-drawn-on-both': { joint: ['first', 'second'] }, 'joint-drawn-on-first': { joint: ['first'] }, 'joint-owned-drawn-on-both': { owner: of.icb, joint: ['first', 'second'] },

    'line-own': { holders: [of.isf] }, 'line-own-beside-another': { holders: [of.isf, of.otherIsf] }, 'line-of-another': { holders: [of.otherIsf] }, 'line-of-nobody': { holders: [null] },
    'claim-on-another-line': { holders: [of.isf, of.otherIsf], claimLine: 'l2' },

    'practice-own': { practices: [of.practice], taskOwner: of.practice }, 'practice-one-of-two': { practices: [of.otherPractice, of.practice], taskOwner: of.practice }, 'practice-of-another': {},
    'practice-task-of-anothers-patient': { taskOwner: of.practice }, 'practice-own-task-of-another': { practices: [of.practice] },
    self: { patient: patients.ada },
  };
}

/** `Type/case` and `Type/case.variant`. */
export function ruleRowsOf(world: World): readonly Resource[] {
  const { organizations: of } = world;
  const below: Resource[] = [{ ...organizationBody('BELOW', 'ccg', of.oldCcg), id: 'far-below' } as Resource, { ...organizationBody('BESIDE', 'ccg', of.icb), id: 'beside' } as Resource];
  return [...below, ...Object.entries(casesOf(world)).flatMap(([name, facts]) => rowsOfCase(world, name, facts))];
}

function rowsOfCase(world: World, name: string, facts: Facts): Resource[] {
  const { organizations: of } = world;
  const patient = facts.patient ?? name;
  const owner = facts.owner === undefined ? of.otherIcb : facts.owner;
  const managing = facts.managing === undefined ? of.otherIcb : facts.managing;
  const author = `PractitionerRole/${world.roles.stranger}-x`;
  const rows: Record<string, any> = {
    ...(facts.patient === undefined && { Patient: {
      resourceType: 'Patient', name: [{ family: `Family of ${name}` }], birthDate: '1980-02-29', generalPractitioner: (facts.practices ?? [of.otherPractice]).map((id) => ref(`Organization/${id}`)),
      ...(managing !== null && { managingOrganization: ref(`Organization/${managing}`) }),
    } }),
    RelatedPerson: { resourceType: 'RelatedPerson', patient: ref(`Patient/${patient}`) },
    CarePlan: planBody(patient, [], { status: 'active' }), 'CarePlan.unlinked': facts.plan ? planBody(patient, [`CareTeam/${name}.named`], { status: facts.plan.status }) : planBody(patient),
    CareTeam: teamBody(patient, facts.team?.members ?? [`PractitionerRole/${OTHER_TEAM}`], facts.team?.status ?? 'active'),
    ...(facts.plan && { 'CareTeam.named': { ...teamBody(patient, facts.plan.team.members, facts.plan.team.status), subject: undefined } }),
    Consent: { resourceType: 'Consent', status: 'active', scope: coded('http://terminology.hl7.org/CodeSystem/consentscope', 'treatment'), category: [{ text: 'x' }], patient: ref(`Patient/${patient}`) },
    ...budgetRows(world, name, patient, owner, facts),
    'Claim.dentist': { ...purchaseBody({ patient, budget: name, provider: of.provider, recordedBy: `Patient/${patient}` }), extension: [] },
    DocumentReference: document(patient, name), Binary: FILE, 'DocumentReference.loose': { ...document(patient, `${name}.loose`), author: [ref(author)] }, 'Binary.loose': { ...FILE, securityContext: ref(author) },
    PaymentNotice: {
      resourceType: 'PaymentNotice', status: 'active', created: '2026-11-20', request: ref(`Claim/${name}`), payment: ref(`PaymentReconciliation/${name}`), recipient: ref(`Organization/${of.provider}`), amount: { value: 30, currency: 'GBP' },
    },
    PaymentReconciliation: {
      resourceType: 'PaymentReconciliation', status: 'active', created: '2026-11-20', paymentDate: '2026-11-20', paymentAmount: { value: 30, currency: 'GBP' },
      detail: [{ type: coded('http://terminology.hl7.org/CodeSystem/payment-type', 'payment'), request: ref(`Claim/${name}`) }],
    },
    Task: task(patient, 'budget-review', `Account/${name}`, of.provider), 'Task.request': task(patient, 'budget-request', `Account/${name}`, of.provider),
    'Task.practice': task(patient, 'confirm-medical-history', `Account/${name}`, facts.taskOwner ?? of.otherPractice),
    Observation: { ...observation(patient), code: coded('eligibility-basis', 'nhs-chc') }, 'Observation.lab': { ...observation(patient), code: { text: 'HIV' } },
    'Observation.assessment': assessmentBody(patient, 'F', '2026-05-10'), 'Observation.statement': { ...statementBody('9990000018', 'likely-chargeable', '2026-05-10'), subject: ref(`Patient/${patient}`) },
    'Coverage.evidence': coverageBody(patient, 'EHIC', '2100-01-01'),
    AuditEvent: { resourceType: 'AuditEvent', type: { code: 'rest' }, recorded: '2026-11-20T09:00:00Z', agent: [{ requestor: true }], source: { observer: { display: 'x' } }, entity: [{ what: ref(`Patient/${patient}`) }] },
    Provenance: { resourceType: 'Provenance', target: [ref(`Account/${name}`)], recorded: '2026-11-20T09:00:00Z', agent: [{ who: { display: 'x' } }] },
  };
  return Object.entries(rows).map(([key, { id: _id, ...row }]) => {
    const [, variant] = key.split('.');
    return { ...row, id: variant === undefined ? name : `${name}.${variant}` };
  });
}

/** The account, its coverage, and the claim on it: of one owner, or joint. */
function budgetRows({ organizations: of }: World, name: string, patient: string, owner: string | null, { managers = [], holders = [null], claimLine = 'l1', joint }: Facts): Record<string, any> {
  const lines = holders.map((holder, index) => ({ model: holder === null ? 'notional' : 'third-party', amount: 1000, lineId: `l${index + 1}`, ...(holder !== null && { holder: `Organization/${holder}` }) }));
  const account = (of: string | null, rest: object): any => ({ ...budgetBody({ patient, owner: of ?? 'x', lines, managers, rest }), ...(of === null && { owner: undefined }) });
  const claim = purchaseBody({ patient, budget: name, provider: of.provider, recordedBy: `Patient/${patient}`, line: claimLine, coverage: `Coverage/${name}`, evidence: `DocumentReference/${name}` });
  if (!joint) return { Account: account(owner, { extension: [...account(owner, {}).extension, plan(name)] }), Coverage: coverageOf(patient, owner ?? 'x'), Claim: claim };
  return {
    Account: account(owner, { type: coded('account-type', 'joint-budget') }), Coverage: coverageOf(patient, of.otherIcb),
    'Account.first': account(of.icb, { partOf: ref(`Account/${name}`) }), 'Account.second': account(of.authority, { partOf: ref(`Account/${name}`) }),
    'Coverage.first': coverageOf(patient, of.icb), 'Coverage.second': coverageOf(patient, of.authority),
    Claim: { ...claim, insurance: joint.map((child, index) => ({ sequence: index + 1, focal: index === 0, coverage: ref(`Coverage/${name}.${child}`) })) },
  };
}

const FILE = { resourceType: 'Binary', contentType: 'application/pdf', data: 'JVBE' };
const plan = (name: string): object => ({
  url: 'https://fhir.entitle.example/StructureDefinition/ext-budget-careplan', extension: [{ url: 'plan', valueReference: ref(`CarePlan/${name}`) }, { url: 'linkedAt', valueDateTime: '2026-11-01T09:00:00Z' }],
});
const observation = (patient: string): object => ({ resourceType: 'Observation', status: 'final', subject: ref(`Patient/${patient}`), effectiveDateTime: '2026-10-01', valueCodeableConcept: coded('eligibility-decision', 'eligible') });
const task = (patient: string, code: string, focus: string, owner: string): object => ({ resourceType: 'Task', status: 'requested', intent: 'order', code: coded('task-code', code), focus: ref(focus), for: ref(`Patient/${patient}`), owner: ref(`Organization/${owner}`) });
const document = (patient: string, binary: string): object => ({ resourceType: 'DocumentReference', status: 'current', subject: ref(`Patient/${patient}`), content: [{ attachment: { contentType: 'application/pdf', url: `Binary/${binary}` } }] });
