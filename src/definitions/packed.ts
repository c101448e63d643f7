// The shape of profiles/r4/definitions.json, as scripts/build-definitions.mjs writes and explains it.
import { readFileSync } from 'node:fs';
import type { SearchType } from './model.js';

/** Words with spaces between, or a list where a word has a space itself. */
export type Words = string | readonly string[];

export interface PackedElementMore {
  readonly targets?: Words;
  readonly bind?: readonly [strength: 'r' | 'e' | 'p' | 'x', valueSet: string];
  readonly rules?: readonly number[];
  readonly summary?: 1;
}

export type PackedElement = readonly [name: string, min: number, max: number, types: Words, more?: PackedElementMore];

export interface PackedType {
  readonly kind: 'r' | 'c' | 'p' | 'b';
  readonly base?: string;
  readonly abstract?: 1;
  readonly regex?: string;
  readonly rules?: readonly number[];
  readonly own: readonly PackedElement[];
}

export interface PackedSearchMore {
  readonly expression?: string;
  readonly targets?: Words;
  readonly components?: readonly (readonly [definition: string, expression: string])[];
}

export type PackedSearch = readonly [code: string, type: SearchType, url: string, bases: Words, more: PackedSearchMore];

export interface PackedInclude {
  readonly system?: string;
  readonly codes?: Words;
  readonly valueSet?: Words;
}

export interface PackedValueSet {
  readonly include?: readonly PackedInclude[];
  readonly exclude?: readonly PackedInclude[];
}

/** Of HL7's own, whose URL is its base and the id. */
export type PackedExtension = readonly [contexts: Words, values: string, modifier?: 1];

export interface PackedDefinitions {
  readonly version: string;
  readonly types: Readonly<Record<string, PackedType>>;
  readonly constraints: readonly (readonly [key: string, severity: 'e' | 'w', human: string, expression: string])[];
  readonly search: readonly PackedSearch[];
  readonly systems: Readonly<Record<string, Words>>;
  readonly valueSets: Readonly<Record<string, PackedValueSet>>;
  readonly compartments: Readonly<Record<string, Readonly<Record<string, Words>>>>;
  readonly extensions: Readonly<Record<string, PackedExtension>>;
}

export function wordsOf(words: Words): readonly string[] {
  return typeof words === 'string' ? words.split(' ') : words;
}

/** Reads HL7's part: `root` is the folder of the package, ending in a slash. */
export function readPacked(root: URL): PackedDefinitions {
  const packed = JSON.parse(readFileSync(new URL('profiles/r4/definitions.json', root), 'utf8')) as PackedDefinitions;
  if (packed.version !== '4.0.1') throw new Error(`profiles/r4/definitions.json holds FHIR ${packed.version}, not 4.0.1: build it again with scripts/build-definitions.mjs`);
  return packed;
}
