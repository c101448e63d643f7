// The development key: one per data directory, private to its owner, whoever comes first.
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK } from 'jose';
import { developmentKeys } from '../../src/identity/development-keys.js';

let dataDir: string;
beforeEach(async () => {
  dataDir = join(await mkdtemp(join(tmpdir(), 'keys-')), 'data');
});
afterEach(() => rm(join(dataDir, '..'), { recursive: true }));

test('is made with its directory, readable by its owner alone, and nothing else is left behind', async () => {
  await developmentKeys(dataDir);
  expect(await readdir(dataDir)).toEqual(['development-key.json']);
  expect((await stat(join(dataDir, 'development-key.json'))).mode & 0o777).toBe(0o600);
});

test('is the same when read again', async () => {
  const first = await developmentKeys(dataDir);
  const second = await developmentKeys(dataDir);
  expect(await exportJWK(second.publicKey)).toEqual(await exportJWK(first.publicKey));
});

test('is one and the same for all who come at once', async () => {
  const all = await Promise.all(Array.from({ length: 20 }, () => developmentKeys(dataDir)));
  const points = await Promise.all(all.map(async ({ publicKey }) => (await exportJWK(publicKey)).x));
  expect(new Set(points).size).toBe(1);
  expect(await readdir(dataDir)).toEqual(['development-key.json']);
});

test.each(['', '{', '{"kty":"EC"}', 'null'])('a file that holds %j is refused by name', async (content) => {
  await developmentKeys(dataDir);
  const file = join(dataDir, 'development-key.json');
  await writeFile(file, content);
  await expect(developmentKeys(dataDir)).rejects.toThrow(`${file} is not a private key`);
  expect(await readFile(file, 'utf8')).toBe(content);
});

test('a directory that can\'t be made is an error, not a key in memory', async () => {
  await expect(developmentKeys('/dev/null/data')).rejects.toThrow(/ENOTDIR/);
});

test('the public key can\'t sign', async () => {
  const { publicKey } = await developmentKeys(dataDir);
  expect(publicKey.type).toBe('public');
  expect(await exportJWK(publicKey)).not.toHaveProperty('d');
});
