// One PostgreSQL for the whole jest run, with a migrated template that database.ts clones. TEST_DATABASE_URL names one that runs already.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { connectionOf, urlOf } from '../src/db/connection.js';
import { startEmbedded } from '../src/db/embedded.js';
import { stopServer } from '../src/db/embedded/stop-server.js';
import { SILENT } from '../src/db/log.js';
import { migrate } from '../src/db/migrate.js';
import { openDatabase } from '../src/db/pool.js';
import { TEMPLATE } from './database.js';
import { keepServer } from './database.teardown.js';
import { scratchDirectory } from './scratch.js';

const PREFIX = 'entitle-test-';
/** Nothing in a test's database outlives the run, so it need not survive a power cut. */
const SETTINGS = {
  ...{ fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off', autovacuum: 'off' },
  ...{ shared_buffers: '128MB', max_connections: '200', max_wal_size: '4GB' },
};

/** Hands the server on to the tests by the variable TEST_DATABASE_SERVER. */
export async function prepareServer(): Promise<void> {
  process.env.TEST_DATABASE_SERVER = process.env.TEST_DATABASE_URL ?? (await startServer());
  await makeTemplate(process.env.TEST_DATABASE_SERVER);
}

async function startServer(): Promise<string> {
  const parent = scratchDirectory();
  await removeLeftovers(parent);
  const dataDir = mkdtempSync(join(parent, `${PREFIX}${process.pid}-`));
  const server = await startEmbedded({ dataDir, log: SILENT, settings: SETTINGS });
  keepServer(server, dataDir);
  return urlOf(server.connection);
}

/** A run that was killed could not stop its server. */
async function removeLeftovers(parent: string): Promise<void> {
  for (const name of readdirSync(parent).filter((entry) => entry.startsWith(PREFIX))) {
    if (lives(Number(name.slice(PREFIX.length).split('-')[0]))) continue;
    const clusters = readdirSync(join(parent, name)).filter((entry) => /^pg\d+$/.test(entry));
    for (const cluster of clusters) await stopServer(join(parent, name, cluster), 'postgres');
    rmSync(join(parent, name), { recursive: true, force: true });
  }
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function makeTemplate(url: string): Promise<void> {
  const server = openDatabase({ url, size: 1, prepared: false });
  await server.query({ text: `drop database if exists ${TEMPLATE} with (force)`, values: [] });
  await server.query({ text: `create database ${TEMPLATE}`, values: [] });
  const template = openDatabase({ url: urlOf({ ...connectionOf(url), database: TEMPLATE }), size: 1, prepared: false });
  await migrate(template, resolve(__dirname, '../migrations'));
  await template.close();
  await server.close();
}
