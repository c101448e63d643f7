// delete: by id or by criteria; deleting what is not there succeeds. https://hl7.org/fhir/R4/http.html#delete
import { outcomeText } from '../fhir/outcome.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import type { Asked } from './asked.js';
import { inTransaction, type Context, type Handler } from './context.js';
import { criteriaText, matchAll, takeTurn } from './match.js';
import { writeAll, type Written } from './write.js';
import type { Transaction } from '../store/store.js';

export const deleteResource: Handler = async (request, context) => {
  if (request.id !== undefined) return deletedResponse(await writeAll([askedDelete(request, request.id)], context), request);
  return inTransaction(context, async (inside) => {
    const ids = await matchDeletes(request, inside);
    return deletedResponse(await writeAll(ids.map((id) => askedDelete(request, id)), inside), request);
  });
};

export function askedDelete({ type = '', ifMatch }: Pick<FhirRequest, 'type' | 'ifMatch'>, id: string): Asked {
  return { kind: 'delete', method: 'DELETE', type, id, ...(ifMatch !== undefined && { ifMatch }) };
}

/** The ids that criteria name: of one resource, or of as many as the server has been told that a request may delete. */
export async function matchDeletes(request: Pick<FhirRequest, 'type' | 'query'>, inside: Context & { tx: Transaction }): Promise<readonly string[]> {
  const { type = '' } = request;
  const criteria = criteriaText(request);
  await takeTurn(type, criteria, undefined, inside);
  return (await matchAll(type, criteria, inside.parts.mostDeleted, inside)).map(({ id }) => id);
}

/** 204, with the version that the deletion is where there was one thing to delete; 200 with an outcome where one is asked for. */
export function deletedResponse(results: readonly (Written | undefined)[], { preferReturn }: Pick<FhirRequest, 'preferReturn'>): FhirResponse {
  const done = results.filter((one) => one !== undefined);
  const [only] = done.length === 1 ? done : [];
  const head = only && { version: String(only.version), updated: only.updated };
  if (preferReturn !== 'OperationOutcome') return { status: 204, ...head };
  const issues = done.map(({ type, id, version }) => ({ severity: 'information', code: 'informational', text: `${type}/${id} is deleted: version ${version}` }) as const);
  const none = { severity: 'information', code: 'informational', text: 'There was nothing to delete' } as const;
  return { status: 200, ...head, outcome: true, body: outcomeText(issues.length > 0 ? issues : [none]) };
}
