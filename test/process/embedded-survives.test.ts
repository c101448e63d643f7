// The embedded PostgreSQL survives what happens to it: killed owners, kill -9, stale files, rivals, a full disk.
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../src/db/database.js';
import { type Embedded, startEmbedded } from '../../src/db/embedded.js';
import { findBinaries } from '../../src/db/embedded/binaries.js';
import { openCluster } from '../../src/db/embedded/cluster.js';
import { runAs } from '../../src/db/embedded/run-as.js';
import { startServer } from '../../src/db/embedded/start-server.js';
import { stopServer } from '../../src/db/embedded/stop-server.js';
import { isOutOfResources, isUnavailable } from '../../src/db/failure.js';
import { openDatabase } from '../../src/db/pool.js';
import { cleanUp, clusterOf, makeDirectory, makeProgram, postmasterPid, startChild, testIf } from './embedded-child.js';

const directories: string[] = [];
const servers: Embedded[] = [];
const databases: Database[] = [];
const said: string[] = [];
const program = makeProgram(makeDirectory(), 'installed');

const say = (details: object, text: string): void => {
  const { err, cause } = details as { err?: Error; cause?: string };
  said.push([text, err?.message, cause].filter((part) => part !== undefined).join(' | '));
};
const log = { info: say, warn: say, error: say };

afterEach(async () => {
  said.length = 0;
  await Promise.all(databases.splice(0).map((database) => database.close()));
  await Promise.all(servers.splice(0).map((server) => server.stop()));
  cleanUp(directories.splice(0));
  unmount();
});
afterAll(() => cleanUp([program, disk]));

/** A file system of its own, to be filled. */
const disk = makeDirectory();

