// A value set's composition as one selection per code system: includes joined, imports intersected, excludes taken away.
// https://hl7.org/fhir/R4/valueset.html#compositions
import type { ValueSet, ValueSetComposeInclude, ValueSetComposeIncludeFilter, ValueSetExpansionContains } from '@medplum/fhirtypes';
import type { Designation } from './concept.js';
import { importLoop, notSupported, unknownValueSet } from './refusals.js';
import { ALL, and, codes, FILTER_OPS, NONE, not, or, type FilterOp, type Selection } from './selection.js';

/** What a value set itself says of a code it lists. */
export interface Listed {
  readonly display?: string;
  readonly designations: readonly Designation[];
}

export interface PlanPart {
  readonly system: string;
  readonly version?: string;
  readonly selection: Selection;
  readonly listed: ReadonlyMap<string, Listed>;
}

/** Parts in the order in which their systems are first named. */
export type Plan = readonly PlanPart[];

type Parts = ReadonlyMap<string, PlanPart>;

interface Imports {
  find(canonical: string): ValueSet | undefined;
  /** Each set is planned once, however many ways lead to it. */
  readonly done: Map<string, Parts>;
}

/** `find` gives the imported sets. Refuses an import that is unknown (404) or leads back to itself, and a filter that is none of FHIR's. */
export function planOf(valueSet: ValueSet, find: (canonical: string) => ValueSet | undefined): Plan {
  return [...partsOf(valueSet, { find, done: new Map() }, []).values()];
}

/** Does it say which codes it has? Some are published without, or with a page of them. */
export function isListed({ compose, expansion }: ValueSet): boolean {
  return compose !== undefined || (expansion?.contains !== undefined && (expansion.total === undefined || expansion.total <= countOf(expansion.contains)));
}

function countOf(contains: readonly ValueSetExpansionContains[]): number {
  return contains.reduce((sum, { contains: below = [] }) => sum + 1 + countOf(below), 0);
}

/** The canonical URLs that a value set imports. */
export function importsOf({ compose }: ValueSet): readonly string[] {
  return [...(compose?.include ?? []), ...(compose?.exclude ?? [])].flatMap((part) => part.valueSet ?? []);
}

function partsOf(valueSet: ValueSet, imports: Imports, within: readonly string[]): Parts {
  const { url, compose, expansion } = valueSet;
  if (url !== undefined && within.includes(url)) throw importLoop([...within.slice(within.indexOf(url)), url]);
  const inside = url === undefined ? within : [...within, url];
  if (!compose) {
    if (within.length > 0 && !isListed(valueSet)) throw notSupported(`The value set ${url ?? ''}, which is imported, does not say which codes it has`, 'ValueSet.compose');
    return expansion?.contains ? expandedParts(expansion.contains) : new Map();
  }
  const included = joined(compose.include.map((part) => includeParts(part, imports, inside)));
  const excluded = joined((compose.exclude ?? []).map((part) => includeParts(part, imports, inside)));
  return mapParts(included, (part) => {
    const without = excluded.get(part.system);
    return and([part.selection, ...(without ? [not(without.selection)] : []), ...(compose.inactive === false ? [{ kind: 'active' } as const] : [])]);
  });
}

/** What stands in one include holds together: codes of the system that are in each of the imported sets. */
function includeParts(include: ValueSetComposeInclude, imports: Imports, within: readonly string[]): Parts {
  const imported = (include.valueSet ?? []).map((canonical) => importedParts(canonical, imports, within));
  const own = include.system === undefined ? [] : [new Map([[include.system, systemPart(include, include.system)]])];
  const [first = new Map<string, PlanPart>(), ...others] = [...own, ...imported];
  return mapParts(first, (part) => and([part.selection, ...others.map((other) => other.get(part.system)?.selection ?? NONE)]), others);
}

function importedParts(canonical: string, imports: Imports, within: readonly string[]): Parts {
  const known = imports.done.get(canonical);
  if (known) return known;
  const found = imports.find(canonical);
  if (!found) throw unknownValueSet(canonical);
  const parts = partsOf(found, imports, within);
  imports.done.set(canonical, parts);
  return parts;
}

function systemPart({ version, concept, filter }: ValueSetComposeInclude, system: string): PlanPart {
  const listed = new Map<string, Listed>();
  for (const { code = '', display, designation } of concept ?? []) listed.set(code, { ...(display !== undefined && { display }), designations: (designation ?? []) as Designation[] });
  const selection = concept ? codes(listed.keys()) : and((filter ?? []).map(readFilter));
  return { system, ...(version !== undefined && { version }), selection: filter && concept ? and([selection, ...filter.map(readFilter)]) : selection, listed };
}

function readFilter({ property, op, value }: ValueSetComposeIncludeFilter): Selection {
  if (!isFilterOp(op)) throw notSupported(`FHIR has no filter operator ${JSON.stringify(op)}`, 'ValueSet.compose');
  return { kind: 'filter', property, op, value };
}

const isFilterOp = (op: string): op is FilterOp => (FILTER_OPS as readonly string[]).includes(op);

/** A set that holds only what was expanded elsewhere is the list of it. */
function expandedParts(contains: readonly ValueSetExpansionContains[]): Parts {
  return joined(contains.flatMap(({ system, version, code, display, abstract, contains: below }) => [
    ...(system !== undefined && code !== undefined && abstract !== true
      ? [new Map([[system, { system, ...(version !== undefined && { version }), selection: codes([code]), listed: new Map([[code, { ...(display !== undefined && { display }), designations: [] }]]) }]])] : []),
    ...(below ? [expandedParts(below)] : []),
  ]));
}

function joined(several: readonly Parts[]): Parts {
  const bySystem = new Map<string, PlanPart[]>();
  for (const part of several.flatMap((parts) => [...parts.values()])) {
    const before = bySystem.get(part.system);
    if (before) before.push(part);
    else bySystem.set(part.system, [part]);
  }
  return new Map([...bySystem].map(([system, parts]) => [system, { ...withListed(parts), selection: or(parts.map(({ selection }) => selection)) }]));
}

/** The first that says something of a code, or of the version, counts. */
function withListed(parts: readonly PlanPart[]): PlanPart {
  const [first] = parts;
  if (!first) return { system: '', selection: ALL, listed: new Map() };
  if (parts.length === 1) return first;
  const version = parts.find((part) => part.version !== undefined)?.version;
  const listed = new Map(parts.toReversed().flatMap((part) => [...part.listed]));
  return { ...first, ...(version !== undefined && { version }), listed };
}

function mapParts(parts: Parts, selectionOf: (part: PlanPart) => Selection, others: readonly Parts[] = []): Parts {
  return new Map([...parts.values()].flatMap((part) => {
    const selection = selectionOf(part);
    if (selection.kind === 'none') return [];
    const also = others.flatMap((other) => other.get(part.system) ?? []);
    return [[part.system, { ...withListed([part, ...also]), selection }] as const];
  }));
}
