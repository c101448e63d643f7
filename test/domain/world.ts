// A small NHS for tests: organisations by ODS code, patients, professionals with roles, care teams, budgets and purchases, and a token for each
// who may ask. Everything is made through the front door by admin. `budgetBody` and the like give bodies to be sent by others.
//
//   const world = await makeWorld(server);
//   await server.send('GET', `Account/${world.budget}`, { token: world.tokens.manager });
//
// Region NHS1 has the commissioner QWE, which took over the CCG 05A (below it, with an account of its own), the practice Y02494 and the
// provider PROV1; QXX is another commissioner, LA1 a local authority, ISF1 and ISF2 hold third-party lines. Patients: `ada` (budget, relationship),
// `bob` (other commissioner, nobody's relationship), `eve` (restricted, of QWE by her practice).
import type { Role } from '../../src/fhir/caller.js';
import type { Answer, TestServer } from '../server.js';
import { BASE, extension, NHS, numbers } from './people.js';

export const ODS = 'https://fhir.nhs.uk/Id/ods-organization-code';
export const coded = (system: string, code: string): object => ({ coding: [{ system: system.startsWith('http') ? system : `${BASE}/CodeSystem/${system}`, code }] });
const ref = (reference: string): { reference: string } => ({ reference });
const money = (value: number): object => ({ value, currency: 'GBP' });

/** Creates or puts as admin, by the id it has; gives the id. */
export async function put(server: TestServer, resource: any): Promise<string> {
  const { status, text, body } = await (resource.id === undefined
    ? server.send('POST', resource.resourceType, { token: server.tokens.admin, body: resource })
    : server.send('PUT', `${resource.resourceType}/${resource.id}`, { token: server.tokens.admin, body: resource }));
  if (status !== 201 && status !== 200) throw new Error(`${resource.resourceType}: ${status} ${text}`);
  return body.id;
}

export const organizationBody = (ods: string, role: string, partOf?: string): object => ({
  resourceType: 'Organization', identifier: [{ system: ODS, value: ods }], active: true, type: [coded('organization-role', role)], name: `Organisation ${ods}`,
  ...(partOf !== undefined && { partOf: ref(`Organization/${partOf}`) }),
});

export interface BudgetFacts {
  readonly patient: string;
  readonly owner: string;
  /** Each makes a line: model, amount, holder (`Organization/1`). */
  readonly lines?: readonly { readonly model: string; readonly amount: number; readonly lineId?: string; readonly holder?: string; readonly consent?: string }[];
  readonly managers?: readonly object[];
  readonly plans?: readonly string[];
  readonly rest?: object;
}

/** A personal health budget as a client sends it. */
export const budgetBody = ({ patient, owner, lines = [{ model: 'notional', amount: 12000 }], managers = [], plans = [], rest = {} }: BudgetFacts): any => ({
  resourceType: 'Account',
  extension: [
    ...lines.map(({ model, amount, lineId, holder, consent }) => extension('allocation', { extension: [
      ...(lineId === undefined ? [] : [{ url: 'lineId', valueId: lineId }]),
      { url: 'model', valueCode: model },
      ...(holder === undefined ? [] : [{ url: 'holder', valueReference: ref(holder) }]),
      { url: 'amount', valueMoney: money(amount) },
      ...(consent === undefined ? [] : [{ url: 'consent', valueReference: ref(consent) }]),
    ] })),
    ...managers,
    ...plans.map((plan) => extension('budget-careplan', { extension: [{ url: 'plan', valueReference: ref(plan) }, { url: 'linkedAt', valueDateTime: '2026-11-01T09:00:00Z' }] })),
    extension('eligibility', { extension: [{ url: 'basis', valueCode: 'nhs-chc' }, { url: 'decidedBy', valueReference: ref(`Organization/${owner}`) }, { url: 'decidedOn', valueDate: '2026-10-01' }] }),
    extension('funding-source', { valueCode: 'nhs' }),
    extension('overspend-policy', { valueCode: 'block' }),
  ],
  status: 'active',
  type: coded('account-type', 'phb'),
  name: 'Personal health budget',
  subject: [ref(`Patient/${patient}`)],
  servicePeriod: { start: '2026-11-01' },
  owner: ref(`Organization/${owner}`),
  ...rest,
});

