// Does one code of a system stand above another? https://hl7.org/fhir/R4/codesystem-operation-subsumes.html
import { remoteWords, type Ground } from './ground.js';
import { findConcept, isAbove, type LoadedSystem } from './loaded-system.js';
import type { MemorySystem } from './memory-system.js';
import { notSupported, unknownCode, unknownSystem } from './refusals.js';

export type Subsumption = 'equivalent' | 'subsumes' | 'subsumed-by' | 'not-subsumed';

export interface SubsumesQuestion {
  readonly system: string;
  readonly version?: string;
  readonly codeA: string;
  readonly codeB: string;
}

/** Refuses (404) a system or code that is not known, and (422) a hierarchy of another meaning than is-a. */
export async function subsumes({ system, version, codeA, codeB }: SubsumesQuestion, ground: Ground): Promise<Subsumption> {
  const held = await ground.sources.codeSystem({ url: system, ...(version !== undefined && { version }) });
  if (!held) throw unknownSystem(system, version, ground.remote ? `${ground.remote.url} is asked to validate and to expand only.` : remoteWords(ground));
  if (!held.header.subsumes) throw notSupported(`The hierarchy of ${system} does not say that one code subsumes another`);
  return held.kind === 'memory' ? inMemory(held, codeA, codeB) : inTables(held, codeA, codeB, ground);
}

function inMemory(system: MemorySystem, codeA: string, codeB: string): Subsumption {
  const [a, b] = [codeA, codeB].map((code) => {
    const concept = system.find(code);
    if (!concept) throw unknownCode(code, system.header.url);
    return concept.code;
  }) as [string, string];
  if (a === b) return 'equivalent';
  if (system.ancestors(b).has(a)) return 'subsumes';
  return system.ancestors(a).has(b) ? 'subsumed-by' : 'not-subsumed';
}

async function inTables(system: LoadedSystem, a: string, b: string, { db }: Ground): Promise<Subsumption> {
  for (const code of [a, b]) if (!(await findConcept(db, system, code))) throw unknownCode(code, system.header.url);
  if (a === b) return 'equivalent';
  if (await isAbove(db, system, a, b)) return 'subsumes';
  return (await isAbove(db, system, b, a)) ? 'subsumed-by' : 'not-subsumed';
}
