// A transaction: all entries or none, in the order DELETE, POST, PUT, GET, with references between them resolved.
// https://hl7.org/fhir/R4/http.html#trules
import { fail, FhirError } from '../fhir/errors.js';
import type { JsonDocument } from '../fhir/json-text.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import { inTransaction, type Context } from '../interactions/context.js';
import { matchForCreate } from '../interactions/create.js';
import { criteriaText, matchOne } from '../interactions/match.js';
import { answer } from '../interactions/perform.js';
import { askedUpdate, matchUpdate } from '../interactions/update.js';
import { requireBody, writeAll, type Asked } from '../interactions/write.js';
import { writtenResponse } from '../interactions/written-response.js';
import type { StoredVersion, Transaction } from '../store/store.js';
import { readEntry, type Entry } from './entry.js';
import { conditionalReferences, resolveReferences } from './references.js';
import type { Router } from './router.js';

type Inside = Context & { tx: Transaction };

/** What an entry comes to: a write, or a resource that was there already (conditional create). */
interface Planned {
  readonly entry: Entry;
  readonly asked?: Asked;
  readonly existing?: StoredVersion;
}

export async function runTransaction(outer: FhirRequest, raw: readonly unknown[], context: Context, route: Router): Promise<FhirResponse[]> {
  const entries = raw.map((one, index) => readEntry(outer, one, index, route));
  checkEntries(entries);
  // Ids are made here, outside what is retried, so that a retry writes the same resources.
  const ids = entries.map(() => context.parts.newId());
  return inTransaction(context, async (inside) => {
    const responses = new Map<number, FhirResponse>();
    for (const entry of of(entries, 'delete')) responses.set(entry.index, await placed(entry, () => run(entry, inside)));
    await runWrites(entries, ids, inside, responses);
    for (const entry of entries) if (!responses.has(entry.index)) responses.set(entry.index, await placed(entry, () => run(entry, inside)));
    return entries.map((entry) => responses.get(entry.index) ?? { status: 500 });
  });
}

const of = (entries: readonly Entry[], interaction: string): Entry[] => entries.filter((entry) => entry.request.interaction === interaction);
const run = (entry: Entry, inside: Inside): Promise<FhirResponse> =>
  answer(entry.routed.handler, entry.request, inside.grant.caller, inside.parts, inside.tx);

function checkEntries(entries: readonly Entry[]): void {
  const seen = new Set<string>();
  for (const { index, fullUrl, request } of entries) {
    if (request.interaction === 'batch') throw fail('bad-request', { text: 'A Bundle can not be an entry of a transaction', expression: `Bundle.entry[${index}].request` });
    if (fullUrl === undefined || (request.interaction !== 'create' && request.interaction !== 'update')) continue;
    if (seen.has(fullUrl)) throw fail('bad-request', { text: `Two entries have the fullUrl ${fullUrl.slice(0, 80)}`, expression: `Bundle.entry[${index}].fullUrl` });
    seen.add(fullUrl);
  }
}

async function runWrites(entries: readonly Entry[], ids: readonly string[], inside: Inside, responses: Map<number, FhirResponse>): Promise<void> {
  const planned: Planned[] = [];
  for (const entry of entries) {
    const { interaction } = entry.request;
    if (interaction === 'create' || interaction === 'update') planned.push(await placed(entry, () => plan(entry, ids[entry.index] ?? '', inside)));
  }
  checkOverlap(planned);
  const targets = fullUrls(planned);
  const asked: Asked[] = [];
  for (const one of planned) if (one.asked) asked.push(await placed(one.entry, () => withReferences(one.asked, targets, inside)));
  const written = await writeAll(asked, inside);
  let next = 0;
  for (const { entry, existing } of planned) {
    const result = existing ? { ...existing, created: false } : written[next++];
    responses.set(entry.index, writtenResponse(result, entry.request, inside));
  }
}

async function plan(entry: Entry, id: string, inside: Inside): Promise<Planned> {
  const { request } = entry;
  // Each entry is judged as if it came alone.
  inside.parts.permit(inside.grant.caller, request);
  const { type = '' } = request;
  const document = requireBody(type, request.body);
  const within = `Bundle.entry[${entry.index}].resource`;
  if (request.interaction === 'update') {
    const asked = request.id === undefined ? await matchUpdate(request, document, criteriaText(request), inside) : askedUpdate(request, document, request.id);
    return { entry, asked: { ...asked, within } };
  }
  const existing = request.ifNoneExist === undefined ? undefined : await matchForCreate(request, request.ifNoneExist, inside);
  if (existing) return { entry, existing };
  return { entry, asked: { kind: 'create', method: 'POST', type, id, fresh: true, document, within } };
}

function checkOverlap(planned: readonly Planned[]): void {
  const seen = new Set<string>();
  for (const { entry, asked } of planned) {
    if (!asked) continue;
    const key = `${asked.type}/${asked.id}`;
    if (seen.has(key)) throw fail('bad-request', { text: `Two entries write ${key}`, expression: `Bundle.entry[${entry.index}]` });
    seen.add(key);
  }
}

function fullUrls(planned: readonly Planned[]): Map<string, string> {
  const targets = new Map<string, string>();
  for (const { entry, asked, existing } of planned) {
    const resource = asked ?? existing;
    if (entry.fullUrl !== undefined && resource) targets.set(entry.fullUrl, `${resource.type}/${resource.id}`);
  }
  return targets;
}

async function withReferences(asked: Asked | undefined, targets: Map<string, string>, inside: Inside): Promise<Asked> {
  if (!asked?.document) throw new Error('only creates and updates are planned');
  await addConditional(asked.document, targets, inside);
  if (targets.size === 0) return asked;
  const resolved = resolveReferences(asked.document, targets);
  return resolved.strings.size === 0 ? asked : { ...asked, resolved };
}

async function addConditional(document: JsonDocument, targets: Map<string, string>, inside: Inside): Promise<void> {
  for (const reference of conditionalReferences(document.value)) {
    if (targets.has(reference)) continue;
    const type = reference.slice(0, reference.indexOf('?'));
    if (!inside.parts.definitions.resourceTypes.includes(type)) throw fail('unknown-type', { text: `There is no resource type ${type}` });
    const found = await matchOne(type, reference, inside);
    if (!found) throw fail('reference-not-found', { text: `The conditional reference ${type}?… matches nothing` });
    targets.set(reference, `${type}/${found.id}`);
  }
}

/** Runs one entry's step; what has no place yet is told at the entry. */
async function placed<T>(entry: Entry, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof FhirError)) throw error;
    const place = `Bundle.entry[${entry.index}]`;
    const issues = error.issues.map((issue) => ({ ...issue, expression: issue.expression?.startsWith('Bundle.') ? issue.expression : place }));
    throw new FhirError(error.status, issues, error.headers);
  }
}
