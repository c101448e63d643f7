// update: by id (a client may name a new one) or by criteria. https://hl7.org/fhir/R4/http.html#update
import { fail } from '../fhir/errors.js';
import { isId } from '../fhir/id.js';
import type { JsonDocument } from '../fhir/json-text.js';
import type { FhirRequest } from '../fhir/request.js';
import type { Transaction } from '../store/store.js';
import { requireBody, type Asked } from './asked.js';
import { inTransaction, type Context, type Handler } from './context.js';
import { criteriaText, matchOne, takeTurn } from './match.js';
import { propose } from './propose.js';
import { writeAll } from './write.js';
import { writtenResponse } from './written-response.js';

export const update: Handler = async (request, context) => {
  const { type = '' } = request;
  const document = requireBody(type, request.body);
  if (request.id !== undefined) {
    const asked = askedUpdate(request, document, request.id);
    if (context.grant.proposes?.(type) === true) return inTransaction(context, (inside) => propose(asked, request, inside));
    const [written] = await writeAll([asked], context);
    return writtenResponse(written, request, context);
  }
  // Made here, outside what is retried, so that a retry writes the same resource.
  const newId = context.parts.newId();
  return inTransaction(context, async (inside) => {
    const asked = await matchUpdate(request, document, criteriaText(request), inside, newId);
    const [written] = await writeAll([asked], inside);
    return writtenResponse(written, request, inside);
  });
};

/** The update of the resource that the criteria match, or of a new one (under `newId` unless the body names one) where none does. Inside a transaction. */
export async function matchUpdate(request: FhirRequest, document: JsonDocument, criteria: string, context: Context & { tx: Transaction }, newId: string): Promise<Asked> {
  const { type = '' } = request;
  await takeTurn(type, criteria, document, context);
  const found = await matchOne(type, criteria, context);
  const sent = document.value['id'];
  if (found && sent !== undefined && sent !== found.id) throw fail('wrong-id', { text: `The criteria match ${type}/${found.id}; the body has another id` });
  const id = found?.id ?? (typeof sent === 'string' ? sent : newId);
  if (!found && sent !== undefined) await refuseTaken(type, id, context);
  return askedUpdate(request, document, id, found === undefined && sent === undefined);
}

/** The criteria match nothing, so this is a create: it must not overwrite a resource that the caller did not mean. */
async function refuseTaken(type: string, id: string, { grant, tx }: Context & { tx: Transaction }): Promise<void> {
  const locked = await tx.lock(type, id);
  const there = locked && (grant.judges || grant.ownIds?.(type)) ? await tx.read(grant, type, id) : locked;
  if (there && there.text !== null) throw fail('duplicate', { text: `The criteria do not match ${type}/${id}, which the body names: send no id, or other criteria`, expression: `${type}.id` });
}

/** An update of the resource with this id, new or not. The body must name the id that the URL does; only where criteria stand in the URL it need not. */
export function askedUpdate(request: Pick<FhirRequest, 'type' | 'id' | 'ifMatch' | 'ifNoneMatch'>, document: JsonDocument, id: string, fresh = false): Asked {
  const { type = '', ifMatch, ifNoneMatch } = request;
  if (!isId(id)) throw fail('invalid-id', { expression: `${type}.id` });
  const sent = document.value['id'];
  if (sent !== id && (sent !== undefined || request.id !== undefined))
    throw fail('wrong-id', { text: `The URL says ${type}/${id}; the body has ${sent === undefined ? 'no' : 'another'} id`, expression: `${type}.id` });
  return {
    kind: 'update', method: 'PUT', type, id, fresh, document,
    ...(ifMatch !== undefined && { ifMatch }),
    ...(ifNoneMatch !== undefined && { ifNoneMatch }),
  };
}
