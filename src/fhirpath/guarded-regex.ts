// Regular expressions that came with a profile, run so that none can hold the server: a pattern like (a+)+$ takes years.
import { createContext, Script } from 'node:vm';
import { EvaluationError } from './expression.js';

const LONGEST_PATTERN = 2000;
const LONGEST_TEXT = 1_048_576;
/** Steps a simple pattern may take without a clock: a tenth of a millisecond or so for each 100,000. */
const FREE_STEPS = 2_000_000;
const LIMIT_MS = 100;
const MOST_KEPT = 500;

/** R4's own patterns with repeats inside repeats, read one by one: what follows each repeat can't be part of it. */
const READ: ReadonlySet<string> = new Set([
  '[^\\s\\.,:;\\\'"\\/|?!@#$%&*()\\[\\]{}]{1,64}(\\.[^\\s\\.,:;\\\'"\\/|?!@#$%&*()\\[\\]{}]{1,64}(\\[x\\])?(\\:[^\\s\\.]+)?)*',
  '[A-Za-z][A-Za-z0-9]*(\\.[a-z][A-Za-z0-9]*(\\[x])?)*',
  '^[A-Z]([A-Za-z0-9_]){0,254}$',
]);

interface Guarded {
  readonly regex: RegExp;
  /** Unbounded repeats, so that a text of n characters takes about n to the power of this and one more; Infinity for repeats inside repeats. */
  readonly repeats: number;
}

const kept = new Map<string, Guarded>();
const room = createContext({ run: () => undefined });
const script = new Script('run()');

/** `whole`: the text from start to end. Throws EvaluationError for a pattern that is none, or takes too long for this text. */
export function matches(text: string, pattern: string, whole: boolean): boolean {
  const guarded = compiled(whole ? `^(?:${pattern})$` : pattern, pattern);
  return timed(text, guarded, () => guarded.regex.test(text));
}

/** All occurrences; `$1` in `replacement` is the first group. An empty pattern changes nothing. */
export function replaceMatches(text: string, pattern: string, replacement: string): string {
  if (pattern === '') return text;
  const guarded = compiled(pattern, pattern);
  const global = new RegExp(guarded.regex.source, `g${guarded.regex.flags}`);
  return timed(text, guarded, () => text.replace(global, replacement));
}

function compiled(source: string, pattern: string): Guarded {
  const known = kept.get(source);
  if (known) return known;
  if (pattern.length > LONGEST_PATTERN) throw new EvaluationError(`a pattern may have ${LONGEST_PATTERN} characters`);
  const made = { regex: regexOf(source), repeats: READ.has(pattern) ? 1 : repeatsIn(pattern) };
  if (kept.size >= MOST_KEPT) kept.clear();
  kept.set(source, made);
  return made;
}

/** With `u` where the pattern allows it: R4's own escape characters that `u` would not have escaped. */
function regexOf(source: string): RegExp {
  for (const flags of ['su', 's']) {
    try {
      return new RegExp(source, flags);
    } catch {
      // the next, or the error below
    }
  }
  throw new EvaluationError(`${JSON.stringify(source)} is no regular expression`);
}

function timed<T>(text: string, { repeats }: Guarded, work: () => T): T {
  if (text.length > LONGEST_TEXT) throw new EvaluationError(`a text to match may have ${LONGEST_TEXT} characters`);
  if ((text.length + 1) ** (repeats + 1) <= FREE_STEPS) return work();
  let result: T | undefined;
  room['run'] = () => {
    result = work();
  };
  try {
    script.runInContext(room, { timeout: LIMIT_MS });
  } catch (cause) {
    throw new EvaluationError(`the pattern takes too long for a text of ${text.length} characters`, { cause });
  }
  return result as T;
}

/** A bounded repeat of a group counts too, where it is large: (a|b){0,254} tries as many ways. */
function repeatsIn(pattern: string): number {
  let count = 0;
  const groups: number[] = [];
  const bare = pattern.replace(/\\./gs, 'x').replace(/\[\^?\]?[^\]]*\]/g, 'x');
  if (/\(\?<?[=!]/.test(bare) || /\\[1-9k]/.test(pattern)) return Infinity;
  for (const [token] of bare.matchAll(/\(|\)(?:[*+]|\{\d+,?\d*\})?|[^()][*+]|[^()]\{\d+,\d*\}/g)) {
    if (token === '(') groups.push(count);
    else if (!token.startsWith(')')) count++;
    else {
      const before = groups.pop() ?? 0;
      if (token.length > 1 && (count > before || !isSimple(bare))) return Infinity;
      if (token.length > 1) count++;
    }
  }
  return count;
}

/** No choice stands in the pattern: (a|a)* is as bad as (a*)*. */
function isSimple(bare: string): boolean {
  return !bare.includes('|') && !/\)\?|.\?[^)]*\)[*+{]/.test(bare);
}
