// What breaking the glass leaves behind: a Task for the patient's commissioner, who looks into it (domain.md rulings 25 and 30).
import { chargedAccount } from '../budgets/payment/payment.js';
import { asObject, asObjects, codesOf, referenceId } from '../fhir/elements.js';
import { fail } from '../fhir/errors.js';
import { readJson } from '../fhir/json-text.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import type { JsonObject, Resource } from '../fhir/resource.js';
import { serverGrant } from '../search/grant.js';
import type { Context } from './context.js';
import { writeAll } from './write.js';

const BASE = 'https://fhir.entitle.example';
const COMMISSIONERS = ['icb', 'ccg'];
/** Organisations between a practice and its commissioner, at most. */
const MOST_STEPS = 10;

/**
 * Writes the Task of a request that was let through with `reason`. Throws 403 where its answer is about more than one patient: the response is then
 * not given. An answer about nobody leaves nothing but its audit.
 */
export async function recordBrokenGlass(reason: string, request: FhirRequest, response: FhirResponse, context: Context): Promise<void> {
  const patients = await patientsOf(request, response, context);
  if (patients.size > 1) throw fail('forbidden', { text: 'The glass is broken for one patient at a time: this answer is about several' });
  for (const patient of patients) await writeTask(patient, reason, request, context);
}

/** Ids of the patients that the request or its answer names; where neither does, of whom the answer is known to be about (a balance), and whose budget a payment is of. */
async function patientsOf({ type, id, body: sent }: FhirRequest, { body, about = [] }: FhirResponse, context: Context): Promise<ReadonlySet<string>> {
  if (type === 'Patient' && id !== undefined) return new Set([id]);
  // An answer in CSV is no JSON, and says itself whom it is about.
  const shown: unknown = body?.startsWith('{') === true ? JSON.parse(body) : undefined;
  const resources = [asObject(shown), sent?.value].filter((resource) => resource !== undefined);
  for (const { resourceType, entry } of resources) if (resourceType === 'Bundle') resources.push(...asObjects(entry).map((one) => asObject(one['resource']) ?? {}));
  const named = new Set(resources.flatMap((resource) => patientOf(resource)));
  for (const account of new Set(resources.flatMap((resource) => accountOf(resource)))) {
    const budget = await current('Account', account, context);
    for (const patient of budget ? patientOf(budget) : []) named.add(patient);
  }
  return named.size > 0 ? named : new Set(about);
}

/** The budget of a payment, which names no patient. */
function accountOf(resource: JsonObject): string[] {
  if (resource['resourceType'] !== 'PaymentNotice' && resource['resourceType'] !== 'PaymentReconciliation') return [];
  return [chargedAccount(resource as Resource) ?? []].flat();
}

function patientOf(resource: JsonObject): string[] {
  const own = resource['resourceType'] === 'Patient' && typeof resource['id'] === 'string' ? [resource['id']] : [];
  const named = ['patient', 'subject', 'for', 'beneficiary'].flatMap((member) => {
    const value = resource[member];
    return (Array.isArray(value) ? value : [value]).flatMap((reference) => referenceId(reference, 'Patient') ?? []);
  });
  return [...own, ...named];
}

async function writeTask(patient: string, reason: string, { method, type, id, operation }: FhirRequest, context: Context): Promise<void> {
  const { caller } = context.grant;
  const owner = await commissionerOf(patient, context);
  const path = [type, id, operation === undefined ? undefined : `$${operation}`].filter((part) => part !== undefined).join('/');
  const task = {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: `${BASE}/CodeSystem/access-task`, code: 'break-glass' }] },
    description: `${reason} (${method} ${path})`,
    for: { reference: `Patient/${patient}` },
    authoredOn: new Date(context.now).toISOString(),
    ...(caller.practitionerRole !== undefined && { requester: { reference: `PractitionerRole/${caller.practitionerRole}` } }),
    ...(owner !== undefined && { owner: { reference: `Organization/${owner}` } }),
  };
  const asked = { kind: 'create', method: 'POST', type: 'Task', id: context.parts.newId(), fresh: true, document: readJson(JSON.stringify(task)) } as const;
  await writeAll([asked], { ...context, grant: serverGrant() });
}

/** The patient's commissioner: the managing organisation, else the first above the practice. */
async function commissionerOf(patient: string, context: Context): Promise<string | undefined> {
  const found = await current('Patient', patient, context);
  const managing = referenceId(found?.['managingOrganization'], 'Organization');
  if (managing !== undefined && isCommissioner(await current('Organization', managing, context))) return managing;
  let [next] = asObjects(found?.['generalPractitioner']).flatMap((reference) => referenceId(reference, 'Organization') ?? []);
  for (let step = 0; step < MOST_STEPS && next !== undefined; step += 1) {
    const organization = await current('Organization', next, context);
    if (isCommissioner(organization)) return next;
    next = referenceId(organization?.['partOf'], 'Organization');
  }
  return undefined;
}

const isCommissioner = (organization: Resource | undefined): boolean =>
  asObjects(organization?.['type']).some((concept) => codesOf(concept, `${BASE}/CodeSystem/organization-role`).some((code) => COMMISSIONERS.includes(code)));

async function current(type: string, id: string, { store }: Context): Promise<Resource | undefined> {
  const version = await store.read(serverGrant(), type, id);
  return version?.text == null ? undefined : (JSON.parse(version.text) as Resource);
}
