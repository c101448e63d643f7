// The embedded PostgreSQL starts whoever runs it, however it was installed, and comes back with its data.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection } from '../../src/db/connection.js';
import { type Embedded, startEmbedded } from '../../src/db/embedded.js';
import { SILENT } from '../../src/db/log.js';
import { openDatabase } from '../../src/db/pool.js';
import { type Answer, cleanUp, clusterOf, hasPackage, isRoot, makeDirectory, makeProgram, NOBODY, onPath, postmasterPid, startChild, testIf } from './embedded-child.js';

const NO_ROOT = 'only root can become another user';
const STRANGER = 54321;

let directories: string[] = [];
let servers: Embedded[] = [];
afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  servers = [];
  cleanUp(directories);
  directories = [];
});

function directory(uid?: number): string {
  const made = makeDirectory(uid);
  directories.push(made);
  return made;
}

async function start(dataDir: string): Promise<Embedded> {
  const server = await startEmbedded({ dataDir, log: SILENT });
  servers.push(server);
  return server;
}

async function ask<R>(where: { connection: Connection } | { url: string }, text: string): Promise<readonly R[]> {
  const target = 'connection' in where ? { connection: where.connection } : { url: where.url };
  const db = openDatabase({ ...target, size: 1, prepared: true });
  try {
    return (await db.query<R>({ text, values: [] })).rows;
  } finally {
    await db.close();
  }
}

/** Starts, answers a query, stops; gives the answer and the uid the server ran as. */
async function tryAs(dataDir: string, program: string, how: { uid?: number; path?: string }): Promise<Answer & { serverUid?: number }> {
  const child = startChild({ dataDir, program, ...how });
  const answer = await child.answer;
  if (answer.error !== undefined) return answer;
  const pid = postmasterPid(dataDir) ?? 0;
  const serverUid = statSync(`/proc/${pid}`).uid;
  expect(await child.end('SIGTERM')).toBe(0);
  expect(postmasterPid(dataDir)).toBeUndefined();
  return { ...answer, serverUid };
}

describe('an ordinary start', () => {
  test('answers by socket and by URL, keeps its secret, and comes back with its data', async () => {
    const dataDir = join(directory(), 'not/there/yet');
    const first = await start(dataDir);
    await ask(first, 'create table kept as select 42 as it');
    expect(await ask({ url: first.url() }, 'select it from kept')).toEqual([{ it: 42 }]);
    await first.stop();
    expect(postmasterPid(dataDir)).toBeUndefined();

    const second = await start(dataDir);
    expect(await ask(second, 'select it from kept')).toEqual([{ it: 42 }]);
    expect(second.connection.password).toBe(first.connection.password);
    await second.stop();
    expect(readdirSync(dataDir).sort()).toEqual([expect.stringMatching(/^pg\d+$/), 'postgres.log', 'postgres.users']);
  });

  test('lets nobody in without the password, which only the owner may read', async () => {
    const dataDir = directory();
    const server = await start(dataDir);
    for (const host of [server.connection.host, '127.0.0.1']) {
      const stranger = { ...server.connection, host, password: 'guess' };
      await expect(ask({ connection: stranger }, 'select 1')).rejects.toMatchObject({ code: '28P01' });
    }
    await server.stop();
    expect(statSync(clusterOf(dataDir)).mode & 0o777).toBe(0o700);
    expect(statSync(join(clusterOf(dataDir), 'entitle.secret')).mode & 0o777).toBe(0o600);
  });

  test('is durable, and orders and compares text the same everywhere', async () => {
    const server = await start(directory());
    const text = `select name, setting from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit', 'jit', 'TimeZone', 'data_checksums') order by 1`;
    expect((await ask<{ name: string; setting: string }>(server, text)).map((row) => `${row.name}=${row.setting}`)).toEqual([
      ...['TimeZone=UTC', 'data_checksums=on', 'fsync=on', 'full_page_writes=on', 'jit=off', 'synchronous_commit=on'],
    ]);
    expect(await ask(server, `select pg_encoding_to_char(encoding) as it from pg_database where datname = current_database()`)).toEqual([{ it: 'UTF8' }]);
    expect(await ask(server, `select array_agg(it order by it) as it from unnest(array['é', 'b', 'Z', 'a']) it`)).toEqual([{ it: ['Z', 'a', 'b', 'é'] }]);
    await server.stop();
  });

  test('uses TCP where the path is too long for a socket', async () => {
    const dataDir = join(directory(), 'd'.repeat(90));
    const server = await start(dataDir);
    expect(server.connection.host).toBe('127.0.0.1');
    expect(await ask(server, 'select 1 as it')).toEqual([{ it: 1 }]);
    await server.stop();
  });
});

