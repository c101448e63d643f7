// From a code of one system to those of another. https://hl7.org/fhir/R4/conceptmap-operation-translate.html
import type { ConceptMap, ConceptMapGroup, ConceptMapGroupElementTarget } from '@medplum/fhirtypes';
import type { Coding } from '../fhir/resource.js';
import { fail } from '../fhir/errors.js';
import type { Ground } from './ground.js';
import { unknownMap } from './refusals.js';

export interface Dependency {
  /** Its element, as ConceptMap.group.element.target.dependsOn.property names it. */
  readonly property: string;
  readonly codings: readonly { readonly system?: string; readonly code?: string }[];
}

export interface TranslateQuestion {
  readonly codings: readonly { readonly system?: string; readonly code: string; readonly version?: string }[];
  /** Undefined: every map that knows the system. */
  readonly map?: ConceptMap;
  /** Canonical URLs of value sets. */
  readonly source?: string;
  readonly target?: string;
  readonly targetSystem?: string;
  readonly reverse: boolean;
  readonly dependencies: readonly Dependency[];
}

export interface Match {
  readonly equivalence: string;
  /** Absent where the map says that there is none. */
  readonly concept?: Partial<Coding>;
  readonly products: readonly { readonly element: string; readonly concept: Partial<Coding> }[];
  /** Canonical URL of the map. */
  readonly source?: string;
}

export interface Translation {
  readonly result: boolean;
  readonly message?: string;
  readonly matches: readonly Match[];
}

/** The other way round, wider is narrower. https://hl7.org/fhir/R4/valueset-concept-map-equivalence.html */
const REVERSED: Readonly<Record<string, string>> = { wider: 'narrower', narrower: 'wider', subsumes: 'specializes', specializes: 'subsumes' };
const MOST_MAPS_IN_A_ROW = 10;

export async function translate(question: TranslateQuestion, ground: Ground): Promise<Translation> {
  const matches: Match[] = [];
  for (const { system, code } of question.codings) {
    const maps = question.map ? [question.map] : await mapsFor(system, question, ground);
    for (const map of maps.filter((one) => isAbout(one, question))) matches.push(...await matchesIn(map, { system, code }, question, ground, []));
  }
  const unique = [...new Map(matches.map((match) => [JSON.stringify(match), match])).values()];
  const result = unique.some(({ equivalence }) => equivalence !== 'unmatched' && equivalence !== 'disjoint');
  return { result, ...(!result && { message: noneWords(question) }), matches: unique };
}

function noneWords({ codings, map, reverse }: TranslateQuestion): string {
  const asked = codings.map(({ system, code }) => `${system ?? ''}|${code.slice(0, 100)}`).join(', ');
  return `${map?.url ?? 'No concept map that is known here'} ${map ? 'has no translation' : 'has a translation'} ${reverse ? 'to' : 'of'} ${asked}`;
}

async function mapsFor(system: string | undefined, { reverse }: TranslateQuestion, { sources }: Ground): Promise<readonly ConceptMap[]> {
  if (system === undefined) throw fail('invalid-parameter', { text: 'Say by url which concept map is meant, or by system which code system the code is of' });
  return sources.conceptMapsOf(reverse ? 'target-system' : 'source-system', system);
}

/** Is the map between the value sets that are asked about? */
function isAbout(map: ConceptMap, { source, target, reverse }: TranslateQuestion): boolean {
  const [from, to] = [map.sourceUri ?? map.sourceCanonical, map.targetUri ?? map.targetCanonical].map((canonical) => canonical?.replace(/\|.*$/, ''));
  return (source === undefined || (reverse ? to : from) === source) && (target === undefined || (reverse ? from : to) === target);
}

interface Asked {
  readonly system: string | undefined;
  readonly code: string;
}

