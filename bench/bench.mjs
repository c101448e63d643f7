// npm run bench: the server and the floor program in turn, in one run on one PostgreSQL; CPU per request and its ratio R.
// npm run bench -- validation measures the validator alone (validation.mjs); --definitions FOLDER with @medplum/core beside it.
// npm run bench -- feed takes in files of statements (feed.mjs).
// npm run bench -- race has 64 clients spend few budgets at two servers, one of which is killed (race.mjs); --requests N.
// npm run bench -- budgets measures purchases, balances, statements and reports (budgets.mjs).
// npm run bench -- export measures a bulk export beside COPY of the same rows (export.mjs).
// npm run bench -- search --scale times every form of search over ten thousand and over a million resources (search.mjs).
// npm run bench -- status --scale measures the status surfaces over a million patients (status.mjs).
// Options: --quick (ends within 90 s) · --clients 1,4,32 (how many ask at once, one load after the other) · --only read,create (some rows) · --profile (writes the server's CPU profile into bench/results) · --peer URL (a third column: any FHIR base on this machine) · --peer-token T · --rounds N
import { fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startEmbedded } from '../dist/db/embedded.js';
import { openDatabase } from '../dist/db/pool.js';
import { SILENT } from '../dist/db/log.js';
import { developmentKeys } from '../dist/identity/development-keys.js';
import { issueToken } from '../dist/identity/issue-token.js';
import { budgetRequests, loadBudgets, timeReports } from './budgets.mjs';
import { cpuOf } from './cpu.mjs';
import { bundle, FLOOR_SCHEMA, loadFloor, loadServer, nhsNumber, observation, post } from './data.mjs';
import { close, load } from './load.mjs';
import { benchExport } from './export.mjs';
import { benchFeed } from './feed.mjs';
import { benchRace } from './race.mjs';
import { benchSearch } from './search.mjs';
import { loadStatusAtScale, printPlan } from './status.mjs';
import { benchValidation } from './validation.mjs';

const { values: options, positionals: [subject] } = parseArgs({ allowPositionals: true, options: { quick: { type: 'boolean', default: false }, clients: { type: 'string' }, peer: { type: 'string' }, 'peer-token': { type: 'string' }, rounds: { type: 'string' }, definitions: { type: 'string' }, rows: { type: 'string' }, requests: { type: 'string' }, large: { type: 'boolean', default: false }, scale: { type: 'boolean', default: false }, only: { type: 'string' }, data: { type: 'string' }, profile: { type: 'boolean', default: false } } });
const ROUNDS = Number(options.rounds ?? (options.quick ? 8 : 12));
const SCALE = options.quick ? 1 : 3;
const SIZE = options.quick ? { patients: 1000, observed: 200 } : { patients: 5000, observed: 1000 };
/** How many ask at once. One pays for going to sleep and waking again at every step; of many, some always wait, and look-ups are asked together. */
const LOADS = (options.clients ?? (options.quick ? '1,32' : '1,4,32')).split(',').map(Number);
/** One client's requests take long and vary little. */
const FEWER_ALONE = 3;
const MOST_CLIENTS = Math.max(...LOADS);
/** Node compiles a path well only after thousands of requests: both sides are measured warm. */
const WARM = 10;
/** What a supplier's search must carry. */
const REQUEST_ID = '7d6a3c1e-2f4b-4c8a-9e5d-0b1a2c3d4e5f';
const JSON_BODY = { 'content-type': 'application/fhir+json' };

function startChild(file, args, env, ready, execArgv = []) {
  const child = fork(new URL(file, import.meta.url), args, { execArgv, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)));
    ready(child, () => resolve(child));
  });
}

/** Ends a child in order: the database must not go before it. */
function ended(child) {
  child.removeAllListeners('exit');
  return new Promise((resolve) => {
    child.once('exit', resolve);
    child.kill('SIGTERM');
  });
}

/** Process ids of the backends that serve one database, but not the one that asks. */
const backends = (database) => async () => {
  const { rows } = await database.query({ text: 'select pid from pg_stat_activity where datname = current_database() and backend_type = \'client backend\' and pid <> pg_backend_pid()', values: [] });
  return rows.map((row) => Number(row.pid));
};

