// create, and create on condition that nothing matches yet. https://hl7.org/fhir/R4/http.html#create
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import type { Resource } from '../fhir/resource.js';
import type { StoredVersion, Transaction } from '../store/store.js';
import { requireBody } from './asked.js';
import { inTransaction, type Context, type Handler } from './context.js';
import { matchOne, takeTurn } from './match.js';
import { ruleContext } from './rule-context.js';
import { writeAll } from './write.js';
import { writtenResponse } from './written-response.js';

export const create: Handler = async (request, context) => {
  const { type = '' } = request;
  const document = requireBody(type, request.body);
  const condition = request.ifNoneExist;
  if (condition !== undefined) return inTransaction(context, (inside) => createUnlessMatched(request, condition, inside));
  const asked = { kind: 'create', method: 'POST', type, id: context.parts.newId(), fresh: true, document } as const;
  const [written] = await writeAll([asked], context);
  return writtenResponse(written, request, context);
};

async function createUnlessMatched(request: FhirRequest, condition: string, context: Context & { tx: Transaction }): Promise<FhirResponse> {
  const found = await matchForCreate(request, condition, context);
  if (found) return writtenResponse({ ...found, created: false }, request, context);
  const { ifNoneExist: _met, ...unconditional } = request;
  return create(unconditional, context);
}

/**
 * The resource that makes a conditional create needless. Takes the key of the condition first, so that of two that come
 * at the same moment the second sees the first; tells the rules what was found.
 */
export async function matchForCreate(request: Pick<FhirRequest, 'type' | 'body'>, condition: string, context: Context & { tx: Transaction }): Promise<StoredVersion | undefined> {
  const { type = '' } = request;
  const document = requireBody(type, request.body);
  await takeTurn(type, condition, document, context);
  const match = await matchOne(type, condition, context);
  const found = match && (await context.store.read(context.grant, type, match.id));
  if (!found?.text) return undefined;
  const existing = JSON.parse(found.text) as Resource;
  const write = { type, id: found.id, kind: 'create' as const, after: document.value as Resource, document };
  for (const rule of context.parts.rules) {
    if (rule.matched && rule.concerns(write)) await rule.matched(write, existing, ruleContext(context, context.tx));
  }
  return found;
}
