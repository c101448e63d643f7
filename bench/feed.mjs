// npm run bench -- feed: a file of Home Office statements about patients who are all known, all changing their status: rows per second,
// CPU per row, and the peak of the server's memory for files of different lengths. --rows N (default 100000) · --large adds a million.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fork } from 'node:child_process';
import { startEmbedded } from '../dist/db/embedded.js';
import { openDatabase } from '../dist/db/pool.js';
import { SILENT } from '../dist/db/log.js';
import { isNhsNumber } from '../dist/fhir/nhs-number.js';
import { developmentKeys } from '../dist/identity/development-keys.js';
import { issueToken } from '../dist/identity/issue-token.js';
import { cpuOf } from './cpu.mjs';

const HEADER = 'key,status,statusDate,nhsNumber,family,given,birthDate,gender,postcode,personRef\n';
const STATUSES = ['paid-or-exempt', 'likely-chargeable', 'british-citizen'];
const LOADED_AT_ONCE = 1000;

function* nhsNumbers() {
  for (let stem = 900_000_001; ; stem += 1) for (let digit = 0; digit < 10; digit += 1) if (isNhsNumber(`${stem}${digit}`)) yield `${stem}${digit}`;
}

const patient = (number, index) => ({
  resourceType: 'Patient', id: `p${index}`, active: true, identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: number }],
  name: [{ use: 'official', family: `Sample${index % 5000}`, given: ['Ada'] }], gender: 'female', birthDate: `19${10 + (index % 80)}-0${1 + (index % 9)}-1${index % 10}`,
  address: [{ line: [`${index} Road`], city: 'Leeds', postalCode: `ZZ${1 + (index % 99)} ${index % 10}AA` }],
});

async function loadPatients(base, token, numbers) {
  for (let from = 0; from < numbers.length; from += LOADED_AT_ONCE) {
    const entry = numbers.slice(from, from + LOADED_AT_ONCE).map((number, index) => ({ resource: patient(number, from + index), request: { method: 'PUT', url: `Patient/p${from + index}` } }));
    const response = await fetch(base, { method: 'POST', headers: headers(token, 'application/fhir+json'), body: JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry }) });
    if (!response.ok) throw new Error((await response.text()).slice(0, 500));
    await response.arrayBuffer();
  }
}

const headers = (token, type) => ({ authorization: `Bearer ${token}`, 'content-type': type });

/** Row n is about a patient n modulo how many there are, a day later in each pass: every row changes an answer. */
async function* csvRows(count, numbers, name) {
  yield Buffer.from(HEADER);
  for (let from = 0; from < count; from += 5000) {
    let text = '';
    for (let row = from; row < Math.min(count, from + 5000); row += 1) {
      const day = new Date(Date.UTC(2020, 0, 1 + Math.floor(row / numbers.length))).toISOString().slice(0, 10);
      text += `${name}-${row},${STATUSES[(row + Math.floor(row / numbers.length)) % 3]},${day},${numbers[row % numbers.length]},,,,,,\n`;
    }
    yield Buffer.from(text);
  }
}

const peakMb = (pid) => Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024);

async function ingest(base, tokens, rows, numbers, name, side) {
  writeFileSync(`/proc/${side.pid}/clear_refs`, '5');
  const before = await side.cpu();
  const started = Date.now();
  const sent = await fetch(`${base}/$ingest-status-feed`, { method: 'POST', headers: headers(tokens.homeOffice, 'text/csv'), body: csvRows(rows, numbers, name), duplex: 'half' });
  if (sent.status !== 202) throw new Error(await sent.text());
  const received = Date.now();
  const url = sent.headers.get('content-location');
  for (;;) {
    const answer = await fetch(url, { headers: headers(tokens.admin, 'text/csv') });
    const text = await answer.text();
    if (answer.status === 200) {
      const seconds = (Date.now() - received) / 1000;
      const after = await side.cpu();
      const counts = Object.fromEntries(JSON.parse(text).parameter.map(({ name: of, valueInteger }) => [of, valueInteger]));
      if (counts.accepted !== rows) throw new Error(text.slice(0, 1000));
      const each = (part) => Math.round((after[part] - before[part]) / rows);
      return { rows, rowsPerSecond: Math.round(rows / seconds), uploadSeconds: (received - started) / 1000, nodeMicros: each('node'), postgresMicros: each('postgres'), peakMb: peakMb(side.pid) };
    }
    if (answer.status !== 202) throw new Error(text);
    await sleep(200);
  }
}

export async function benchFeed({ rows = '100000', large = false }) {
  const folder = mkdtempSync(join(tmpdir(), 'entitle-bench-'));
  const embedded = await startEmbedded({ dataDir: folder, log: SILENT });
  let child;
  try {
    const port = 20000 + (process.pid % 20000);
    child = fork(new URL('../dist/cli.js', import.meta.url), ['serve'], { env: { ...process.env, DATABASE_URL: embedded.url(), DATA_DIR: folder, PORT: String(port), LOG_LEVEL: 'warn', NODE_ENV: 'production' }, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
    await new Promise((ready, failed) => { child.stdout.on('data', (text) => String(text).includes('is ready') && ready()); child.once('exit', failed); });
    const database = openDatabase({ connection: embedded.connection, size: 1, prepared: false });
    const backends = async () => (await database.query({ text: 'select pid from pg_stat_activity where datname = current_database() and backend_type = \'client backend\' and pid <> pg_backend_pid()', values: [] })).rows.map(({ pid }) => Number(pid));
    const keys = await developmentKeys(folder);
    const token = (role) => issueToken({ role }, { keys, now: Date.now(), tokenId: role });
    const tokens = { admin: await token('admin'), homeOffice: await token('home-office') };
    const base = `http://127.0.0.1:${port}/fhir/R4`;
    const made = nhsNumbers();
    const numbers = Array.from({ length: Number(rows) }, () => made.next().value);
    console.error(`loading ${numbers.length} patients`);
    await loadPatients(base, tokens.admin, numbers);
    await database.query({ text: 'vacuum analyze', values: [] });
    const side = { pid: child.pid, cpu: () => cpuOf(child.pid, backends) };
    const results = [];
    for (const count of [Math.min(10_000, Number(rows)), Number(rows), ...(large ? [1_000_000] : [])]) {
      results.push(await ingest(base, tokens, count, numbers, `run${results.length}`, side));
      console.error(results.at(-1));
    }
    console.table(results);
    await database.close();
  } finally {
    child?.removeAllListeners('exit');
    child?.kill('SIGTERM');
    await embedded.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
