// One concept of a code system, alike for those in memory and those in tables. https://hl7.org/fhir/R4/codesystem-concept-properties.html
import type { Coding } from '../fhir/resource.js';

export interface Designation {
  readonly language?: string;
  readonly use?: Coding;
  readonly value: string;
}

/** As CodeSystem.concept.property has it: a code and one value. */
export interface ConceptProperty {
  readonly code: string;
  readonly valueCode?: string;
  readonly valueString?: string;
  readonly valueBoolean?: boolean;
  readonly valueInteger?: number;
  readonly valueDecimal?: number;
  readonly valueDateTime?: string;
  readonly valueCoding?: Coding;
}

export interface Concept {
  readonly code: string;
  readonly display?: string;
  readonly definition?: string;
  readonly designations: readonly Designation[];
  readonly properties: readonly ConceptProperty[];
  /** Codes of the direct parents. */
  readonly parents: readonly string[];
  readonly inactive: boolean;
  /** Groups others, and is not to be chosen itself. */
  readonly abstract: boolean;
}

/** What is known of a code of a system that is not here: what the value set says. */
export function bareConcept(code: string): Concept {
  return { code, designations: [], properties: [], parents: [], inactive: false, abstract: false };
}

/** The value as text; a Coding counts by its code. */
export function propertyText(property: ConceptProperty): string {
  const { valueCoding } = property;
  if (valueCoding) return valueCoding.code;
  const value = property.valueCode ?? property.valueString ?? property.valueBoolean ?? property.valueInteger ?? property.valueDecimal ?? property.valueDateTime;
  return value === undefined ? '' : String(value);
}

/** `deprecated` is still active: "can still be used". */
export function isInactive(properties: readonly ConceptProperty[]): boolean {
  return properties.some((one) => (one.code === 'inactive' && one.valueBoolean === true) || (one.code === 'status' && ['retired', 'inactive'].includes(propertyText(one))));
}

export function isAbstract(properties: readonly ConceptProperty[]): boolean {
  return properties.some((one) => (one.code === 'notSelectable' || one.code === 'abstract') && one.valueBoolean === true);
}

/** The display in a language where there is one, else the concept's own. A `de` is content with `de-CH`. */
export function displayIn(concept: Pick<Concept, 'display' | 'designations'>, language: string | undefined): string | undefined {
  if (language === undefined) return concept.display;
  const fits = concept.designations.filter((one) => isLanguage(one.language, language));
  return (fits.find((one) => one.use === undefined || one.use.code === 'display') ?? fits[0])?.value ?? concept.display;
}

export function isLanguage(found: string | undefined, asked: string): boolean {
  const [have, want] = [found?.toLowerCase() ?? '', asked.toLowerCase()];
  return have === want || have.startsWith(`${want}-`);
}
