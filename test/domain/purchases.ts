// Purchases on personal health budgets, in the shapes that clients send.
import { BASE, parametersOf } from './people.js';
import { budgetBody, extension, gbp, open, organization, person, type BudgetBody } from './budgets.js';
import type { Answer, TestServer } from '../server.js';

export interface PurchaseBody {
  readonly patient: string;
  readonly account: string;
  readonly provider: string;
  readonly amount?: unknown;
  readonly line?: string | undefined;
  readonly recordedBy?: string;
  readonly status?: string;
  readonly use?: string;
  /** A Claim that this one fulfils, and whether nothing more will come of that. */
  readonly fulfils?: string;
  readonly final?: boolean;
  readonly rest?: object;
}

const coded = (system: string, code: string): object => ({ coding: [{ system, code }] });

/** As /work's phb-purchase.json, without evidence: one item. */
export function purchaseBody({ patient, account, provider, amount = 30, line, recordedBy = `Patient/${patient}`, status = 'active', use = 'claim', fulfils, final, rest = {} }: PurchaseBody): any {
  const money = typeof amount === 'number' ? gbp(amount) : amount;
  return {
    resourceType: 'Claim',
    extension: [
      extension('budget', { valueReference: { reference: `Account/${account}` } }),
      ...(line === undefined ? [] : [extension('allocation-id', { valueId: line })]),
      extension('recorded-by', { valueReference: { reference: recordedBy } }),
    ],
    status,
    type: coded(`${BASE}/CodeSystem/claim-type`, 'phb-purchase'),
    use,
    patient: { reference: `Patient/${patient}` },
    created: '2026-11-21',
    provider: { reference: `Organization/${provider}` },
    priority: coded('http://terminology.hl7.org/CodeSystem/processpriority', 'normal'),
    ...(use === 'preauthorization' && { fundsReserve: coded('http://terminology.hl7.org/CodeSystem/fundsreserve', 'provider') }),
    ...(fulfils !== undefined && { related: [{
      ...(final !== undefined && { extension: [extension('final', { valueBoolean: final })] }),
      claim: { reference: `Claim/${fulfils}` }, relationship: coded('http://terminology.hl7.org/CodeSystem/ex-relatedclaimrelationship', 'prior'),
    }] }),
    item: [{ sequence: 1, productOrService: { text: 'Gym membership, November' }, quantity: { value: 1 }, unitPrice: money, net: money }],
    total: money,
    ...rest,
  };
}

export const record = (server: TestServer, body: object, token = server.tokens.admin): Promise<Answer> => server.send('POST', 'Claim', { token, body });

export async function recorded(server: TestServer, body: object): Promise<any> {
  const answer = await record(server, body);
  if (answer.status !== 201) throw new Error(`Claim: ${answer.status} ${answer.text}`);
  return answer.body;
}

/** A PUT of a next version. */
export const change = (server: TestServer, claim: any, rest: object, token = server.tokens.admin): Promise<Answer> =>
  server.send('PUT', `Claim/${claim.id}`, { token, body: { ...claim, ...rest } });

/** A patient's budget as opened: what purchases on it name. */
export interface Opened {
  readonly patient: string;
  readonly account: string;
  readonly provider: string;
  readonly coverage: string;
  readonly body: any;
}

export async function opened(server: TestServer, parties: { readonly owner: string; readonly provider: string }, rest: Partial<BudgetBody> = {}): Promise<Opened> {
  const patient = rest.patient ?? (await person(server));
  const { status, body, text } = await open(server, budgetBody({ patient, owner: parties.owner, ...rest }));
  if (status !== 201) throw new Error(`Account: ${status} ${text}`);
  return { patient, account: body.id, provider: parties.provider, coverage: body.coverage[0].coverage.reference, body };
}

export async function parties(server: TestServer): Promise<{ owner: string; provider: string }> {
  return { owner: await organization(server, 'QWE'), provider: await organization(server, 'GYM1', 'provider') };
}

/** The sums of `$balance` by name, in pounds. */
export async function balanceOf(server: TestServer, account: string, token = server.tokens.admin): Promise<Record<string, number>> {
  const { status, body, text } = await server.send('GET', `Account/${account}/$balance`, { token });
  if (status !== 200) throw new Error(`$balance: ${status} ${text}`);
  return Object.fromEntries(Object.entries(parametersOf(body)).flatMap(([name, value]) => (typeof value?.value === 'number' ? [[name, value.value]] : [])));
}

/** Kind and pence of each movement on a budget, in order. */
export async function ledgerOf({ database }: TestServer, account: string): Promise<[string, number][]> {
  const { rows } = await database.query<{ kind: string; amount: number }>({ text: 'select kind, amount from fhir.ledger where account = $1 order by number', values: [account] });
  return rows.map(({ kind, amount }) => [kind, amount]);
}
