// What is known of one code. https://hl7.org/fhir/R4/codesystem-operation-lookup.html
import { displayIn, isLanguage, type Concept, type ConceptProperty, type Designation } from './concept.js';
import { remoteWords, type Ground } from './ground.js';
import { childrenOf, findConcept } from './loaded-system.js';
import { unknownCode, unknownSystem } from './refusals.js';
import { supplementOf } from './supplements.js';
import type { HeldSystem } from './sources.js';

export interface LookupQuestion {
  readonly system: string;
  readonly version?: string;
  readonly code: string;
  readonly displayLanguage?: string;
  /** Codes of properties; none asks for all. */
  readonly properties: readonly string[];
}

export interface LookedUp {
  readonly name: string;
  readonly version?: string;
  readonly display: string;
  readonly designations: readonly Designation[];
  readonly properties: readonly (ConceptProperty & { readonly description?: string })[];
}

/** Refuses (404) a system or code that is not known. */
export async function lookup(question: LookupQuestion, ground: Ground): Promise<LookedUp> {
  const { system, version, code, properties: asked, displayLanguage } = question;
  const held = await ground.sources.codeSystem({ url: system, ...(version !== undefined && { version }) });
  if (!held) throw unknownSystem(system, version, ground.remote ? `${ground.remote.url} is asked to validate and to expand only.` : remoteWords(ground));
  const found = held.kind === 'memory' ? held.find(code) : await findConcept(ground.db, held, code);
  if (!found) throw unknownCode(code, system);
  const supplement = await supplementOf({ url: system, ...(held.header.version !== undefined && { version: held.header.version }) }, ground.sources);
  const concept = supplement(found);
  const wants = (property: string): boolean => asked.length === 0 || asked.includes(property);
  const children = wants('child') ? await childCodes(held, concept, ground) : [];
  const languages = asked.filter((one) => one.startsWith('lang.')).map((one) => one.slice('lang.'.length));
  return {
    name: held.header.name,
    ...(held.header.version !== undefined && { version: held.header.version }),
    display: displayIn(concept, displayLanguage) ?? concept.code,
    designations: concept.designations.filter(({ language }) => wants('designation') || languages.some((one) => isLanguage(language, one))),
    properties: propertiesOf(concept, children).filter(({ code: name }) => wants(name)).map((one) => described(one, held)),
  };
}

function propertiesOf(concept: Concept, children: readonly string[]): ConceptProperty[] {
  const { definition, parents, inactive, abstract, properties } = concept;
  const own = properties.filter(({ code }) => !['parent', 'child', 'inactive', 'notSelectable', 'definition'].includes(code));
  return [
    ...(definition === undefined ? [] : [{ code: 'definition', valueString: definition }]),
    { code: 'inactive', valueBoolean: inactive },
    ...(abstract ? [{ code: 'notSelectable', valueBoolean: true }] : []),
    ...parents.map((valueCode) => ({ code: 'parent', valueCode })),
    ...children.map((valueCode) => ({ code: 'child', valueCode })),
    ...own,
  ];
}

function described(property: ConceptProperty, { header }: HeldSystem): ConceptProperty & { description?: string } {
  const description = header.properties.get(property.code)?.description;
  return description === undefined ? property : { ...property, description };
}

async function childCodes(held: HeldSystem, { code }: Concept, { db }: Ground): Promise<readonly string[]> {
  return held.kind === 'memory' ? held.childrenOf(code) : childrenOf(db, held, code);
}
