// X-Provenance: a Provenance that comes with a write, and is stored with it. https://hl7.org/fhir/R4/provenance.html#header
import { fail } from '../fhir/errors.js';
import { readJson, type JsonDocument } from '../fhir/json-text.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import { inTransaction, type Context, type Handler } from './context.js';
import { writeAll } from './write.js';

const HEADER = 'X-Provenance';
const WRITES = new Set(['create', 'update', 'patch', 'delete']);

/** The write and its Provenance in one transaction: neither is stored without the other. */
export async function withProvenance(handler: Handler, request: FhirRequest, context: Context): Promise<FhirResponse> {
  const text = requireProvenance(request);
  // Made here, outside what is retried, so that a retry writes the same resource.
  const id = context.parts.newId();
  return inTransaction(context, async (inside) => {
    inside.access.written.length = 0;
    const response = await handler(request, inside);
    const [target] = inside.access.written;
    // A condition that was met already: nothing was written, so there is nothing to tell the origin of.
    if (target === undefined) return response;
    await writeAll([{ kind: 'create', method: 'POST', type: 'Provenance', id, fresh: true, attached: true, document: withTarget(text, target), within: HEADER }], inside);
    return response;
  });
}

/** The header's text; 400 where it is no Provenance, or the request is none that it goes with. */
function requireProvenance({ provenance = '', interaction }: FhirRequest): string {
  if (!WRITES.has(interaction)) throw fail('bad-request', { text: `${HEADER} goes with create, update, patch and delete; in a Bundle, send the Provenance as an entry` });
  const { value } = readHeader(provenance);
  if (value['resourceType'] !== 'Provenance') throw fail('bad-request', { text: `${HEADER} must be a Provenance resource in JSON` });
  if (value['target'] !== undefined) throw fail('bad-request', { text: `${HEADER} must have no target: the server fills in the version that is written` });
  return provenance;
}

function readHeader(text: string): JsonDocument {
  try {
    return readJson(text);
  } catch (error) {
    throw fail('malformed-json', { text: `${HEADER} is not a JSON object`, ...(error instanceof Error && { diagnostics: error.message }) });
  }
}

const withTarget = (text: string, target: string): JsonDocument =>
  readJson(text.replace(/^\s*\{/, () => `{"target":[{"reference":"${target}"}],`));
