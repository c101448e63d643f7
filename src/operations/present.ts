// The resource that an operation is about, as the caller may read it.
import { fail } from '../fhir/errors.js';
import type { Resource } from '../fhir/resource.js';
import type { Context } from '../interactions/context.js';

/** Throws what a read of it would: 404 (or 403) where the Grant shows none, 410 where it was deleted. */
export async function present(type: string, id: string, { store, grant }: Pick<Context, 'store' | 'grant'>): Promise<Resource> {
  const found = await store.read(grant, type, id);
  if (!found) throw grant.absent(type, id);
  if (found.text === null) throw fail('gone', { text: `${type}/${id} was deleted in version ${found.version}` });
  return JSON.parse(found.text) as Resource;
}
