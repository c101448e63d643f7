// A code system held in memory: HL7's, our own, and those posted as resources. https://hl7.org/fhir/R4/codesystem.html
import type { CodeSystem, CodeSystemConcept } from '@medplum/fhirtypes';
import { isAbstract, isInactive, type Concept, type ConceptProperty, type Designation } from './concept.js';

export interface PropertyMeaning {
  readonly type: string;
  readonly description?: string;
}

/** What is true of a code system as a whole. */
export interface SystemHeader {
  readonly url: string;
  readonly version?: string;
  /** Of its displays. */
  readonly language?: string;
  /** Title or name. */
  readonly name: string;
  /** `complete`, `fragment`, `example`. */
  readonly content: string;
  readonly caseSensitive: boolean;
  /** Does a parent subsume its children? Part-of and grouped-by do not. */
  readonly subsumes: boolean;
  /** Those it declares, by code. */
  readonly properties: ReadonlyMap<string, PropertyMeaning>;
}

export class MemorySystem {
  readonly kind = 'memory';
  readonly header: SystemHeader;
  /** In the order of their definition. */
  readonly concepts: ReadonlyMap<string, Concept>;
  private readonly children = new Map<string, string[]>();
  private readonly byLowerCase: ReadonlyMap<string, Concept> | undefined;

  constructor(resource: CodeSystem) {
    this.header = headerOf(resource);
    const concepts = new Map<string, Concept>();
    addConcepts(resource.concept ?? [], undefined, concepts);
    this.concepts = concepts;
    for (const { code, parents } of concepts.values()) {
      for (const parent of parents) this.children.set(parent, [...(this.children.get(parent) ?? []), code]);
    }
    if (!this.header.caseSensitive) this.byLowerCase = new Map([...concepts].map(([code, concept]) => [code.toLowerCase(), concept]));
  }

  find(code: string): Concept | undefined {
    return this.concepts.get(code) ?? this.byLowerCase?.get(code.toLowerCase());
  }

  childrenOf(code: string): readonly string[] {
    return this.children.get(code) ?? [];
  }

  /** All below a code, without it. */
  descendants(code: string): Set<string> {
    return reach(code, (one) => this.childrenOf(one));
  }

  /** All above a code, without it. */
  ancestors(code: string): Set<string> {
    return reach(code, (one) => this.concepts.get(one)?.parents ?? []);
  }
}

/** Ends in spite of loops. */
function reach(start: string, next: (code: string) => readonly string[]): Set<string> {
  const found = new Set<string>();
  const waiting = [...next(start)];
  for (let code = waiting.pop(); code !== undefined; code = waiting.pop()) {
    if (found.has(code)) continue;
    found.add(code);
    waiting.push(...next(code));
  }
  found.delete(start);
  return found;
}

function headerOf(resource: CodeSystem): SystemHeader {
  const { url = '', version, language, title, name, content, hierarchyMeaning, property = [] } = resource;
  return {
    url,
    ...(version !== undefined && { version }),
    ...(language !== undefined && { language }),
    name: title ?? name ?? url,
    content,
    caseSensitive: resource.caseSensitive !== false,
    subsumes: hierarchyMeaning === undefined || hierarchyMeaning === 'is-a',
    properties: new Map(property.map(({ code, type, description }) => [code, { type, ...(description !== undefined && { description }) }])),
  };
}

/** A code that comes twice counts once, with the parents of both places. */
function addConcepts(list: readonly CodeSystemConcept[], parent: string | undefined, into: Map<string, Concept>): void {
  for (const raw of list) {
    const properties = (raw.property ?? []) as ConceptProperty[];
    const named = properties.flatMap((one) => (one.code === 'parent' || one.code === 'subsumedBy' ? [one.valueCode ?? one.valueCoding?.code ?? ''] : []));
    const before = into.get(raw.code);
    const parents = [...new Set([...(before?.parents ?? []), ...(parent === undefined ? [] : [parent]), ...named])];
    into.set(raw.code, before ? { ...before, parents } : toConcept(raw, properties, parents));
    addConcepts(raw.concept ?? [], raw.code, into);
  }
}

function toConcept({ code, display, definition, designation }: CodeSystemConcept, properties: readonly ConceptProperty[], parents: readonly string[]): Concept {
  return {
    code,
    ...(display !== undefined && { display }),
    ...(definition !== undefined && { definition }),
    designations: (designation ?? []) as Designation[],
    properties,
    parents,
    inactive: isInactive(properties),
    abstract: isAbstract(properties),
  };
}
