// Starts and stops the process: the one place where all parts meet.
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import closeWithGrace from 'close-with-grace';
import { banner } from './banner.js';
import { ConfigError, type Config } from './config.js';
import { createLog } from './log.js';
import { startEmbedded, type Embedded } from './db/embedded.js';
import type { Log } from './db/log.js';
import { migrate } from './db/migrate.js';
import { openDatabase } from './db/pool.js';
import type { Database } from './db/database.js';
import { loadDefinitions } from './definitions/load.js';
import { developmentKeys } from './identity/development-keys.js';
import { developmentAuthority, type Authority } from './identity/identity.js';
import { BadIssuers, readIssuers, type ExternalIssuer } from './identity/external-issuer.js';
import { plainIssuer } from './identity/map-claims.js';
import { inSpareTime } from './jobs/spare-time.js';
import { createService, type Service } from './service.js';

const ROOT = new URL('../', import.meta.url);
/** How long requests under way have to finish after SIGTERM. */
const DRAIN_MS = 10_000;

/**
 * V8 makes objects old at once where such objects have lasted before, as they do at the start and in long requests. All that one of those leads to, the
 * whole of a request, then stays until old garbage is collected: of 12 MB between collections 2.9 were kept and copied, and are 0.4 without.
 */
const ALL_BEGIN_YOUNG = '--no-allocation-site-pretenuring';
/**
 * Old garbage is collected once the heap is twice what lived after the last time, where V8 waits for up to four times: the server's peak while it takes
 * in a file of 100,000 rows is 265 MB instead of 372, and nearly the same for a tenth and for ten times as many.
 */
const AT_TWICE = '--heap-growing-percent=100';

/** Serves until SIGTERM or SIGINT; a start that fails leaves nothing running. */
export async function serve(config: Config): Promise<void> {
  for (const flag of [ALL_BEGIN_YOUNG, AT_TWICE]) setFlagsFromString(flag);
  const log = createLog(config);
  const { database, embedded } = await openStorage(config, log, config.statementTimeoutMs);
  let service: Service | undefined;
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= stopAll(service, database, embedded));
  closeWithGrace({ delay: DRAIN_MS, logger: log }, async ({ err }) => {
    if (err) log.error({ err }, 'the server stops on an error');
    await stop();
  });
  try {
    service = await createService({
      config,
      database,
      log,
      definitions: loadDefinitions(),
      authority: await createAuthority(config),
      version: packageVersion(),
    });
    await service.publish();
    await service.app.listen({ host: config.host, port: config.port });
  } catch (error) {
    await stop();
    throw error;
  }
  const address = service.app.server.address();
  const port = typeof address === 'object' && address ? address.port : config.port;
  console.log(banner(config, port, embedded !== undefined));
  inSpareTime(service.preparation(), (error) => { log.error({ err: error }, 'the code of the most used types could not be made before it is needed'); });
}

async function stopAll(service: Service | undefined, database: Database, embedded: Embedded | undefined): Promise<void> {
  await service?.app.close();
  await service?.stop();
  await database.close();
  await embedded?.stop();
}

/** The database of DATABASE_URL, or our own; migrated. What is done for nobody who waits may take as long as it takes: it gives no limit for its statements. */
export async function openStorage(config: Config, log: Log, statementTimeoutMs?: number): Promise<{ database: Database; embedded: Embedded | undefined }> {
  const embedded = config.databaseUrl === undefined ? await startEmbedded({ dataDir: config.dataDir, log }) : undefined;
  const where = embedded ? { connection: embedded.connection } : { url: config.databaseUrl ?? '' };
  const database = openDatabase({ ...where, size: config.databasePoolSize, prepared: config.databasePrepared, log, ...(statementTimeoutMs !== undefined && { statementTimeoutMs }) });
  try {
    await migrate(database, fileURLToPath(new URL('migrations', ROOT)));
  } catch (error) {
    await database.close();
    await embedded?.stop();
    throw error;
  }
  return { database, embedded };
}

/** Whose tokens are taken: those of AUTH_ISSUERS or AUTH_ISSUER, or our own. */
export async function createAuthority(config: Config): Promise<Authority> {
  const { authIssuers: file, authIssuer: issuer, authJwksUrl: jwksUrl, authAudience: audience } = config;
  if (file !== undefined) return { kind: 'external', issuers: await issuersIn(file) };
  if (issuer !== undefined && jwksUrl !== undefined && audience !== undefined) return { kind: 'external', issuers: [plainIssuer({ issuer, jwksUrl, audience })] };
  return developmentAuthority(await developmentKeys(config.dataDir));
}

async function issuersIn(file: string): Promise<readonly ExternalIssuer[]> {
  try {
    return readIssuers(await readFile(file, 'utf8'));
  } catch (error) {
    throw new ConfigError(`AUTH_ISSUERS names ${file}, which can't be used: ${error instanceof BadIssuers ? error.message : (error as Error).message}`);
  }
}

export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as { version: string };
  return version;
}
