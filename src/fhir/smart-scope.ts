// SMART scopes of resources as words: `patient/Observation.rs?category=laboratory`, and those of version 1 (`user/*.read`).
// https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
import { queryPairs, queryText } from './query-string.js';

export interface SmartScope {
  readonly level: 'patient' | 'user' | 'system';
  /** A resource type, or `*` for all. */
  readonly type: string;
  /** Out of `CRUDS`, in this order. */
  readonly letters: string;
  /** Search parameters that a row must satisfy, all of them; empty for any row. */
  readonly criteria: readonly (readonly [name: string, value: string])[];
}

const SCOPE = /^(patient|user|system)\/(\*|[A-Z][A-Za-z]*)\.(?:(read|write|\*)|((?=[cruds])c?r?u?d?s?)(?:\?(.+))?)$/s;
/** Version 1. https://hl7.org/fhir/smart-app-launch/STU2/scopes-and-launch-context.html#scopes-for-requesting-clinical-data */
const WORDS: Readonly<Record<string, string>> = { read: 'RS', write: 'CUD', '*': 'CRUDS' };
const LETTERS = Array.from('CRUDS');

/** Undefined for a word that is no scope of resources, or one that can't be read whole: it grants nothing. */
export function readScope(text: string): SmartScope | undefined {
  const [, level, type = '', word, letters = '', query] = SCOPE.exec(text) ?? [];
  if (level === undefined) return undefined;
  try {
    const criteria = query === undefined ? [] : queryPairs(query);
    if (query !== undefined && (criteria.length === 0 || criteria.some(([name, value]) => name === '' || value === ''))) return undefined;
    return { level: level as SmartScope['level'], type, letters: WORDS[word ?? ''] ?? letters.toUpperCase(), criteria };
  } catch {
    return undefined;
  }
}

/** In the form of version 2. */
export const scopeText = ({ level, type, letters, criteria }: SmartScope): string =>
  `${level}/${type}.${letters.toLowerCase()}${criteria.length === 0 ? '' : `?${queryText(criteria)}`}`;

/** What both allow; undefined where that is nothing. The level is that of `asked`: who cuts says which levels go together. */
export function cutScope(asked: SmartScope, limit: SmartScope): SmartScope | undefined {
  if (asked.type !== '*' && limit.type !== '*' && asked.type !== limit.type) return undefined;
  const letters = LETTERS.filter((letter) => asked.letters.includes(letter) && limit.letters.includes(letter)).join('');
  const said = new Set(limit.criteria.map(([name, value]) => `${name}=${value}`));
  const criteria = [...limit.criteria, ...asked.criteria.filter(([name, value]) => !said.has(`${name}=${value}`))];
  return letters === '' ? undefined : { level: asked.level, type: asked.type === '*' ? limit.type : asked.type, letters, criteria };
}
