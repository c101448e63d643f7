// PostgreSQL that comes with the program: started for a data directory, kept running, stopped by the last process that uses it.
import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, urlOf } from './connection.js';
import { findBinaries } from './embedded/binaries.js';
import { openCluster, SUPERUSER } from './embedded/cluster.js';
import { isPostmaster, type Postmaster } from './embedded/postmaster.js';
import { runAs } from './embedded/run-as.js';
import { type ServerPlan, startServer } from './embedded/start-server.js';
import { stopServer } from './embedded/stop-server.js';
import { enter } from './embedded/users.js';
import type { Log } from './log.js';

const WATCH_MS = 200;
const LONGEST_PAUSE_MS = 5_000;

export interface EmbeddedOptions {
  /** Made if it isn't there; the data are in its folder pg18 (or of another major version). */
  readonly dataDir: string;
  readonly log: Log;
  /** PostgreSQL settings for this start only. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface Embedded {
  /** By Unix socket where its path is short enough, else by TCP. */
  readonly connection: Connection;
  /** By TCP, for other programs; it holds the password. */
  url(): string;
  /** Stops the server, unless another process still uses it. */
  stop(): Promise<void>;
}

/**
 * A server that already runs on the data directory is shared: one that a killed process left as well as one that a living process uses.
 * A server that ends unasked is started again on the same port, as often as it takes. Throws words for the operator when it can't start.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  mkdirSync(options.dataDir, { recursive: true });
  const dataDir = realpathSync(options.dataDir);
  const user = await enter(join(dataDir, 'postgres.users'));
  try {
    const plan = await makePlan(dataDir, options);
    const server = await startServer(plan);
    const keeper = keepRunning(plan, server);
    const stop = async (): Promise<void> => {
      await keeper.stop();
      await user.leave(() => stopServer(plan.cluster.directory, plan.binaries.postgres));
    };
    let stopped: Promise<void> | undefined;
    return {
      connection: connectionTo(plan, server, server.socketDir === '' ? '127.0.0.1' : server.socketDir),
      url: () => urlOf(connectionTo(plan, server, '127.0.0.1')),
      stop: () => (stopped ??= stop()),
    };
  } catch (error) {
    await user.leave(() => Promise.resolve());
    throw error;
  }
}

async function makePlan(dataDir: string, { log, settings = {} }: EmbeddedOptions): Promise<ServerPlan> {
  const binaries = findBinaries(join(dataDir, 'postgres.lib'));
  const directory = join(dataDir, `pg${binaries.major}`);
  const how = runAs(directory);
  const cluster = await openCluster(dataDir, directory, binaries, how);
  return { cluster, binaries, runAs: how, logFile: join(dataDir, 'postgres.log'), settings, log };
}

function connectionTo(plan: ServerPlan, server: Postmaster, host: string): Connection {
  return { host, port: server.port, user: SUPERUSER, password: plan.cluster.password, database: 'postgres' };
}

/** Looks every 200 ms whether the server lives, ours or adopted, and brings it back. */
function keepRunning(plan: ServerPlan, first: Postmaster): { stop(): Promise<void> } {
  let server = first;
  let working: Promise<void> | undefined;
  const stopping = new AbortController();
  const timer = setInterval(() => {
    if (working !== undefined || isPostmaster(server.pid, plan.cluster.directory)) return;
    working = bringBack(plan, first.port, stopping.signal).then((back) => {
      server = back ?? server;
      working = undefined;
    });
  }, WATCH_MS).unref();
  return {
    stop: async () => {
      clearInterval(timer);
      stopping.abort();
      await working;
    },
  };
}

async function bringBack(plan: ServerPlan, port: number, stopping: AbortSignal): Promise<Postmaster | undefined> {
  plan.log.error({ directory: plan.cluster.directory }, 'PostgreSQL has ended unasked: starting it again');
  for (let pauseMs = 100; !stopping.aborted; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      const server = await startServer(plan, () => Promise.resolve(port));
      plan.log.info({ pid: server.pid }, 'PostgreSQL is back');
      return server;
    } catch (error) {
      plan.log.error({ err: error }, 'PostgreSQL did not come back: trying again');
      await sleep(pauseMs, undefined, { signal: stopping }).catch(() => undefined);
    }
  }
  return undefined;
}
