// Each client assertion is good for one use, whichever server it comes to: its jti is written down until it has expired (RFC 7523 section 3).
import type { Queryable } from '../db/database.js';

const USE = { name: 'client-assertion-use', text: 'insert into fhir.client_assertion (key, expires) values ($1, $2) on conflict (key) do nothing' };
const FORGET = { name: 'client-assertion-forget', text: 'delete from fhir.client_assertion where expires < $1' };

export interface UsedAssertions {
  /** True for the first use of a jti by a client; `expires` in milliseconds. */
  firstUse(client: string, jti: string, expires: number): Promise<boolean>;
  /** Drops what has expired by `now`. */
  forget(now: number): Promise<void>;
}

export function createUsedAssertions(db: Queryable): UsedAssertions {
  return {
    // A space can't be in the id of a client, so no two pairs make one key.
    firstUse: async (client, jti, expires) => (await db.query({ ...USE, values: [`${client} ${jti}`, expires] })).count === 1,
    forget: async (now) => {
      await db.query({ ...FORGET, values: [now] });
    },
  };
}
