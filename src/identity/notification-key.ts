// The key by which what this server sends is known to be its own: kept in the database, so that all its processes sign alike.
// https://www.rfc-editor.org/rfc/rfc7515#appendix-F
import { CompactSign, exportJWK, generateKeyPair, importJWK, calculateJwkThumbprint, type CryptoKey, type JWK } from 'jose';
import type { Queryable } from '../db/database.js';

const ALGORITHM = 'ES256';
const NAME = 'notification-key';
const KEEP = { text: 'insert into fhir.secret (name, value) values ($1, $2) on conflict (name) do nothing' };
const READ = { text: 'select value from fhir.secret where name = $1' };

export interface Signer {
  /** A JWS of `body` without the body: `header..signature`. `claims` go into the protected header. */
  sign(body: string, claims: Readonly<Record<string, string | number>>): Promise<string>;
  /** The JWK Set (RFC 7517) of the public key, as JSON text. */
  readonly keys: string;
}

/** Makes the key where there is none; of two processes that start together one wins, and both use its key. */
export async function openSigner(db: Queryable): Promise<Signer> {
  const jwk = (await readKey(db)) ?? (await makeKey(db));
  const { d: _private, ...publicPart } = jwk;
  const kid = await calculateJwkThumbprint(publicPart);
  const key = (await importJWK(jwk, ALGORITHM)) as CryptoKey;
  return {
    keys: JSON.stringify({ keys: [{ ...publicPart, kid, alg: ALGORITHM, use: 'sig' }] }),
    async sign(body, claims) {
      const jws = await new CompactSign(new TextEncoder().encode(body)).setProtectedHeader({ alg: ALGORITHM, kid, ...claims }).sign(key);
      const [header = '', , signature = ''] = jws.split('.');
      return `${header}..${signature}`;
    },
  };
}

async function readKey(db: Queryable): Promise<JWK | undefined> {
  const { rows: [row] } = await db.query<{ value: string }>({ ...READ, values: [NAME] });
  return row && (JSON.parse(row.value) as JWK);
}

async function makeKey(db: Queryable): Promise<JWK> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  await db.query({ ...KEEP, values: [NAME, JSON.stringify(await exportJWK(privateKey))] });
  const kept = await readKey(db);
  if (!kept) throw new Error('the key that was just kept in fhir.secret is not there');
  return kept;
}
