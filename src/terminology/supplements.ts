// What code system supplements that were posted say of a concept: more names, more properties. https://hl7.org/fhir/R4/codesystem.html#supplements
import type { Concept } from './concept.js';
import type { MemorySystem } from './memory-system.js';
import type { Canonical, Sources } from './sources.js';

export type Supplement = (concept: Concept) => Concept;

/** Adds what all supplements of the system say; the concept itself where there are none. */
export async function supplementOf(system: Canonical, sources: Pick<Sources, 'supplements'>): Promise<Supplement> {
  const supplements = await sources.supplements(system);
  return supplements.length === 0 ? (concept) => concept : (concept) => supplements.reduce(supplemented, concept);
}

/** A display of a supplement is one more name, in the supplement's language: the system's own stays. */
function supplemented(concept: Concept, supplement: MemorySystem): Concept {
  const more = supplement.find(concept.code);
  if (!more) return concept;
  const { language } = supplement.header;
  const named = more.display === undefined ? [] : [{ ...(language !== undefined && { language }), value: more.display }];
  return { ...concept, designations: [...concept.designations, ...named, ...more.designations], properties: [...concept.properties, ...more.properties] };
}
