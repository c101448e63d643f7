// The database over a pool of pg connections.
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Connection } from './connection.js';
import type { Database, Queryable, Rows, Statement } from './database.js';
import { isRetried, Outdated } from './failure.js';
import { type Log, SILENT } from './log.js';
import { Overdue } from './overdue.js';
import { StatementQuery } from './statement-query.js';
import { together } from './together.js';
import { VALUE_TYPES } from './value-types.js';

const ATTEMPTS = 6;
/** Doubles with every attempt: all six span about a second. */
const FIRST_PAUSE_MS = 16;
/** Opened when first used, beside those of the size asked for. */
const MOST_BESIDE = 2;
const IDLE_MS = 300_000;
const CONNECT_MS = 10_000;

export type DatabaseOptions = ({ readonly connection: Connection } | { readonly url: string }) & {
  /** Most connections at once. */
  readonly size: number;
  /** False behind a pooler that can't keep named statements: names are then ignored. */
  readonly prepared: boolean;
  /** A statement that takes longer is called off, and fails with 57014; undefined for as long as it takes. */
  readonly statementTimeoutMs?: number;
  readonly log?: Log;
};

/** Connects when first used. */
export function openDatabase(options: DatabaseOptions): Database {
  const { size, prepared, statementTimeoutMs, log = SILENT } = options;
  const where = 'url' in options ? { connectionString: options.url } : options.connection;
  const settings: pg.PoolConfig = {
    ...where,
    types: VALUE_TYPES,
    // BEGIN then costs no round trip: the first statement follows it at once.
    pipeline: true,
    idleTimeoutMillis: IDLE_MS,
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    application_name: 'entitle-fhir',
  };
  const pool = heardPool({ ...settings, max: size }, log);
  const beside = heardPool({ ...settings, max: MOST_BESIDE }, log);
  const overdue = statementTimeoutMs === undefined ? undefined : watched([pool, beside], statementTimeoutMs, settings);
  const way: Way = { prepared, overdue };
  return {
    query: together(runner(pool, way)),
    beside: { query: runner(beside, way) },
    transaction: (work) => retried(() => transactOnce(pool, way, work), log),
    ping: async () => {
      await pool.query('');
    },
    close: async () => {
      overdue?.stop();
      await Promise.all([pool.end(), beside.end()]);
    },
  };
}

/** An idle connection that breaks is no one's error: the pool makes another. Unheard, it would end the process. */
function heardPool(settings: pg.PoolConfig, log: Log): pg.Pool {
  const pool = new pg.Pool(settings);
  pool.on('error', (error) => {
    if (!pool.ending) log.warn({ err: error }, 'A database connection was lost');
  });
  return pool;
}

function watched(pools: readonly pg.Pool[], limitMs: number, settings: pg.PoolConfig): Overdue {
  const overdue = new Overdue(limitMs, new pg.Client(settings));
  for (const pool of pools) pool.on('connect', (client) => { overdue.know(client); });
  return overdue;
}

/** How statements are sent. */
interface Way {
  readonly prepared: boolean;
  readonly overdue: Overdue | undefined;
}

/** The part of a pool or client that takes a query already made. */
interface Runs {
  query(query: pg.Submittable, values: undefined, done: (error: Error | null, answer: pg.QueryResult | pg.QueryResult[]) => void): void;
}

function runner(runs: Runs, way: Way): Queryable['query'] {
  return <R>(statement: Statement): Promise<Rows<R>> =>
    new Promise((resolve, reject) => {
      const query = queryOf(statement, way);
      runs.query(query, undefined, (error, answer) => {
        way.overdue?.end(query);
        if (error) reject(error);
        else resolve(rowsOf<R>(answer));
      });
    });
}

/** Several statements in one text, as migrations have: the last one's answer counts. */
function rowsOf<R>(answer: pg.QueryResult | pg.QueryResult[]): Rows<R> {
  const result = Array.isArray(answer) ? answer.at(-1) : answer;
  return { rows: (result?.rows ?? []) as R[], count: result?.rowCount ?? 0 };
}

const queryOf = ({ name, text, values }: Statement, { prepared, overdue }: Way): StatementQuery =>
  new StatementQuery(text, values, prepared ? name : undefined, overdue);

async function transactOnce<T>(pool: pg.Pool, way: Way, work: (tx: Queryable) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  const onError = (error: unknown): void => {
    broken ??= error instanceof Error ? error : new Error(String(error));
  };
  client.on('error', onError);
  try {
    const begun = client.query('begin');
    begun.catch(() => undefined);
    const result = await work({ query: runner(client, way) });
    await begun;
    await commit(client);
    return result;
  } catch (error) {
    await client.query('rollback').catch(onError);
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}

/** COMMIT after a failed statement answers ROLLBACK, without an error. */
async function commit(client: pg.PoolClient): Promise<void> {
  const { command } = await client.query('commit');
  if (command !== 'COMMIT') throw new Error('The transaction was rolled back, because a statement in it had failed');
}

async function retried<T>(once: () => Promise<T>, log: Log): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await once();
    } catch (error) {
      if (attempt === ATTEMPTS && error instanceof Outdated) throw error.refusal;
      if (attempt === ATTEMPTS || !isRetried(error)) throw error;
      log.info({ err: error, attempt }, 'A transaction is run again');
      // Random, so that two which met do not meet again.
      await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random()));
    }
  }
}
