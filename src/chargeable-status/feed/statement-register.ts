// Where each statement of a feed belongs: its key, the patient it was matched to, and those that still wait for one.
// One statement is a list of one: a file and a single write fill the same tables by the same texts.
import type { Queryable } from '../../db/database.js';
import { isUniqueViolation } from '../../db/failure.js';
import { joinedJson, joinedJsonSql, textArray } from '../../store/array-text.js';
import type { Claim } from './statement-source.js';

const TAKE_KEYS = {
  name: 'statement-take-keys',
  text: `insert into fhir.home_office_key (key, source, statement) select key, $2, statement from unnest($1::text[], $3::text[]) as given (key, statement) order by key
    on conflict (key, source) do nothing returning key`,
};
const TAKE_ALL = {
  name: 'statement-take-all-keys',
  text: 'insert into fhir.home_office_key (key, source, statement) select key, $2, statement from unnest($1::text[], $3::text[]) as given (key, statement) order by key',
};
const FIND_KEYS = { name: 'statement-find-keys', text: 'select key, statement from fhir.home_office_key where key = any((select $1::text[])::text[]) and source = $2' };
const KEEP_CONFLICTS = {
  name: 'statement-keep-conflicts',
  text: `insert into fhir.home_office_conflict (key, received, id, res) select key, $4, id, res from unnest($1::text[], $2::text[], $3::text[]) as given (key, id, res)
    where not exists (select from fhir.home_office_conflict c where c.key = given.key and c.id = given.id) on conflict do nothing returning id`,
};
const REGISTER = {
  name: 'statement-register',
  text: `insert into fhir.home_office_statement (id, source, number, person, patient, claim, received)
    select id, $2, number, person, patient, claim, $7 from unnest($1::text[], $3::text[], $4::text[], $5::text[], ${joinedJsonSql('$6')}) as given (id, number, person, patient, claim)`,
};
const PLACE = 'id, source, number, person, patient, claim, received, settled';
const LOCATE = { name: 'statement-locate', text: `select ${PLACE} from fhir.home_office_statement where id = $1` };
const LOCATE_FOR_CHANGE = { name: 'statement-locate-for-change', text: `select ${PLACE} from fhir.home_office_statement where id = $1 for update` };
const ATTACH = {
  name: 'statement-attach',
  text: `update fhir.home_office_statement set patient = $1 where number = any((select $2::text[])::text[]) and patient is null and settled is null returning ${PLACE}`,
};
const DETACH = {
  name: 'statement-detach',
  text: 'update fhir.home_office_statement set patient = null where patient = $1 and number = any((select $2::text[])::text[]) and settled is null returning id, number',
};
const WAITING = {
  name: 'statement-waiting-persons',
  text: `select ${PLACE} from fhir.home_office_statement where person = any((select $1::text[])::text[]) and patient is null and settled is null order by id`,
};
const ANY_WAITING = { name: 'statement-any-waiting', text: 'select 1 from fhir.home_office_statement where patient is null and person is not null and settled is null limit 1' };
const SETTLE = { name: 'statement-settle', text: 'update fhir.home_office_statement set patient = $2, settled = $3 where id = $1' };

/** matched, detached or rejected by a person: it is not tried again by itself. */
export type Settled = 'matched' | 'detached' | 'rejected';

export interface RegisteredStatement {
  readonly id: string;
  /** HO or the code of a feed. */
  readonly source: string;
  readonly number: string | undefined;
  readonly person: string | undefined;
  readonly patient: string | undefined;
  /** Undefined for a Home Office statement that came before there were other feeds. */
  readonly claim: Claim | undefined;
  readonly received: number;
  readonly settled: Settled | undefined;
}

interface PlaceRow {
  readonly id: string;
  readonly source: string;
  readonly number: string | null;
  readonly person: string | null;
  readonly patient: string | null;
  readonly claim: string | null;
  readonly received: number;
  readonly settled: Settled | null;
}

/** The keys that were free and now name these statements; the others are taken. */
export async function takeKeys(db: Queryable, source: string, keys: readonly { readonly key: string; readonly statement: string }[]): Promise<Set<string>> {
  const { rows } = await db.query<{ key: string }>({ ...TAKE_KEYS, values: [keys.map(({ key }) => key), source, keys.map(({ statement }) => statement)] });
  return new Set(rows.map(({ key }) => key));
}

