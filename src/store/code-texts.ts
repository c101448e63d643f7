// The dictionary of `:text`, fhir.code_text: each statement that stores resources adds the texts it does not hold yet.
import type { CodeText } from '../search/index-rows.js';
import { numberArray, rowsSql, textArray } from './array-text.js';
import type { Change } from './store.js';

/** Then all are forgotten, and learnt anew: a text added once more costs a look into one index. */
const MOST_KNOWN = 100_000;
/** In UTF-16 units. Longer texts are hardly ever said twice, and may keep the document they were cut from. */
const LONGEST_KNOWN = 128;

/** Texts that are known to be committed: rows of the dictionary never go. */
export class KnownTexts {
  private readonly values = new Map<number, Set<string>>();
  private size = 0;

  /** The texts of these changes that may be missing from the dictionary, each once, in the one order in which all add them. */
  missing(changes: readonly Change[]): readonly CodeText[] {
    const missing: CodeText[] = [];
    for (const { rows, shift } of changes) {
      for (const text of (rows ?? shift)?.texts ?? []) if (this.values.get(text.param)?.has(text.value) !== true) missing.push(text);
    }
    return missing.length < 2 ? missing : missing.sort(compare).filter((text, index) => index === 0 || compare(text, missing[index - 1] as CodeText) !== 0);
  }

  /** Only of what is committed. */
  add(texts: readonly CodeText[]): void {
    for (const { param, value } of texts) {
      if (value.length > LONGEST_KNOWN) continue;
      if (this.size >= MOST_KNOWN) this.clear();
      const values = this.values.get(param) ?? new Set();
      this.values.set(param, values);
      if (!values.has(value)) this.size += 1;
      values.add(value);
    }
  }

  /** After a lost connection: another server may have taken over, without the last commits of the one before. */
  clear(): void {
    this.values.clear();
    this.size = 0;
  }
}

function compare(a: CodeText, b: CodeText): number {
  if (a.param !== b.param) return a.param - b.param;
  if (a.value === b.value) return 0;
  return a.value < b.value ? -1 : 1;
}

/** Its parameters, from `first`, are those of textValues. */
export function insertTexts(first: number): string {
  const [params, values, tokens] = [first, first + 1, first + 2].map((place) => `$${String(place)}`);
  const given = rowsSql({ param: `${params}::integer[]`, value: `${values}::text[]`, token: `${tokens}::bigint[]` });
  return `insert into fhir.code_text (param, value, token) select param, value, token from ${given} as given on conflict do nothing`;
}

export function textValues(texts: readonly CodeText[]): string[] {
  return [numberArray(texts.map(({ param }) => param)), textArray(texts.map(({ value }) => value)), numberArray(texts.map(({ token }) => token))];
}