export const managerEntry = (party: string, state: string, period: object = { start: '2020-01-01' }): object =>
  extension('budget-manager', { extension: [
    { url: 'party', valueReference: ref(party) }, { url: 'role', valueCode: 'nominee' }, { url: 'state', valueCode: state }, { url: 'period', valuePeriod: period },
  ] });

export interface PurchaseFacts {
  readonly patient: string;
  readonly budget: string;
  /** An Organization's id. */
  readonly provider: string;
  /** `Patient/1` */
  readonly recordedBy: string;
  readonly amount?: number;
  readonly line?: string;
  readonly coverage?: string;
  readonly evidence?: string;
  readonly rest?: object;
}

/** A purchase as a client sends it. */
export const purchaseBody = ({ patient, budget, provider, recordedBy, amount = 30, line, coverage, evidence, rest = {} }: PurchaseFacts): any => ({
  resourceType: 'Claim',
  extension: [
    extension('budget', { valueReference: ref(`Account/${budget}`) }),
    ...(line === undefined ? [] : [extension('allocation-id', { valueId: line })]),
    extension('recorded-by', { valueReference: ref(recordedBy) }),
  ],
  status: 'active',
  type: coded('claim-type', 'phb-purchase'),
  use: 'claim',
  patient: ref(`Patient/${patient}`),
  created: '2026-11-20',
  provider: ref(`Organization/${provider}`),
  priority: coded('http://terminology.hl7.org/CodeSystem/processpriority', 'normal'),
  insurance: [{ sequence: 1, focal: true, coverage: coverage === undefined ? { display: 'made by the server' } : ref(coverage) }],
  ...(evidence !== undefined && { supportingInfo: [{
    sequence: 1, category: coded('http://terminology.hl7.org/CodeSystem/claiminformationcategory', 'attachment'), code: coded('evidence-document', 'receipt'), valueReference: ref(evidence),
  }] }),
  item: [{ sequence: 1, productOrService: { text: 'Gym membership, November' }, quantity: { value: 1 }, unitPrice: money(amount), net: money(amount) }],
  total: money(amount),
  ...rest,
});

export const planBody = (patient: string, teams: readonly string[] = [], rest: object = {}): any => ({
  resourceType: 'CarePlan', status: 'active', intent: 'plan', category: [coded('careplan-category', 'pcsp')], subject: ref(`Patient/${patient}`),
  ...(teams.length > 0 && { careTeam: teams.map(ref) }),
  activity: [{ id: 'a1', detail: { status: 'in-progress', description: 'Gym' } }],
  ...rest,
});

export const teamBody = (patient: string, members: readonly string[], status = 'active'): any => ({
  resourceType: 'CareTeam', status, subject: ref(`Patient/${patient}`), participant: members.map((member) => ({ member: ref(member) })),
});

export const coverageOf = (patient: string, payor: string): any => ({
  resourceType: 'Coverage', status: 'active', type: coded('coverage-type', 'phb-funding'), beneficiary: ref(`Patient/${patient}`), payor: [ref(`Organization/${payor}`)],
});

type Person = 'ada' | 'bob' | 'eve';
type Body = 'region' | 'icb' | 'oldCcg' | 'otherIcb' | 'authority' | 'practice' | 'otherPractice' | 'provider' | 'isf' | 'otherIsf';
type Bearer = 'admin' | 'ada' | 'bob' | 'nominee' | 'proposed' | 'ended' | 'coordinator' | 'stranger' | 'broker' | 'manager' | 'commissioner' | 'predecessor' | 'otherCommissioner' | 'authority'
  | 'provider' | 'isf' | 'otherIsf' | 'practice' | 'otherPractice';

