// A bigint[] as PostgreSQL reads it in bytes: 64-bit hashes then need no decimal digits, which took longer to write and to read than the hashes to make.
// https://www.postgresql.org/docs/current/protocol-overview.html#PROTOCOL-FORMAT-CODES

/** Dimensions, whether any is null, type of the items, length and first index. */
const HEADER = 20;
/** A length and 8 bytes. */
const ITEM = 12;
const INT8_OID = 20;

const whole = new BigInt64Array(1);
const halves = new DataView(whole.buffer);
const LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
const [HIGH, LOW] = LITTLE ? [4, 0] : [0, 4];

/** One parameter `$n::bigint[]`. */
export const bigintArray = (values: readonly (bigint | null)[]): Buffer => joinedBigints([values]);

/** The items of all the lists, as one parameter. */
export function joinedBigints(lists: readonly (readonly (bigint | null)[])[]): Buffer {
  let count = 0;
  for (const { length } of lists) count += length;
  const bytes = Buffer.allocUnsafe(HEADER + ITEM * count);
  bytes.writeInt32BE(1, 0);
  bytes.writeInt32BE(0, 4);
  bytes.writeInt32BE(INT8_OID, 8);
  bytes.writeInt32BE(count, 12);
  bytes.writeInt32BE(1, 16);
  let at = HEADER;
  for (const values of lists) for (const value of values) at = value === null ? writeNull(bytes, at) : writeItem(bytes, at, value);
  return at === bytes.length ? bytes : bytes.subarray(0, at);
}

function writeItem(bytes: Buffer, at: number, value: bigint): number {
  whole[0] = value;
  bytes.writeInt32BE(8, at);
  bytes.writeInt32BE(halves.getInt32(HIGH, LITTLE), at + 4);
  bytes.writeInt32BE(halves.getInt32(LOW, LITTLE), at + 8);
  return at + ITEM;
}

function writeNull(bytes: Buffer, at: number): number {
  bytes.writeInt32BE(1, 4);
  bytes.writeInt32BE(-1, at);
  return at + 4;
}
