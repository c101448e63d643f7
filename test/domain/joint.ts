// Joint budgets, in the shapes that clients send.
import { BASE } from './people.js';
import { budgetBody, extension, gbp, made, open, organization, person, type LineBody } from './budgets.js';
import type { Answer, TestServer } from '../server.js';

export const jointBody = (patient: string, policy = 'pro-rata', rest: object = {}): object => ({
  resourceType: 'Account',
  meta: { profile: [`${BASE}/StructureDefinition/joint-account`] },
  extension: [extension('draw-policy', { valueCode: policy })],
  status: 'active',
  type: { coding: [{ system: `${BASE}/CodeSystem/account-type`, code: 'joint-budget' }] },
  subject: [{ reference: `Patient/${patient}` }],
  ...rest,
});

export const consentBody = (patient: string, performers: readonly string[], rest: object = {}): object => ({
  resourceType: 'Consent', status: 'active', patient: { reference: `Patient/${patient}` }, dateTime: '2026-10-01',
  scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'treatment' }] },
  category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentcategorycodes', code: 'npp' }] }],
  policyRule: { text: 'joint budget' }, performer: performers.map((reference) => ({ reference })), ...rest,
});

/** Calls $join or $leave with the joint budget's current version, unless told another. */
export async function move(server: TestServer, code: 'join' | 'leave', joint: string, account: string, consents: readonly string[], { token = server.tokens.admin, ifMatch }: { token?: string; ifMatch?: string } = {}): Promise<Answer> {
  const etag = ifMatch ?? String((await server.send('GET', `Account/${joint}`, { token: server.tokens.admin })).headers['etag']);
  const body = { resourceType: 'Parameters', parameter: [{ name: 'account', valueReference: { reference: `Account/${account}` } }, ...consents.map((id) => ({ name: 'consent', valueReference: { reference: `Consent/${id}` } }))] };
  return server.send('POST', `Account/${joint}/$${code}`, { token, body, headers: { 'if-match': etag } });
}

export interface Part {
  readonly funding: 'nhs' | 'social-care' | 'education' | 'other';
  /** Pounds of one notional line; or the lines. */
  readonly amount?: number;
  readonly lines?: readonly LineBody[];
  readonly basis?: string;
  readonly owner?: string;
}

export interface Joint {
  readonly patient: string;
  readonly joint: string;
  /** Accounts, in the order of joining. */
  readonly children: readonly any[];
  readonly owners: readonly string[];
  readonly consent: string;
}

const ROLES = { nhs: 'icb', 'social-care': 'local-authority', education: 'education', other: 'icb' } as const;
const BASES = ['nhs-chc', 's117-aftercare', 'wheelchair', 'other'];
let codes = 0;

/** A patient with these budgets, all joined. */
export async function jointOf(server: TestServer, parts: readonly Part[], policy = 'pro-rata', rest: object = {}): Promise<Joint> {
  const patient = await person(server);
  const joint = (await made(server, jointBody(patient, policy, rest))).id;
  const owners: string[] = [];
  const children: any[] = [];
  for (const [index, { funding, amount = 100, lines = [{ amount: gbp(amount) }], basis = BASES[index], owner }] of parts.entries()) {
    owners.push(owner ?? (await organization(server, `J${(codes += 1)}`, ROLES[funding])));
    const body = budgetBody({ patient, owner: owners[index] ?? '', funding, lines, ...(basis !== undefined && { basis }), exceptional: true });
    const answer = await open(server, body);
    if (answer.status !== 201) throw new Error(`Account: ${answer.status} ${answer.text}`);
    children.push(answer.body);
  }
  const consent = (await made(server, consentBody(patient, [`Patient/${patient}`, ...new Set(owners.map((owner) => `Organization/${owner}`))]))).id;
  for (const { id } of children) {
    const answer = await move(server, 'join', joint, id, [consent]);
    if (answer.status !== 200) throw new Error(`$join: ${answer.status} ${answer.text}`);
  }
  return { patient, joint, children, owners, consent };
}