/** Logical ids throughout. */
export interface World {
  readonly organizations: Readonly<Record<Body, string>>;
  readonly patients: Readonly<Record<Person, string>>;
  readonly nhsNumbers: Readonly<Record<Person, string>>;
  /** PractitionerRoles. */
  readonly roles: Readonly<Record<'coordinator' | 'stranger' | 'broker' | 'manager', string>>;
  /** RelatedPersons of ada: approved on her budget, proposed on it, once approved. */
  readonly related: Readonly<Record<'nominee' | 'proposed' | 'ended', string>>;
  /** Of ada and her coordinator, broker and manager's colleague. */
  readonly team: string;
  readonly tokens: Readonly<Record<Bearer, string>>;
}

const ODS_OF: Readonly<Record<Body, readonly [ods: string, role: string]>> = {
  region: ['NHS1', 'nhs-trust'], icb: ['QWE', 'icb'], oldCcg: ['05A', 'ccg'], otherIcb: ['QXX', 'icb'], authority: ['LA1', 'local-authority'], practice: ['Y02494', 'gp-practice'],
  otherPractice: ['Y00001', 'gp-practice'], provider: ['PROV1', 'provider'], isf: ['ISF1', 'third-party'], otherIsf: ['ISF2', 'third-party'],
};
const PART_OF: Readonly<Partial<Record<Body, Body>>> = { oldCcg: 'icb', practice: 'icb', otherPractice: 'otherIcb' };

/** Organisations, people, roles and tokens: no budget yet. */
export async function makeWorld(server: TestServer, first = 999_400_000): Promise<World> {
  const organizations = {} as Record<Body, string>;
  for (const [name, [ods, role]] of Object.entries(ODS_OF) as [Body, [string, string]][]) {
    const above = PART_OF[name];
    organizations[name] = await put(server, organizationBody(ods, role, above && organizations[above]));
  }
  const next = numbers(first);
  const nhsNumbers = { ada: next(), bob: next(), eve: next() };
  const person = (name: Person, rest: object): Promise<string> => put(server, {
    resourceType: 'Patient', identifier: [{ system: NHS, value: nhsNumbers[name] }, { system: 'urn:local', value: `local-${name}` }], name: [{ family: `Sample${name}`, given: [name] }], gender: 'female',
    birthDate: '1980-02-29', telecom: [{ system: 'phone', value: '0113 496 0001' }], address: [{ city: `City of ${name}` }], ...rest,
  });
  const patients = {
    ada: await person('ada', { managingOrganization: ref(`Organization/${organizations.icb}`), generalPractitioner: [ref(`Organization/${organizations.practice}`)] }),
    bob: await person('bob', { managingOrganization: ref(`Organization/${organizations.otherIcb}`), generalPractitioner: [ref(`Organization/${organizations.otherPractice}`)] }),
    eve: await person('eve', {
      meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }] }, generalPractitioner: [ref(`Organization/${organizations.practice}`)],
    }),
  };
  const professional = async (name: string, organization: string): Promise<string> => {
    const practitioner = await put(server, { resourceType: 'Practitioner', name: [{ family: name }] });
    return put(server, { resourceType: 'PractitionerRole', active: true, practitioner: ref(`Practitioner/${practitioner}`), organization: ref(`Organization/${organization}`) });
  };
  const roles = {
    coordinator: await professional('Coordinator', organizations.icb), stranger: await professional('Stranger', organizations.icb),
    broker: await professional('Broker', organizations.icb), manager: await professional('Manager', organizations.icb),
  };
  const relative = (name: string): Promise<string> => put(server, {
    resourceType: 'RelatedPerson', active: true, patient: ref(`Patient/${patients.ada}`), relationship: [coded('nominee-role', 'family')], name: [{ family: name }], period: { start: '2026-01-01' },
  });
  const related = { nominee: await relative('Nominee'), proposed: await relative('Proposed'), ended: await relative('Ended') };
  const team = await put(server, teamBody(patients.ada, [`PractitionerRole/${roles.coordinator}`, `PractitionerRole/${roles.broker}`]));
  const bearers: Record<Exclude<Bearer, 'admin'>, [Role, object]> = {
    ada: ['patient', { patient: patients.ada }], bob: ['patient', { patient: patients.bob }],
    nominee: ['nominee', { relatedPerson: related.nominee }], proposed: ['nominee', { relatedPerson: related.proposed }], ended: ['nominee', { relatedPerson: related.ended }],
    coordinator: ['care-coordinator', { practitionerRole: roles.coordinator, organization: 'QWE' }], stranger: ['care-coordinator', { practitionerRole: roles.stranger, organization: 'QWE' }],
    broker: ['broker', { practitionerRole: roles.broker, organization: 'QWE' }], manager: ['budget-manager', { practitionerRole: roles.manager, organization: 'QWE' }],
    commissioner: ['commissioner', { organization: 'QWE' }], predecessor: ['commissioner', { organization: '05A' }], otherCommissioner: ['commissioner', { organization: 'QXX' }], authority: ['commissioner', { organization: 'LA1' }],
    provider: ['provider', { organization: 'PROV1' }], isf: ['third-party', { organization: 'ISF1' }], otherIsf: ['third-party', { organization: 'ISF2' }],
    practice: ['practice', { organization: 'Y02494' }], otherPractice: ['practice', { organization: 'Y00001' }],
  };
  const tokens = { admin: server.tokens.admin } as Record<Bearer, string>;
  for (const [name, [role, claims]] of Object.entries(bearers)) tokens[name as Bearer] = await server.token(role, claims);
  return { organizations, patients, nhsNumbers, roles, related, team, tokens };
}