function mount(megabytes: number): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=755`, 'entitle-test', disk]).status === 0;
}

function unmount(): void {
  spawnSync('umount', ['-l', disk]);
}

function directory(): string {
  const made = makeDirectory();
  directories.push(made);
  return made;
}

async function start(dataDir: string): Promise<Embedded> {
  const server = await startEmbedded({ dataDir, log });
  servers.push(server);
  return server;
}

function open(server: Embedded): Database {
  const database = openDatabase({ connection: server.connection, size: 2, prepared: true });
  databases.push(database);
  return database;
}

const run = (database: Database, text: string) => database.query({ text, values: [] });

/** Until it gives something, at most 20 s. */
async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(20);
    }
  }
}

function killServer(dataDir: string): void {
  const pid = postmasterPid(dataDir);
  if (pid === undefined) throw new Error('There is no server to kill');
  process.kill(pid, 'SIGKILL');
}

function timesBack(): number {
  return said.filter((text) => text === 'PostgreSQL is back').length;
}

describe('when its owner is killed', () => {
  test('it runs on, and the next start adopts it and stops it in the end', async () => {
    const dataDir = directory();
    const child = startChild({ dataDir, program });
    const { connection } = await child.answer;
    const pid = postmasterPid(dataDir);
    await child.end('SIGKILL');

    const server = await start(dataDir);
    expect(postmasterPid(dataDir)).toBe(pid);
    expect(server.connection).toEqual(connection);
    await open(server).ping();
    await server.stop();
    expect(postmasterPid(dataDir)).toBeUndefined();
  });
});

describe('when it is killed', () => {
  test('it comes back on the same port with everything it acknowledged', async () => {
    const dataDir = directory();
    const server = await start(dataDir);
    const database = open(server);
    await run(database, 'create table kept (n int)');
    for (let time = 1; time <= 3; time += 1) {
      await eventually(() => run(database, `insert into kept values (${time})`));
      killServer(dataDir);
      await eventually(async () => expect(timesBack()).toBe(time));
    }
    expect((await eventually(() => run(database, 'select n from kept order by n'))).rows).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  test('it waits for a session that outlives it', async () => {
    const dataDir = directory();
    const server = await start(dataDir);
    const database = open(server);
    // A session notices the end of its server only when it waits for something: this one computes.
    const busy = run(database, 'select count(*) from generate_series(1, 6000) a, generate_series(1, 2000) b').catch(() => undefined);
    await sleep(100);
    killServer(dataDir);
    await eventually(() => database.ping());
    await busy;
    await eventually(async () => expect(timesBack()).toBe(1));
    expect(said).toContain('PostgreSQL could not start yet: trying again | still-running');
  });

  test('a transaction that was under way is run again', async () => {
    const dataDir = directory();
    const database = open(await start(dataDir));
    await run(database, 'create table kept (n int)');
    let times = 0;
    const work = database.transaction(async (tx) => {
      times += 1;
      await tx.query({ text: 'insert into kept values (1)', values: [] });
      if (times > 1) return;
      killServer(dataDir);
      await sleep(50);
      await tx.query({ text: 'select 1', values: [] });
    });
    await work;
    expect(times).toBeGreaterThan(1);
    expect((await run(database, 'select n from kept')).rows).toEqual([{ n: 1 }]);
  });
});

describe('what an earlier server left', () => {
  async function stopped(): Promise<string> {
    const dataDir = directory();
    await (await start(dataDir)).stop();
    return dataDir;
  }
  const pidFile = (dataDir: string): string => join(clusterOf(dataDir), 'postmaster.pid');
  const lines = (dataDir: string, pid: number, port = 1): string => [pid, clusterOf(dataDir), 1, port, clusterOf(dataDir), '127.0.0.1', ' 1 1', 'ready   ', ''].join('\n');

  test('a pid file whose pid is another process’s by now', async () => {
    const dataDir = await stopped();
    const bystander = spawn('sleep', ['60']);
    writeFileSync(pidFile(dataDir), lines(dataDir, bystander.pid ?? 0));
    await open(await start(dataDir)).ping();
    expect(bystander.exitCode).toBeNull();
    expect(postmasterPid(dataDir)).not.toBe(bystander.pid);
    bystander.kill();
  });

  test('a pid file whose pid is our own', async () => {
    const dataDir = await stopped();
    writeFileSync(pidFile(dataDir), lines(dataDir, process.pid));
    await open(await start(dataDir)).ping();
  });

  test('a pid file of a dead process', async () => {
    const dataDir = await stopped();
    writeFileSync(pidFile(dataDir), lines(dataDir, spawnSync('true').pid));
    await open(await start(dataDir)).ping();
  });

  test('a pid file that is empty', async () => {
    const dataDir = await stopped();
    writeFileSync(pidFile(dataDir), '');
    truncateSync(pidFile(dataDir));
    utimesSync(pidFile(dataDir), 1, 1);
    await open(await start(dataDir)).ping();
  });

  test('is not taken for left while a server that can’t be seen from here still answers', async () => {
    const dataDir = await stopped();
    const port = 54329;
    writeFileSync(pidFile(dataDir), lines(dataDir, spawnSync('true').pid, port));
    const elsewhere = createServer().listen(join(clusterOf(dataDir), `.s.PGSQL.${port}`));
    await expect(start(dataDir)).rejects.toThrow(/can't be seen from here.*another container/);
    elsewhere.close();
  });
});

test('a busy port is left for another', async () => {
  const dataDir = directory();
  const binaries = findBinaries(join(dataDir, 'postgres.lib'));
  const path = join(dataDir, `pg${binaries.major}`);
  const how = runAs(path);
  const cluster = await openCluster(dataDir, path, binaries, how);
  const neighbour = await new Promise<Server>((resolve) => {
    const server: Server = createServer().listen(0, '127.0.0.1', () => resolve(server));
  });
  const { port } = neighbour.address() as { port: number };
  const ports = [port, port, 0];
  const server = await startServer({ cluster, binaries, runAs: how, logFile: join(dataDir, 'log'), settings: {}, log }, async () => (ports.length > 1 ? (ports.shift() ?? 0) : freePort()));
  expect(server.port).not.toBe(port);
  expect(ports).toHaveLength(1);
  expect(said).toEqual(['PostgreSQL could not start yet: trying again | port-busy']);
  await stopServer(path, binaries.postgres);
  neighbour.close();
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server: Server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

describe('several users of one data directory', () => {
  test('that start at once share one server, which the last to leave stops', async () => {
    const dataDir = directory();
    const children = [1, 2, 3].map(() => startChild({ dataDir, program }));
    const answers = await Promise.all(children.map((child) => child.answer));
    expect(answers.map((answer) => answer.error)).toEqual([undefined, undefined, undefined]);
    expect(new Set(answers.map((answer) => answer.url)).size).toBe(1);
    expect(readdirSync(dataDir).filter((name) => name.includes('.new-'))).toEqual([]);
    const pid = postmasterPid(dataDir);

    expect(await children[0]?.end('SIGTERM')).toBe(0);
    await children[1]?.end('SIGKILL');
    expect(postmasterPid(dataDir)).toBe(pid);
    expect(await children[2]?.end('SIGTERM')).toBe(0);
    expect(postmasterPid(dataDir)).toBeUndefined();
  });

  test('of which one starts while the last one stops get a server each time', async () => {
    const dataDir = directory();
    let server = await start(dataDir);
    for (let time = 0; time < 10; time += 1) {
      const [next] = await Promise.all([sleep(time * 3).then(() => start(dataDir)), server.stop()]);
      await open(next).ping();
      server = next;
    }
  });

  test('bring it back once when it is killed under them', async () => {
    const dataDir = directory();
    const [one, two] = [open(await start(dataDir)), open(await start(dataDir))];
    await Promise.all([one.ping(), two.ping()]);
    killServer(dataDir);
    await Promise.all([eventually(() => one.ping()), eventually(() => two.ping())]);
    await eventually(async () => expect(timesBack()).toBe(2));
  });
});

describe('a full disk', () => {
  const canMount = mount(1);
  unmount();
  const WHY = 'this user may not mount a small file system';
  const ballast = join(disk, 'ballast');

  function fill(): void {
    const part = Buffer.alloc(64 * 1024);
    for (;;) {
      try {
        writeFileSync(ballast, part, { flag: 'a' });
      } catch {
        return;
      }
    }
  }

  testIf(canMount, WHY)('at the first start: says so, and leaves nothing behind', async () => {
    mount(20);
    await expect(start(disk)).rejects.toThrow(/The disk that holds .* is full/);
    expect(readdirSync(disk)).toEqual(['postgres.users']);
  });

  testIf(canMount, WHY)('at a later start: says so, and starts once there is room', async () => {
    mount(100);
    await (await start(disk)).stop();
    fill();
    await expect(start(disk)).rejects.toThrow(/The disk that holds .* is full/);
    rmSync(ballast);
    await open(await start(disk)).ping();
  });

  testIf(canMount, WHY)('under way: refuses, loses nothing it acknowledged, and goes on by itself once there is room', async () => {
    mount(120);
    const database = open(await start(disk));
    await run(database, 'create table kept (n int, filler text)');
    fill();
    const acknowledged: number[] = [];
    const insert = async (n: number): Promise<void> => {
      await run(database, `insert into kept select ${n}, string_agg(md5(i::text), '') from generate_series(1, 3000) i`);
      acknowledged.push(n);
    };
    const failure = await fillUp(insert);
    expect(isOutOfResources(failure) || isUnavailable(failure)).toBe(true);
    await sleep(500);

    rmSync(ballast);
    await eventually(() => insert(9999));
    const { rows } = await run(database, 'select array_agg(n order by n) as all from kept');
    expect(rows).toEqual([{ all: acknowledged }]);
    expect(readFileSync(join(disk, 'postgres.log'), 'utf8')).toContain('No space left on device');
  });

  async function fillUp(insert: (n: number) => Promise<void>): Promise<unknown> {
    for (let n = 1; n < 5000; n += 1) {
      try {
        await insert(n);
      } catch (error) {
        return error;
      }
    }
    return undefined;
  }
});
