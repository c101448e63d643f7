// The concepts of a value set, all or a page of them. https://hl7.org/fhir/R4/valueset-operation-expand.html
import type { ParametersParameter, ValueSet, ValueSetExpansion, ValueSetExpansionContains } from '@medplum/fhirtypes';
import { fail } from '../fhir/errors.js';
import { displayIn, isLanguage, type Concept, type Designation } from './concept.js';
import { planFor, remoteWords, type Ground } from './ground.js';
import type { MemorySystem } from './memory-system.js';
import type { PlanPart } from './plan.js';
import { MOST_CONCEPTS, notSupported, tooCostly, unknownSystem } from './refusals.js';
import { rowsOf, type RowOptions, type Rows } from './rows.js';
import { candidates } from './selection.js';
import { splitCanonical, type HeldSystem } from './sources.js';
import { supplementOf, type Supplement } from './supplements.js';
import { textFilter } from './text-filter.js';

export interface ExpandOptions {
  readonly filter?: string;
  readonly offset?: number;
  readonly count?: number;
  readonly includeDesignations?: boolean;
  /** `system|code` of a use, or `urn:ietf:bcp:47|language`; any of them. */
  readonly designations?: readonly string[];
  readonly displayLanguage?: string;
  readonly activeOnly?: boolean;
  readonly excludeNested?: boolean;
  readonly includeDefinition?: boolean;
  readonly excludeSystems?: readonly string[];
  readonly systemVersions?: readonly string[];
  readonly checkSystemVersions?: readonly string[];
  readonly forceSystemVersions?: readonly string[];
}

export interface Stamp {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly identifier: string;
}

interface Place {
  readonly part: PlanPart;
  readonly held: HeldSystem | undefined;
  readonly rows: Rows;
  readonly supplement: Supplement;
}

const LANGUAGES = 'urn:ietf:bcp:47';

/** The ValueSet with its expansion. Refuses (422) more concepts than one answer holds, and what only another system could tell. */
export async function expand(valueSet: ValueSet, options: ExpandOptions, stamp: Stamp, ground: Ground): Promise<ValueSet> {
  const places: Place[] = [];
  for (const part of planned(await planFor(valueSet, ground), options)) {
    const place = await placeOf(part, options, ground);
    if ('missing' in place) return askRemote(valueSet, options, place.missing, ground);
    places.push(place);
  }
  const total = places.reduce((sum, { rows }) => sum + rows.total, 0);
  const contains = await containsOf(places, total, options);
  const parameter = parametersOf(options, places);
  const expansion: ValueSetExpansion = {
    identifier: stamp.identifier,
    timestamp: new Date(stamp.now).toISOString(),
    total,
    ...(isPaged(options) && { offset: options.offset ?? 0 }),
    ...(parameter.length > 0 && { parameter }),
    ...(contains.length > 0 && { contains }),
  };
  return { ...headOf(valueSet, options), expansion };
}

const isPaged = ({ offset, count }: ExpandOptions): boolean => offset !== undefined || count !== undefined;

function headOf({ url, version, name, title, status, experimental, compose, ...rest }: ValueSet, { includeDefinition }: ExpandOptions): ValueSet {
  const head = { resourceType: 'ValueSet' as const, ...(url && { url }), ...(version && { version }), ...(name && { name }), ...(title && { title }), status, ...(experimental !== undefined && { experimental }) };
  const { expansion: _old, meta: _meta, text: _text, id: _id, ...definition } = rest;
  return includeDefinition === true ? { ...definition, ...head, ...(compose && { compose }) } : head;
}

/** The parts as the versions and exclusions of the request leave them. */
function planned(plan: readonly PlanPart[], options: ExpandOptions): readonly PlanPart[] {
  const excluded = (options.excludeSystems ?? []).map(splitCanonical);
  const versionIn = (list: readonly string[] | undefined, system: string): string | undefined => (list ?? []).map(splitCanonical).find(({ url }) => url === system)?.version;
  return plan.flatMap((part) => {
    if (excluded.some(({ url, version }) => url === part.system && (version === undefined || version === part.version))) return [];
    const version = versionIn(options.forceSystemVersions, part.system) ?? part.version ?? versionIn(options.systemVersions, part.system) ?? versionIn(options.checkSystemVersions, part.system);
    const checked = versionIn(options.checkSystemVersions, part.system);
    if (checked !== undefined && version !== checked) throw notSupported(`The value set names version ${version} of ${part.system}; check-system-version asks for ${checked}`);
    return [version === undefined ? part : { ...part, version }];
  });
}

const asItIs: Supplement = (concept) => concept;

/** Are more names asked for than the display? */
const wantsNames = ({ includeDesignations, designations = [], displayLanguage }: ExpandOptions): boolean => includeDesignations === true || designations.length > 0 || displayLanguage !== undefined;

async function placeOf(part: PlanPart, options: ExpandOptions, { sources, db }: Ground): Promise<Place | { readonly missing: PlanPart }> {
  const held = await sources.codeSystem({ url: part.system, ...(part.version !== undefined && { version: part.version }) });
  const text = textFilter(options.filter);
  const rowOptions: RowOptions = { ...(text && { text }), activeOnly: options.activeOnly ?? false };
  const rows = await rowsOf(part, held, rowOptions, db);
  if (!rows) return { missing: part };
  const version = part.version ?? held?.header.version;
  const supplement = wantsNames(options) ? await supplementOf({ url: part.system, ...(version !== undefined && { version }) }, sources) : asItIs;
  return { part, held, rows, supplement };
}

