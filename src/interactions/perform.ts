// The journey of a request on one page: permit, answer, shape, and every refusal turned into a response.
// HTTP, batch entries, transactions, jobs and the command line all walk this road.
import type { Caller } from '../fhir/caller.js';
import { FhirError, fail } from '../fhir/errors.js';
import { outcomeText } from '../fhir/outcome.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import { VersionConflict, type Transaction } from '../store/store.js';
import type { Context, Handler, Parts } from './context.js';

/** Performs a request for a caller; never throws: a refusal is a response too. */
export async function perform(handler: Handler, request: FhirRequest, caller: Caller, parts: Parts): Promise<FhirResponse> {
  try {
    return await answer(handler, request, caller, parts);
  } catch (error) {
    return refusalResponse(error, request, parts);
  }
}

/** The same without the last stop: a transaction must see the refusal to roll back. */
export async function answer(handler: Handler, request: FhirRequest, caller: Caller, parts: Parts, tx?: Transaction): Promise<FhirResponse> {
  const grant = parts.permit(caller, request);
  const context: Context = { parts, grant, now: parts.clock(), store: tx ?? parts.store, db: tx ? tx.db : parts.db, ...(tx && { tx }) };
  for (const answerer of parts.answerers) {
    if (!answerer.concerns(request, grant)) continue;
    const response = await answerer.answer(request, context);
    if (response) return response;
  }
  return handler(request, context);
}

/** Any error as the OperationOutcome the caller gets. */
export function refusalResponse(error: unknown, request: FhirRequest, parts: Pick<Parts, 'newId' | 'onFailure'>): FhirResponse {
  const refusal = asFhirError(error);
  if (refusal.status >= 500) parts.onFailure(error, request);
  return {
    status: refusal.status,
    body: outcomeText(refusal.issues, { id: parts.newId() }),
    outcome: true,
    headers: refusal.headers,
  };
}

function asFhirError(error: unknown): FhirError {
  if (error instanceof FhirError) return error;
  if (error instanceof VersionConflict) return fail('version-conflict', { expression: error.type });
  if (isConnectionLoss(error)) return fail('not-ready');
  return fail('unexpected');
}

/** Codes of a database that is away or going: connection exceptions, shutdown, too many clients, a full disk. */
const AWAY = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOENT', '57P01', '57P02', '57P03', '53300', '53100', '08000', '08003', '08006']);

function isConnectionLoss(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  if ('code' in error && typeof error.code === 'string') return AWAY.has(error.code);
  return error instanceof Error && /Connection terminated|timeout exceeded when trying to connect/.test(error.message);
}
