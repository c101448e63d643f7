// Many requests as one. Each entry walks the ordinary road again: a batch one by one, a transaction inside one transaction.
// https://hl7.org/fhir/R4/http.html#transaction
import { responseText } from '../fhir/bundle.js';
import { fail, type FhirError } from '../fhir/errors.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import type { Context, Handler } from '../interactions/context.js';
import { once } from '../interactions/once.js';
import { perform, refusalResponse } from '../interactions/perform.js';
import { referencesIn } from '../interactions/references.js';
import { asAsked, bundleEntries, readEntry, requireMethod, type Entry } from './entry.js';
import type { Router } from './router.js';
import { runTransaction } from './transaction.js';

/** `mostEntries`: a Bundle with more is refused whole, before any is looked at. */
export function createBundleHandler(route: () => Router, mostEntries: number): Handler {
  const transaction = once(async (request, context) => {
    const responses = await runTransaction(request, bundleEntries(request.body).entries, context, route());
    return { status: 200, body: responseText('transaction-response', responses) };
  });
  return async (request, context) => {
    const { type, entries } = bundleEntries(request.body);
    if (entries.length > mostEntries) throw fail('too-many-entries', { text: `A Bundle may have ${mostEntries} entries here, not ${entries.length}: send it in parts`, expression: 'Bundle.entry' });
    if (type === 'transaction') return transaction(request, context);
    return { status: 200, body: responseText('batch-response', await runBatch(request, entries, context, route())) };
  };
}

/** One after the other, so that a later entry sees what an earlier one did, as a client would that sent them itself. */
async function runBatch(request: FhirRequest, entries: readonly unknown[], context: Context, route: Router): Promise<FhirResponse[]> {
  const responses: FhirResponse[] = [];
  const made = madeIn(entries);
  for (const [index, raw] of entries.entries()) responses.push(await runEntry(request, { raw, index, made }, context, route));
  return responses;
}

interface BatchEntry {
  readonly raw: unknown;
  readonly index: number;
  /** Of the whole batch. */
  readonly made: ReadonlyMap<string, number>;
}

async function runEntry(outer: FhirRequest, { raw, index, made }: BatchEntry, context: Context, route: Router): Promise<FhirResponse> {
  const { parts, grant } = context;
  try {
    const entry = readEntry(outer, raw, index, route);
    requireMethod(entry, grant);
    requireAlone(entry, made);
    if (entry.request.interaction === 'batch') throw nested(index);
    // A batch asked for again is given the answers of its writes again, each by a key of its own: some may have been refused.
    const requestId = outer.requestId === undefined ? undefined : `${outer.requestId}#${index}`;
    return asAsked(entry, await perform(entry.routed.handler, { ...entry.request, requestId }, grant.caller, parts));
  } catch (error) {
    const response = refusalResponse(error, outer, grant.caller, parts);
    parts.audit.recordUnread(grant.caller, response.status, `Bundle.entry[${index}]`, outer);
    return response;
  }
}

/** The fullUrl of each entry that creates something, and its index. */
function madeIn(entries: readonly unknown[]): ReadonlyMap<string, number> {
  const made = new Map<string, number>();
  for (const [index, raw] of entries.entries()) {
    const { fullUrl, request } = (raw ?? {}) as { readonly fullUrl?: unknown; readonly request?: { readonly method?: unknown } | null };
    if (typeof fullUrl === 'string' && request?.method === 'POST') made.set(fullUrl, index);
  }
  return made;
}

/** Throws 400 for a reference to what another entry creates: only a transaction can know its id. https://hl7.org/fhir/R4/http.html#brules */
function requireAlone({ index, request: { body } }: Entry, made: ReadonlyMap<string, number>): void {
  if (!body || made.size === 0) return;
  const [reference] = referencesIn(body.value, (text) => (made.get(text) ?? index) !== index);
  if (reference === undefined) return;
  throw fail('bad-request', {
    text: `${reference.slice(0, 80)} is made by entry ${String(made.get(reference))}, which an entry of a batch can't refer to: send them as a transaction`,
    expression: `Bundle.entry[${index}].resource`,
  });
}

const nested = (index: number): FhirError =>
  fail('bad-request', { text: 'A Bundle can not be an entry of a batch', expression: `Bundle.entry[${index}].request` });
