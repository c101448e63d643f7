// npm run demo: fills a running server by its own front door, as the clients of the real world would. Run twice, it leaves the same people and says nothing new of them.
import { randomUUID } from 'node:crypto';
import { serviceBase, type Config } from './config.js';
import { demoBudget, demoConsent, demoDirectory, demoEntries, demoInstalment, demoPayers, demoPlan, demoPurchases, isPaid } from './demo-budgets.js';
import { demoAge, demoAssessment, demoNhsNumbers, demoOrganizations, demoPatient, demoStatement } from './demo-data.js';
import type { Role } from './fhir/caller.js';
import type { JsonObject, Resource } from './fhir/resource.js';
import { developmentKeys } from './identity/development-keys.js';
import { issueToken } from './identity/issue-token.js';
import { startProgress } from './progress.js';

const ENTRIES = 100;
/** At once: commits are gathered, and the database works while the server does. */
const SENDERS = 4;

interface Entry {
  readonly resource: Resource;
  readonly request: { readonly method: 'PUT' | 'POST'; readonly url: string; readonly ifNoneExist?: string; readonly ifMatch?: string };
}

/** Loads `patients` made-up people and what is said of them into the server that these settings name. Throws where it does not answer. */
export async function loadDemo(config: Config, patients: number): Promise<void> {
  const base = serviceBase(config);
  const keys = await developmentKeys(config.dataDir);
  const token = (role: Role, organization?: string): Promise<string> =>
    issueToken({ role, ...(organization !== undefined && { organization }) }, { keys, now: Date.now() + config.clockOffsetMs, tokenId: randomUUID() });
  const numbers = demoNhsNumbers();
  const people = Array.from({ length: patients }, (_, n) => ({ n, nhsNumber: numbers.next().value as string }));
  const records = [...demoOrganizations, ...demoPayers, ...people.map(({ n, nhsNumber }) => demoPatient(n, nhsNumber))].map(put);
  const statements = people.flatMap(({ n, nhsNumber }) => demoStatement(n, nhsNumber) ?? []).map(postOnce);
  const assessments = people.flatMap(({ n }) => demoAssessment(n) ?? []).map(postOnce);
  await sendAll(base, 'patients', 'transaction', records, await token('admin'));
  await sendAll(base, 'Home Office statements', 'batch', statements, await token('home-office'));
  await sendAll(base, 'OVM assessments', 'batch', assessments, await token('ovm', 'RR8'));
  await loadBudgets(base, patients, await token('admin'));
}

/** Budgets with their plans, purchases and payments. What a former run made is found by its identifier, and stays as it is. */
async function loadBudgets(base: string, patients: number, token: string): Promise<void> {
  const all = Array.from({ length: patients }, (_, n) => n);
  await sendAll(base, 'consents', 'batch', all.flatMap((n) => demoConsent(n) ?? []).map(put), token);
  const owners = all.filter((n) => demoPlan(n) !== undefined);
  const plans = await sendAll(base, 'care plans', 'batch', owners.flatMap((n) => demoPlan(n) ?? []).map(postOnce), token);
  const budgets = await sendAll(base, 'budgets', 'batch', owners.flatMap((n) => demoBudget(n, demoAge(n)) ?? []).map(postOnce), token);
  const links = budgets.flatMap(({ isNew, resource }, at) => (isNew ? [linkOf(resource.id ?? '', plans[at]?.resource.id ?? '')] : []));
  await sendAll(base, 'links to plans', 'batch', links, token);
  const advances = budgets.flatMap(({ isNew, resource }, at) => {
    const amount = isNew ? demoInstalment(owners[at] ?? 0) : undefined;
    return amount ? [advanceOf(resource, amount)] : [];
  });
  await sendAll(base, 'advances', 'batch', advances, token);
  const entries = await loadDirectory(base, token);
  const purchases = budgets.flatMap(({ resource }, at) => demoPurchases(owners[at] ?? 0, resource, { plan: plans[at]?.resource.id ?? '', entries }).map((claim, k) => ({ n: owners[at] ?? 0, k, claim })));
  const claims = await sendAll(base, 'purchases', 'batch', purchases.map(({ claim }) => postOnce(claim)), token);
  const due = claims.flatMap(({ isNew, resource }, at) => (isNew && isPaid(purchases[at]?.n ?? 0, purchases[at]?.k ?? 0) ? [payOf(resource)] : []));
  await sendAll(base, 'payments', 'batch', due, token);
}

