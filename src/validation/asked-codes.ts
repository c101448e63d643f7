// The codes that only the terminology service can judge, gathered while a resource is looked at: what is not known yet is asked for all at
// once, and then the resource is looked at again. So nobody waits for a resource whose codes are all at hand.
import { keyOf, type CodeAnswer, type CodeAnswers, type CodeAsked } from '../terminology/code-answers.js';

/** `open`: not asked yet; look again after `fetch`. */
export type Membership = CodeAnswer | { readonly outcome: 'open'; readonly words: string };

/** Different codes of one resource. */
const MOST_ASKED = 1000;
const OPEN: Membership = { outcome: 'open', words: '' };
const NOBODY: CodeAnswer = { outcome: 'unknown', words: 'nobody is asked about codes here' };
const TOO_MANY: CodeAnswer = { outcome: 'unknown', words: `only the first ${MOST_ASKED} different codes of a resource are looked up` };

export class AskedCodes {
  private answers: Map<string, CodeAnswer> | undefined;
  private waiting: Map<string, CodeAsked> | undefined;

  /** Without a source nothing can be told. */
  constructor(private readonly source: CodeAnswers | undefined) {}

  get isWaiting(): boolean {
    return this.waiting !== undefined;
  }

  answer(asked: CodeAsked): Membership {
    if (!this.source) return NOBODY;
    const key = keyOf(asked);
    const known = this.answers?.get(key) ?? this.source.known(asked);
    if (known) {
      // What one look was told, the next is told too, whatever has changed between them.
      (this.answers ??= new Map()).set(key, known);
      return known;
    }
    if ((this.answers?.size ?? 0) + (this.waiting?.size ?? 0) >= MOST_ASKED) return TOO_MANY;
    (this.waiting ??= new Map()).set(key, asked);
    return OPEN;
  }

  /** Asks for all that was open. */
  async fetch(): Promise<void> {
    const { source, waiting } = this;
    if (!source || !waiting) return;
    const answers = (this.answers ??= new Map<string, CodeAnswer>());
    this.waiting = undefined;
    const said = await source.ask([...waiting.values()]);
    for (const [index, key] of [...waiting.keys()].entries()) answers.set(key, said[index] ?? NOBODY);
  }

  /** Is the value (a code, Coding, Quantity or CodeableConcept) in the set? One good coding is enough. */
  member(value: unknown, valueSet: string): Membership {
    const codings = codingsOf(value);
    let least: Membership | undefined;
    for (const coding of codings) {
      const one = this.answer({ ...coding, valueSet });
      if (one.outcome === 'right') return one;
      // What is open may yet be right, and so may what nobody can tell.
      if (least === undefined || RANK[one.outcome] < RANK[least.outcome]) least = one;
    }
    return least ?? this.answer({ valueSet, code: '' });
  }
}

const RANK = { open: 0, unknown: 1, misnamed: 2, wrong: 3, right: 4 } as const;

interface Coded {
  readonly system?: unknown;
  readonly version?: unknown;
  readonly code?: unknown;
  readonly coding?: unknown;
}

function codingsOf(value: unknown): readonly CodeAsked[] {
  if (typeof value === 'string') return [{ code: value }];
  if (typeof value !== 'object' || value === null) return [];
  const { coding } = value as Coded;
  const list: readonly unknown[] = Array.isArray(coding) ? coding : [value];
  return list.flatMap((one) => codingOf(one) ?? []);
}

/** Undefined where it lacks the code or the system, without which it is in no value set. */
export function codingOf(value: unknown): CodeAsked & { readonly system: string } | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { system, version, code } = value as Coded;
  if (typeof system !== 'string' || typeof code !== 'string' || code === '') return undefined;
  return { system, code, ...(typeof version === 'string' && { version }) };
}
