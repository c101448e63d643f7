// A server for a command to talk to: one that is named by its URL, or the command's own, on the database that the settings name. The same
// road for both; the caller of its own server is one that only this process knows.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from './config.js';
import { loadDefinitions } from './definitions/load.js';
import { developmentKeys } from './identity/development-keys.js';
import { developmentAuthority } from './identity/identity.js';
import { issueToken } from './identity/issue-token.js';
import { createLog } from './log.js';
import { openStorage, packageVersion } from './main.js';
import { createService } from './service.js';

export interface ServerOptions {
  /** The base of a FHIR service, and a token for it. */
  readonly url?: string;
  readonly token?: string;
}

export interface Server {
  readonly base: string;
  readonly token: string;
}

export interface Sent {
  /** Content-Type. */
  readonly type: string;
  readonly body: NonNullable<RequestInit['body']>;
}

export async function onServer(config: Config, { url, token }: ServerOptions, work: (server: Server) => Promise<void>): Promise<void> {
  if (url !== undefined && token !== undefined) return work({ base: url.replace(/\/+$/, ''), token });
  if (url !== undefined || token !== undefined) throw new Error('--url and --token go together');
  const log = createLog({ logLevel: 'silent' });
  const { database, embedded } = await openStorage(config, log);
  // Keys of this run alone: nobody else can call the server while it is up.
  const folder = mkdtempSync(join(tmpdir(), 'entitle-server-'));
  const keys = await developmentKeys(folder);
  const clock = (): number => Date.now() + config.clockOffsetMs;
  const secret = await issueToken({ role: 'admin', client: 'entitle-fhir' }, { keys, now: clock(), tokenId: randomUUID() });
  const authority = developmentAuthority(keys);
  const service = await createService({ config: { ...config, tlsCert: undefined, tlsKey: undefined, tlsClientCa: undefined }, database, definitions: loadDefinitions(), authority, log, version: packageVersion() });
  try {
    const origin = await service.app.listen({ host: '127.0.0.1', port: 0 });
    await work({ base: `${origin}${config.basePath}`, token: secret });
  } finally {
    await service.app.close();
    await service.stop();
    await database.close();
    await embedded?.stop();
    rmSync(folder, { recursive: true });
  }
}

/** `path` below the base. Throws where no server answers; a refusal is an answer. */
export function send({ base, token }: Server, method: string, path: string, sent?: Sent): Promise<Response> {
  const headers = { authorization: `Bearer ${token}`, ...(sent && { 'content-type': sent.type }) };
  return fetch(path === '' ? base : `${base}/${path}`, { method, headers, ...(sent && { body: sent.body, duplex: 'half' }) }).catch((error: unknown) => {
    throw new Error(`No server answers at ${base}`, { cause: error });
  });
}
