// Tokens that were taken back before they expired: written down for all servers, and asked for each token once a second at most.
// https://www.rfc-editor.org/rfc/rfc7009
import type { Queryable } from '../db/database.js';

/** How long a token that was revoked at another server may still pass here. */
const FRESH_MS = 1000;

const FIND = { name: 'token-revoked', text: 'select 1 from fhir.token_revocation where key = any($1::text[]) limit 1' };
const ADD = { name: 'token-revoke', text: 'insert into fhir.token_revocation (key, expires) values ($1, $2) on conflict (key) do update set expires = greatest(fhir.token_revocation.expires, excluded.expires)' };
const FORGET = { name: 'token-revocation-forget', text: 'delete from fhir.token_revocation where expires < $1' };

/** What a token of ours can be revoked by. What is known of it is remembered with this object. */
export interface Revocable {
  readonly jti?: string | undefined;
  readonly grant?: string | undefined;
}

export interface Revocations {
  /** At once where it was asked within the last second. */
  isRevoked(token: Revocable): boolean | Promise<boolean>;
  /** `expires`: when the last token concerned has expired, in milliseconds. Counts in this process at once. */
  revoke(what: { readonly jti: string } | { readonly grant: string }, expires: number): Promise<void>;
  forget(now: number): Promise<void>;
}

export function createRevocations({ db, clock }: { readonly db: Queryable; readonly clock: () => number }): Revocations {
  const known = new WeakMap<Revocable, { readonly at: number; readonly generation: number; readonly revoked: boolean }>();
  let generation = 0;
  const ask = async (token: Revocable): Promise<boolean> => {
    // By when it was asked, not by when the answer came: in between it may have been revoked.
    const asked = { at: clock(), generation };
    const { jti, grant } = token;
    const keys = [...(jti === undefined ? [] : [`token ${jti}`]), ...(grant === undefined ? [] : [`grant ${grant}`])];
    const revoked = (await db.query({ ...FIND, values: [keys] })).count > 0;
    known.set(token, { ...asked, revoked });
    return revoked;
  };
  return {
    isRevoked(token) {
      const found = known.get(token);
      if (found !== undefined && found.generation === generation && (found.revoked || clock() - found.at < FRESH_MS)) return found.revoked;
      return ask(token);
    },
    async revoke(what, expires) {
      await db.query({ ...ADD, values: ['jti' in what ? `token ${what.jti}` : `grant ${what.grant}`, expires] });
      generation += 1;
    },
    forget: async (now) => {
      await db.query({ ...FORGET, values: [now] });
    },
  };
}