function requests(base, floor, tokens, numbers) {
  const pick = (count) => Math.floor(Math.random() * count);
  const as = (token) => ({ authorization: `Bearer ${token}`, accept: 'application/fhir+json' });
  const fhir = (role) => as(tokens[role]);
  const create = () => JSON.stringify(observation(pick(1e6), `p${pick(SIZE.observed)}`));
  const transaction = () => bundle('transaction', Array.from({ length: 20 }, () => post(observation(pick(1e6), `p${pick(SIZE.observed)}`))));
  const anyNumber = () => (numbers ? numbers[pick(numbers.length)] : nhsNumber(pick(SIZE.observed)));
  const statusUrl = () => `${base}/Patient/$chargeable-status?identifier=${encodeURIComponent(`https://fhir.nhs.uk/Id/nhs-number|${anyNumber()}`)}`;
  const vmUrl = () => `${base}/Observation?subject:Patient.identifier=${encodeURIComponent(`https://fhir.nhs.uk/Id/nhs-number|${anyNumber()}`)}&code=${encodeURIComponent('https://fhir.nhs.uk/fhir-observation-code-1|0001')}`;
  return [
    { name: 'read', count: 1500, expect: 200, floor: () => ({ url: `${floor}/read/p${pick(SIZE.patients)}` }), server: () => ({ url: `${base}/Patient/p${pick(SIZE.patients)}`, headers: fhir('admin') }) },
    { name: 'chargeable-status', count: 1500, expect: 200, floor: () => ({ url: `${floor}/status/${anyNumber()}` }), server: () => ({ url: statusUrl(), headers: fhir('supplier') }) },
    { name: 'vm-search', count: 1500, expect: 200, floor: () => ({ url: `${floor}/status/${anyNumber()}` }), server: () => ({ url: vmUrl(), headers: { ...fhir('supplier'), 'x-request-id': REQUEST_ID } }) },
    { name: 'search-20', count: 600, expect: 200, floor: () => ({ url: `${floor}/search/p${pick(SIZE.observed)}` }), server: () => ({ url: `${base}/Observation?subject=Patient/p${pick(SIZE.observed)}&_sort=-date&_count=20`, headers: fhir('admin') }) },
    { name: 'create', count: 500, expect: 201, floor: () => ({ url: `${floor}/create`, method: 'POST', headers: JSON_BODY, body: create() }), server: () => ({ url: `${base}/Observation`, method: 'POST', headers: { ...fhir('admin'), ...JSON_BODY }, body: create() }) },
    { name: 'transaction', count: 50, expectFloor: 200, expect: 200, floor: () => ({ url: `${floor}/transaction`, method: 'POST', headers: JSON_BODY, body: transaction() }), server: () => ({ url: base, method: 'POST', headers: { ...fhir('admin'), ...JSON_BODY }, body: transaction() }) },
  ];
}

/** CPU microseconds per request of one side in one round, Node's and PostgreSQL's. */
async function measure(side, { count, clients, expect }, make) {
  const before = await side.cpu();
  await load({ count, clients, make, expect });
  const after = await side.cpu();
  const node = (after.node - before.node) / count;
  const postgres = (after.postgres - before.postgres) / count;
  return { node, postgres, all: node + postgres };
}

const quantile = (numbers, q) => [...numbers].sort((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(q * numbers.length))];

async function compare(row, clients, sides, plain) {
  const scaled = { ...row, clients, count: Math.ceil((row.count * SCALE) / (clients === 1 ? FEWER_ALONE : 1)) };
  const rounds = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const { all: noise } = await measure(sides.floor, { count: 300, clients, expect: 200 }, plain);
    // Who goes first changes from round to round, so that a machine that slows down favours nobody.
    const order = round % 2 ? ['floor', 'server'] : ['server', 'floor'];
    const costs = { noise };
    for (const side of order) costs[side] = await measure(sides[side], scaled, row[side]);
    if (sides.peer) costs.peer = await wallOf(scaled, row.server, sides.peer);
    rounds.push(costs);
  }
  const quiet = Math.min(...rounds.map((costs) => costs.noise));
  const kept = rounds.filter((costs) => costs.noise <= 2 * quiet);
  const ratio = quantile(kept.map((costs) => costs.server.all / costs.floor.all), 0.25);
  const micros = (side, part = 'all') => Math.round(quantile(kept.map((costs) => costs[side][part]), 0.25));
  const split = (side) => `${micros(side, 'node')} + ${micros(side, 'postgres')}`;
  return {
    name: row.name, clients, floorMicros: micros('floor'), serverMicros: micros('server'), R: Number(ratio.toFixed(2)),
    floorSplit: split('floor'), serverSplit: split('server'), rounds: kept.length, ...(sides.peer && { peerWallMicros: micros('peer') }),
  };
}

/** A peer's CPU can't be seen from here, so its column is the time a request takes. */
async function wallOf(row, make, peer) {
  const started = process.hrtime.bigint();
  const toPeer = (index) => {
    const request = make(index);
    return { ...request, url: request.url.replace(peer.base, peer.url), headers: { ...request.headers, ...(peer.token && { authorization: `Bearer ${peer.token}` }) } };
  };
  await load({ ...row, make: toPeer });
  return { all: Number(process.hrtime.bigint() - started) / 1000 / row.count };
}

const ABOUT_STATUS = new Set(['chargeable-status', 'vm-search']);
/** Options of Node that `npm start` gives. */
const AS_STARTED = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).scripts.start.match(/--\S+/g) ?? [];
const PROFILE = options.profile ? ['--cpu-prof', `--cpu-prof-dir=${fileURLToPath(new URL('results', import.meta.url))}`] : [];
/** Is a row of the bench asked for? */
const wanted = ({ name }) => options.only?.split(',').includes(name) ?? (!options.scale || ABOUT_STATUS.has(name));

