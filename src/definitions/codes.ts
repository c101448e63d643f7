// The members of value sets that required bindings name, listed when first asked for.
// https://hl7.org/fhir/R4/valueset.html#compositions
import type { Resource } from '../fhir/resource.js';
import { wordsOf, type PackedDefinitions, type PackedInclude, type PackedValueSet } from './packed.js';
import { packCodeSystem, packValueSet } from './pack-terminology.js';

export type Codes = ReadonlySet<string>;

interface Sources {
  readonly systems: ReadonlyMap<string, readonly string[]>;
  readonly valueSets: ReadonlyMap<string, PackedValueSet>;
}

/**
 * Value set URL (a `|version` is ignored) -> `system|code` and `|code` members. Undefined where the set can't be listed:
 * its system is not here in full (UCUM, BCP-13), it is unknown, or it imports itself. `own` are our resources.
 */
export function codesOf(packed: Pick<PackedDefinitions, 'systems' | 'valueSets'>, own: readonly Resource[]): (valueSet: string) => Codes | undefined {
  const sources: Sources = {
    systems: new Map([...Object.entries(packed.systems).map(([url, codes]) => [url, wordsOf(codes)] as const), ...own.flatMap(packCodeSystem)]),
    valueSets: new Map([...Object.entries(packed.valueSets), ...own.flatMap(packValueSet)]),
  };
  const listed = new Map<string, Codes | undefined>();
  return (canonical) => {
    const url = withoutVersion(canonical);
    if (!listed.has(url)) {
      const pairs = listSet(url, sources, new Set());
      listed.set(url, pairs && new Set([...pairs].flatMap((pair) => [pair, pair.slice(pair.indexOf('|'))])));
    }
    return listed.get(url);
  };
}

/** `system|code` pairs. `within`: the sets being listed, so that a loop of imports ends. */
function listSet(url: string, sources: Sources, within: ReadonlySet<string>): Codes | undefined {
  const set = sources.valueSets.get(url);
  if (!set?.include || within.has(url)) return undefined;
  const inside = new Set([...within, url]);
  const included = listParts(set.include, sources, inside);
  const excluded = listParts(set.exclude ?? [], sources, inside);
  if (!included || !excluded) return undefined;
  return excluded.size === 0 ? included : new Set([...included].filter((pair) => !excluded.has(pair)));
}

function listParts(parts: readonly PackedInclude[], sources: Sources, within: ReadonlySet<string>): Codes | undefined {
  const all = new Set<string>();
  for (const part of parts) {
    const listed = listPart(part, sources, within);
    if (!listed) return undefined;
    for (const pair of listed) all.add(pair);
  }
  return all;
}

/** What stands in one include holds together: codes of the system that are in each of the imported sets. */
function listPart(part: PackedInclude, sources: Sources, within: ReadonlySet<string>): Codes | undefined {
  const imported = (part.valueSet === undefined ? [] : wordsOf(part.valueSet)).map((url) => listSet(withoutVersion(url), sources, within));
  const lists = part.system === undefined ? imported : [listSystem(part.system, part, sources), ...imported];
  const [first, ...rest] = lists;
  if (!first || rest.some((list) => list === undefined)) return undefined;
  return new Set([...first].filter((pair) => rest.every((list) => list?.has(pair))));
}

function listSystem(system: string, part: PackedInclude, sources: Sources): Codes | undefined {
  const codes = part.codes === undefined ? sources.systems.get(system) : wordsOf(part.codes);
  return codes && new Set(codes.map((code) => `${system}|${code}`));
}

function withoutVersion(canonical: string): string {
  const bar = canonical.indexOf('|');
  return bar === -1 ? canonical : canonical.slice(0, bar);
}
