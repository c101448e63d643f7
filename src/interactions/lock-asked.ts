// The rows that writes are about to change, locked.
import type { StoredVersion, Transaction } from '../store/store.js';
import type { Asked } from './asked.js';

/** Rows are locked in one order for all, so that two requests can't wait for each other; those of a type at once. */
export async function lockAsked(asked: readonly Asked[], tx: Transaction): Promise<(StoredVersion | undefined)[]> {
  const standing = asked.filter((one) => !one.fresh);
  const [only] = standing;
  if (only && standing.length === 1) {
    const current = await tx.lock(only.type, only.id);
    return asked.map((one) => (one === only ? current : undefined));
  }
  const current = new Map<string, ReadonlyMap<string, StoredVersion>>();
  for (const type of [...new Set(standing.map((one) => one.type))].sort()) {
    current.set(type, await tx.lockAll(type, standing.filter((one) => one.type === type).map((one) => one.id)));
  }
  return asked.map((one) => (one.fresh ? undefined : current.get(one.type)?.get(one.id)));
}
