// The same change of many Patients' statuses as patient-status.ts makes of one, in a handful of statements: for files of statements.
import { joinedJson, joinedJsonSql, numberArray, textArray } from '../../store/array-text.js';
import type { Change, StoredVersion } from '../../store/store.js';
import { readAssertions, withAssertion, type Assertion } from './assertion.js';
import { VM_OBSERVATION_ID } from '../codes.js';
import type { NonePolicy } from './effective-status.js';
import { answerOf, changeAssertions, newsOf, extensionShowing, SAVED_COLUMNS, type LockedRow, type StatusContext } from './patient-status.js';
import { nextStep, withPast } from './status-past.js';
import { rowOf } from './status-row.js';
import type { JsonValue } from '../../fhir/resource.js';

/** The version after `current` in which a member has the value that `change` gives, or none where it is undefined; no version where it gives nothing. */
export type NextVersion = (current: StoredVersion, member: string, change: (before: JsonValue | undefined) => { readonly value: JsonValue | undefined } | undefined) => Change | undefined;

export interface ManyContext extends StatusContext {
  readonly next: NextVersion;
}

/** A status row as it is read for a change: `step` counts its changes. */
export interface ReadRow extends LockedRow {
  readonly step: number;
}

/** What `readRow` reads of fhir.chargeable_status, whose alias is s. */
export const READ_COLUMNS = 's.summary, s.assertions, s.joined, s.lapse_shown as "lapseShown", s.steps as step';
export interface RawRow {
  readonly summary: string;
  readonly assertions: string;
  readonly joined: readonly string[];
  readonly lapseShown: boolean;
  readonly step: number;
}

export const readRow = ({ summary, assertions, joined, lapseShown, step }: RawRow): ReadRow => ({ ...rowOf(summary), assertions: readAssertions(assertions), joined, lapseShown, step });

const LOCK = {
  name: 'chargeable-status-lock-many',
  text: `insert into fhir.chargeable_status as s (patient, observation) select patient, observation from unnest($1::text[], $2::text[]) as given (patient, observation) order by patient
    on conflict (patient) do update set patient = excluded.patient returning ${READ_COLUMNS}`,
};
const arraySql = (name: string, type: string, parameter: string): string => (name === 'assertions' ? joinedJsonSql(parameter) : `${parameter}::${type}[]`);
const NAMES = SAVED_COLUMNS.map(([column]) => column);
const LAST = NAMES.length + 1;
/** Only of rows that are at the step at which they were read; of patients merged with none, of whom all that is asserted counts. */
const SAVE = {
  name: 'chargeable-status-save-many',
  text: withPast(`update fhir.chargeable_status as s set ${NAMES.map((column) => `${column} = given.${column}`).join(', ')}, ${nextStep(`$${LAST + 2}`)}
    from unnest($1::text[], ${SAVED_COLUMNS.map(([name, type], index) => arraySql(name, type, `$${index + 2}`)).join(', ')}, $${LAST + 1}::integer[]) as given (patient, ${NAMES.join(', ')}, step)
    where s.patient = given.patient and s.steps = given.step returning s.*, s.assertions as counted`),
};

const MERGED = { name: 'chargeable-status-merged', text: 'select patient from fhir.chargeable_status where patient = any((select $1::text[])::text[]) and (survivor is not null or joined <> \'{}\')' };

/** Those of these Patients that were replaced, or replace others: what is asserted of one changes the answer of another. */
export async function mergedAmong(patients: readonly string[], { tx }: Pick<ManyContext, 'tx'>): Promise<ReadonlySet<string>> {
  const { rows } = await tx.db.query<{ patient: string }>({ ...MERGED, values: [patients] });
  return new Set(rows.map(({ patient }) => patient));
}

/** The row of a patient with one more assertion, to be saved. */
export interface Saving {
  readonly patient: string;
  readonly step: number;
  /** As answerOf gives them. */
  readonly values: readonly unknown[];
  readonly isNews: boolean;
}

/** What one more assertion makes of a patient who is merged with none: the row, and the version that shows it where none does yet. */
export function withOneMore(row: ReadRow, stored: StoredVersion | undefined, assertion: Assertion, { now, next }: Pick<ManyContext, 'now' | 'next'>, nonePolicy: NonePolicy): { readonly saving: Saving; readonly change: Change | undefined } {
  const { winner, values, isNews } = answerOf({ ...row, assertions: withAssertion(row.assertions, assertion) }, [], now, nonePolicy);
  const change = stored?.text == null ? undefined : next(stored, 'extension', (before) => extensionShowing(before, winner, now));
  return { saving: { patient: row.patient, step: row.step, values, isNews }, change };
}

/** Saves rows, and tells of those whose answer is another now. False where not all were at their step: the transaction must then be left. */
export async function saveMany(saving: readonly Saving[], { tx, now }: Pick<StatusContext, 'tx' | 'now'>): Promise<boolean> {
  if (saving.length === 0) return true;
  const columns = SAVED_COLUMNS.map(([name, type], index) => arrayOf(name, type, saving.map(({ values }) => values[index + 1])));
  const values = [textArray(saving.map(({ patient }) => patient)), ...columns, numberArray(saving.map(({ step }) => step)), now];
  const { rows, count } = await tx.db.query<{ patient: string; summary: string }>({ ...SAVE, values });
  if (count !== saving.length) return false;
  const news = new Set(saving.flatMap(({ patient, isNews }) => (isNews ? [patient] : [])));
  await tx.announce(rows.filter(({ patient }) => news.has(patient)).map(({ summary }) => newsOf(summary, [], { tx, now })));
  return true;
}

function arrayOf(name: string, type: string, cells: readonly unknown[]): string {
  if (name === 'assertions') return joinedJson(cells as string[]);
  return type === 'text' ? textArray(cells as (string | null)[]) : numberArray(cells as (string | null)[]);
}

/**
 * Adds an assertion to each of these Patients, whose rows it locks in the order of their ids as every write does, and gives the versions of
 * those that show another answer now. Merged patients, which lead to others, are changed one by one.
 */
export async function addToMany(added: ReadonlyMap<string, Assertion>, context: ManyContext, nonePolicy: NonePolicy): Promise<Change[]> {
  const { tx, newId } = context;
  if (added.size === 0) return [];
  const stored = await tx.lockAll('Patient', [...added.keys()]);
  const patients = [...stored.keys()];
  const { rows } = await tx.db.query<RawRow>({ ...LOCK, values: [patients, patients.map(() => VM_OBSERVATION_ID + newId())] });
  const changes: Change[] = [];
  const saving: Saving[] = [];
  const merged: { readonly patient: string; readonly assertion: Assertion }[] = [];
  for (const row of rows.map(readRow)) {
    const { patient, survivor, joined } = row;
    const assertion = added.get(patient);
    if (!assertion) continue;
    if (survivor !== undefined || joined.length > 0) {
      merged.push({ patient, assertion });
      continue;
    }
    const one = withOneMore(row, stored.get(patient), assertion, context, nonePolicy);
    saving.push(one.saving);
    if (one.change) changes.push(one.change);
  }
  if (!(await saveMany(saving, context))) throw new Error('a locked status row was changed by another');
  for (const { patient, assertion } of merged) await changeAssertions(patient, (list) => withAssertion(list, assertion), context, nonePolicy);
  return changes;
}
