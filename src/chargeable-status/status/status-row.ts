// A patient's stored answer, found by NHS number or by Patient id in one statement each; a merged patient leads to its survivor.
import type { Queryable, Statement } from '../../db/database.js';
import { readAssertions, type Assertion, type Source } from './assertion.js';
import type { Basic, Category } from './category.js';
import type { Winner } from './effective-status.js';

export interface StatusRow {
  readonly patient: string;
  readonly number: string | undefined;
  /** The Patient itself is deleted; what was asserted is kept. */
  readonly deleted: boolean;
  readonly survivor: string | undefined;
  /** Logical id of the vm-observation. */
  readonly observation: string;
  /** How often the answer has changed, and when last in milliseconds. */
  readonly changes: number;
  readonly changed: number;
  readonly winner: Winner | undefined;
}

// The summary is the row as one text, its fields separated by bars: none can hold one. Fifteen columns cost the database and the driver
// 30 µs of CPU more a look-up than one does (measured: 79 against 49, the least possible being 49).

/** Nearly every number asked about is held; only one that is not, as a merged patient's old one, is asked for where it leads. */
const BY_HELD_NUMBER = {
  name: 'chargeable-status-by-held-number',
  text: 'select summary from fhir.chargeable_status where number = $1 and held',
  together: 'select number as asked, summary from fhir.chargeable_status where number = any((select $1::text[])::text[]) and held',
};
const BY_NUMBER = {
  name: 'chargeable-status-by-number',
  text: 'select summary from fhir.chargeable_status where patient = (select patient from fhir.nhs_number where number = $1)',
  together: 'select n.number as asked, s.summary from fhir.nhs_number n join fhir.chargeable_status s on s.patient = n.patient where n.number = any((select $1::text[])::text[])',
};
const BY_PATIENT = {
  name: 'chargeable-status-by-patient',
  text: 'select summary from fhir.chargeable_status where patient = $1',
  together: 'select patient as asked, summary from fhir.chargeable_status where patient = any((select $1::text[])::text[])',
};
const BY_OBSERVATION = { name: 'chargeable-status-by-observation', text: 'select summary from fhir.chargeable_status where observation = $1' };
const PATIENT_EXISTS = { name: 'chargeable-status-patient-exists', text: 'select 1 from fhir."Patient" where id = $1 and res is not null' };
const NAMES = { name: 'chargeable-status-names', text: 'select patient, number, joined from fhir.chargeable_status where patient = any((select $1::text[])::text[])' };
const ASSERTIONS = { name: 'chargeable-status-assertions', text: 'select assertions, joined from fhir.chargeable_status where patient = any((select $1::text[])::text[])' };

/** A chain of merges longer than this is a loop. */
const LONGEST_CHAIN = 16;

/** The row of whoever the number leads to; undefined where no patient holds it. */
export async function statusByNumber(db: Queryable, number: string): Promise<StatusRow | undefined> {
  const row = (await one(db, BY_HELD_NUMBER, number)) ?? (await one(db, BY_NUMBER, number));
  return row?.survivor === undefined ? row && live(row) : live(await surviving(db, row));
}

/** The row of a Patient or of its survivor; one without answer for a Patient of whom nothing is recorded; undefined where there is no such Patient. */
export async function statusByPatient(db: Queryable, patient: string): Promise<StatusRow | undefined> {
  const row = await one(db, BY_PATIENT, patient);
  if (row && !row.deleted) return row.survivor === undefined ? row : live(await surviving(db, row));
  const { count } = await db.query({ ...PATIENT_EXISTS, values: [patient] });
  if (count === 0) return undefined;
  return row ? { ...row, deleted: false } : unrecorded(patient);
}

/** The row whose vm-observation has this id. */
export async function statusByObservation(db: Queryable, observation: string): Promise<StatusRow | undefined> {
  const row = await one(db, BY_OBSERVATION, observation);
  return row && live(row);
}

