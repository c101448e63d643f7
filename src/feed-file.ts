// entitle-fhir feed: hands a file of statements to a server and follows the job to its end. Without --url it is its own server, on the
// database that the settings name: the same road, for a caller that only this process knows.
import { randomUUID } from 'node:crypto';
import { createReadStream, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import type { Config } from './config.js';
import { loadDefinitions } from './definitions/load.js';
import { developmentKeys } from './identity/development-keys.js';
import { developmentAuthority } from './identity/identity.js';
import { issueToken } from './identity/issue-token.js';
import { openStorage, packageVersion } from './main.js';
import { startProgress } from './progress.js';
import { createService } from './service.js';

export interface FeedOptions {
  readonly file?: string;
  /** A job to follow, instead of a file. */
  readonly job?: string;
  readonly source: string;
  readonly mode: 'delta' | 'full';
  /** The base of a FHIR service, and a token for it. */
  readonly url?: string;
  readonly token?: string;
}

interface Server {
  readonly base: string;
  readonly token: string;
}

interface Parameter {
  readonly name: string;
  readonly valueInteger?: number;
  readonly part?: readonly { readonly valueInteger?: number; readonly valueString?: string }[];
}

const POLL_MS = 250;
const LINES = 1000;

/** Prints with `print`; throws words for the operator. */
export async function feedFile(config: Config, options: FeedOptions, print: (line: string) => void): Promise<void> {
  await onServer(config, options, async (server) => {
    const job = options.job ?? (await sendFile(server, options));
    print(`Job ${job}`);
    await follow(server, job);
    await report(server, job, print);
  });
}

/** `file` holds the Parameters of $define-feed. */
export async function defineFeed(config: Config, file: string, options: Pick<FeedOptions, 'url' | 'token'>, print: (line: string) => void): Promise<void> {
  await onServer(config, options, async (server) => {
    const { status } = await ask(server, 'POST', '$define-feed', { type: 'application/fhir+json', body: readFileSync(file, 'utf8') });
    print(status === 201 ? 'The feed is defined.' : 'The feed is changed.');
  });
}

async function onServer(config: Config, { url, token }: Pick<FeedOptions, 'url' | 'token'>, work: (server: Server) => Promise<void>): Promise<void> {
  if (url !== undefined && token !== undefined) return work({ base: url.replace(/\/+$/, ''), token });
  if (url !== undefined || token !== undefined) throw new Error('--url and --token go together');
  const log = pino({ level: 'silent' });
  const { database, embedded } = await openStorage(config, log);
  // Keys of this run alone: nobody else can call the server while it is up.
  const folder = mkdtempSync(join(tmpdir(), 'entitle-feed-'));
  const keys = await developmentKeys(folder);
  const clock = (): number => Date.now() + config.clockOffsetMs;
  const secret = await issueToken({ role: 'admin', client: 'entitle-fhir' }, { keys, now: clock(), tokenId: randomUUID() });
  const authority = developmentAuthority(keys, clock);
  const service = await createService({ config, database, definitions: loadDefinitions(), authority, log, version: packageVersion() });
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

async function sendFile(server: Server, { file, source, mode }: FeedOptions): Promise<string> {
  if (file === undefined) throw new Error('Say which file: --file');
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found?.isFile()) throw new Error(`There is no file ${file}`);
  const progress = startProgress('bytes sent', found.size);
  const stream = createReadStream(file);
  stream.on('data', (part) => { progress.add(part.length); });
  const type = file.endsWith('.csv') ? 'text/csv' : 'application/fhir+ndjson';
  const answer = await ask(server, 'POST', `$ingest-status-feed?source=${encodeURIComponent(source)}&mode=${mode}`, { type, body: Readable.toWeb(stream) });
  progress.end();
  return (answer.headers.get('content-location') ?? '').split('/').at(-1) ?? '';
}

async function follow(server: Server, job: string): Promise<void> {
  const progress = startProgress('per cent taken in', 100);
  let shown = 0;
  for (;;) {
    const { status, headers } = await ask(server, 'GET', `_jobs/${job}`);
    const done = status === 200 ? 100 : Number.parseInt(headers.get('x-progress') ?? '', 10) || 0;
    progress.add(done - shown);
    shown = done;
    if (status === 200) break;
    await sleep(POLL_MS);
  }
  progress.end();
}

async function report(server: Server, job: string, print: (line: string) => void): Promise<void> {
  for (let after = 0; ; ) {
    const answer = await ask(server, 'GET', `_jobs/${job}?after=${after}`);
    const { parameter } = (await answer.json()) as { parameter: readonly Parameter[] };
    if (after === 0) for (const { name, valueInteger } of parameter) if (valueInteger !== undefined) print(`${name.padEnd(12)} ${valueInteger}`);
    const lines = parameter.filter(({ name }) => name === 'line').map(({ part = [] }) => ({ line: part[0]?.valueInteger ?? 0, reason: part[1]?.valueString ?? '' }));
    for (const { line, reason } of lines) print(`line ${line}: ${reason}`);
    if (lines.length < LINES) return;
    after = lines.at(-1)?.line ?? Infinity;
  }
}

async function ask({ base, token }: Server, method: string, path: string, sent?: { readonly type: string; readonly body: NonNullable<RequestInit['body']> }): Promise<Response> {
  const headers = { authorization: `Bearer ${token}`, ...(sent && { 'content-type': sent.type }) };
  const response = await fetch(`${base}/${path}`, { method, headers, ...(sent && { body: sent.body, duplex: 'half' }) }).catch((error: unknown) => {
    throw new Error(`No server answers at ${base}`, { cause: error });
  });
  if (response.ok) return response;
  const text = await response.text();
  throw new Error(`The server refused it (${response.status}): ${text.slice(0, 1000)}`);
}
