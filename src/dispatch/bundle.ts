// Many requests as one. Each entry walks the ordinary road again: a batch one by one, a transaction inside one transaction.
// https://hl7.org/fhir/R4/http.html#transaction
import { responseText } from '../fhir/bundle.js';
import { fail, type FhirError } from '../fhir/errors.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import type { Context, Handler } from '../interactions/context.js';
import { perform, refusalResponse } from '../interactions/perform.js';
import { bundleEntries, readEntry } from './entry.js';
import type { Router } from './router.js';
import { runTransaction } from './transaction.js';

export function createBundleHandler(route: () => Router): Handler {
  return async (request, context) => {
    const { type, entries } = bundleEntries(request.body);
    const responses = type === 'batch' ? await runBatch(request, entries, context, route()) : await runTransaction(request, entries, context, route());
    return { status: 200, body: responseText(`${type}-response`, responses) };
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
    if (entry.request.interaction === 'batch') throw nested(index);
    return await perform(entry.routed.handler, entry.request, grant.caller, parts);
  } catch (error) {
    return refusalResponse(error, outer, grant.caller, parts);
  }
}

const nested = (index: number): FhirError =>
  fail('bad-request', { text: 'A Bundle can not be an entry of a batch', expression: `Bundle.entry[${index}].request` });