/** A key was free when it was looked at, and is not any more. */
export class KeyTaken extends Error {}

/** The same for keys that were looked at and found free: throws KeyTaken where one is not, and the transaction must be left. */
export async function takeFreeKeys(db: Queryable, source: string, keys: readonly { readonly key: string; readonly statement: string }[]): Promise<void> {
  const values = [textArray(keys.map(({ key }) => key)), source, textArray(keys.map(({ statement }) => statement))];
  await db.query({ ...TAKE_ALL, values }).catch((error: unknown) => {
    throw isUniqueViolation(error) ? new KeyTaken('a key was taken by another write') : error;
  });
}

/** The statements that have these keys of a source, by key. */
export async function statementsOfKeys(db: Queryable, source: string, keys: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await db.query<{ key: string; statement: string }>({ ...FIND_KEYS, values: [textArray(keys), source] });
  return new Map(rows.map(({ key, statement }) => [key, statement]));
}

export interface Conflict {
  readonly key: string;
  readonly id: string;
  readonly text: string;
}

/** Keeps what came under a used key with other content: it counts for nothing, and is there for a person to look at. Gives the ids of those that are new. */
export async function keepConflicts(db: Queryable, conflicts: readonly Conflict[], received: number): Promise<Set<string>> {
  const values = [conflicts.map(({ key }) => key), conflicts.map(({ id }) => id), conflicts.map(({ text }) => text), received];
  const { rows } = await db.query<{ id: string }>({ ...KEEP_CONFLICTS, values });
  return new Set(rows.map(({ id }) => id));
}

export type NewStatement = Pick<RegisteredStatement, 'id' | 'number' | 'person' | 'patient'> & { readonly claim: Claim };

export async function registerStatements(db: Queryable, source: string, statements: readonly NewStatement[], received: number): Promise<void> {
  const column = (cell: (one: NewStatement) => string | undefined): string => textArray(statements.map((one) => cell(one) ?? null));
  const claims = joinedJson(statements.map(({ claim }) => JSON.stringify(claim)));
  const values = [column(({ id }) => id), source, column(({ number }) => number), column(({ person }) => person), column(({ patient }) => patient), claims, received];
  await db.query({ ...REGISTER, values });
}

/** Undefined where the statement is not registered. */
export async function locateStatement(db: Queryable, id: string, options: { readonly lock?: boolean } = {}): Promise<RegisteredStatement | undefined> {
  const { rows } = await db.query<PlaceRow>({ ...(options.lock ? LOCATE_FOR_CHANGE : LOCATE), values: [id] });
  return rows[0] && placeOf(rows[0]);
}

/** Gives the waiting statements of these numbers to a Patient, and says which they are. */
export async function attachStatements(db: Queryable, patient: string, numbers: readonly string[]): Promise<RegisteredStatement[]> {
  const { rows } = await db.query<PlaceRow>({ ...ATTACH, values: [patient, numbers] });
  return rows.map(placeOf);
}

/** Takes back what a Patient was given by numbers it has no more; what a person has matched stays. */
export async function detachStatements(db: Queryable, patient: string, numbers: readonly string[]): Promise<{ id: string; number: string }[]> {
  const { rows } = await db.query<{ id: string; number: string }>({ ...DETACH, values: [patient, numbers] });
  return [...rows];
}

/** Statements that wait for persons of these demographics. */
export async function waitingFor(db: Queryable, persons: readonly string[]): Promise<RegisteredStatement[]> {
  const { rows } = await db.query<PlaceRow>({ ...WAITING, values: [persons] });
  return rows.map(placeOf);
}

export async function isAnyWaiting(db: Queryable): Promise<boolean> {
  return (await db.query({ ...ANY_WAITING, values: [] })).count > 0;
}

export async function settleStatement(db: Queryable, id: string, patient: string | undefined, settled: Settled | undefined): Promise<void> {
  await db.query({ ...SETTLE, values: [id, patient ?? null, settled ?? null] });
}

function placeOf(row: PlaceRow): RegisteredStatement {
  return {
    id: row.id,
    source: row.source,
    number: row.number ?? undefined,
    person: row.person ?? undefined,
    patient: row.patient ?? undefined,
    claim: row.claim === null ? undefined : (JSON.parse(row.claim) as Claim),
    received: row.received,
    settled: row.settled ?? undefined,
  };
}
