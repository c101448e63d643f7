// The operations of domain.md sections 3.6 and 4 and of R4, copied out by hand: nothing of src is imported here, and nothing of src imports this.

const TERMINOLOGY = ['lookup', 'validate-code', 'subsumes', 'expand', 'translate'];
/** Of one's own Subscriptions. */
const TOLD = ['status', 'events', 'dead-letters'];
const VIEW = ['balance', 'statement', 'spend-by-activity'];

/** By bearer of expected-matrix.ts: the codes that the role may call, beside those that are everybody's. */
const PATIENT = [...TOLD, ...TERMINOLOGY, ...VIEW, 'link-careplan', 'link-activity', 'nominate', 'end-nomination', 'pay'];
const NOMINEE = [...TOLD, ...TERMINOLOGY, ...VIEW, 'link-careplan', 'link-activity', 'accept-nomination', 'end-nomination', 'pay'];
const COORDINATOR = [
  ...TOLD, ...TERMINOLOGY, ...VIEW, 'open-budget', 'link-careplan', 'unlink-careplan', 'link-activity', 'approve-nomination', 'end-nomination', 'assign-allocation', 'adjust-allocation', 'transfer-allocation', 'review', 'close', 'pay',
  'refund', 'clawback', 'phb-eligibility', 'everything',
];
const MANAGER = [
  ...TOLD, ...TERMINOLOGY, ...VIEW, 'open-budget', 'link-careplan', 'unlink-careplan', 'link-activity', 'approve-nomination', 'assign-allocation', 'adjust-allocation', 'transfer-allocation', 'review', 'close', 'suspend', 'reopen', 'join',
  'leave', 'pay', 'refund', 'clawback', 'approve', 'reject', 'phb-eligibility',
];
const COMMISSIONER = [
  ...TOLD, ...TERMINOLOGY, ...VIEW, 'open-budget', 'approve-nomination', 'end-nomination', 'adjust-allocation', 'transfer-allocation', 'review', 'close', 'suspend', 'reopen', 'refund', 'clawback', 'approve', 'reject', 'phb-eligibility',
  'candidates', 'phb-candidates', 'evaluate-measure', 'export',
];
const OVM = [...TERMINOLOGY, ...TOLD, 'chargeable-status'];

export const MAY_CALL: Readonly<Record<string, readonly string[]>> = {
  ada: PATIENT, bob: PATIENT, nominee: NOMINEE, coordinator: COORDINATOR, stranger: COORDINATOR,
  broker: [...TOLD, ...TERMINOLOGY, ...VIEW, 'link-careplan', 'unlink-careplan', 'link-activity', 'phb-eligibility'],
  manager: MANAGER, commissioner: COMMISSIONER, otherCommissioner: COMMISSIONER, provider: [...TOLD, ...TERMINOLOGY, 'purchases', 'refund'], isf: [...TOLD, ...TERMINOLOGY, 'balance', 'statement', 'pay'],
  practice: [], ovm: OVM, supplier: OVM, homeOffice: [...TERMINOLOGY, 'ingest-status-feed'],
};

/** They tell of nothing but what was sent. */
export const EVERYBODYS = ['validate', 'versions'];

export interface Called {
  readonly code: string;
  /** A row of rows.ts (or a person of the world) that some see, and one that others see. */
  readonly on: readonly string[];
  /** Sent as Parameters: in the way of R4, each with its value. They are complete enough to be asked whose the row is. */
  readonly parameter?: readonly object[];
  /** Answered whole on a row that is seen. */
  readonly tells?: boolean;
}

const text = (name: string, valueString: string): object => ({ name, valueString });
const refers = (name: string, reference: string): object => ({ name, valueReference: { reference } });
const money = (name: string, value: number): object => ({ name, valueMoney: { value, currency: 'GBP' } });
/** Opened through the front door, so that there is money to tell of; seen by whoever sees the row of ACCOUNTS. */
const LIVE = ['Account/live-ada', 'Account/live-bob'];
const ACCOUNTS = ['Account/ada', 'Account/bob'];
const CLAIMS = ['Claim/own', 'Claim/bob'];
const PATIENTS = ['Patient/ada', 'Patient/bob'];