async function matchesIn(map: ConceptMap, asked: Asked, question: TranslateQuestion, ground: Ground, trail: readonly string[]): Promise<readonly Match[]> {
  const found: Match[] = [];
  for (const group of map.group ?? []) {
    if (question.reverse) found.push(...backwards(group, map, asked, question));
    else if (isFrom(group, asked, question)) found.push(...await forwards(group, map, asked, question, ground, trail));
  }
  return found;
}

const isFrom = (group: ConceptMapGroup, { system }: Asked, { targetSystem }: TranslateQuestion): boolean =>
  (system === undefined || group.source === undefined || group.source === system) && (targetSystem === undefined || group.target === targetSystem);

async function forwards(group: ConceptMapGroup, map: ConceptMap, asked: Asked, question: TranslateQuestion, ground: Ground, trail: readonly string[]): Promise<readonly Match[]> {
  const element = group.element.find(({ code }) => code === asked.code);
  if (!element) return unmapped(group, map, asked, question, ground, trail);
  return (element.target ?? []).filter((target) => isMet(target, question.dependencies)).map((target) => ({
    equivalence: target.equivalence,
    ...(target.code !== undefined && { concept: coding(group.target, group.targetVersion, target.code, target.display) }),
    products: productsOf(target),
    ...(map.url !== undefined && { source: map.url }),
  }));
}

function backwards(group: ConceptMapGroup, map: ConceptMap, { system, code }: Asked, { targetSystem }: TranslateQuestion): readonly Match[] {
  if ((system !== undefined && group.target !== system) || (targetSystem !== undefined && group.source !== targetSystem)) return [];
  return group.element.flatMap((element) => (element.target ?? []).filter((target) => target.code === code).map(({ equivalence }) => ({
    equivalence: REVERSED[equivalence] ?? equivalence,
    ...(element.code !== undefined && { concept: coding(group.source, group.sourceVersion, element.code, element.display) }),
    products: [],
    ...(map.url !== undefined && { source: map.url }),
  })));
}

function coding(system: string | undefined, version: string | undefined, code: string, display: string | undefined): Partial<Coding> {
  return { ...(system !== undefined && { system }), ...(version !== undefined && { version }), code, ...(display !== undefined && { display }) };
}

/** What the map says of a code that it does not name. https://hl7.org/fhir/R4/conceptmap-definitions.html#ConceptMap.group.unmapped */
async function unmapped(group: ConceptMapGroup, map: ConceptMap, asked: Asked, question: TranslateQuestion, ground: Ground, trail: readonly string[]): Promise<readonly Match[]> {
  const source = map.url === undefined ? {} : { source: map.url };
  switch (group.unmapped?.mode) {
    case 'provided': return [{ equivalence: 'equal', concept: coding(group.target, group.targetVersion, asked.code, undefined), products: [], ...source }];
    case 'fixed': return [{ equivalence: 'inexact', concept: coding(group.target, group.targetVersion, group.unmapped.code ?? '', group.unmapped.display), products: [], ...source }];
    case 'other-map': {
      const url = group.unmapped.url ?? '';
      if (trail.includes(url) || trail.length >= MOST_MAPS_IN_A_ROW) throw fail('invalid', { text: `The concept maps lead to each other without end: ${[...trail, url].join(' -> ')}`, expression: 'ConceptMap.group.unmapped.url' });
      const other = await ground.sources.conceptMap(url);
      if (!other) throw unknownMap(url);
      return matchesIn(other, asked, question, ground, [...trail, url]);
    }
    default: return [];
  }
}

/** A target that depends on something counts where that is given as it says, or nothing was given at all. */
function isMet({ dependsOn = [] }: ConceptMapGroupElementTarget, dependencies: readonly Dependency[]): boolean {
  if (dependencies.length === 0) return true;
  return dependsOn.every(({ property, system, value }) => dependencies.some((given) =>
    given.property === property && given.codings.some((one) => one.code === value && (system === undefined || one.system === system))));
}

function productsOf({ product = [] }: ConceptMapGroupElementTarget): Match['products'] {
  return product.map(({ property, system, value, display }) => ({ element: property, concept: coding(system, undefined, value, display) }));
}
