// The key pair of the built-in development authorization server: made once per data directory by whoever comes first, server or command line.
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, importJWK, type CryptoKey, type JWK } from 'jose';

export const DEVELOPMENT_ALGORITHM = 'ES256';
const FILE = 'development-key.json';

export interface DevelopmentKeys {
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}

/** Reads `<dataDir>/development-key.json`, after making it (mode 0600) where there is none. Throws an Error that names the file when it can't be used. */
export async function developmentKeys(dataDir: string): Promise<DevelopmentKeys> {
  const file = join(dataDir, FILE);
  const stored = (await readKey(file)) ?? (await createKey(dataDir, file));
  try {
    return await importPair(JSON.parse(stored) as JWK);
  } catch {
    throw new Error(`${file} is not a private key in JWK form: delete it, and a new one is made (tokens issued before are void then)`);
  }
}

async function readKey(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`${file} can't be read (${(error as Error).message}): run as the user who owns it`, { cause: error });
  }
}

/** Written whole under a name of its own, then linked: link never replaces a file, so of two at once one wins and both read the winner's. */
async function createKey(dataDir: string, file: string): Promise<string> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const { privateKey } = await generateKeyPair(DEVELOPMENT_ALGORITHM, { extractable: true });
  const draft = `${file}.${process.pid}.${Math.trunc(performance.now() * 1000)}`;
  await writeFile(draft, JSON.stringify(await exportJWK(privateKey)), { mode: 0o600, flag: 'wx' });
  try {
    await link(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(draft);
  }
  return readFile(file, 'utf8');
}

async function importPair(jwk: JWK): Promise<DevelopmentKeys> {
  const { d, ...publicPart } = jwk;
  if (d === undefined) throw new Error('the private part is missing');
  const [privateKey, publicKey] = await Promise.all([importJWK(jwk, DEVELOPMENT_ALGORITHM), importJWK(publicPart, DEVELOPMENT_ALGORITHM)]);
  return { privateKey: privateKey as CryptoKey, publicKey: publicKey as CryptoKey };
}
