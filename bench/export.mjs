// npm run bench -- export: what `$export` of many observations costs, from its request to the last byte of its files, beside COPY of the same
// rows in turn. --rows N: how many there are.
import { fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { startEmbedded } from '../dist/db/embedded.js';
import { SILENT } from '../dist/db/log.js';
import { openDatabase } from '../dist/db/pool.js';
import { developmentKeys } from '../dist/identity/development-keys.js';
import { issueToken } from '../dist/identity/issue-token.js';
import { cpuOf } from './cpu.mjs';
import { observation } from './data.mjs';
import { close, send } from './load.mjs';

const AIM = 4;
const PROFILE = ['--cpu-prof', '--cpu-prof-dir=bench/results'];
const TEXT = JSON.stringify({ ...observation(0, 'p0'), id: '#', meta: { versionId: '1', lastUpdated: '2026-05-01T00:00:00.000Z' } }).replaceAll("'", "''").replace('"#"', `"o' || n || '"`);
const LOAD = (rows) => `insert into fhir."Observation" (version, updated, self, id, method, present, tokens, refs, res) select 1, 1777593600000, 700000000 + n, 'o' || n, 'POST', '', '{}', '{}', '${TEXT}' from generate_series(1, ${rows}) n`;
/** Of a type, so that HL7's own definitions stay out of it. */
const ROWS = 'select res from fhir."Observation" where res is not null';

const quantile = (numbers, q) => [...numbers].sort((a, b) => a - b)[Math.floor(q * numbers.length)];

/** Characters that COPY gave, its lines thrown away as they come. */
function copied(client) {
  return new Promise((resolve, reject) => {
    let length = 0;
    client.query({
      submit: (connection) => { connection.query(`copy (${ROWS}) to stdout`); },
      handleCopyData: ({ chunk }) => { length += chunk.length; },
      handleCommandComplete: () => undefined,
      handleReadyForQuery: () => { resolve(length); },
      handleError: reject,
    });
  });
}

/** Bytes of a file, read and thrown away; its lines are counted. */
function downloaded(url, token) {
  return new Promise((resolve, reject) => {
    http.get(url, { headers: { authorization: `Bearer ${token}`, accept: 'application/fhir+ndjson' } }, (response) => {
      let lines = 0;
      response.on('data', (chunk) => { for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines += 1; });
      response.on('end', () => { resolve(response.statusCode === 200 ? lines : NaN); });
    }).on('error', reject);
  });
}

async function exported(base, token) {
  const headers = { authorization: `Bearer ${token}`, accept: 'application/fhir+json', prefer: 'respond-async' };
  const begun = await new Promise((resolve, reject) => { http.get(`${base}/$export?_type=Observation`, { headers }, (response) => { response.resume(); resolve(response.headers['content-location']); }).on('error', reject); });
  for (;;) {
    const { status, text } = await send({ url: begun, headers });
    if (status >= 400) throw new Error(`the export ended with ${status}: ${text.slice(0, 300)}`);
    if (status === 200) {
      let lines = 0;
      for (const { url } of JSON.parse(text).output) lines += await downloaded(url, token);
      return lines;
    }
    await sleep(50);
  }
}

/** CPU microseconds of what `work` costs, Node's and PostgreSQL's. */
async function costOf(cpu, work, rows, wanted) {
  const before = await cpu();
  const found = await work();
  if (wanted !== undefined && found !== wanted) throw new Error(`${found} resources came, not ${wanted}`);
  const after = await cpu();
  return { node: (after.node - before.node) / rows, postgres: (after.postgres - before.postgres) / rows };
}

/** Waits until the server has done what it does in spare time after its first start. */
async function quiet(cpu) {
  for (let idle = 0, before = await cpu(); idle < 3;) {
    await sleep(500);
    const after = await cpu();
    idle = after.node + after.postgres - before.node - before.postgres < 50_000 ? idle + 1 : 0;
    before = after;
  }
}

/** Gives the exit code: 0 where the export is within its aim. */
export async function benchExport({ rows: asked, rounds = '8', quick, profile }) {
  const rows = Number(asked ?? (quick ? 50_000 : 200_000));
  const folder = mkdtempSync(join(tmpdir(), 'entitle-bench-'));
  const embedded = await startEmbedded({ dataDir: folder, log: SILENT });
  const { connection } = embedded;
  const url = `${embedded.url()}${connection.host.startsWith('/') ? `?host=${encodeURIComponent(connection.host)}` : ''}`;
  const database = openDatabase({ connection, size: 1, prepared: false });
  const client = new pg.Client(connection);
  let server;
  try {
    const port = 20000 + (process.pid % 20000);
    server = fork(new URL('../dist/cli.js', import.meta.url), ['serve'], { execArgv: profile ? PROFILE : [], env: { ...process.env, DATABASE_URL: url, DATA_DIR: folder, PORT: String(port), LOG_LEVEL: 'warn', NODE_ENV: 'production' }, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
    await new Promise((ready, failed) => { server.stdout.on('data', (text) => String(text).includes('is ready') && ready()); server.once('exit', failed); });
    await client.connect();
    await database.query({ text: LOAD(rows), values: [] });
    await database.query({ text: 'vacuum analyze fhir."Observation"', values: [] });
    const token = await issueToken({ role: 'admin' }, { keys: await developmentKeys(folder), now: Date.now(), tokenId: 'export' });
    const base = `http://127.0.0.1:${port}/fhir/R4`;
    const { rows: [{ pid }] } = await client.query('select pg_backend_pid() as pid');
    const backends = async () => (await database.query({ text: "select pid from pg_stat_activity where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()", values: [] })).rows.map((row) => Number(row.pid)).filter((one) => one !== pid);
    const sides = {
      copy: () => costOf(() => cpuOf(0, () => [pid]), () => copied(client), rows),
      export: () => costOf(() => cpuOf(server.pid, backends), () => exported(base, token), rows, rows),
    };
    await quiet(() => cpuOf(server.pid, backends));
    const taken = { copy: [], export: [] };
    for (let round = 0; round < Number(rounds) + 1; round += 1) {
      for (const side of round % 2 ? ['copy', 'export'] : ['export', 'copy']) {
        const cost = await sides[side]();
        // The first of each is to warm.
        if (round > 0) taken[side].push(cost);
      }
    }
    return report(taken, rows);
  } finally {
    server?.removeAllListeners('exit');
    await new Promise((resolve) => { if (!server) resolve(); else { server.once('exit', resolve); server.kill('SIGTERM'); } });
    await client.end();
    close();
    await database.close();
    await embedded.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(taken, rows) {
  const micros = (side, part) => Number(quantile(taken[side].map((cost) => cost[part]), 0.25).toFixed(2));
  const all = ({ node, postgres }) => node + postgres;
  const ratio = Number(quantile(taken.export.map((cost, round) => all(cost) / taken.copy[round].postgres), 0.25).toFixed(2));
  const row = { rows, copyMicros: micros('copy', 'postgres'), exportNode: micros('export', 'node'), exportPostgres: micros('export', 'postgres'), ratio };
  console.log(`${cpus()[0]?.model.trim() ?? 'unknown CPU'} x ${cpus().length}, Node ${process.version}; CPU microseconds per resource, 25th percentile of ${taken.export.length} rounds`);
  console.table([row]);
  const results = new URL('results/', import.meta.url);
  mkdirSync(results, { recursive: true });
  writeFileSync(new URL('export.json', results), `${JSON.stringify(row, null, 2)}\n`);
  return ratio <= AIM ? 0 : 1;
}
