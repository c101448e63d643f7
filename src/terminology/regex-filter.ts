// Patterns that callers send: matched in bounded time, whatever they are.
import { createContext, Script } from 'node:vm';
import { notSupported, tooCostly } from './refusals.js';

const LONGEST_PATTERN = 500;
const MOST_MS = 200;

/** Compiled once; the pattern and the texts come in as values. V8 looks at the clock while a pattern backtracks. */
const MATCH = new Script('{ const whole = new RegExp(pattern); texts.map((text) => whole.test(text)); }');

/** For each text, does the whole of it match? Refuses a pattern that is none, and one that takes too long. */
export function matchAll(pattern: string, texts: readonly string[]): readonly boolean[] {
  const whole = wholePattern(pattern);
  try {
    return MATCH.runInContext(createContext({ pattern: whole, texts }), { timeout: MOST_MS }) as readonly boolean[];
  } catch (error) {
    if (isTimeout(error)) throw tooCostly(`The pattern ${JSON.stringify(pattern.slice(0, 100))} of a filter takes too long: write it without repetitions inside repetitions`);
    throw notSupported(`The pattern ${JSON.stringify(pattern.slice(0, 100))} of a filter is not a regular expression`);
  }
}

export function wholePattern(pattern: string): string {
  if (pattern.length > LONGEST_PATTERN) throw tooCostly(`The pattern of a filter is longer than ${LONGEST_PATTERN} characters`);
  return `^(?:${pattern})$`;
}

const isTimeout = (error: unknown): boolean => typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
