// The resource that an operation is about, as the caller may read it.
import { fail } from '../fhir/errors.js';
import type { Resource } from '../fhir/resource.js';
import type { Found } from '../store/store.js';
import type { Context } from '../interactions/context.js';

/** Throws what a read of it would: 404 (or 403) where the Grant shows none, 410 where it was deleted. */
export async function present(type: string, id: string, context: Pick<Context, 'store' | 'grant'>): Promise<Resource> {
  return JSON.parse((await presentText(type, id, context)).text) as Resource;
}

/** The same as its text. */
export async function presentText(type: string, id: string, { store, grant }: Pick<Context, 'store' | 'grant'>): Promise<Found> {
  const found = await store.read(grant, type, id);
  if (!found) throw grant.absent(type, id);
  if (found.text === null) throw fail('gone', { text: `${type}/${id} was deleted in version ${found.version}` });
  return { type, id, text: found.text };
}