/** The ids of what there is to buy. */
async function loadDirectory(base: string, token: string): Promise<readonly string[]> {
  const [list] = await sendAll(base, 'directory', 'batch', [postOnce(demoDirectory)], token);
  const made = await sendAll(base, 'directory entries', 'batch', demoEntries(list?.resource.id ?? '').map(postOnce), token);
  return made.map(({ resource }) => resource.id ?? '');
}

const linkOf = (account: string, plan: string): Entry => ({
  resource: { resourceType: 'Parameters', parameter: [{ name: 'carePlan', valueReference: { reference: `CarePlan/${plan}` } }, { name: 'primary', valueBoolean: true }] },
  request: { method: 'POST', url: `Account/${account}/$link-careplan`, ifMatch: 'W/"1"' },
});

/** Cash for the holder, before it is spent. */
const advanceOf = (account: Resource, amount: JsonObject): Entry => ({
  resource: { resourceType: 'Parameters', parameter: [{ name: 'amount', valueMoney: amount }, { name: 'kind', valueCode: 'advance' }] },
  request: { method: 'POST', url: `Account/${account.id}/$pay` },
});

const payOf = (claim: Resource): Entry => ({
  resource: { resourceType: 'Parameters', parameter: [{ name: 'amount', valueMoney: claim['total'] ?? null }] },
  request: { method: 'POST', url: `Claim/${claim.id}/$pay` },
});

const put = (resource: Resource): Entry => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } });

function postOnce(resource: Resource): Entry {
  const [{ system, value }] = resource['identifier'] as [{ system: string; value: string }];
  return { resource, request: { method: 'POST', url: resource.resourceType, ifNoneExist: `identifier=${system}|${value}` } };
}

/** What an entry made or found. */
interface Sent {
  readonly isNew: boolean;
  readonly resource: Resource;
}

async function sendAll(base: string, label: string, type: 'batch' | 'transaction', entries: readonly Entry[], token: string): Promise<Sent[]> {
  if (entries.length === 0) return [];
  const progress = startProgress(label, entries.length);
  const bundles = Array.from({ length: Math.ceil(entries.length / ENTRIES) }, (_, at) => entries.slice(at * ENTRIES, (at + 1) * ENTRIES));
  const sent: Sent[][] = bundles.map(() => []);
  let next = 0;
  const sender = async (): Promise<void> => {
    for (let at = next++; at < bundles.length; at = next++) {
      const some = bundles[at] ?? [];
      sent[at] = await sendBundle(base, JSON.stringify({ resourceType: 'Bundle', type, entry: some }), token);
      progress.add(some.length);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
  progress.end();
  return sent.flat();
}

interface Answered {
  readonly resource?: Resource;
  readonly response: { readonly status: string };
}

async function sendBundle(base: string, body: string, token: string): Promise<Sent[]> {
  const headers = { 'content-type': 'application/fhir+json', authorization: `Bearer ${token}`, prefer: 'return=representation' };
  const response = await fetch(base, { method: 'POST', headers, body }).catch((error: unknown) => {
    throw new Error(`No server answers at ${base}: start it with npm start`, { cause: error });
  });
  const text = await response.text();
  const entries = response.ok ? (JSON.parse(text) as { readonly entry?: readonly Answered[] }).entry ?? [] : [];
  const refused = response.ok ? entries.find(({ response: { status } }) => !status.startsWith('2')) : text;
  if (refused !== undefined) throw new Error(`The server refused the demo data: ${JSON.stringify(refused).slice(0, 500)}`);
  return entries.map(({ resource, response: { status } }) => ({ isNew: status.startsWith('201'), resource: resource ?? { resourceType: '' } }));
}
