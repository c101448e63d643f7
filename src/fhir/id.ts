// Logical ids: FHIR's grammar, and new ones that sort by time. https://hl7.org/fhir/R4/datatypes.html#id · https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7
import { fail } from './errors.js';

const ID = /^[A-Za-z0-9.-]{1,64}$/;

export function isId(text: string): boolean {
  return ID.test(text);
}

/** The same text; refuses (400) what is no id. */
export function requireId(text: string): string {
  if (isId(text)) return text;
  throw fail('invalid-id');
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Random bytes asked for at once: a call of the system's generator costs more than the bytes. */
const POOL = 4096;
const PER_ID = 9;

/**
 * A maker of UUIDv7 ids, each greater than the one before. `clock` gives milliseconds since the epoch; `random` as many random bytes as asked for.
 * Twelve bits after the milliseconds count up within one; when they run out, or the clock steps back, the next millisecond is used early.
 */
export function createIds(clock: () => number, random: (size: number) => Uint8Array): () => string {
  let pool: Uint8Array = new Uint8Array();
  let used = POOL;
  let ms = -1;
  let counter = 0;
  const byte = (at: number): number => pool[used + at] ?? 0;
  return () => {
    if (used + PER_ID > pool.length) {
      pool = random(POOL);
      used = 0;
    }
    const now = clock();
    if (now > ms) {
      ms = now;
      counter = byte(0); // starts low, so there is room to count
    } else if (++counter > 0xfff) {
      ms++;
      counter = 0;
    }
    const time = ms.toString(16).padStart(12, '0');
    const count = counter.toString(16).padStart(3, '0');
    const variant = HEX[(byte(1) & 0x3f) | 0x80] ?? '';
    const tail = hex(byte(3)) + hex(byte(4)) + hex(byte(5)) + hex(byte(6)) + hex(byte(7)) + hex(byte(8));
    const id = `${time.slice(0, 8)}-${time.slice(8)}-7${count}-${variant}${hex(byte(2))}-${tail}`;
    used += PER_ID;
    return id;
  };
}

/** Begun anew, it gives the ids it gave before: for work that is run again as a whole, and must then make the same rows. */
export function repeatedIds(newId: () => string): () => () => string {
  const made: string[] = [];
  return () => {
    let next = 0;
    return () => {
      const id = (made[next] ??= newId());
      next += 1;
      return id;
    };
  };
}

function hex(byte: number): string {
  return HEX[byte] ?? '';
}
