// Refusals that cost their sender nothing are not each written down: of a flood the first few are, and then how many more there were.
export interface FloodParts {
  /** Milliseconds that only grow. */
  readonly tick: () => number;
  /** Told of those that were only counted, once a while is over. */
  readonly onCounted: (source: string, count: number) => void;
}

/** How many of one source are recorded each by itself within a while. */
const MOST_EACH = 50;
const WHILE_MS = 10_000;
/** Sources beyond this are counted together. */
const MOST_SOURCES = 10_000;
const OTHERS = 'further sources';

export class Floods {
  private counts = new Map<string, number>();
  private since = 0;

  constructor(private readonly parts: FloodParts) {}

  /** Is this one to be recorded by itself? `source` is an address, or a client. */
  isRecorded(source: string): boolean {
    this.look();
    const name = this.counts.has(source) || this.counts.size < MOST_SOURCES ? source : OTHERS;
    const count = (this.counts.get(name) ?? 0) + 1;
    this.counts.set(name, count);
    return count <= MOST_EACH && name === source;
  }

  /** To be called every few seconds: a flood may end, and nobody come again. */
  look(): void {
    if (this.parts.tick() - this.since >= WHILE_MS) this.settle();
  }

  /** Tells what was only counted, and begins anew. */
  settle(): void {
    const over = this.counts;
    this.counts = new Map();
    this.since = this.parts.tick();
    for (const [source, count] of over) {
      const unwritten = source === OTHERS ? count : count - MOST_EACH;
      if (unwritten > 0) this.parts.onCounted(source, unwritten);
    }
  }
}
