// Statements of a transaction that are sent one behind the other, without waiting for answers between.
import { isAftermath } from './failure.js';

/**
 * Waits for all even where one fails: nothing may be sent any more once the transaction is left. Throws what made the others fail, which is not
 * always what is heard of first.
 */
export async function inOneGo<T extends readonly Promise<unknown>[]>(work: T): Promise<{ readonly [K in keyof T]: Awaited<T[K]> }> {
  const settled = await Promise.allSettled(work);
  const errors: unknown[] = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  if (errors.length > 0) throw errors.find((error) => !isAftermath(error)) ?? errors[0];
  return Promise.all(work);
}