describe('whoever starts it', () => {
  testIf(isRoot, NO_ROOT)('root: in a user namespace, where that is allowed', async () => {
    const namespaces = spawnSync('unshare', ['-U', 'true']).status === 0;
    const answer = await tryAs(directory(), makeProgram(directory(), 'installed'), {});
    expect(answer).toMatchObject({ connection: { user: 'entitle' }, serverUid: namespaces ? 0 : NOBODY });
  });

  testIf(isRoot, NO_ROOT)('root, where user namespaces are not allowed: as nobody, from then on', async () => {
    const dataDir = join(directory(), 'data');
    const program = makeProgram(directory(), 'installed');
    expect(await tryAs(dataDir, program, { path: '/nowhere' })).toMatchObject({ serverUid: NOBODY });
    expect(await tryAs(dataDir, program, {})).toMatchObject({ serverUid: NOBODY });
  });

  testIf(isRoot, NO_ROOT)('root, where user namespaces are no longer allowed: the data become nobody’s', async () => {
    const dataDir = join(directory(), 'data');
    mkdirSync(dataDir, { mode: 0o700 });
    const program = makeProgram(directory(), 'installed');
    await tryAs(dataDir, program, {});
    expect(await tryAs(dataDir, program, { path: '/nowhere' })).toMatchObject({ serverUid: NOBODY });
  });

  testIf(isRoot, NO_ROOT)('an ordinary user', async () => {
    expect(await tryAs(directory(NOBODY), makeProgram(directory(), 'installed'), { uid: NOBODY })).toMatchObject({ serverUid: NOBODY });
  });

  testIf(isRoot, NO_ROOT)('a user without an entry in /etc/passwd', async () => {
    const program = makeProgram(directory(), 'installed');
    const dataDir = directory(STRANGER);
    expect(await tryAs(dataDir, program, { uid: STRANGER })).toMatchObject({ serverUid: STRANGER });
    // Only the set-up needs the user namespace.
    expect(await tryAs(dataDir, program, { uid: STRANGER, path: '/nowhere' })).toMatchObject({ serverUid: STRANGER });
  });

  testIf(isRoot, NO_ROOT)('a user without an entry, where user namespaces are not allowed: says what to do', async () => {
    const answer = await tryAs(directory(STRANGER), makeProgram(directory(), 'installed'), { uid: STRANGER, path: '/nowhere' });
    expect(answer.error).toMatch(/uid 54321, which has no entry in \/etc\/passwd.*DATABASE_URL/);
  });
});

describe('however it was installed', () => {
  const NO_PACKAGE = 'the package of PostgreSQL is not installed';

  testIf(hasPackage, NO_PACKAGE)('without scripts: the missing library links are made', async () => {
    const program = makeProgram(directory(), 'no-scripts');
    expect(await tryAs(directory(), program, {})).toMatchObject({ major: 18 });
  });

  testIf(hasPackage && isRoot, NO_ROOT)('without scripts and read-only: the links are made in the data directory', async () => {
    const program = makeProgram(directory(), 'no-scripts');
    const dataDir = directory(NOBODY);
    expect(await tryAs(dataDir, program, { uid: NOBODY })).toMatchObject({ major: 18 });
    expect(readdirSync(join(dataDir, 'postgres.lib')).length).toBeGreaterThan(5);
    expect(await tryAs(dataDir, program, { uid: NOBODY })).toMatchObject({ major: 18 });
  });

  testIf(onPath, 'there is no PostgreSQL on the PATH')('without the package: PostgreSQL 15 or later from the PATH', async () => {
    const answer = await tryAs(directory(), makeProgram(directory(), 'absent'), {});
    expect(answer.error).toBeUndefined();
    expect(answer.major).toBeGreaterThanOrEqual(15);
  });

  test('without either: says what to install or set', async () => {
    const answer = await tryAs(directory(), makeProgram(directory(), 'absent'), { path: '/nowhere' });
    expect(answer.error).toMatch(/There is no PostgreSQL to start.*npm install.*DATABASE_URL/);
  });

  test('with one on the PATH that is too old: says so', async () => {
    const bin = directory();
    for (const name of ['postgres', 'initdb']) {
      writeFileSync(join(bin, name), `#!/bin/sh\necho "${name} (PostgreSQL) 14.9 (Debian 14.9-1)"\n`);
      chmodSync(join(bin, name), 0o755);
    }
    symlinkSync('/bin/sh', join(bin, 'sh'));
    const answer = await tryAs(directory(), makeProgram(directory(), 'absent'), { path: bin });
    expect(answer.error).toMatch(/PostgreSQL 14 on the PATH won't do/);
  });
});

describe('data it cannot use', () => {
  test('of another major version: says which, and changes nothing', async () => {
    const dataDir = directory();
    const server = await start(dataDir);
    await server.stop();
    writeFileSync(join(clusterOf(dataDir), 'PG_VERSION'), '12\n');
    await expect(start(dataDir)).rejects.toThrow(/holds data of PostgreSQL 12, and the PostgreSQL found here is \d+.*pg_upgrade/s);
    expect(readFileSync(join(clusterOf(dataDir), 'PG_VERSION'), 'utf8')).toBe('12\n');
  });

  test('of another major version beside: is not passed over for an empty database', async () => {
    const dataDir = directory();
    mkdirSync(join(dataDir, 'pg13'));
    writeFileSync(join(dataDir, 'pg13/PG_VERSION'), '13\n');
    await expect(start(dataDir)).rejects.toThrow(/pg13 holds data of PostgreSQL 13/);
    expect(readdirSync(dataDir).filter((name) => name.startsWith('pg'))).toEqual(['pg13']);
  });

  test('that are something else: says that they are in the way, and leaves nothing behind', async () => {
    const dataDir = directory();
    const first = await start(dataDir);
    await first.stop();
    const cluster = clusterOf(dataDir);
    rmSync(cluster, { recursive: true });
    mkdirSync(cluster);
    writeFileSync(join(cluster, 'thesis.txt'), 'mine');
    await expect(start(dataDir)).rejects.toThrow('is in the way');
    expect(readFileSync(join(cluster, 'thesis.txt'), 'utf8')).toBe('mine');
    expect(readdirSync(dataDir).filter((name) => name.includes('.new-'))).toEqual([]);
  });
});
