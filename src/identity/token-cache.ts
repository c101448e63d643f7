// Remembers verified tokens: verifying a signature costs 150 to 300 µs, more than a whole read.
import type { Caller } from '../fhir/caller.js';

interface Entry {
  readonly caller: Caller;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

/**
 * Two generations instead of a list in order of use: a hit costs one look-up, and what was not asked for during a whole generation is
 * forgotten. Holds at most 2 × `generation` tokens.
 */
export class TokenCache {
  private young = new Map<string, Entry>();
  private old = new Map<string, Entry>();

  constructor(private readonly generation = 2000) {}

  get(header: string): Entry | undefined {
    const entry = this.young.get(header);
    if (entry !== undefined) return entry;
    const survivor = this.old.get(header);
    if (survivor !== undefined) this.set(header, survivor);
    return survivor;
  }

  set(header: string, entry: Entry): void {
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
