// Where each Home Office statement belongs: its key, the patient it was matched to, and those that still wait for one.
import type { Queryable } from '../db/database.js';

const TAKE_KEY = {
  name: 'home-office-take-key',
  text: 'insert into fhir.home_office_key (key, statement) values ($1, $2) on conflict (key) do nothing',
};
const KEEP_CONFLICT = { name: 'home-office-keep-conflict', text: 'insert into fhir.home_office_conflict (key, received, id, res) values ($1, $2, $3, $4)' };
const REGISTER = { name: 'home-office-register', text: 'insert into fhir.home_office_statement (id, number, patient, received) values ($1, $2, $3, $4)' };
const LOCATE = { name: 'home-office-locate', text: 'select patient, received from fhir.home_office_statement where id = $1' };
const ATTACH = {
  name: 'home-office-attach',
  text: 'update fhir.home_office_statement set patient = $1 where number = any($2) and patient is null returning id, received',
};
const DETACH = {
  name: 'home-office-detach',
  text: 'update fhir.home_office_statement set patient = null where patient = $1 and number = any($2) returning id, number',
};

/** False where another statement has the key already. */
export async function takeKey(db: Queryable, key: string, statement: string): Promise<boolean> {
  const { count } = await db.query({ ...TAKE_KEY, values: [key, statement] });
  return count === 1;
}

/** Keeps what came under a used key with other content: it counts for nothing, and is there for a person to look at. */
export async function keepConflict(db: Queryable, conflict: { key: string; received: number; id: string; text: string }): Promise<void> {
  await db.query({ ...KEEP_CONFLICT, values: [conflict.key, conflict.received, conflict.id, conflict.text] });
}

export async function registerStatement(db: Queryable, statement: { id: string; number: string | undefined; patient: string | undefined; received: number }): Promise<void> {
  await db.query({ ...REGISTER, values: [statement.id, statement.number ?? null, statement.patient ?? null, statement.received] });
}

/** Undefined where the statement is not registered. */
export async function locateStatement(db: Queryable, id: string): Promise<{ patient: string | undefined; received: number } | undefined> {
  const { rows } = await db.query<{ patient: string | null; received: string | number }>({ ...LOCATE, values: [id] });
  const [row] = rows;
  return row && { patient: row.patient ?? undefined, received: Number(row.received) };
}

/** Gives the waiting statements of these numbers to a Patient, and says which they are. */
export async function attachStatements(db: Queryable, patient: string, numbers: readonly string[]): Promise<{ id: string; received: number }[]> {
  const { rows } = await db.query<{ id: string; received: string | number }>({ ...ATTACH, values: [patient, numbers] });
  return rows.map(({ id, received }) => ({ id, received: Number(received) }));
}

/** Takes back what a Patient was given by numbers it has no more. */
export async function detachStatements(db: Queryable, patient: string, numbers: readonly string[]): Promise<{ id: string; number: string }[]> {
  const { rows } = await db.query<{ id: string; number: string }>({ ...DETACH, values: [patient, numbers] });
  return [...rows];
}