/** A parameter by name and value member: `['reason', { valueString: 'why' }]`. */
export type Sent = readonly [name: string, value: object];

/** An operation on a resource, as Parameters; `version` goes into If-Match. */
export const call = (server: TestServer, token: string, path: string, parameters: readonly Sent[], version?: string): Promise<Answer> =>
  server.send('POST', path, {
    token, body: { resourceType: 'Parameters', ...(parameters.length > 0 && { parameter: parameters.map(([name, value]) => ({ name, ...value })) }) },
    ...(version !== undefined && { headers: { 'if-match': `W/"${version}"` } }),
  });

export const text = (name: string, valueString: string): Sent => [name, { valueString }];
export const code = (name: string, valueCode: string): Sent => [name, { valueCode }];
export const refers = (name: string, reference: string): Sent => [name, { valueReference: { reference } }];

/** A budget as it is now. */
export async function accountOf(server: TestServer, id: string): Promise<any> {
  const { status, body } = await server.send('GET', `Account/${id}`, { token: server.tokens.admin });
  if (status !== 200) throw new Error(`Account/${id}: ${status}`);
  return body;
}

/** A budget opened by admin through the front door, with an active care plan linked unless it says otherwise. */
export async function openBudget(server: TestServer, world: World, facts: Partial<BudgetFacts> & { readonly planned?: boolean } = {}): Promise<any> {
  const body = budgetBody({ patient: world.patients.ada, owner: world.organizations.icb, ...facts });
  const answer = await server.send('POST', 'Account', { token: server.tokens.admin, body });
  if (answer.status !== 201) throw new Error(`Account: ${answer.status} ${answer.text}`);
  if (facts.planned === false) return answer.body;
  const plan = await put(server, planBody(facts.patient ?? world.patients.ada, [`CareTeam/${world.team}`]));
  const linked = extension('budget-careplan', { extension: [{ url: 'plan', valueReference: ref(`CarePlan/${plan}`) }, { url: 'primary', valueBoolean: true }, { url: 'linkedAt', valueDateTime: '2026-11-01T09:00:00Z' }] });
  await server.seed([{ ...answer.body, extension: [...answer.body.extension, linked] }]);
  return accountOf(server, answer.body.id);
}

/** A person of ada's kind: a patient with the same commissioner and practice, in the coordinator's care. */
export async function neighbour(server: TestServer, world: World, rest: object = {}): Promise<string> {
  const patient = await put(server, {
    resourceType: 'Patient', name: [{ family: 'Neighbour' }], birthDate: '1970-01-01', managingOrganization: ref(`Organization/${world.organizations.icb}`),
    generalPractitioner: [ref(`Organization/${world.organizations.practice}`)], ...rest,
  });
  await put(server, teamBody(patient, [`PractitionerRole/${world.roles.coordinator}`]));
  return patient;
}