/** Every operation on a resource whose rows differ from caller to caller. */
export const ON_ROWS: readonly Called[] = [
  { code: 'balance', on: LIVE, tells: true }, { code: 'statement', on: LIVE, tells: true }, { code: 'spend-by-activity', on: ['CarePlan/ada', 'CarePlan/bob'] },
  { code: 'link-careplan', on: ACCOUNTS, parameter: [refers('carePlan', 'CarePlan/unlinked')] }, { code: 'unlink-careplan', on: ACCOUNTS, parameter: [refers('carePlan', 'CarePlan/ada'), text('reason', 'x')] },
  { code: 'link-activity', on: CLAIMS, parameter: [{ name: 'item', valuePositiveInt: 1 }, text('activityId', 'a1'), refers('carePlan', 'CarePlan/ada')] },
  { code: 'nominate', on: ACCOUNTS, parameter: [refers('party', 'RelatedPerson/nobody')] },
  { code: 'accept-nomination', on: ACCOUNTS }, { code: 'approve-nomination', on: ACCOUNTS }, { code: 'end-nomination', on: ACCOUNTS, parameter: [text('reason', 'x')] },
  { code: 'assign-allocation', on: ACCOUNTS, parameter: [{ name: 'line', part: [{ name: 'model', valueCode: 'notional' }, money('amount', 1)] }] },
  { code: 'adjust-allocation', on: ACCOUNTS, parameter: [money('delta', 1), text('reason', 'x'), refers('review', 'Task/review')] },
  { code: 'transfer-allocation', on: ACCOUNTS, parameter: [text('from', 'line-own'), text('to', 'line-isf'), money('amount', 1), text('reason', 'x'), refers('review', 'Task/review')] },
  { code: 'review', on: ACCOUNTS, parameter: [{ name: 'outcome', valueCode: 'continue' }] }, { code: 'suspend', on: ACCOUNTS, parameter: [text('reason', 'x')] },
  { code: 'close', on: ACCOUNTS, parameter: [{ name: 'reason', valueCode: 'death' }, refers('review', 'Task/review')] }, { code: 'reopen', on: ACCOUNTS, parameter: [text('reason', 'x'), refers('review', 'Task/review')] },
  { code: 'join', on: ACCOUNTS, parameter: [refers('account', 'Account/care'), refers('consent', 'Consent/ada'), text('reason', 'x')] }, { code: 'leave', on: ACCOUNTS, parameter: [refers('account', 'Account/care'), refers('consent', 'Consent/ada'), text('reason', 'x')] }, { code: 'pay', on: CLAIMS, parameter: [money('amount', 1)] },
  { code: 'clawback', on: ACCOUNTS, parameter: [money('amount', 1), { name: 'reason', valueCode: 'misused' }, { name: 'noticeDate', valueDate: '2026-11-20' }] }, { code: 'approve', on: CLAIMS, parameter: [text('reason', 'x')] }, { code: 'reject', on: CLAIMS, parameter: [text('reason', 'x')] },
  { code: 'refund', on: ['PaymentNotice/ada', 'PaymentNotice/bob'], parameter: [money('amount', 1), text('reason', 'x')] }, { code: 'phb-eligibility', on: PATIENTS }, { code: 'everything', on: PATIENTS, tells: true },
  { code: 'candidates', on: ['Group/criteria', 'Group/criteria-bob'] }, { code: 'chargeable-status', on: PATIENTS, tells: true },
  // An administrator's alone.
  { code: 'meta', on: PATIENTS }, { code: 'meta-add', on: PATIENTS }, { code: 'meta-delete', on: PATIENTS }, { code: 'diff', on: PATIENTS }, { code: 'graph', on: PATIENTS },
];

/** Those of types, of the system and of resources that are open to all, and where. */
export const ELSEWHERE: Readonly<Record<string, string>> = {
  'ingest-status-feed': 'Observation/$ingest-status-feed', 'define-feed': '$define-feed', 'status-feeds': '$status-feeds', 'match-statement': 'Observation/lab/$match-statement', 'unmatch-statement': 'Observation/lab/$unmatch-statement',
  'reject-statement': 'Observation/lab/$reject-statement', export: '$export', match: 'Patient/$match', lookup: 'CodeSystem/$lookup', 'validate-code': 'ValueSet/$validate-code', subsumes: 'CodeSystem/$subsumes', expand: 'ValueSet/$expand',
  translate: 'ConceptMap/$translate', lastn: 'Observation/$lastn', document: 'Composition/x/$document', activate: 'SearchParameter/x/$activate', deactivate: 'SearchParameter/x/$deactivate', 'open-budget': 'Account/$open-budget',
  'phb-candidates': 'Patient/$phb-candidates', 'evaluate-measure': 'Measure/phb-people/$evaluate-measure', purchases: 'Organization/x/$purchases', status: 'Subscription/$status', events: 'Subscription/x/$events',
  'dead-letters': 'Subscription/x/$dead-letters',
};
