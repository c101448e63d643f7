// Payments on personal health budgets, in the shapes that clients send.
import { managerEntry, planBody, teamBody } from './world.js';
import { BASE } from './people.js';
import { gbp, made, type LineBody } from './budgets.js';
import { parties } from './purchases.js';
import { startServer, type Answer, type TestServer } from '../server.js';

const VALUES: Readonly<Record<string, string>> = { amount: 'valueMoney', paymentDate: 'valueDate', noticeDate: 'valueDate', deadline: 'valueDate', allocationId: 'valueId', payee: 'valueReference', proposal: 'valueReference', paymentIdentifier: 'valueIdentifier', reason: 'valueString', kind: 'valueCode' };

/** Parameters of a payment: a number of pounds for amount, a reference's text for references. */
export function parametersBody(values: Readonly<Record<string, unknown>>): object {
  const parameter = Object.entries(values).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const member = VALUES[name] ?? 'valueString';
    const shaped = member === 'valueMoney' && typeof value === 'number' ? gbp(value) : member === 'valueReference' ? { reference: value } : value;
    return [{ name, [member]: shaped }];
  });
  return { resourceType: 'Parameters', parameter };
}

/** A server with a commissioner and a provider, and a token of the commissioner's budget manager. */
export async function startPaying(): Promise<{ readonly server: TestServer; readonly known: { readonly owner: string; readonly provider: string }; readonly manager: string }> {
  const server = await startServer();
  return { server, known: await parties(server), manager: await server.token('budget-manager', { organization: 'QWE' }) };
}

export interface Called {
  readonly token?: string;
  readonly requestId?: string;
}

/** `target`: `Claim/1/$pay`. */
export const call = (server: TestServer, target: string, values: Readonly<Record<string, unknown>>, { token = server.tokens.admin, requestId }: Called = {}): Promise<Answer> =>
  server.send('POST', target, { token, body: parametersBody(values), ...(requestId !== undefined && { headers: { 'x-request-id': requestId } }) });

export const pay = (server: TestServer, claim: string, amount: number, called: Called & { readonly values?: object } = {}): Promise<Answer> => call(server, `Claim/${claim}/$pay`, { amount, ...called.values }, called);
export const refund = (server: TestServer, notice: string, amount: number, called: Called = {}): Promise<Answer> => call(server, `PaymentNotice/${notice}/$refund`, { amount, reason: 'returned' }, called);

/** The PaymentReconciliation and PaymentNotice of an answer to $pay. */
export const paidIn = ({ body }: Answer): { readonly reconciliation: any; readonly notice: any } => {
  const [reconciliation, notice] = body.entry.map(({ resource }: any) => resource);
  return { reconciliation, notice };
};

export const codeIn = (resource: any, id: string): string | undefined => [...(resource.extension ?? []), ...(resource.modifierExtension ?? [])].find(({ url }: any) => url === `${BASE}/StructureDefinition/ext-${id}`)?.valueCode;

/** A direct-payment line for this holder, with the consent to it. */
export async function directLine(server: TestServer, patient: string, amount: number): Promise<LineBody> {
  const consent = await made(server, {
    resourceType: 'Consent', status: 'active', patient: { reference: `Patient/${patient}` }, dateTime: '2026-10-01', scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'treatment' }] },
    category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentcategorycodes', code: 'npp' }] }], policyRule: { text: 'direct payment' },
  });
  return { model: 'direct-payment', amount: gbp(amount), holder: `Patient/${patient}`, consent: `Consent/${consent.id}` };
}

/** Links a care plan to a budget: one with a care team, unless `team` is false. */
export async function linkPlan(server: TestServer, account: string, patient: string, team = true): Promise<string> {
  const teams = team ? [`CareTeam/${(await made(server, teamBody(patient, [`Patient/${patient}`]))).id}`] : [];
  const plan = await made(server, planBody(patient, teams));
  await onAccount(server, account, 'link-careplan', [{ name: 'carePlan', valueReference: { reference: `CarePlan/${plan.id}` } }]);
  return plan.id;
}

/** Someone who is approved as the budget holder's representative, put there past the rules; gives the RelatedPerson. */
export async function approved(server: TestServer, account: string, patient: string): Promise<string> {
  const person = await made(server, { resourceType: 'RelatedPerson', active: true, patient: { reference: `Patient/${patient}` }, name: [{ family: 'Nominee' }] });
  const { body } = await server.send('GET', `Account/${account}`, { token: server.tokens.admin });
  await server.seed([{ ...body, extension: [...body.extension, managerEntry(`RelatedPerson/${person.id}`, 'approved')] }]);
  return person.id;
}

/** Calls an operation on an Account as it is now: with If-Match. */
export async function onAccount(server: TestServer, account: string, operation: string, parameter: readonly object[]): Promise<any> {
  const { headers } = await server.send('GET', `Account/${account}`, { token: server.tokens.admin });
  const { status, body, text } = await server.send('POST', `Account/${account}/$${operation}`, { token: server.tokens.admin, body: { resourceType: 'Parameters', parameter }, headers: { 'if-match': headers['etag'] ?? '' } });
  if (status !== 200) throw new Error(`$${operation}: ${status} ${text}`);
  return body;
}

/** Closes a budget after a review; gives the review. */
export async function close(server: TestServer, account: string, patient: string): Promise<string> {
  await linkPlan(server, account, patient);
  const review = await onAccount(server, account, 'review', [{ name: 'outcome', valueCode: 'close' }]);
  await onAccount(server, account, 'close', [{ name: 'review', valueReference: { reference: `Task/${review.id}` } }, { name: 'reason', valueCode: 'review' }]);
  return review.id;
}
