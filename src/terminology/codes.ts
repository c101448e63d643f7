// The members of value sets that can be listed at once from memory: what bindings are checked by on every write.
import type { CodeSystem, ValueSet } from '@medplum/fhirtypes';
import { FhirError } from '../fhir/errors.js';
import { MemorySystem } from './memory-system.js';
import { matcher } from './memory-selection.js';
import type { Packed } from './packed.js';
import { planOf, type PlanPart } from './plan.js';
import { candidates, decide } from './selection.js';
import { splitCanonical } from './sources.js';

/** Longer lists are asked one code at a time. */
const MOST_CODES = 20_000;

export function createCodes(packed: Packed): (valueSet: string) => ReadonlySet<string> | undefined {
  const listed = new Map<string, ReadonlySet<string> | undefined>();
  const find = (canonical: string): ValueSet | undefined =>
    (packed.find('ValueSet', splitCanonical(canonical).url) ?? packed.find('ValueSet', canonical)) as ValueSet | undefined;
  return (canonical) => {
    if (!listed.has(canonical)) listed.set(canonical, list(find(canonical), find, packed));
    return listed.get(canonical);
  };
}

function list(valueSet: ValueSet | undefined, find: (canonical: string) => ValueSet | undefined, packed: Packed): ReadonlySet<string> | undefined {
  if (!valueSet) return undefined;
  try {
    const parts = planOf(valueSet, find).map((part) => [part.system, codesOf(part, packed)] as const);
    if (parts.some(([, codes]) => codes === undefined)) return undefined;
    const members = parts.flatMap(([system, codes]) => (codes ?? []).flatMap((code) => [`${system}|${code}`, `|${code}`]));
    return members.length > 2 * MOST_CODES ? undefined : new Set(members);
  } catch (error) {
    if (error instanceof FhirError) return undefined; // a filter or an import that can't be told from here
    throw error;
  }
}

function codesOf({ system, selection }: PlanPart, packed: Packed): readonly string[] | undefined {
  const resource = packed.find('CodeSystem', system) as CodeSystem | undefined;
  if (resource?.content === 'complete') {
    const held = new MemorySystem(resource);
    return [...held.concepts.values()].filter(matcher(selection, held)).map(({ code }) => code);
  }
  const codes = candidates(selection);
  const decided = codes?.map((code) => decide(selection, code));
  return decided?.includes(undefined) ? undefined : codes?.filter((_code, index) => decided?.[index]);
}
