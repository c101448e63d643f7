// The data of the bench: patients with NHS numbers, their observations, a status for each; the same for the server and the floor.
import { send } from './load.mjs';

const NHS_NUMBER = 'https://fhir.nhs.uk/Id/nhs-number';
const FEED = 'https://fhir.entitle.example/Id/home-office-feed';
const CODES = 'https://fhir.entitle.example/CodeSystem';

/** The n-th valid number of the range 999 that is never given to anyone. */
export function nhsNumber(n) {
  for (let stem = 999000000 + n * 2; ; stem += 1) {
    const digits = String(stem);
    const sum = [...digits].reduce((total, digit, index) => total + Number(digit) * (10 - index), 0);
    const check = (11 - (sum % 11)) % 11;
    if (check !== 10) return digits + check;
  }
}

/** About 2 KB. */
export function patient(n) {
  return {
    resourceType: 'Patient',
    id: `p${n}`,
    text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml"><p>${'A patient made for the bench. '.repeat(12)}</p></div>` },
    identifier: [{ use: 'official', system: NHS_NUMBER, value: nhsNumber(n) }, { system: 'https://bench.example/hospital-number', value: `H${n}` }],
    active: true,
    name: [{ use: 'official', family: `Family${n % 997}`, given: [`Given${n % 89}`, 'Bench'] }, { use: 'nickname', given: [`Nick${n % 31}`] }],
    telecom: [{ system: 'phone', value: `01632 ${String(960000 + (n % 1000))}`, use: 'home' }, { system: 'email', value: `p${n}@bench.example` }],
    gender: n % 2 ? 'female' : 'male',
    birthDate: `19${String(40 + (n % 60)).padStart(2, '0')}-0${1 + (n % 9)}-1${n % 10}`,
    address: [{ use: 'home', line: [`${n} Bench Street`, 'Near the Mill'], city: `Town${n % 50}`, postalCode: `ZZ${n % 90} ${n % 9}AA`, country: 'GBR' }],
    contact: [{ relationship: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0131', code: 'N' }] }], name: { family: `Kin${n % 97}` }, telecom: [{ system: 'phone', value: '01632 960000' }] }],
    communication: [{ language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'en' }] }, preferred: true }],
  };
}

/** About 1.2 KB. */
export function observation(n, subject) {
  return {
    resourceType: 'Observation',
    identifier: [{ system: 'https://bench.example/observation', value: `o${n}-${Math.floor(Math.random() * 1e9)}` }],
    status: 'final',
    category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs', display: 'Vital Signs' }] }],
    code: { coding: [{ system: 'http://loinc.org', code: n % 2 ? '29463-7' : '8302-2', display: n % 2 ? 'Body weight' : 'Body height' }], text: 'A measure of the body' },
    subject: { reference: `Patient/${subject}` },
    effectiveDateTime: new Date(Date.UTC(2020, 0, 1) + n * 3_600_000).toISOString(),
    performer: [{ display: 'The bench' }],
    valueQuantity: { value: 50 + (n % 500) / 10, unit: n % 2 ? 'kg' : 'cm', system: 'http://unitsofmeasure.org', code: n % 2 ? 'kg' : 'cm' },
    interpretation: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation', code: 'N', display: 'Normal' }] }],
    note: [{ text: 'Made for the bench: nothing here is about anyone. '.repeat(4) }],
    method: { text: 'By hand' },
    device: { display: 'Scales of the bench' },
  };
}

const statement = (n) => ({
  resourceType: 'Observation',
  identifier: [{ system: FEED, value: `BENCH-${n}` }],
  status: 'final',
  code: { coding: [{ system: `${CODES}/status-assertion`, code: 'ho-status' }] },
  subject: { type: 'Patient', identifier: { system: NHS_NUMBER, value: nhsNumber(n) } },
  effectiveDateTime: '2026-04-01T00:00:00Z',
  performer: [{ display: 'Home Office' }],
  valueCodeableConcept: { coding: [{ system: `${CODES}/ho-status`, code: 'paid-or-exempt' }] },
});

export const bundle = (type, entry) => JSON.stringify({ resourceType: 'Bundle', type, entry });
export const post = (resource) => ({ resource, request: { method: 'POST', url: resource.resourceType } });
const put = (resource) => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } });

async function sendBundle(base, token, text) {
  const headers = { 'content-type': 'application/fhir+json', authorization: `Bearer ${token}` };
  const { status, text: answer } = await send({ url: base, method: 'POST', headers, body: text });
  if (status !== 200 || /"status":"[45]/.test(answer)) throw new Error(`loading failed with ${status}: ${answer.slice(0, 400)}`);
}

/** Loads patients, 40 observations for each of the first `observed`, and a status for each of those, by transactions. */
export async function loadServer(base, tokens, { patients, observed }) {
  const size = 100;
  for (let n = 0; n < patients; n += size) {
    await sendBundle(base, tokens.admin, bundle('transaction', Array.from({ length: Math.min(size, patients - n) }, (_, k) => put(patient(n + k)))));
  }
  for (let n = 0; n < observed; n += 5) {
    const entries = Array.from({ length: 200 }, (_, k) => post(observation(n * 40 + k, `p${n + (k % 5)}`)));
    await sendBundle(base, tokens.admin, bundle('transaction', entries));
  }
  for (let n = 0; n < observed; n += size) {
    await sendBundle(base, tokens.homeOffice, bundle('batch', Array.from({ length: Math.min(size, observed - n) }, (_, k) => post(statement(n + k)))));
  }
}

/** The same rows for the floor, as the server holds them. */
export const FLOOR_SCHEMA = `
  create table patient (id text collate "C" primary key, res text);
  create table observation (id text collate "C" primary key, res text, tokens bigint[], subject text collate "C", date bigint);
  create index on observation using gin (tokens) with (fastupdate = off);
  create index on observation (subject, date desc, id desc);
  create table status (number text collate "C" primary key, answer text);`;

export async function loadFloor(server, floor, patients) {
  const copy = async (from, into, rows) => {
    const { rows: found } = await server.query({ text: from, values: [] });
    for (let n = 0; n < found.length; n += 2000) await floor.query({ text: into, values: rows(found.slice(n, n + 2000)) });
  };
  const column = (found, name) => found.map((row) => row[name]);
  await copy('select id, res from fhir."Patient"', 'insert into patient select * from unnest($1::text[], $2::text[])', (found) => [column(found, 'id'), column(found, 'res')]);
  await copy(
    'select id, res, tokens::text as tokens, subject, date_lo from fhir."Observation" where subject is not null',
    'insert into observation select id, res, tokens::bigint[], subject, date from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[]) as t(id, res, tokens, subject, date)',
    (found) => [column(found, 'id'), column(found, 'res'), column(found, 'tokens'), column(found, 'subject'), column(found, 'date_lo')],
  );
  const answer = JSON.stringify({ resourceType: 'Parameters', parameter: [{ name: 'determined', valueBoolean: true }, { name: 'basic', valueCoding: { system: 'https://fhir.nhs.uk/spine-chargeable-status-1', code: 'N', display: 'Not Chargeable' } }, { name: 'lastUpdated', valueDateTime: '2026-04-01T00:00:00Z' }, { name: 'note', valueString: 'x'.repeat(300) }] });
  const numbers = Array.from({ length: patients }, (_, n) => nhsNumber(n));
  await floor.query({ text: 'insert into status select unnest($1::text[]), $2', values: [numbers, answer] });
}
