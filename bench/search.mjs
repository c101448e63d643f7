// npm run bench -- search --scale: every form of search over ten thousand and over a million observations, in turn; ends with 1 where a result takes
// more than 1.5 times as long among the many. --rows N: how many there are of these · --data FOLDER: keeps the databases for the next run · --only 'form;form' · --rounds N
import { fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbedded } from '../dist/db/embedded.js';
import { SILENT } from '../dist/db/log.js';
import { openDatabase } from '../dist/db/pool.js';
import { developmentKeys } from '../dist/identity/development-keys.js';
import { issueToken } from '../dist/identity/issue-token.js';
import { close, send } from './load.mjs';
import { FAMILIES, loadScaled, LOINC, ORGANISATIONS, SELDOM_CODE } from './search-world.mjs';

const FEW = 10_000;
const MANY = 1_000_000;
const AIM = 1.5;
/** More rows than may be sorted by what no index orders: told in words at once, and no time to compare. */
const REFUSED = new Set(['code sort']);
const ROUNDS = 40;
const UCUM = 'http://unitsofmeasure.org';

const pick = (count) => Math.floor(Math.random() * count);
const code = () => `${LOINC}|${pick(2) ? '29463-7' : '8302-2'}`;
/** There is an observation for each hour. */
const day = () => `2020-06-${10 + pick(20)}`;

/** `get`: what is asked. `total`: the results are those counted, not those of the page. */
const FORMS = [
  { name: 'token', get: () => `Observation?code=${code()}&_count=20` },
  { name: 'seldom token', get: () => `Observation?code=${LOINC}|${SELDOM_CODE}&_count=20` },
  { name: 'token, date sort', get: () => `Observation?code=${code()}&_sort=-date&_count=20` },
  { name: 'three tokens', get: () => `Observation?code=${code()}&status=final&category=vital-signs&_sort=-date&_count=20` },
  { name: 'name prefix', get: () => `Patient?family=Family${1 + pick(9)}&_count=20` },
  { name: 'token, name sort', get: () => `Patient?gender=female&_sort=family&_count=20` },
  { name: 'code sort', get: () => 'Observation?_sort=code&_count=20' },
  { name: 'token sort of patients', get: () => 'Patient?_sort=gender&_count=20' },
  { name: 'chain', get: () => `Observation?subject:Patient.family=Family${pick(FAMILIES)}&_count=20` },
  { name: 'chain by token', get: () => `Observation?subject:Patient.gender=female&_count=20` },
  { name: 'chain of two', get: () => `Observation?subject:Patient.organization.name=Organisation ${pick(ORGANISATIONS)}&_count=20` },
  { name: '_has', get: () => `Patient?_has:Observation:patient:code=${code()}&_count=20` },
  { name: '_has, seldom', get: () => `Patient?_has:Observation:patient:code=${LOINC}|${SELDOM_CODE}&_count=20` },
  { name: '_has, name sort', get: () => `Patient?_has:Observation:patient:code=${code()}&_sort=family&_count=20` },
  { name: '_include', get: () => `Observation?code=${code()}&_include=Observation:subject&_count=20` },
  { name: '_revinclude', get: () => `Patient?family=Family${1 + pick(9)}&_revinclude=Observation:subject&_count=5` },
  { name: 'quantity', get: () => `Observation?value-quantity=gt${60 + pick(30)}|${UCUM}|kg&_count=20` },
  { name: 'quantity, date sort', get: () => `Observation?value-quantity=gt${60 + pick(30)}|${UCUM}|kg&_sort=-date&_count=20` },
  { name: 'composite', get: () => `Observation?code-value-quantity=${LOINC}|29463-7$gt${60 + pick(30)}&_count=20` },
  { name: 'from a date on, date sort', get: () => `Observation?date=ge${day()}&_sort=date&_count=20` },
  { name: 'few hours, newest first', get: () => { const on = day(); return `Observation?date=ge${on}T00:00:00Z&date=lt${on}T08:00:00Z&_sort=-date&_count=20`; } },
  { name: "one patient's from a date on", get: () => `Observation?patient=p${90 + pick(20)}&date=ge2020-06-01&_sort=date&_count=20` },
  { name: 'accurate total', total: true, get: () => `Observation?code=${code()}&_total=accurate&_count=20` },
  { name: 'accurate total of a seldom code', total: true, get: () => `Observation?code=${LOINC}|${SELDOM_CODE}&_total=accurate&_count=20` },
];

const quantile = (numbers, q) => [...numbers].sort((a, b) => a - b)[Math.floor(q * numbers.length)];

async function once(base, token, path) {
  const started = process.hrtime.bigint();
  const { status, text } = await send({ url: `${base}/${encodeURI(path).replaceAll('+', '%2B')}`, headers: { authorization: `Bearer ${token}`, accept: 'application/fhir+json' } });
  const millis = Number(process.hrtime.bigint() - started) / 1e6;
  return { status, text, millis };
}

