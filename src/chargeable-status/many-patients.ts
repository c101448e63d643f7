// The same change of many Patients' statuses as patient-status.ts makes of one, in a handful of statements: for files of statements.
import { readAssertions, withAssertion, type Assertion } from './assertion.js';
import { VM_OBSERVATION_ID } from './codes.js';
import type { NonePolicy } from './effective-status.js';
import { answerOf, changeAssertions, newsOf, extensionShowing, SAVED_COLUMNS, type LockedRow, type StatusContext } from './patient-status.js';
import { nextStep, withPast } from './status-past.js';
import { rowOf } from './status-row.js';
import type { JsonValue } from '../fhir/resource.js';
import type { Change, StoredVersion } from '../store/store.js';

export interface ManyContext extends StatusContext {
  /** The version after `current` in which a member has the value that `change` gives, or none where it is undefined; no version where it gives nothing. */
  next(current: StoredVersion, member: string, change: (before: JsonValue | undefined) => { readonly value: JsonValue | undefined } | undefined): Change | undefined;
}

const LOCK = {
  name: 'chargeable-status-lock-many',
  text: `insert into fhir.chargeable_status (patient, observation) select patient, observation from unnest($1::text[], $2::text[]) as given (patient, observation) order by patient
    on conflict (patient) do update set patient = excluded.patient returning summary, assertions, joined, lapse_shown as "lapseShown"`,
};
const NAMES = SAVED_COLUMNS.map(([column]) => column);
const SAVE = {
  name: 'chargeable-status-save-many',
  text: withPast(`update fhir.chargeable_status as s set ${NAMES.map((column) => `${column} = given.${column}`).join(', ')}, ${nextStep(`$${NAMES.length + 3}`)}
    from unnest($1::text[], ${SAVED_COLUMNS.map(([, type], index) => `$${index + 2}::${type}[]`).join(', ')}, $${NAMES.length + 2}::text[]) as given (patient, ${NAMES.join(', ')}, counted)
    where s.patient = given.patient returning s.*, given.counted`),
};

const MERGED = { name: 'chargeable-status-merged', text: 'select patient from fhir.chargeable_status where patient = any($1) and (survivor is not null or joined <> \'{}\')' };

/** Those of these Patients that were replaced, or replace others: what is asserted of one changes the answer of another. */
export async function mergedAmong(patients: readonly string[], { tx }: Pick<ManyContext, 'tx'>): Promise<ReadonlySet<string>> {
  const { rows } = await tx.db.query<{ patient: string }>({ ...MERGED, values: [patients] });
  return new Set(rows.map(({ patient }) => patient));
}

/**
 * Adds an assertion to each of these Patients, whose rows it locks in the order of their ids as every write does, and gives the versions of
 * those that show another answer now. Merged patients, which lead to others, are changed one by one.
 */
export async function addToMany(added: ReadonlyMap<string, Assertion>, context: ManyContext, nonePolicy: NonePolicy): Promise<Change[]> {
  const { tx, now, newId, next } = context;
  if (added.size === 0) return [];
  const stored = await tx.lockAll('Patient', [...added.keys()]);
  const patients = [...stored.keys()];
  const { rows } = await tx.db.query<{ summary: string; assertions: string; joined: string[]; lapseShown: boolean }>({ ...LOCK, values: [patients, patients.map(() => VM_OBSERVATION_ID + newId())] });
  const locked = rows.map(({ summary, assertions, ...row }): LockedRow => ({ ...rowOf(summary), assertions: readAssertions(assertions), ...row }));
  const isPlain = ({ survivor, joined }: LockedRow): boolean => survivor === undefined && joined.length === 0;
  const changes: Change[] = [];
  const saved: unknown[][] = [];
  const news = new Set<string>();
  for (const row of locked.filter(isPlain)) {
    const { winner, values, counted, isNews } = answerOf({ ...row, assertions: withOneMore(row.patient, row.assertions) }, [], now, nonePolicy);
    saved.push([...values, counted]);
    if (isNews) news.add(row.patient);
    const version = stored.get(row.patient);
    const change = version?.text == null ? undefined : next(version, 'extension', (before) => extensionShowing(before, winner, now));
    if (change) changes.push(change);
  }
  if (saved.length > 0) {
    const answered = await tx.db.query<{ patient: string; summary: string }>({ ...SAVE, values: [...Array.from({ length: NAMES.length + 2 }, (_, column) => saved.map((values) => values[column])), now] });
    await tx.announce(answered.rows.filter(({ patient }) => news.has(patient)).map(({ summary }) => newsOf(summary, [], { tx, now })));
  }
  for (const { patient } of locked.filter((row) => !isPlain(row))) {
    await changeAssertions(patient, (list) => withOneMore(patient, list), context, nonePolicy);
  }
  return changes;

  function withOneMore(patient: string, list: readonly Assertion[]): Assertion[] {
    const assertion = added.get(patient);
    return assertion ? withAssertion(list, assertion) : [...list];
  }
}
