// The journey of a request on one page: permit, answer, shape, record, and every refusal turned into a response.
// HTTP, batch entries, transactions, jobs and the command line all walk this road.
import { requirePurpose } from '../audit/purpose.js';
import type { Access } from '../audit/trail.js';
import { isLockTimeout, isOutOfResources, isOutOfTime, isRetried } from '../db/failure.js';
import type { Caller } from '../fhir/caller.js';
import { FhirError, fail } from '../fhir/errors.js';
import { outcomeText } from '../fhir/outcome.js';
import { withOwnReferences } from '../fhir/own-references.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import { StaleParameters, VersionConflict, type Transaction } from '../store/store.js';
import { recordBrokenGlass } from './broken-glass.js';
import type { Context, Handler, Parts, RefusedRequest } from './context.js';
import { withProvenance } from './provenance.js';

/** Performs a request for a caller and records it; never throws: a refusal is a response too. */
export async function perform(handler: Handler, request: FhirRequest, caller: Caller, parts: Parts): Promise<FhirResponse> {
  const access = parts.audit.open(caller, request);
  const response = await answer(handler, request, { caller, parts, access }).catch((error: unknown) => refusalResponse(error, request, caller, parts));
  parts.audit.record(access, response);
  return response;
}

export interface Asking {
  readonly caller: Caller;
  readonly parts: Parts;
  readonly access: Access;
  readonly tx?: Transaction;
}

/** The same without the last stops: a transaction must see the refusal to roll back, and records its entries when they are committed. */
export async function answer(handler: Handler, sent: FhirRequest, { caller, parts, access, tx }: Asking): Promise<FhirResponse> {
  const request = withOwnNames(sent);
  requirePurpose(request);
  const grant = parts.permit(caller, request);
  // An entry of a transaction has been asked for with the Bundle, and another connection would have to be waited for inside it.
  const standing = tx ? undefined : parts.standing(caller);
  const context: Context = { parts, grant, access, now: parts.clock(), store: tx ?? parts.store, db: tx ? tx.db : parts.db, ...(tx && { tx }) };
  const response = await (standing ? whileStanding(standing, request, context, () => respond(handler, request, context)) : respond(handler, request, context));
  if (grant.brokenGlass !== undefined) await recordBrokenGlass(grant.brokenGlass, request, response, context);
  return response;
}

/** A Bundle's entries may stand for what its references name: each is judged by itself. */
function withOwnNames(request: FhirRequest): FhirRequest {
  const { body, base } = request;
  if (!body || body.value['resourceType'] === 'Bundle') return request;
  const named = withOwnReferences(body, base);
  return named === body ? request : { ...request, body: named };
}

async function respond(handler: Handler, request: FhirRequest, context: Context): Promise<FhirResponse> {
  for (const answerer of context.parts.answerers) {
    if (!answerer.concerns(request, context.grant)) continue;
    const response = await answerer.answer(request, context);
    if (response) return response;
  }
  return request.provenance === undefined ? handler(request, context) : withProvenance(handler, request, context);
}

const READS: ReadonlySet<string> = new Set(['read', 'vread', 'history', 'search']);

/** Reads are made while the standing is asked for, and given out only if it is good. Whatever changes something waits, and a view of Accounts, which has to know whose lines to show. */
async function whileStanding(standing: Promise<void>, request: FhirRequest, { grant }: Context, work: () => Promise<FhirResponse>): Promise<FhirResponse> {
  if (!READS.has(request.interaction) || grant.view('Account')) {
    await standing;
    return work();
  }
  const [stands, done] = await Promise.allSettled([standing, work()]);
  if (stands.status === 'rejected') throw stands.reason;
  if (done.status === 'rejected') throw done.reason;
  return done.value;
}

/** Any error as the OperationOutcome the caller gets. */
export function refusalResponse(error: unknown, request: RefusedRequest, caller: Caller | undefined, parts: Pick<Parts, 'newId' | 'onFailure' | 'wordRefusal'>): FhirResponse {
  const refusal = parts.wordRefusal(asFhirError(error), request, caller);
  if (refusal.status >= 500) parts.onFailure(error, request);
  return {
    status: refusal.status,
    body: outcomeText(refusal.issues, { id: parts.newId() }),
    outcome: true,
    headers: refusal.headers,
    refused: codeOf(refusal),
  };
}

const codeOf = ({ issues: [first] }: FhirError): string => first?.coding?.code ?? first?.code ?? 'unknown';

function asFhirError(error: unknown): FhirError {
  if (error instanceof FhirError) return error;
  if (error instanceof StaleParameters) return fail('not-ready');
  if (error instanceof VersionConflict) return fail('version-conflict', { expression: error.type });
  if (isLockTimeout(error)) return fail('in-progress', {}, { 'retry-after': '1' });
  if (isOutOfTime(error)) return fail('out-of-time', {}, { 'retry-after': '5' });
  // A lost connection, a full disk, or work that met other work six times over: the same request may succeed later.
  if (isRetried(error) || isOutOfResources(error)) return fail('not-ready');
  return fail('unexpected');
}
