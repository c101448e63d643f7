// The end of superseded versions: their texts, and the words of a deleted or rewritten resource that are still indexed.
import type { Queryable } from '../db/database.js';
import { forgetContained } from './contained.js';
import { resourceTable } from './tables.js';

/**
 * All superseded versions of a resource, or one. The caller holds the lock of its row, so that none is added meanwhile. Of one version alone
 * the time goes to the version before it, which ended then: history at a moment (`_at`) stays true across the gap.
 */
export async function purgeHistory(db: Queryable, type: string, id: string, version?: number): Promise<number> {
  const purged = version === undefined ? await purgeAll(db, type, id) : await purgeOne(db, type, id, version);
  if (purged > 0) {
    await forgetWords(db, type, id);
    await forgetContained(db, resourceTable(type), type, id);
  }
  return purged;
}

async function purgeAll(db: Queryable, type: string, id: string): Promise<number> {
  const { count } = await db.query({ name: 'purge history', text: 'delete from fhir.history where id = $1 and type = $2', values: [id, type] });
  return count;
}

async function purgeOne(db: Queryable, type: string, id: string, version: number): Promise<number> {
  const { count } = await db.query({
    name: 'purge version',
    text: `with purged as (delete from fhir.history where id = $1 and type = $2 and version = $3::bigint returning updated),
             ended as (update fhir.history h set ended = purged.updated from purged where h.id = $1 and h.type = $2 and h.version = $3::bigint - 1)
           select updated from purged`,
    values: [id, type, version],
  });
  return count;
}

/** The index of words is brought up to date by searches: until then it holds those of an earlier version. */
async function forgetWords(db: Queryable, type: string, id: string): Promise<void> {
  await db.query({
    name: `purge words ${type}`,
    text: `delete from fhir.text_index w where w.id = $1 and w.type = $2
           and not exists (select from ${resourceTable(type)} t where t.id = w.id and t.version = w.version and t.res is not null)`,
    values: [id, type],
  });
}
