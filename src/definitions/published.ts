// HL7's own conformance resources, to be served: read line by line from profiles/r4/conformance.ndjson.br, of which scripts/pack-conformance.mjs tells.
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createBrotliDecompress } from 'node:zlib';

/** The types of which HL7 defines any that are served. */
export const PUBLISHED_TYPES: ReadonlySet<string> = new Set([
  'CompartmentDefinition', 'OperationDefinition', 'SearchParameter', 'StructureDefinition', 'CodeSystem', 'ValueSet', 'ConceptMap',
]);

export interface Published {
  /** Tells this content from any other. */
  readonly content: string;
  /** The resources as JSON text, one after another; unpacked as they are taken, so that memory holds a few. */
  lines(): AsyncIterable<string>;
}

/** `root`: the folder of the package, ending in a slash; this package's own when absent. */
export function openPublished(root = new URL('../../', import.meta.url)): Published {
  const file = new URL('profiles/r4/conformance.ndjson.br', root);
  return {
    content: createHash('sha256').update(readFileSync(file)).digest('hex'),
    lines: () => linesOf(file),
  };
}

async function* linesOf(file: URL): AsyncGenerator<string, void, undefined> {
  const packed = createReadStream(file);
  const plain = packed.pipe(createBrotliDecompress());
  packed.once('error', (error) => plain.destroy(error));
  try {
    yield* createInterface({ input: plain, crlfDelay: Infinity });
  } finally {
    plain.destroy();
    packed.destroy();
  }
}
