// npm run demo: fills a running server by its own front door, as the clients of the real world would. Run twice, it leaves the same people and says nothing new of them.
import { randomUUID } from 'node:crypto';
import { serviceBase, type Config } from './config.js';
import { demoAssessment, demoNhsNumbers, demoOrganizations, demoPatient, demoStatement } from './demo-data.js';
import type { Role } from './fhir/caller.js';
import type { Resource } from './fhir/resource.js';
import { developmentKeys } from './identity/development-keys.js';
import { issueToken } from './identity/issue-token.js';
import { startProgress } from './progress.js';

const ENTRIES = 100;

interface Entry {
  readonly resource: Resource;
  readonly request: { readonly method: 'PUT' | 'POST'; readonly url: string; readonly ifNoneExist?: string };
}

/** Loads `patients` made-up people and what is said of them into the server that these settings name. Throws where it does not answer. */
export async function loadDemo(config: Config, patients: number): Promise<void> {
  const base = serviceBase(config);
  const keys = await developmentKeys(config.dataDir);
  const token = (role: Role, organization?: string): Promise<string> =>
    issueToken({ role, ...(organization !== undefined && { organization }) }, { keys, now: Date.now() + config.clockOffsetMs, tokenId: randomUUID() });
  const numbers = demoNhsNumbers();
  const people = Array.from({ length: patients }, (_, n) => ({ n, nhsNumber: numbers.next().value as string }));
  const records = [...demoOrganizations, ...people.map(({ n, nhsNumber }) => demoPatient(n, nhsNumber))].map(put);
  const statements = people.flatMap(({ n, nhsNumber }) => demoStatement(n, nhsNumber) ?? []).map(postOnce);
  const assessments = people.flatMap(({ n }) => demoAssessment(n) ?? []).map(postOnce);
  await sendAll(base, 'patients', 'transaction', records, await token('admin'));
  await sendAll(base, 'Home Office statements', 'batch', statements, await token('home-office'));
  await sendAll(base, 'OVM assessments', 'batch', assessments, await token('ovm', 'RR8'));
}

const put = (resource: Resource): Entry => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } });

function postOnce(resource: Resource): Entry {
  const [{ system, value }] = resource['identifier'] as [{ system: string; value: string }];
  return { resource, request: { method: 'POST', url: resource.resourceType, ifNoneExist: `identifier=${system}|${value}` } };
}

async function sendAll(base: string, label: string, type: 'batch' | 'transaction', entries: readonly Entry[], token: string): Promise<void> {
  const progress = startProgress(label, entries.length);
  for (let start = 0; start < entries.length; start += ENTRIES) {
    const some = entries.slice(start, start + ENTRIES);
    await sendBundle(base, JSON.stringify({ resourceType: 'Bundle', type, entry: some }), token);
    progress.add(some.length);
  }
  progress.end();
}

async function sendBundle(base: string, body: string, token: string): Promise<void> {
  const headers = { 'content-type': 'application/fhir+json', authorization: `Bearer ${token}` };
  const response = await fetch(base, { method: 'POST', headers, body }).catch((error: unknown) => {
    throw new Error(`No server answers at ${base}: start it with npm start`, { cause: error });
  });
  const text = await response.text();
  const refused = response.ok ? (JSON.parse(text) as { entry: { response: { status: string } }[] }).entry.find((entry) => !entry.response.status.startsWith('2')) : text;
  if (refused !== undefined) throw new Error(`The server refused the demo data: ${JSON.stringify(refused).slice(0, 500)}`);
}
