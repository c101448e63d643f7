// The organisations, patients and budgets of the tests of personal health budgets, in the shapes that clients send.
import { BASE, numbers, patientBody } from './people.js';
import { examineBudgets } from '../../src/budgets/doctor.js';
import type { Answer, TestServer } from '../server.js';

export const ODS = 'https://fhir.nhs.uk/Id/ods-organization-code';
const number = numbers(999_300_000);

export const extension = (id: string, value: object): object => ({ url: `${BASE}/StructureDefinition/ext-${id}`, ...value });
export const gbp = (value: number): object => ({ value, currency: 'GBP' });

export const organizationBody = (ods: string, role: string): object => ({
  resourceType: 'Organization',
  identifier: [{ system: ODS, value: ods }],
  active: true,
  type: [{ coding: [{ system: `${BASE}/CodeSystem/organization-role`, code: role }] }],
  name: `${role} ${ods}`,
});

/** Makes what `body` says as an administrator; gives the resource. */
export async function made(server: TestServer, body: any): Promise<any> {
  const answer = await server.send('POST', body.resourceType, { token: server.tokens.admin, body });
  if (answer.status !== 201) throw new Error(`${body.resourceType}: ${answer.status} ${answer.text}`);
  return answer.body;
}

export const organization = async (server: TestServer, ods: string, role = 'icb'): Promise<string> => (await made(server, organizationBody(ods, role))).id;
export const person = async (server: TestServer, rest: object = {}): Promise<string> => (await made(server, patientBody(number(), rest))).id;

export interface LineBody {
  readonly model?: string;
  readonly amount?: unknown;
  readonly lineId?: string;
  readonly holder?: string;
  readonly consent?: string;
}

export const allocation = ({ model = 'notional', amount = gbp(12000), lineId, holder, consent }: LineBody = {}): object =>
  extension('allocation', {
    extension: [
      ...(lineId === undefined ? [] : [{ url: 'lineId', valueId: lineId }]),
      { url: 'model', valueCode: model },
      ...(holder === undefined ? [] : [{ url: 'holder', valueReference: { reference: holder } }]),
      { url: 'amount', valueMoney: amount },
      ...(consent === undefined ? [] : [{ url: 'consent', valueReference: { reference: consent } }]),
    ],
  });

export interface BudgetBody {
  readonly patient: string;
  readonly owner: string;
  readonly lines?: readonly LineBody[];
  readonly basis?: string;
  readonly exceptional?: boolean;
  readonly decidedOn?: string;
  readonly funding?: string;
  readonly policy?: string;
  readonly start?: string;
  readonly end?: string;
}

/** As /work's phb-account.json: a notional line of 12000.00 unless said otherwise. */
export function budgetBody({ patient, owner, lines = [{}], basis = 'nhs-chc', exceptional, decidedOn = '2026-10-01', funding = 'nhs', policy = 'block', start = '2026-11-01', end }: BudgetBody): any {
  return {
    resourceType: 'Account',
    meta: { profile: [`${BASE}/StructureDefinition/phb-account`] },
    extension: [
      ...lines.map(allocation),
      extension('eligibility', {
        extension: [
          { url: 'basis', valueCode: basis },
          { url: 'decidedBy', valueReference: { reference: `Organization/${owner}` } },
          { url: 'decidedOn', valueDate: decidedOn },
          ...(exceptional === undefined ? [] : [{ url: 'exceptional', valueBoolean: exceptional }]),
        ],
      }),
      extension('funding-source', { valueCode: funding }),
      extension('overspend-policy', { valueCode: policy }),
    ],
    status: 'active',
    type: { coding: [{ system: `${BASE}/CodeSystem/account-type`, code: 'phb' }] },
    name: 'Personal health budget',
    subject: [{ reference: `Patient/${patient}` }],
    servicePeriod: { start, ...(end !== undefined && { end }) },
    owner: { reference: `Organization/${owner}` },
  };
}

export const open = (server: TestServer, body: object, token = server.tokens.admin): Promise<Answer> => server.send('POST', 'Account', { token, body });

/** The lines of an Account as read, in order: id, model and amount. */
export function linesOf(account: any): { lineId: string; model: string; amount: number }[] {
  return account.extension
    .filter(({ url }: any) => url.endsWith('/ext-allocation'))
    .map(({ extension: parts }: any) => {
      const part = (name: string): any => parts.find(({ url }: any) => url === name);
      return { lineId: part('lineId').valueId, model: part('model').valueCode, amount: part('amount').valueMoney.value };
    });
}

/** The end of a test file that moves money: whatever it did, the books agree. */
export async function closeBalanced(server: TestServer): Promise<void> {
  expect((await examineBudgets(server.database)).differences).toEqual([]);
  await server.close();
}
