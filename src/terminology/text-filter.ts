// What a person types to find a concept: case, accents and the width of white space do not count. https://hl7.org/fhir/R4/valueset-operation-expand.html
import type { Concept } from './concept.js';

export interface TextFilter {
  /** The whole, folded. */
  readonly folded: string;
  readonly words: readonly string[];
}

const MARKS = /\p{M}+/gu;
const WORD = /[\p{L}\p{N}]+/gu;

export function foldTerm(text: string): string {
  return text.normalize('NFD').replace(MARKS, '').toLowerCase().replace(/\s+/g, ' ').trim();
}

/** Words of a folded text. */
export function wordsIn(folded: string): string[] {
  return folded.match(WORD) ?? [];
}

/** Undefined where nothing was typed. */
export function textFilter(text: string | undefined): TextFilter | undefined {
  const folded = foldTerm(text ?? '');
  return folded === '' ? undefined : { folded, words: wordsIn(folded) };
}

/** A name holds the text as it is, or each of its words begins a word of the name; the code may begin with it, too. */
export function matchesText({ folded, words }: TextFilter, concept: Pick<Concept, 'code' | 'display' | 'designations'>): boolean {
  if (concept.code.toLowerCase().startsWith(folded)) return true;
  return [concept.display ?? '', ...concept.designations.map(({ value }) => value)].some((name) => {
    const text = foldTerm(name);
    return text.includes(folded) || (words.length > 0 && beginWords(words, wordsIn(text)));
  });
}

const beginWords = (starts: readonly string[], words: readonly string[]): boolean => starts.every((start) => words.some((word) => word.startsWith(start)));
