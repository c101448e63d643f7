// Remembers verified tokens: verifying a signature costs 150 to 300 µs, more than a whole read.
import type { Caller } from '../fhir/caller.js';
import type { Revocable } from './revocations.js';

export interface CachedToken {
  readonly caller: Caller;
  /** Milliseconds since the epoch. */
  readonly expires: number;
  /** By what it can be revoked; undefined for a token that can't be, here. */
  readonly revocable?: Revocable | undefined;
}

/**
 * Two generations instead of a list in order of use: a hit costs one look-up, and what was not asked for during a whole generation is
 * forgotten. Holds at most 2 × `generation` tokens.
 */
export class TokenCache {
  private young = new Map<string, CachedToken>();
  private old = new Map<string, CachedToken>();

  constructor(private readonly generation = 2000) {}

  get(header: string): CachedToken | undefined {
    const entry = this.young.get(header);
    if (entry !== undefined) return entry;
    const survivor = this.old.get(header);
    if (survivor !== undefined) this.set(header, survivor);
    return survivor;
  }

  set(header: string, entry: CachedToken): void {
    if (this.young.size >= this.generation) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(header, entry);
  }

  delete(header: string): void {
    this.young.delete(header);
    this.old.delete(header);
  }
}
