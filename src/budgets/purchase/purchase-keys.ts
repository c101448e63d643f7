// Each identifier of a purchase belongs to one purchase (domain.md 3.8 rule 12, rulings 14 and 53).
import { createHash } from 'node:crypto';
import type { Queryable } from '../../db/database.js';
import { fail } from '../../fhir/errors.js';
import type { Resource } from '../../fhir/resource.js';
import { identifiersOf, isPurchase, statusOf } from './purchase.js';

const FREE = { name: 'purchase-key-free', text: 'delete from fhir.purchase_key where key = any ($1) and claim = $2' };
const TAKE = { name: 'purchase-key-take', text: 'insert into fhir.purchase_key (key, claim) select key, $2 from unnest($1::text[]) as k (key) order by key on conflict (key) do nothing' };
const OTHERS = { name: 'purchase-key-others', text: 'select from fhir.purchase_key where key = any ($1) and claim <> $2 limit 1' };

/** Takes the keys of a new purchase, `$keys::text[]`; a constraint refuses those of another. */
export const takingKeys = (keys: string, claim: string): string => `insert into fhir.purchase_key (key, claim) select key, ${claim} from unnest(${keys}::text[]) as k (key) order by key`;

/** What fits a row of an index. */
const LONGEST = 500;

/** A purchase that was entered in error holds none. */
export const keysOf = (claim: Resource | undefined): string[] =>
  !isPurchase(claim) || statusOf(claim) === 'entered-in-error' ? [] : identifiersOf(claim).map((text) => (text.length <= LONGEST ? text : createHash('sha256').update(text).digest('hex')));

/** Makes the identifiers of the next version the purchase's own, until the end of the transaction at least; throws 409 `duplicate` where one is another's. */
export async function takeKeys(db: Queryable, id: string, before: Resource | undefined, after: Resource | undefined): Promise<void> {
  const earlier = keysOf(before);
  const wanted = keysOf(after);
  const freed = earlier.filter((key) => !wanted.includes(key));
  const taken = wanted.filter((key) => !earlier.includes(key));
  if (freed.length > 0) await db.query({ ...FREE, values: [freed, id] });
  if (taken.length === 0) return;
  const made = await db.query({ ...TAKE, values: [taken, id] });
  if (made.count === taken.length) return;
  // Some were there: another's, or its own of a run whose COMMIT had worked. Asked after the insert, which waited for whoever was taking the same key.
  const { count } = await db.query({ ...OTHERS, values: [taken, id] });
  if (count > 0) throw fail('duplicate', { text: 'There is a purchase with this identifier already', expression: 'Claim.identifier' });
}
