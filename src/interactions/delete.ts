// delete: by id or by criteria; deleting what is not there succeeds. https://hl7.org/fhir/R4/http.html#delete
import type { FhirResponse } from '../fhir/request.js';
import { inTransaction, type Context, type Handler } from './context.js';
import { criteriaText, matchOne } from './match.js';
import { writeAll, type Written } from './write.js';

export const deleteResource: Handler = async (request, context) => {
  const { type = '', ifMatch } = request;
  if (request.id !== undefined) return deletedResponse(await deleteOne(type, request.id, ifMatch, context));
  return inTransaction(context, async (inside) => {
    const found = await matchOne(type, criteriaText(request), inside);
    return deletedResponse(found && (await deleteOne(type, found.id, ifMatch, inside)));
  });
};

async function deleteOne(type: string, id: string, ifMatch: string | undefined, context: Context): Promise<Written | undefined> {
  const [written] = await writeAll([{ kind: 'delete', method: 'DELETE', type, id, ...(ifMatch !== undefined && { ifMatch }) }], context);
  return written;
}

/** 204, with the version that the deletion is where there was something to delete. */
export function deletedResponse(written: Written | undefined): FhirResponse {
  return written ? { status: 204, version: String(written.version), updated: written.updated } : { status: 204 };
}
