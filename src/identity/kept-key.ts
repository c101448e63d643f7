// A key pair that all processes of a database share: made by whoever comes first, kept in fhir.secret.
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type CryptoKey, type JWK } from 'jose';
import type { Queryable } from '../db/database.js';

const KEEP = { text: 'insert into fhir.secret (name, value) values ($1, $2) on conflict (name) do nothing' };
const READ = { text: 'select value from fhir.secret where name = $1' };
const PRIVATE: ReadonlySet<string> = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi']);

export interface KeptKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  /** With kid, alg and use. */
  readonly publicJwk: JWK;
}

/** Of two processes that start together one wins, and both use its key. */
export async function keptKey(db: Queryable, name: string, algorithm: string): Promise<KeptKey> {
  const jwk = (await readKey(db, name)) ?? (await makeKey(db, name, algorithm));
  const publicPart = Object.fromEntries(Object.entries(jwk).filter(([member]) => !PRIVATE.has(member))) as JWK;
  const kid = await calculateJwkThumbprint(publicPart);
  return { kid, privateKey: (await importJWK(jwk, algorithm)) as CryptoKey, publicJwk: { ...publicPart, kid, alg: algorithm, use: 'sig' } };
}

async function readKey(db: Queryable, name: string): Promise<JWK | undefined> {
  const { rows: [row] } = await db.query<{ value: string }>({ ...READ, values: [name] });
  return row && (JSON.parse(row.value) as JWK);
}

async function makeKey(db: Queryable, name: string, algorithm: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  await db.query({ ...KEEP, values: [name, JSON.stringify(await exportJWK(privateKey))] });
  const kept = await readKey(db, name);
  if (!kept) throw new Error('the key that was just kept in fhir.secret is not there');
  return kept;
}
