// One row or more of every type that the matrix names, of ada (commissioner QWE), of bob (QXX) and of nobody, seeded past the rules of the domain.
import type { Resource } from '../../src/fhir/resource.js';
import { assessmentBody, BASE, coverageBody, evidence } from '../domain/people.js';
import { budgetBody, coded, coverageOf, managerEntry, planBody, purchaseBody, teamBody, type World } from '../domain/world.js';

const ref = (reference: string): { reference: string } => ({ reference });
const decision = (patient: string): object => ({
  resourceType: 'Observation', status: 'final', code: coded('eligibility-basis', 'nhs-chc'), subject: ref(`Patient/${patient}`), effectiveDateTime: '2026-10-01', valueCodeableConcept: coded('eligibility-decision', 'eligible'),
});
const task = (patient: string, code: string, focus: string, owner: string): object => ({
  resourceType: 'Task', status: 'requested', intent: 'order', code: coded('task-code', code), focus: ref(focus), for: ref(`Patient/${patient}`), owner: ref(`Organization/${owner}`),
});
const document = (patient: string, binary: string, author?: string): object => ({
  resourceType: 'DocumentReference', status: 'current', subject: ref(`Patient/${patient}`), content: [{ attachment: { contentType: 'application/pdf', url: `Binary/${binary}` } }], ...(author !== undefined && { author: [ref(author)] }),
});
const notice = (claim: string, payment: string, organization: string): object => ({
  resourceType: 'PaymentNotice', status: 'active', created: '2026-11-20', request: ref(claim), payment: ref(`PaymentReconciliation/${payment}`), recipient: ref(`Organization/${organization}`), amount: { value: 30, currency: 'GBP' },
});
const payment = (claim: string): object => ({
  resourceType: 'PaymentReconciliation', status: 'active', created: '2026-11-20', paymentDate: '2026-11-20', paymentAmount: { value: 30, currency: 'GBP' },
  detail: [{ type: coded('http://terminology.hl7.org/CodeSystem/payment-type', 'payment'), request: ref(claim) }],
});
const criteria = (organization: string): object => ({
  resourceType: 'Group', type: 'person', actual: false, managingEntity: ref(`Organization/${organization}`), characteristic: [{ code: coded('criterion', 'age'), valueBoolean: true, exclude: false }],
});
const report = (organization: string): object => ({
  resourceType: 'MeasureReport', status: 'complete', type: 'summary', measure: `${BASE}/Measure/phb-people`, reporter: ref(`Organization/${organization}`), period: { start: '2026-07-01', end: '2026-09-30' },
});
const assessing = (ods: string): object => ({
  resourceType: 'Provenance', target: [ref('Observation/assessment')], recorded: '2026-11-20T09:00:00Z', agent: [{ who: { type: 'Organization', identifier: { system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: ods } } }],
});
const access = (patient: string): object => ({
  resourceType: 'AuditEvent', type: { code: 'rest' }, recorded: '2026-11-20T09:00:00Z', agent: [{ requestor: true }], source: { observer: { display: 'x' } }, entity: [{ what: ref(`Patient/${patient}`) }],
});

