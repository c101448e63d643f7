// Bits as text, `0110…`: which parameters a resource has values of. Resources of a type have few patterns, and each is written once.

/** Bits in a number that code can set one by one. */
export const WORD = 30;

const MOST_KEPT = 1000;

export class PresenceText {
  private readonly known = new Map<number, string>();

  constructor(private readonly length: number) {}

  /** The lowest bit comes first. */
  of(bits: number): string {
    return this.known.get(bits) ?? this.write(bits);
  }

  private write(bits: number): string {
    const text = Array.from({ length: this.length }, (_, place) => (bits >> place) & 1).join('');
    if (this.known.size >= MOST_KEPT) this.known.clear();
    this.known.set(bits, text);
    return text;
  }
}
