// The number that stands for a search parameter of a type in the index tables: FNV-1a of `Type.code`.
// http://www.isthe.com/chongo/tech/comp/fnv/

const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;

/** Signed 32-bit, as PostgreSQL's `integer` holds it. Loading the definitions checks that no two parameters share one. */
export function paramKey(type: string, code: string): number {
  const text = `${type}.${code}`;
  let hash = OFFSET;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), PRIME);
  }
  return hash | 0;
}
