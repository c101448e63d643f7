// Clients of two servers on one database, of which one may die: what gets no answer is sent again, to the other, with the same X-Request-ID.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { cloneDatabase, type TestDatabase } from '../database.js';
import type { Answer, Ask, TestServer } from '../server.js';
import { build, startServer, temporaryFolder, tokenFor, type ServerProcess } from './server-process.js';

const TRIES = 400;
const PAUSE_MS = 50;

export interface Sent extends Answer {
  readonly requestId: string;
}

export interface TwoServers {
  readonly clone: TestDatabase;
  readonly dataDir: string;
  /** How often no answer came, and how often one said to come again (Retry-After). */
  readonly lost: { connections: number; busy: number };
  /** Everything that was answered with 5xx, but for 503 with Retry-After. */
  readonly failures: string[];
  /** Repeats until there is an answer; `first` is the server that is asked first. */
  send(first: number, method: string, path: string, ask?: { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>>; readonly requestId?: string }): Promise<Sent>;
  /** As the tests of the domain see a server: `send` and the token of admin. */
  readonly front: TestServer;
  /** Kills one with -9 and starts it again. */
  killAndRestart(which: number): Promise<void>;
  end(): Promise<void>;
}

export async function startTwoServers(): Promise<TwoServers> {
  await build();
  const [data, clone] = await Promise.all([temporaryFolder(), cloneDatabase()]);
  const start = (): Promise<ServerProcess> => startServer({ dataDir: data.path, environment: { DATABASE_URL: clone.url, LOG_LEVEL: 'error' } });
  const servers = [await start(), await start()];
  const token = await tokenFor('admin', data.path);
  const lost = { connections: 0, busy: 0 };
  const failures: string[] = [];

  const once = async (which: number, method: string, path: string, body: string | undefined, headers: Readonly<Record<string, string>>): Promise<Answer | undefined> => {
    try {
      const response = await fetch(`${servers[which % 2]?.base}/${path}`, { method, headers, ...(body !== undefined && { body }) });
      const text = await response.text();
      const answer = { status: response.status, headers: Object.fromEntries(response.headers), text, body: text === '' || response.headers.get('content-type') === 'application/fhir+ndjson' ? undefined : JSON.parse(text) };
      if (response.headers.has('retry-after') && [409, 503].includes(response.status)) lost.busy += 1;
      else return answer;
    } catch {
      lost.connections += 1;
    }
    return undefined;
  };
  const send: TwoServers['send'] = async (first, method, path, { body, headers = {}, requestId = randomUUID() } = {}) => {
    const content = body === undefined ? undefined : JSON.stringify(body);
    const all = { authorization: `Bearer ${token}`, ...(method !== 'GET' && { 'x-request-id': requestId }), ...(content !== undefined && { 'content-type': 'application/fhir+json' }), ...headers };
    for (let tried = 0; tried < TRIES; tried += 1) {
      const answer = await once(first + tried, method, path, content, all);
      if (answer && answer.status >= 500) failures.push(`${method} ${path}: ${answer.status} ${answer.text}`);
      if (answer) return { ...answer, requestId };
      await sleep(PAUSE_MS);
    }
    throw new Error(`${method} ${path} was not answered in ${TRIES} tries`);
  };
  const front = { tokens: { admin: token }, send: (method: string, path: string, { body, headers }: Ask = {}) => send(0, method, path, { body, ...(headers && { headers }) }) };
  return {
    clone, dataDir: data.path, lost, failures, send,
    front: front as unknown as TestServer,
    async killAndRestart(which) {
      servers[which]?.child.kill('SIGKILL');
      await servers[which]?.exited();
      servers[which] = await start();
    },
    async end() {
      for (const { child, exited } of servers) {
        child.kill('SIGTERM');
        await exited();
      }
      await clone.drop();
      await data.remove();
    },
  };
}
