// patch: JSON Patch, XML Patch or FHIRPath Patch of the resource as it is stored, by id or by criteria. https://hl7.org/fhir/R4/http.html#patch
import type { Definitions } from '../definitions/model.js';
import { fail } from '../fhir/errors.js';
import { applyJsonPatch, readJsonPatch } from '../fhir/json-patch.js';
import type { JsonDocument } from '../fhir/json-document.js';
import { readJson } from '../fhir/json-text.js';
import { parseTree, treeText, type JsonTree } from '../fhir/json-tree.js';
import type { FhirRequest } from '../fhir/request.js';
import type { StoredVersion, Transaction } from '../store/store.js';
import { patchResource } from '../xml/patch-resource.js';
import { xmlTypes } from '../xml/xml-forms.js';
import { readXmlPatch } from '../xml/xml-patch.js';
import type { Asked } from './asked.js';
import { inTransaction, type Context, type Handler } from './context.js';
import { applyFhirpathPatch } from './fhirpath-patch.js';
import { criteriaText, matchOne, takeTurn } from './match.js';
import { propose } from './propose.js';
import { readPatchOperations } from './patch-operations.js';
import { checkPreconditions } from './preconditions.js';
import { writeAll } from './write.js';
import { writtenResponse } from './written-response.js';

export const patch: Handler = async (request, context) => {
  const change = readPatch(request, context.parts.definitions);
  return inTransaction(context, async (inside) => {
    const asked = await askedPatch(request, inside, change);
    if (inside.grant.proposes?.(asked.type) === true) return propose(asked, request, inside);
    const [written] = await writeAll([asked], inside);
    return writtenResponse(written, request, inside);
  });
};

/** Patches the tree it is given, which is its own; the same each time, so that a transaction can be run again. */
type TreeChange = (tree: JsonTree) => JsonTree;

/** Reads the patch of a request; refuses (400) what is none. */
export function readPatch({ jsonPatch, xmlPatch, body }: Pick<FhirRequest, 'jsonPatch' | 'xmlPatch' | 'body'>, definitions: Definitions): TreeChange {
  if (jsonPatch !== undefined) {
    const operations = readJsonPatch(jsonPatch);
    return (tree) => applyJsonPatch(tree, operations);
  }
  if (xmlPatch !== undefined) {
    const operations = readXmlPatch(xmlPatch);
    return (tree) => parseTree(patchResource(treeText(tree), operations, xmlTypes(definitions)));
  }
  if (body?.value['resourceType'] !== 'Parameters') {
    throw fail('bad-request', { text: 'Send a JSON Patch as application/json-patch+json, an XML Patch as application/xml-patch+xml, or a FHIRPath Patch as Parameters in application/fhir+json or application/fhir+xml' });
  }
  const operations = readPatchOperations(body);
  return (tree) => applyFhirpathPatch(tree, operations, definitions);
}

/** The update that a patch comes to. The row is locked from here on: what was read is what is replaced. */
export async function askedPatch(request: FhirRequest, inside: Context & { tx: Transaction }, change: TreeChange): Promise<Asked> {
  // What a patch finds or fails to find tells what is stored.
  if (inside.grant.receiptsOnly) throw fail('forbidden', { text: 'This caller gets receipts only, and a patch tells what is stored: send the whole resource by PUT' });
  const { type = '', ifMatch, ifNoneMatch } = request;
  if (inside.grant.view(type)) throw fail('forbidden', { text: `The role ${inside.grant.caller.role} sees only part of a ${type}, and may not patch it` });
  const id = request.id ?? (await matchedId(request, inside));
  const current = await lockVisible(type, id, inside);
  checkPreconditions(request, current);
  return {
    kind: 'update', method: 'PATCH', type, id, document: patched(current, change),
    ...(ifMatch !== undefined && { ifMatch }),
    ...(ifNoneMatch !== undefined && { ifNoneMatch }),
  };
}

async function matchedId(request: FhirRequest, inside: Context & { tx: Transaction }): Promise<string> {
  const { type = '' } = request;
  await takeTurn(type, criteriaText(request), undefined, inside);
  const found = await matchOne(type, criteriaText(request), inside);
  if (!found) throw fail('not-found', { text: `The criteria match no ${type}` });
  return found.id;
}

/** The current version, locked; a row that the Grant hides is one that is not there. */
async function lockVisible(type: string, id: string, { tx, grant }: Context & { tx: Transaction }): Promise<StoredVersion & { text: string }> {
  const locked = await tx.lock(type, id);
  const hidden = locked && grant.rows(type).kind !== 'all' && !(await tx.read(grant, type, id));
  const current = hidden ? undefined : locked;
  if (!current && grant.judges) throw grant.absent(type, id);
  if (!current) throw fail('not-found', { text: `There is no ${type}/${id}: a patch changes what is there, and creates nothing` });
  const { text } = current;
  if (text === null) throw fail('gone', { text: `${type}/${id} was deleted in version ${current.version}` });
  return { ...current, text };
}

function patched({ type, id, text }: StoredVersion & { text: string }, change: TreeChange): JsonDocument {
  const document = readJson(treeText(change(parseTree(text))));
  const { resourceType, id: patchedId } = document.value;
  if (resourceType !== type) throw fail('wrong-resource-type', { text: `A patch can not change the resourceType of ${type}/${id}`, expression: 'resourceType' });
  if (patchedId !== id) throw fail('wrong-id', { text: `A patch can not change the id of ${type}/${id}`, expression: `${type}.id` });
  return document;
}