async function containsOf(places: readonly Place[], total: number, options: ExpandOptions): Promise<ValueSetExpansionContains[]> {
  if (!isPaged(options)) {
    if (total > MOST_CONCEPTS) throw tooCostly(`The value set has ${total} concepts, and one answer holds ${MOST_CONCEPTS}: ask for a page with count and offset, or narrow it down with filter`);
    const lists = await Promise.all(places.map(async (place) => listed(place, await place.rows.page(0, total), options)));
    return lists.flat();
  }
  const contains: ValueSetExpansionContains[] = [];
  let skip = options.offset ?? 0;
  let left = Math.min(options.count ?? MOST_CONCEPTS, MOST_CONCEPTS);
  for (const place of places) {
    if (left <= 0) break;
    const concepts = skip < place.rows.total ? await place.rows.page(skip, left) : [];
    contains.push(...concepts.map((concept) => contained(concept, place, options)));
    skip = Math.max(0, skip - place.rows.total);
    left -= concepts.length;
  }
  return contains;
}

/** As a tree where the code system is one and nothing was looked for: paging and filters need a flat list. */
function listed(place: Place, concepts: readonly Concept[], options: ExpandOptions): ValueSetExpansionContains[] {
  const { held, part } = place;
  const flat = held?.kind !== 'memory' || options.excludeNested === true || options.filter !== undefined || candidates(part.selection) !== undefined;
  return flat ? concepts.map((concept) => contained(concept, place, options)) : nested(concepts, held, (concept) => contained(concept, place, options));
}

/** Each concept below the nearest of those above it that is in the set. */
function nested(concepts: readonly Concept[], system: MemorySystem, show: (concept: Concept) => ValueSetExpansionContains): ValueSetExpansionContains[] {
  const shown = new Map(concepts.map((concept) => [concept.code, show(concept)]));
  const top: ValueSetExpansionContains[] = [];
  for (const { code } of concepts) {
    const own = shown.get(code);
    const above = nearest(code, system, shown);
    if (!own) continue;
    if (above) (above.contains ??= []).push(own);
    else top.push(own);
  }
  return top;
}

/** By first parents alone, so that each concept comes once; a loop of parents ends it. */
function nearest(code: string, system: MemorySystem, shown: ReadonlyMap<string, ValueSetExpansionContains>): ValueSetExpansionContains | undefined {
  const seen = new Set([code]);
  let found: ValueSetExpansionContains | undefined;
  for (let parent = system.find(code)?.parents[0]; parent !== undefined; parent = system.find(parent)?.parents[0]) {
    if (seen.has(parent)) return undefined;
    seen.add(parent);
    found ??= shown.get(parent);
  }
  return found;
}

function contained(bare: Concept, { part, held, supplement }: Place, options: ExpandOptions): ValueSetExpansionContains {
  const concept = supplement(bare);
  const display = displayIn(concept, options.displayLanguage);
  const designation = options.includeDesignations === true || options.designations?.length ? concept.designations.filter((one) => isWanted(one, options.designations ?? [])) : [];
  const version = part.version ?? (held?.kind === 'loaded' ? held.header.version : undefined);
  return {
    system: part.system,
    ...(concept.abstract && { abstract: true }),
    ...(concept.inactive && { inactive: true }),
    ...(version !== undefined && { version }),
    code: concept.code,
    ...(display !== undefined && { display }),
    ...(designation.length > 0 && { designation: [...designation] }),
  };
}

function isWanted({ language, use }: Designation, tokens: readonly string[]): boolean {
  if (tokens.length === 0) return true;
  return tokens.map(splitCanonical).some(({ url, version }) => (url === LANGUAGES ? isLanguage(language, version ?? '') : use?.system === url && use.code === version));
}

function parametersOf(options: ExpandOptions, places: readonly Place[]): NonNullable<ValueSetExpansion['parameter']> {
  const { filter, offset, count, displayLanguage, activeOnly, excludeNested, includeDesignations } = options;
  const versions = places.flatMap(({ part, held }) => [part.version ?? held?.header.version ?? []].flat().map((version) => ({ name: 'version', valueUri: `${part.system}|${version}` })));
  return [
    ...(filter === undefined ? [] : [{ name: 'filter', valueString: filter }]),
    ...(offset === undefined ? [] : [{ name: 'offset', valueInteger: offset }]),
    ...(count === undefined ? [] : [{ name: 'count', valueInteger: count }]),
    ...(displayLanguage === undefined ? [] : [{ name: 'displayLanguage', valueCode: displayLanguage }]),
    ...(activeOnly === undefined ? [] : [{ name: 'activeOnly', valueBoolean: activeOnly }]),
    ...(excludeNested === undefined ? [] : [{ name: 'excludeNested', valueBoolean: excludeNested }]),
    ...(includeDesignations === undefined ? [] : [{ name: 'includeDesignations', valueBoolean: includeDesignations }]),
    ...versions,
  ];
}

async function askRemote(valueSet: ValueSet, options: ExpandOptions, { system, version }: PlanPart, ground: Ground): Promise<ValueSet> {
  const parameters: ParametersParameter[] = parametersOf(options, []);
  const expanded = await ground.remote?.expand(valueSet, parameters);
  if (expanded) return expanded;
  throw fail('not-found', { text: `The value set ${valueSet.url ?? 'that was sent'} can't be expanded: ${unknownSystem(system, version, remoteWords(ground)).message}` });
}
