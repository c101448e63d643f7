// Many requests as one. Each entry walks the ordinary road again: a batch one by one, a transaction inside one transaction.
// https://hl7.org/fhir/R4/http.html#transaction
import { responseText } from '../fhir/bundle.js';
import { fail, type FhirError } from '../fhir/errors.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import type { Context, Handler } from '../interactions/context.js';
import { once } from '../interactions/once.js';
import { perform, refusalResponse } from '../interactions/perform.js';
import { bundleEntries, readEntry, requireMethod } from './entry.js';
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
  for (const [index, raw] of entries.entries()) responses.push(await runEntry(request, raw, index, context, route));
  return responses;
}

async function runEntry(outer: FhirRequest, raw: unknown, index: number, context: Context, route: Router): Promise<FhirResponse> {
  const { parts, grant } = context;
  try {
    const entry = readEntry(outer, raw, index, route);
    requireMethod(entry, grant);
    if (entry.request.interaction === 'batch') throw nested(index);
    // A batch asked for again is given the answers of its writes again, each by a key of its own: some may have been refused.
    const requestId = outer.requestId === undefined ? undefined : `${outer.requestId}#${index}`;
    return await perform(entry.routed.handler, { ...entry.request, requestId }, grant.caller, parts);
  } catch (error) {
    const response = refusalResponse(error, outer, grant.caller, parts);
    parts.audit.recordUnread(grant.caller, response.status, `Bundle.entry[${index}]`, outer);
    return response;
  }
}

const nested = (index: number): FhirError =>
  fail('bad-request', { text: 'A Bundle can not be an entry of a batch', expression: `Bundle.entry[${index}].request` });