/** Milliseconds of one answer, and how many results it has. */
async function timed({ base, token }, { get, total }) {
  const { status, text, millis } = await once(base, token, get());
  if (status !== 200) return { millis, results: 0, refused: status };
  const body = JSON.parse(text);
  return { millis, results: total ? body.total : (body.entry ?? []).filter(({ search }) => search.mode !== 'outcome').length };
}

async function compareSizes(form, few, many, rounds) {
  const sides = { few: [], many: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, side] of round % 2 ? [['few', few], ['many', many]] : [['many', many], ['few', few]]) {
      const took = await timed(side, form);
      sides[name].push(took);
      if (took.refused || (took.millis > 5000 && round > 2)) round = rounds;
    }
  }
  const median = (taken, of) => quantile(taken.map(of), 0.5);
  const each = (taken) => median(taken, ({ millis, results }) => (millis * 1000) / Math.max(1, results));
  const refused = sides.many.find((one) => one.refused)?.refused;
  return {
    form: form.name,
    'few ms': Number(median(sides.few, ({ millis }) => millis).toFixed(2)), 'many ms': Number(median(sides.many, ({ millis }) => millis).toFixed(2)),
    'few results': median(sides.few, ({ results }) => results), 'many results': median(sides.many, ({ results }) => results),
    'few µs each': Math.round(each(sides.few)), 'many µs each': Math.round(each(sides.many)),
    ratio: refused ? `refused ${refused}` : Number((each(sides.many) / each(sides.few)).toFixed(2)),
  };
}

/** `few` and `many`: base URL and token of a server over each size. True where every form is within its aim. */
async function compareForms({ few, many }, { only, rounds = ROUNDS }) {
  const rows = [];
  for (const form of FORMS.filter(({ name }) => only?.split(';').includes(name) ?? true)) {
    // Twice as often as statements are run before PostgreSQL settles on a plan.
    for (let n = 0; n < 12; n += 1) for (const side of [few, many]) if ((await timed(side, form)).millis > 2000) n = 12;
    rows.push(await compareSizes(form, few, many, rounds));
    console.error(`${form.name} done`);
  }
  console.log(`${cpus()[0]?.model.trim() ?? 'unknown CPU'} x ${cpus().length}, Node ${process.version}; median of ${rounds} requests of each`);
  console.table(rows);
  const results = new URL('results/', import.meta.url);
  mkdirSync(results, { recursive: true });
  writeFileSync(new URL('search-scale.json', results), `${JSON.stringify({ rows }, null, 2)}\n`);
  return rows.every(({ ratio, form }) => (REFUSED.has(form) ? typeof ratio === 'string' : ratio <= AIM));
}

async function serve(embedded, folder, database, port) {
  const root = openDatabase({ connection: embedded.connection, size: 1, prepared: false });
  const { rows } = await root.query({ text: 'select from pg_database where datname = $1', values: [database] });
  if (rows.length === 0) await root.query({ text: `create database ${database}`, values: [] });
  await root.close();
  const url = embedded.url().replace(/\/[^/?]*(\?|$)/, `/${database}$1`);
  const child = fork(new URL('../dist/cli.js', import.meta.url), ['serve'], { env: { ...process.env, DATABASE_URL: url, DATA_DIR: folder, PORT: String(port), LOG_LEVEL: 'error', NODE_ENV: 'production' }, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  await new Promise((ready, failed) => { child.stdout.on('data', (text) => String(text).includes('is ready') && ready()); child.once('exit', failed); });
  return { child, url, base: `http://127.0.0.1:${port}/fhir/R4` };
}

/** Gives the exit code: 0 where every form is within its aim. */
export async function benchSearch({ rows = MANY, data, only, rounds }) {
  const folder = data ?? mkdtempSync(join(tmpdir(), 'entitle-bench-'));
  const embedded = await startEmbedded({ dataDir: folder, log: SILENT });
  const children = [];
  try {
    const port = 20000 + (process.pid % 20000);
    const sides = {};
    for (const [index, [name, count]] of [['few', FEW], ['many', Number(rows)]].entries()) {
      const side = await serve(embedded, folder, `search_${count}`, port + index);
      children.push(side.child);
      const database = openDatabase({ url: side.url, size: 2, prepared: true });
      await loadScaled(database, count);
      await database.close();
      const token = await issueToken({ role: 'admin' }, { keys: await developmentKeys(folder), now: Date.now(), tokenId: name });
      sides[name] = { base: side.base, token };
    }
    return (await compareForms(sides, { only, ...(rounds && { rounds: Number(rounds) }) })) ? 0 : 1;
  } finally {
    for (const child of children) {
      child.removeAllListeners('exit');
      child.kill('SIGTERM');
    }
    close();
    await embedded.stop();
    if (data === undefined) rmSync(folder, { recursive: true, force: true });
  }
}
