// Who holds which NHS number: one row per number, changed in the transaction of the Patient's write (domain.md ruling 10).
import type { Queryable } from '../../db/database.js';
import { VM_OBSERVATION_ID } from '../codes.js';

export interface Claimed {
  /** Numbers that are now this Patient's; one that is missing is held by another. */
  readonly numbers: readonly string[];
  /** Those with statements that wait for a patient. */
  readonly waiting: readonly string[];
  /** The row was there before, with something asserted or with merged patients. */
  readonly known: boolean;
}

/** Both rows in one round trip: the numbers, and the status row that a look-up by number needs. */
const CLAIM = {
  name: 'nhs-number-claim',
  text: `with claimed as (
      insert into fhir.nhs_number (number, patient, held) select number, $1, true from unnest($2::text[]) as number
      on conflict (number) do update set patient = excluded.patient, held = true
        where not fhir.nhs_number.held or fhir.nhs_number.patient = excluded.patient
      returning number, waiting),
    own as (
      insert into fhir.chargeable_status (patient, number, held, observation) values ($1, $3::text, $3::text is not null, $4)
      on conflict (patient) do update set number = excluded.number, held = excluded.held, deleted = false
      returning assertions <> '[]' or joined <> '{}' as known)
    select claimed.number, claimed.waiting, own.known from own left join claimed on true`,
};
const FORWARD = {
  name: 'nhs-number-forward',
  text: `insert into fhir.nhs_number (number, patient, held) select number, $1, false from unnest($2::text[]) as number
    on conflict (number) do update set patient = excluded.patient, held = false
      where not fhir.nhs_number.held or fhir.nhs_number.patient = excluded.patient`,
};
const RELEASE = { name: 'nhs-number-release', text: 'update fhir.nhs_number set patient = null, held = false where patient = $1 and number = any((select $2::text[])::text[])' };
const LOOK = { name: 'nhs-number-look', text: 'select number, patient from fhir.nhs_number where number = any((select $1::text[])::text[]) and patient is not null order by number for share' };
/** Where nobody knows a number yet its row is made, so that a Patient who comes at the same moment waits for us and then sees the statement. */
const EXPECT = {
  name: 'nhs-number-expect',
  text: `insert into fhir.nhs_number (number, waiting) select number, true from unnest($1::text[]) as number
    on conflict (number) do update set waiting = fhir.nhs_number.patient is null returning number, patient`,
};
const MARK = { name: 'nhs-number-mark', text: 'update fhir.nhs_number set waiting = $2 where number = any((select $1::text[])::text[])' };

/** Makes the numbers this Patient's, and makes its status row show the first of them. */
export async function claimNumbers(db: Queryable, patient: string, numbers: readonly string[], shown: string | undefined, newId: () => string): Promise<Claimed> {
  const values = [patient, numbers, shown ?? null, VM_OBSERVATION_ID + newId()];
  const { rows } = await db.query<{ number: string | null; waiting: boolean | null; known: boolean }>({ ...CLAIM, values });
  return {
    numbers: rows.flatMap(({ number }) => (number === null ? [] : [number])),
    waiting: rows.flatMap(({ number, waiting }) => (number !== null && waiting === true ? [number] : [])),
    known: rows[0]?.known ?? false,
  };
}

/** The numbers of a Patient that another replaces: anyone may claim them, and until then they lead to this one. */
export async function forwardNumbers(db: Queryable, patient: string, numbers: readonly string[]): Promise<void> {
  await db.query({ ...FORWARD, values: [patient, numbers] });
}

export async function releaseNumbers(db: Queryable, patient: string, numbers: readonly string[]): Promise<void> {
  await db.query({ ...RELEASE, values: [patient, numbers] });
}

/** The Patients that numbers lead to, held until the end of the transaction; a number that leads to none is marked as waited for. */
export async function patientsOfNumbers(db: Queryable, numbers: readonly string[]): Promise<Map<string, string>> {
  const sorted = [...new Set(numbers)].sort();
  const patients = new Map<string, string>();
  const known = await db.query<{ number: string; patient: string }>({ ...LOOK, values: [sorted] });
  for (const { number, patient } of known.rows) patients.set(number, patient);
  if (patients.size === sorted.length) return patients;
  const { rows } = await db.query<{ number: string; patient: string | null }>({ ...EXPECT, values: [sorted.filter((number) => !patients.has(number))] });
  for (const { number, patient } of rows) if (patient !== null) patients.set(number, patient);
  return patients;
}

export async function markWaiting(db: Queryable, numbers: readonly string[], waiting: boolean): Promise<void> {
  await db.query({ ...MARK, values: [numbers, waiting] });
}
