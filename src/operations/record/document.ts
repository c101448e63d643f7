// Composition/$document: a composition and all it refers to, as a document. https://hl7.org/fhir/R4/composition-operation-document.html
import { documentText } from '../../fhir/bundle.js';
import { instantText } from '../../fhir/date-time.js';
import { fail } from '../../fhir/errors.js';
import { readJson } from '../../fhir/json-text.js';
import type { FhirRequest } from '../../fhir/request.js';
import type { Context } from '../../interactions/context.js';
import { referencesIn, resourcesOf } from '../../interactions/referred.js';
import { writeAll } from '../../interactions/write.js';
import { versionUrl } from '../../interactions/written-response.js';
import type { Found } from '../../store/store.js';
import { readInput } from '../input.js';
import type { Operation } from '../operation.js';
import { presentText } from '../present.js';
import { graphNamed, walkGraph } from './walk-graph.js';
import { OPERATION, type TerminologyOperations } from '../terminology/terminology-parts.js';

const INPUT = { id: 'text', persist: 'boolean', graph: 'text' } as const;

export function createDocumentOperation({ validate, newId }: Pick<TerminologyOperations, 'validate' | 'newId'>): Operation {
  return {
    code: 'document',
    definition: `${OPERATION}/Composition-document`,
    system: false,
    types: ['Composition'],
    instances: ['Composition'],
    affectsState: false,
    async handle(request, context) {
      const input = readInput(request, INPUT, validate);
      const composition = await compositionOf(request, input.text('id'), context);
      const graph = input.text('graph');
      const further = graph === undefined ? [] : await walkGraph(await graphNamed(graph, request, context), composition, request, context);
      const referred = joined(await referredBy(composition, context), further);
      const bundleId = newId();
      const text = documentText({ id: bundleId, identifier: newId(), timestamp: instantText(context.now), base: request.base, entries: [composition, ...referred] });
      return input.flag('persist') === true ? persisted(bundleId, text, request, context) : { status: 200, body: text };
    },
  };
}

/** By the URL of the call, or by the parameter id at the type: a logical id, or a reference to this server. */
async function compositionOf({ id, base }: FhirRequest, given: string | undefined, context: Context): Promise<Found> {
  if (id !== undefined && given !== undefined) throw fail('invalid-parameter', { text: 'The composition is in the URL already: leave out the parameter id', expression: 'id' });
  const wanted = id ?? (given?.startsWith(`${base}/`) ? given.slice(base.length + 1) : given)?.replace(/^Composition\//, '');
  if (wanted === undefined) throw fail('invalid-parameter', { text: 'Name the composition: Composition/[id]/$document, or the parameter id', expression: 'id' });
  return presentText('Composition', wanted, context);
}

/** Each once. */
const joined = (...lists: readonly (readonly Found[])[]): readonly Found[] => [...new Map(lists.flat().map((one) => [`${one.type}/${one.id}`, one])).values()];

/** A document stands for itself: where one of its parts is missing it is none. */
async function referredBy(composition: Found, context: Context): Promise<readonly Found[]> {
  const wanted = referencesIn([composition], new Set([`Composition/${composition.id}`]));
  const found = await resourcesOf(wanted, context);
  const there = new Set(found.map(({ type, id }) => `${type}/${id}`));
  const missing = [...wanted].flatMap(([type, ids]) => ids.map((id) => `${type}/${id}`)).filter((reference) => !there.has(reference));
  if (missing.length > 0) throw fail('reference-not-found', { text: `Composition/${composition.id} refers to what is not here, so that no document can be made of it: ${missing.slice(0, 5).join(', ')}` });
  return found;
}

async function persisted(id: string, text: string, request: FhirRequest, context: Context): ReturnType<Operation['handle']> {
  const document = readJson(text);
  const [written] = await writeAll([{ kind: 'create', method: 'POST', type: 'Bundle', id, fresh: true, document }], context);
  if (!written?.text) throw new Error('a create always writes');
  const { version, updated } = written;
  return { status: 200, body: written.text, version: String(version), updated, location: versionUrl(request.base, written) };
}