/** Everything asserted of a patient and of those it replaces. */
export async function assertionsOf(db: Queryable, patient: string): Promise<Assertion[]> {
  const found: Assertion[] = [];
  const seen = new Set<string>();
  for (let next = [patient]; next.length > 0; ) {
    for (const id of next) seen.add(id);
    const { rows } = await db.query<{ assertions: string; joined: string[] }>({ ...ASSERTIONS, values: [next] });
    for (const row of rows) found.push(...readAssertions(row.assertions));
    next = rows.flatMap((row) => row.joined).filter((id) => !seen.has(id));
  }
  return found;
}

/** What is asserted of this very record, without those it replaces. */
export async function assertedOf(db: Queryable, patient: string): Promise<Assertion[]> {
  const { rows } = await db.query<{ assertions: string }>({ ...ASSERTIONS, values: [[patient]] });
  return rows.flatMap((row) => readAssertions(row.assertions));
}

/** All names under which somebody may ask for this row: `Patient/1` and NHS numbers, its own and those of the records it replaces. */
export async function namesOf(db: Queryable, { patient, number }: StatusRow, joined: readonly string[]): Promise<string[]> {
  const names = [`Patient/${patient}`, ...(number === undefined ? [] : [number])];
  const seen = new Set([patient]);
  for (let next = joined.filter((id) => id !== patient); next.length > 0; ) {
    for (const id of next) seen.add(id);
    const { rows } = await db.query<{ patient: string; number: string | null; joined: string[] }>({ ...NAMES, values: [next] });
    names.push(...rows.flatMap((row) => [`Patient/${row.patient}`, ...(row.number === null ? [] : [row.number])]));
    next = rows.flatMap((row) => row.joined).filter((id) => !seen.has(id));
  }
  return names;
}

export function rowOf(summary: string): StatusRow {
  const [patient = '', number, deleted, survivor, observation = '', changes, changed, winner, ...answer] = summary.split('|');
  return {
    patient,
    number: number || undefined,
    deleted: deleted === 'true',
    survivor: survivor || undefined,
    observation,
    changes: Number(changes),
    changed: Number(changed),
    winner: winner ? winnerOf(winner, answer) : undefined,
  };
}

/** As the column `source` holds it: HO, OVM, or FEED:code. */
export const sourceText = ({ source, feed }: Pick<Winner, 'source' | 'feed'>): string => (feed === undefined ? source : `${source}:${feed}`);

function readSource(text = ''): Pick<Winner, 'source' | 'feed'> {
  const [source, feed] = text.split(':');
  return { source: source as Source, ...(feed !== undefined && { feed }) };
}

function winnerOf(id: string, [source, basic, category, decided = '', decidedAt, validUntil, lapsesAt]: string[]): Winner {
  return {
    id,
    ...readSource(source),
    basic: basic as Basic,
    decided,
    decidedAt: Number(decidedAt),
    ...(category && { category: category as Category }),
    ...(validUntil && { validUntil }),
    ...(lapsesAt && { lapsesAt: Number(lapsesAt) }),
  };
}

async function one(db: Queryable, statement: Omit<Statement, 'values'>, value: string): Promise<StatusRow | undefined> {
  const { rows } = await db.query<{ summary: string }>({ ...statement, values: [value] });
  return rows[0] && rowOf(rows[0].summary);
}

async function surviving(db: Queryable, row: StatusRow): Promise<StatusRow> {
  let last = row;
  for (let step = 0; last.survivor !== undefined && step < LONGEST_CHAIN; step += 1) {
    const next = await one(db, BY_PATIENT, last.survivor);
    if (!next) break;
    last = next;
  }
  return last;
}

const live = (row: StatusRow): StatusRow | undefined => (row.deleted ? undefined : row);

function unrecorded(patient: string): StatusRow {
  return { patient, number: undefined, deleted: false, survivor: undefined, observation: '', changes: 0, changed: 0, winner: undefined };
}
