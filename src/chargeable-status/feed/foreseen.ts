// What a batch of statements will change of its patients, worked out before its transaction begins, while the batch before it is being
// stored. Nothing is locked for that: Patients say by version, and status rows by step, whether they are still as they were read, and
// where one is not nothing of the batch is stored.
import type { Queryable } from '../../db/database.js';
import { textArray } from '../../store/array-text.js';
import type { Change } from '../../store/store.js';
import type { Assertion } from '../status/assertion.js';
import type { NonePolicy } from '../status/effective-status.js';
import { READ_COLUMNS, readRow, withOneMore, type ManyContext, type RawRow, type Saving } from '../status/many-patients.js';

/** Only of patients who hold the number themselves and are merged with none: what is asserted of those changes no other's answer. */
const LOOK_AHEAD = {
  name: 'chargeable-status-look-ahead',
  text: `select n.number, p.version, p.updated, p.res, ${READ_COLUMNS}
    from unnest($1::text[]) as asked (number) join fhir.nhs_number n on n.number = asked.number and n.held
    join fhir.chargeable_status s on s.patient = n.patient and s.survivor is null and s.joined = '{}'
    join fhir."Patient" p on p.id = n.patient and p.res is not null`,
};
const HOLD = { name: 'patients-hold', text: 'select id, version from fhir."Patient" where id = any((select $1::text[])::text[]) order by id for update' };

export interface Foreseen {
  readonly patient: string;
  /** Of the Patient, as it was read. */
  readonly version: number;
  /** Undefined where it shows the answer already. */
  readonly change: Change | undefined;
  readonly saving: Saving;
}

/** A patient was changed since the batch was judged. */
export class Outdated extends Error {}

export interface Foreseeing extends Pick<ManyContext, 'now' | 'next'> {
  readonly db: Queryable;
  readonly nonePolicy: NonePolicy;
  /** Numbers of which a batch speaks that is still being stored; undefined where nothing is to be foreseen. */
  readonly taken: ReadonlySet<string> | undefined;
  /** Lets others have their turn. */
  readonly breathe: () => Promise<void>;
}

const AT_ONCE = 25;

/** By NHS number: what an assertion about its holder will change. Those that are missing are to be asked about under a lock. */
export async function foresee(added: readonly { readonly number: string | undefined; readonly assertion: () => Assertion }[], { db, now, next, nonePolicy, taken, breathe }: Foreseeing): Promise<Map<string, Foreseen>> {
  const foreseen = new Map<string, Foreseen>();
  const single = taken && singles(added, taken);
  if (!single || single.size === 0) return foreseen;
  const { rows } = await db.query<RawRow & { number: string; version: number; updated: number; res: string }>({ ...LOOK_AHEAD, values: [textArray([...single.keys()])] });
  const seen = new Map<string, string>();
  for (const [index, { number, version, updated, res, ...raw }] of rows.entries()) {
    if (index % AT_ONCE === 0) await breathe();
    const row = readRow(raw);
    const { patient } = row;
    const assertion = single.get(number);
    const other = seen.get(patient);
    seen.set(patient, number);
    // One patient by two numbers: the second statement builds on the first.
    if (other !== undefined) foreseen.delete(other);
    if (other !== undefined || !assertion) continue;
    foreseen.set(number, { patient, version, ...withOneMore(row, { type: 'Patient', id: patient, version, updated, text: res }, assertion(), { now, next }, nonePolicy) });
  }
  return foreseen;
}

/** The numbers of which one statement speaks, with what it asserts. */
function singles(added: Parameters<typeof foresee>[0], taken: ReadonlySet<string>): Map<string, () => Assertion> {
  const single = new Map<string, () => Assertion>();
  const several = new Set(taken);
  for (const { number, assertion } of added) {
    if (number === undefined || several.has(number)) continue;
    if (single.delete(number)) several.add(number);
    else single.set(number, assertion);
  }
  return single;
}

/** Locks these Patients, those that will not be written too. Throws Outdated where one is not as it was read. */
export async function holdPatients(db: Queryable, foreseen: readonly Foreseen[], others: readonly string[] = []): Promise<void> {
  const ids = [...foreseen.map(({ patient }) => patient), ...others];
  if (ids.length === 0) return;
  const { rows } = await db.query<{ id: string; version: number }>({ ...HOLD, values: [textArray(ids)] });
  const versions = new Map(rows.map(({ id, version }) => [id, version]));
  if (foreseen.some(({ patient, version }) => versions.get(patient) !== version)) throw new Outdated('a Patient was changed by another');
}
