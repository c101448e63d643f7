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

const DIGITS = Buffer.from('0123456789abcdef', 'latin1');

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
  // One scratch text: only what differs from the id before is written anew.
  const text = Buffer.from('00000000-0000-7000-8000-000000000000', 'latin1');
  let written = -1;
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
    if (ms !== written) {
      text.write(`${timeText(ms)}-7`, 'latin1');
      written = ms;
    }
    writeHex(text, 15, counter >> 8, 1);
    writeHex(text, 16, counter & 0xff, 2);
    writeHex(text, 19, (byte(1) & 0x3f) | 0x80, 2);
    writeHex(text, 21, byte(2), 2);
    for (let place = 0; place < 6; place += 1) writeHex(text, 24 + 2 * place, byte(3 + place), 2);
    used += PER_ID;
    return text.toString('latin1');
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

/** The first 13 characters of an id. */
function timeText(ms: number): string {
  const time = ms.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}`;
}

/** One or two digits. */
function writeHex(text: Buffer, at: number, byte: number, digits: 1 | 2): void {
  if (digits === 2) text[at] = DIGITS[byte >> 4] ?? 0;
  text[at + digits - 1] = DIGITS[byte & 15] ?? 0;
}