async function loadOrdinary(base, tokens, databases) {
  console.error(`loading ${SIZE.patients} patients and ${SIZE.observed * 40} observations`);
  await loadServer(base, tokens, SIZE);
  await loadFloor(databases.server, databases.floor, SIZE.patients);
}

async function run() {
  const folder = mkdtempSync(join(tmpdir(), 'entitle-bench-'));
  const embedded = await startEmbedded({ dataDir: folder, log: SILENT });
  const url = (database) => `${embedded.url().replace(/\/[^/?]*(\?|$)/, `/${database}$1`)}${embedded.connection.host.startsWith('/') ? `?host=${encodeURIComponent(embedded.connection.host)}` : ''}`;
  const open = (database) => openDatabase({ url: url(database), size: 1, prepared: false });
  const root = openDatabase({ connection: embedded.connection, size: 1, prepared: false });
  const children = [];
  try {
    await root.query({ text: 'create database bench_server', values: [] });
    await root.query({ text: 'create database bench_floor', values: [] });
    const databases = { server: open('bench_server'), floor: open('bench_floor') };
    for (const statement of FLOOR_SCHEMA.split(';').filter((text) => text.trim())) await databases.floor.query({ text: statement, values: [] });
    const port = 20000 + (process.pid % 20000);
    const server = await startChild('../dist/cli.js', ['serve'], { DATABASE_URL: url('bench_server'), DATA_DIR: folder, PORT: String(port), LOG_LEVEL: 'warn', NODE_ENV: 'production' }, (child, ready) => child.stdout.on('data', (text) => String(text).includes('is ready') && ready()), [...AS_STARTED, ...PROFILE]);
    children.push(server);
    const base = `http://127.0.0.1:${port}/fhir/R4`;
    const keys = await developmentKeys(folder);
    const token = (role, more = {}) => issueToken({ role, ...more }, { keys, now: Date.now(), tokenId: role });
    const tokens = { admin: await token('admin'), supplier: await token('supplier'), homeOffice: await token('home-office') };
    const numbers = options.scale ? await loadStatusAtScale(databases) : undefined;
    const world = subject === 'budgets' ? await loadBudgets(base, tokens, databases) : undefined;
    if (!numbers && !world) await loadOrdinary(base, tokens, databases);
    for (const database of Object.values(databases)) await database.query({ text: 'vacuum analyze', values: [] });
    if (numbers) await printPlan(databases, numbers[0]);
    const { rows: [typical] } = await databases.server.query({ text: `select cardinality(tokens) as tokens from fhir."${world ? 'Claim' : 'Observation'}" where cardinality(tokens) > 0 limit 1`, values: [] });
    const floor = await startChild('./floor.mjs', [url('bench_floor'), String(typical?.tokens ?? 0)], {}, (child, ready) => child.once('message', (message) => { child.port = message.port; ready(); }));
    children.push(floor);
    const floorUrl = `http://127.0.0.1:${floor.port}`;
    const sides = {
      server: { cpu: () => cpuOf(server.pid, backends(databases.server)) },
      floor: { cpu: () => cpuOf(floor.pid, backends(databases.floor)) },
      ...(options.peer && { peer: { base, url: options.peer, token: options['peer-token'] } }),
    };
    const rows = [];
    const asked = world ? budgetRequests(base, floorUrl, tokens, world) : requests(base, floorUrl, tokens, numbers);
    for (const row of asked.filter(wanted)) {
      for (const side of ['floor', 'server']) await load({ count: row.count * WARM, clients: MOST_CLIENTS, make: row[side], expect: row.expect });
      for (const clients of LOADS) rows.push(await compare(row, clients, sides, () => ({ url: `${floorUrl}/plain` })));
      console.error(`${row.name} done`);
    }
    report(rows);
    if (world) console.table(await timeReports(base, tokens, world));
  } finally {
    await Promise.all(children.map(ended));
    close();
    await root.close();
    await embedded.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(rows) {
  console.log(`${cpus()[0]?.model.trim() ?? 'unknown CPU'} x ${cpus().length}, Node ${process.version}; CPU microseconds per request (Node + PostgreSQL), 25th percentile`);
  console.table(rows);
  const results = new URL('results/', import.meta.url);
  mkdirSync(results, { recursive: true });
  writeFileSync(new URL('latest.json', results), `${JSON.stringify({ rows }, null, 2)}\n`);
}

if (subject === 'feed') await benchFeed(options);
else if (subject === 'validation') benchValidation(options);
else if (subject === 'race') process.exitCode = await benchRace(options);
else if (subject === 'export') process.exitCode = await benchExport(options);
else if (subject === 'search' && options.scale) process.exitCode = await benchSearch(options);
else if (subject !== undefined && subject !== 'budgets' && !(subject === 'status' && options.scale)) throw new Error('the subjects are budgets, export, feed, race, validation, search --scale and status --scale');
else await run();
process.exit();
