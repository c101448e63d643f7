// The name under which a statement is prepared: the same text has the same name, in every process.
import { referenceHash } from './token-hash.js';

const names = new Map<string, string>();

/** Hashing a long text costs more than finding it again; the list is dropped when queries are of too many shapes. */
const MOST_KEPT = 2000;

export function statementName(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = `search ${BigInt.asUintN(64, referenceHash(text)).toString(36)}`;
    if (names.size >= MOST_KEPT) names.clear();
    names.set(text, name);
  }
  return name;
}
