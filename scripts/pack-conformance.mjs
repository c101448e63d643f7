// HL7's conformance resources as the API serves them: profiles/r4/conformance.ndjson.br, which src/definitions/published.ts reads.
//
// One resource a line, as published but for its narrative (half of the text), compressed with brotli: 30 MB in 1.4.
// HL7's documentation examples among them are left out: they define nothing.
import { brotliCompressSync, constants } from 'node:zlib';

/** In the order in which they are stored: the few that tell of many first. */
export const PUBLISHED = ['CompartmentDefinition', 'OperationDefinition', 'SearchParameter', 'StructureDefinition', 'CodeSystem', 'ValueSet', 'ConceptMap'];

const EXAMPLE = /^example(2|-supplement|-expansion|-extensional|-filter|-hierarchical|-intensional|-extension|-reference)?$/;

function withoutNarrative(resource) {
  return Object.fromEntries(Object.entries(resource).filter(([name]) => name !== 'text'));
}

/** `readAll` gives the resources of a type. The same bytes for the same package. */
export function conformanceBytes(readAll) {
  const resources = PUBLISHED.flatMap((type) => readAll(type).filter((resource) => resource.resourceType === type && !EXAMPLE.test(resource.id)));
  const text = Buffer.from(`${resources.map((resource) => JSON.stringify(withoutNarrative(resource))).join('\n')}\n`);
  return brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: text.length } });
}
