// entitle-fhir feed: hands a file of statements to a server and follows the job to its end.
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from './config.js';
import { onServer, send, type Sent, type Server } from './own-server.js';
import { startProgress } from './progress.js';

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

async function ask(server: Server, method: string, path: string, sent?: Sent): Promise<Response> {
  const response = await send(server, method, path, sent);
  if (response.ok) return response;
  const text = await response.text();
  throw new Error(`The server refused it (${response.status}): ${text.slice(0, 1000)}`);
}