/** The rows by `Type/name`: the names are their ids. */
export function rowsOf({ patients: { ada, bob }, organizations: of, related }: World): readonly Resource[] {
  const rows: Record<string, any> = {
    'Account/ada': budgetBody({
      patient: ada, owner: of.oldCcg, plans: ['CarePlan/ada'],
      lines: [{ model: 'notional', amount: 9000, lineId: 'line-own' }, { model: 'third-party', amount: 2000, lineId: 'line-isf', holder: `Organization/${of.isf}` }, { model: 'third-party', amount: 1000, lineId: 'line-other', holder: `Organization/${of.otherIsf}` }],
      managers: [
        managerEntry(`RelatedPerson/${related.nominee}`, 'approved'), managerEntry(`RelatedPerson/${related.proposed}`, 'proposed'),
        managerEntry(`RelatedPerson/${related.ended}`, 'approved', { start: '2020-01-01', end: '2020-02-01' }),
      ],
      rest: { partOf: ref('Account/joint'), coverage: [{ coverage: ref('Coverage/ada') }] },
    }),
    'Account/care': budgetBody({ patient: ada, owner: of.authority, rest: { partOf: ref('Account/joint'), coverage: [{ coverage: ref('Coverage/care') }] } }),
    'Account/joint': budgetBody({ patient: ada, owner: of.icb, lines: [], rest: { type: coded('account-type', 'joint-budget') } }),
    'Account/bob': budgetBody({ patient: bob, owner: of.otherIcb, plans: ['CarePlan/bob'] }),
    'Claim/own': purchaseBody({ patient: ada, budget: 'ada', provider: of.provider, recordedBy: `Patient/${ada}`, line: 'line-own', coverage: 'Coverage/ada', evidence: 'DocumentReference/cited' }),
    'Claim/isf': purchaseBody({ patient: ada, budget: 'ada', provider: of.provider, recordedBy: `Patient/${ada}`, line: 'line-isf', coverage: 'Coverage/ada' }),
    'Claim/joint': {
      ...purchaseBody({ patient: ada, budget: 'joint', provider: of.provider, recordedBy: `Patient/${ada}` }),
      insurance: [{ sequence: 1, focal: true, coverage: ref('Coverage/ada') }, { sequence: 2, focal: false, coverage: ref('Coverage/care') }],
    },
    'Claim/bob': purchaseBody({ patient: bob, budget: 'bob', provider: of.provider, recordedBy: `Patient/${bob}`, evidence: 'DocumentReference/bob' }),
    // A line of the same name on an account where the third party has none.
    'Claim/namesake': purchaseBody({ patient: bob, budget: 'bob', provider: of.provider, recordedBy: `Patient/${bob}`, line: 'line-isf' }),
    'Claim/dentist': { ...purchaseBody({ patient: ada, budget: 'ada', provider: of.provider, recordedBy: `Patient/${ada}` }), extension: [] },
    'CarePlan/ada': planBody(ada), 'CarePlan/unlinked': planBody(ada), 'CarePlan/bob': planBody(bob),
    'CareTeam/bob': teamBody(bob, []),
    'Coverage/ada': coverageOf(ada, of.oldCcg), 'Coverage/care': coverageOf(ada, of.authority), 'Coverage/bob': coverageOf(bob, of.otherIcb), 'Coverage/ehic': coverageBody(ada, 'EHIC', '2027-01-01'),
    'RelatedPerson/bob': { resourceType: 'RelatedPerson', patient: ref(`Patient/${bob}`) },
    'Task/review': task(ada, 'budget-review', 'Account/ada', of.icb), 'Task/practice': task(ada, 'confirm-medical-history', 'Account/ada', of.practice), 'Task/bob': task(bob, 'confirm-medical-history', 'Account/bob', of.otherPractice),
    // About bob, who is none of this practice's patients.
    'Task/stray': task(bob, 'confirm-medical-history', 'Account/bob', of.practice),
    'Consent/ada': { resourceType: 'Consent', status: 'active', scope: coded('http://terminology.hl7.org/CodeSystem/consentscope', 'treatment'), category: [{ text: 'x' }], patient: ref(`Patient/${ada}`) },
    'Consent/bob': { resourceType: 'Consent', status: 'active', scope: coded('http://terminology.hl7.org/CodeSystem/consentscope', 'treatment'), category: [{ text: 'x' }], patient: ref(`Patient/${bob}`) },
    'DocumentReference/cited': document(ada, 'cited'), 'DocumentReference/mine': document(ada, 'mine', `Patient/${ada}`), 'DocumentReference/bob': document(bob, 'bob'),
    'DocumentReference/visa': document(ada, 'visa'), 'Binary/visa': { resourceType: 'Binary', contentType: 'application/pdf', data: 'JVBE' },
    'Binary/cited': { resourceType: 'Binary', contentType: 'application/pdf', data: 'JVBE' }, 'Binary/mine': { resourceType: 'Binary', contentType: 'application/pdf', data: 'JVBE' },
    'Binary/bob': { resourceType: 'Binary', contentType: 'application/pdf', data: 'JVBE' }, 'Binary/loose': { resourceType: 'Binary', contentType: 'application/pdf', data: 'JVBE', securityContext: ref(`Patient/${ada}`) },
    'PaymentNotice/ada': notice('Claim/own', 'ada', of.provider), 'PaymentNotice/isf': notice('Claim/isf', 'isf', of.provider), 'PaymentNotice/bob': notice('Claim/bob', 'bob', of.provider),
    'PaymentNotice/advance': notice('Account/ada', 'ada', of.provider),
    'PaymentReconciliation/ada': payment('Claim/own'), 'PaymentReconciliation/isf': payment('Claim/isf'), 'PaymentReconciliation/bob': payment('Claim/bob'),
    'Observation/decision': decision(ada), 'Observation/decision-bob': decision(bob),
    'Observation/lab': { resourceType: 'Observation', status: 'final', code: { text: 'HIV' }, subject: ref(`Patient/${ada}`) },
    'Observation/assessment': assessmentBody(ada, 'F', '2026-05-10', { extension: [evidence('DocumentReference/visa')] }),
    'Group/criteria': criteria(of.icb), 'Group/criteria-bob': criteria(of.otherIcb), 'Group/people': { resourceType: 'Group', type: 'person', actual: true, member: [{ entity: ref(`Patient/${ada}`) }] },
    'List/directory': { resourceType: 'List', status: 'current', mode: 'working', code: coded('list-code', 'phb-directory') }, 'List/problems': { resourceType: 'List', status: 'current', mode: 'working', subject: ref(`Patient/${ada}`) },
    'HealthcareService/gym': { resourceType: 'HealthcareService', active: true, name: 'Gym', providedBy: ref(`Organization/${of.provider}`) },
    'Measure/people': { resourceType: 'Measure', status: 'active' }, 'MeasureReport/icb': report(of.icb), 'MeasureReport/other': report(of.otherIcb),
    'AuditEvent/ada': access(ada), 'AuditEvent/bob': access(bob),
    'Provenance/assessment': assessing('RR8'), 'Provenance/assessment-elsewhere': assessing('RA9'),
    'Provenance/ada': { resourceType: 'Provenance', target: [ref('Account/ada')], recorded: '2026-11-20T09:00:00Z', agent: [{ who: { display: 'x' } }] },
    'Provenance/bob': { resourceType: 'Provenance', target: [ref('Account/bob')], recorded: '2026-11-20T09:00:00Z', agent: [{ who: { display: 'x' } }] },
    'Condition/ada': { resourceType: 'Condition', subject: ref(`Patient/${ada}`) },
    'Flag/ada': { resourceType: 'Flag', status: 'active', code: { text: 'x' }, subject: ref(`Patient/${ada}`) },
  };
  return Object.entries(rows).map(([key, row]) => ({ ...row, id: key.slice(key.indexOf('/') + 1) }));
}
