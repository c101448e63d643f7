// What terminology refuses, in one place. https://hl7.org/fhir/R4/terminology-service.html
import { fail, failWith, type FhirError } from '../fhir/errors.js';

/** Most concepts of one answer; a page may be asked for beyond it. */
export const MOST_CONCEPTS = 10_000;

export const unknownSystem = (url: string, version: string | undefined, remote: string): FhirError =>
  fail('not-found', { text: `The code system ${url}${version === undefined ? '' : ` of version ${version}`} is not known here: post it as a CodeSystem, or load it with "entitle-fhir terminology load". ${remote}` });

export const unknownCode = (code: string, system: string): FhirError =>
  fail('not-found', { text: `The code ${JSON.stringify(code.slice(0, 100))} is not in the code system ${system}` });

export const unknownValueSet = (url: string): FhirError =>
  fail('not-found', { text: `The value set ${url} is not known here: check its URL, or post it as a ValueSet` });

export const unknownMap = (url: string): FhirError => fail('not-found', { text: `The concept map ${url} is not known here: check its URL, or post it as a ConceptMap` });

export const tooCostly = (text: string): FhirError => fail('too-costly', { text });

export const notSupported = (text: string, expression?: string): FhirError =>
  failWith(422, [{ severity: 'error', code: 'not-supported', text, ...(expression !== undefined && { expression }) }]);

/** Seen with the sets one imports the other by. */
export const importLoop = (urls: readonly string[]): FhirError =>
  fail('invalid', { text: `The value sets import each other in a circle: ${urls.join(' -> ')}. Take one of the imports out`, expression: 'ValueSet.compose' });
