// A write with X-Request-ID is carried out once: asked again, it is given the first answer again, byte for byte (domain.md ruling 14).
// The key is a row of the write's own transaction, so a refusal leaves none, and a COMMIT whose answer was lost is met again.
import { createHash } from 'node:crypto';
import type { Caller } from '../fhir/caller.js';
import { fail } from '../fhir/errors.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import { claimRequest, keepAnswer, versionText, type KeptAnswer } from '../store/request-keys.js';
import { inTransaction, type Context, type Handler } from './context.js';

/** The same handler, once per X-Request-ID. Without the header, and within a transaction bundle that has its own key, nothing is added. */
export function once(handler: Handler): Handler {
  return (request, context) => {
    if (request.requestId === undefined || context.tx) return handler(request, context);
    const key = requestKey(request, request.requestId, context.grant.caller);
    const content = contentOf(request);
    return inTransaction(context, async (inside) => {
      const kept = await claimRequest(inside.tx.db, key, content, inside.now);
      if (kept) return replay(kept, content, inside);
      const response = await handler(request, inside);
      await keepAnswer(inside.tx.db, key, keptOf(response, request, inside));
      return response;
    });
  };
}

/** Whose request it is belongs to the key: another caller of the same id is another request, and so is one client that now speaks for somebody else. */
export function requestKey({ method, type, id, operation, query }: FhirRequest, requestId: string, { client, subject, role, patient, relatedPerson, practitionerRole, organization }: Caller): string {
  const whose = [client, subject, role, patient, relatedPerson, practitionerRole, organization];
  return hash([...whose, requestId, method, type, id, operation, query]);
}

function contentOf({ body, jsonPatch, xmlPatch, ifMatch, ifNoneMatch, ifNoneExist, preferReturn }: FhirRequest): string {
  return hash([body?.text.slice(body.start, body.end), jsonPatch, xmlPatch, ifMatch, ifNoneMatch, ifNoneExist, preferReturn]);
}

const hash = (parts: readonly unknown[]): string => createHash('sha256').update(JSON.stringify(parts)).digest('base64url');

async function replay({ content: before, resource, body, ...rest }: KeptAnswer & { readonly content: string }, content: string, { db }: Context): Promise<FhirResponse> {
  if (before !== content) throw fail('business-rule', { text: 'This X-Request-ID came before with another body: send a new id with a new request' });
  const text = resource === undefined ? body : await versionText(db, resource);
  return { ...defined(rest), status: rest.status, ...(text !== undefined && { body: text }) };
}

/** Without the members that are undefined. */
function defined({ version, updated, location, headers, outcome }: Omit<KeptAnswer, 'resource' | 'body'>): Partial<FhirResponse> {
  return {
    ...(version !== undefined && { version }), ...(updated !== undefined && { updated }), ...(location !== undefined && { location }),
    ...(headers && { headers }), ...(outcome && { outcome }),
  };
}

function keptOf({ status, body, outcome = false, version, updated, location, headers }: FhirResponse, { base }: FhirRequest, { grant }: Context): KeptAnswer {
  const stored = location?.startsWith(`${base}/`) ? location.slice(base.length + 1).replace('/_history/', '/') : undefined;
  // What a view has left of a resource is not what its version has.
  const whole = stored !== undefined && !outcome && body !== undefined && grant.view(stored.split('/')[0] ?? '') === undefined;
  return { status, version, updated, location, headers, outcome, resource: whole ? stored : undefined, body: whole ? undefined : body };
}
