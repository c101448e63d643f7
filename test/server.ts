// The whole service over a database of its own, for tests that go through the front door.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import supertest from 'supertest';
import { isDevelopment, readConfig } from '../src/config.js';
import type { AppLog } from '../src/app.js';
import type { Database } from '../src/db/database.js';
import { openDatabase } from '../src/db/pool.js';
import { loadDefinitions } from '../src/definitions/load.js';
import { openPackages } from '../src/definitions/packages.js';
import type { Role } from '../src/fhir/caller.js';
import type { Resource } from '../src/fhir/resource.js';
import { developmentKeys } from '../src/identity/development-keys.js';
import { issueToken, type TokenRequest } from '../src/identity/issue-token.js';
import { developmentAuthority } from '../src/identity/identity.js';
import { publishDefinitions } from '../src/jobs/publish-definitions.js';
import { createLog } from '../src/log.js';
import { createService } from '../src/service.js';
import { cloneDatabase } from './database.js';
import { oneConnectionEach } from './one-connection.js';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** The body parsed; `undefined` where there is none. */
  readonly body: any;
}

export interface Ask {
  /** Undefined sends no token. */
  readonly token?: string | undefined;
  /** An object is sent as application/fhir+json, a string as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TestServer {
  /** `path` below the base: `Patient/1`. */
  send(method: string, path: string, ask?: Ask): Promise<Answer>;
  token(role: Role, request?: Partial<TokenRequest>): Promise<string>;
  /** Tokens of the four roles, made at start; ovm is of trust RR8. */
  readonly tokens: Readonly<Record<'admin' | 'ovm' | 'supplier' | 'homeOffice', string>>;
  readonly base: string;
  readonly database: Database;
  /** Stores resources as they are, past validation and the rules of the domain: for tests of who sees what. They have ids. */
  seed(resources: readonly Resource[]): Promise<void>;
  /** Stores HL7's own definitions, as a server that is started does beside its work; gives what is to be waited for. */
  publish(): Promise<void>;
  /** Once it resolves, what was answered until now is on record. */
  recorded(): Promise<void>;
  close(): Promise<void>;
}

/** `root`: the folder whose profiles/ holds packages of others. `log`: where it is to be read. */
export async function startServer(settings: Readonly<Record<string, string>> = {}, root?: string, log?: AppLog): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'entitle-server-'));
  const config = readConfig({ DATA_DIR: folder, LOG_LEVEL: 'silent', PORT: '0', OVERLOAD_LAG_MS: '0', ...settings });
  const clone = await cloneDatabase();
  const database = oneConnectionEach(openDatabase({ url: clone.url, size: 8, prepared: true, statementTimeoutMs: config.statementTimeoutMs }));
  const clock = (): number => Date.now() + config.clockOffsetMs;
  const keys = await developmentKeys(folder);
  const service = await createService({ config, database, definitions: loadDefinitions(), authority: isDevelopment(config) ? developmentAuthority(keys) : await (await import('../src/main.js')).createAuthority(config), log: log ?? createLog(config), version: '0.0.0', packages: openPackages(root) });
  // Fastify does not know that the server it was given speaks https.
  const origin = (await service.app.listen({ host: '127.0.0.1', port: 0 })).replace(/^http:/, config.tlsCert === undefined ? 'http:' : 'https:');
  const agent = supertest(origin);
  let issued = 0;
  const token = (role: Role, request: Partial<TokenRequest> = {}): Promise<string> =>
    issueToken({ role, ...request }, { keys, now: clock(), tokenId: `test-${issued++}` });
  const send = async (method: string, path: string, ask: Ask = {}): Promise<Answer> => {
    const verb = method.toLowerCase() as 'get';
    let test = agent[verb](path === '' ? config.basePath : `${config.basePath}/${path}`);
    if (ask.token !== undefined) test = test.set('authorization', `Bearer ${ask.token}`);
    if (ask.body !== undefined && ask.headers?.['content-type'] === undefined) test = test.set('content-type', 'application/fhir+json');
    // Without it a Binary would be sent as the file it holds.
    if (path.startsWith('Binary')) test = test.set('accept', 'application/fhir+json');
    for (const [name, value] of Object.entries(ask.headers ?? {})) test = test.set(name, value);
    if (ask.body !== undefined) test = test.send(typeof ask.body === 'string' ? ask.body : JSON.stringify(ask.body));
    const response = await test.buffer(true).parse((message, done) => {
      const chunks: Buffer[] = [];
      message.on('data', (chunk: Buffer) => chunks.push(chunk));
      message.on('end', () => { done(null, Buffer.concat(chunks).toString('utf8')); });
    });
    const text = typeof response.body === 'string' ? response.body : '';
    return { status: response.status, headers: response.headers, text, body: text !== '' && /[+/]json/.test(String(response.headers['content-type'])) ? JSON.parse(text) : undefined };
  };
  return {
    send,
    token,
    tokens: {
      admin: await token('admin'),
      ovm: await token('ovm', { organization: 'RR8' }),
      supplier: await token('supplier'),
      homeOffice: await token('home-office'),
    },
    base: `${origin}${config.basePath}`,
    database,
    seed: async (resources) => { await publishDefinitions(resources, service.parts); },
    publish: () => service.publish({ all: true }),
    recorded: () => service.parts.audit.flush(),
    close: async () => {
      await service.app.close();
      await service.stop();
      await database.close();
      await clone.drop();
      rmSync(folder, { recursive: true });
    },
  };
}
