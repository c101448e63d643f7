// Keeps a patient's row true: what is asserted of the patient, the answer that follows, and the Patient that shows it.
import type { Queryable } from '../../db/database.js';
import type { JsonObject, JsonValue, Resource } from '../../fhir/resource.js';
import type { News } from '../../store/news.js';
import type { WriteContext } from '../../store/rule.js';
import type { StoredVersion } from '../../store/store.js';
import { readAssertions, type Assertion } from './assertion.js';
import { STATUS_TOPIC, VM_OBSERVATION_ID } from '../codes.js';
import { hasLapsed, statusAt, winnerOf, type NonePolicy, type Winner } from './effective-status.js';
import { extensionsShowing, shownStatus, statusExtension } from './status-extension.js';
import { nextStep, withPast } from './status-past.js';
import { assertionsOf, namesOf, rowOf, sourceText, type StatusRow } from './status-row.js';
import { vmVersion } from '../vm/vm-observation.js';

/** What a change of a row needs of the write it happens in; a lapse written by the job brings the same. */
export type StatusContext = Pick<WriteContext, 'tx' | 'now' | 'put' | 'newId'>;

export interface LockedRow extends StatusRow {
  readonly assertions: Assertion[];
  readonly joined: readonly string[];
  /** Was the end of the winner's evidence already shown, and told? */
  readonly lapseShown: boolean;
}

/** On conflict the row is written over with itself: that locks it, and returns it in the same round trip. */
const LOCK = {
  name: 'chargeable-status-lock',
  text: `insert into fhir.chargeable_status (patient, observation) values ($1, $2)
    on conflict (patient) do update set patient = excluded.patient returning summary, assertions, joined, lapse_shown as "lapseShown"`,
};
/** What answerOf gives behind the patient. */
export const SAVED_COLUMNS = [
  ['assertions', 'text'], ['changes', 'integer'], ['changed', 'bigint'], ['winner', 'text'], ['source', 'text'], ['basic', 'text'], ['category', 'text'],
  ['decided', 'text'], ['decided_at', 'bigint'], ['valid_until', 'text'], ['lapses_at', 'bigint'], ['lapse_shown', 'boolean'],
] as const;
/** What was believed until now is kept beside it (status-past.ts). */
const SAVE = {
  name: 'chargeable-status-save',
  text: withPast(`update fhir.chargeable_status as s set ${SAVED_COLUMNS.map(([column], index) => `${column} = $${index + 2}`).join(', ')},
    ${nextStep(`$${SAVED_COLUMNS.length + 2}`)} where patient = $1 returning s.*, $${SAVED_COLUMNS.length + 3}::text as counted`),
};
const SAVE_ASSERTIONS = { name: 'chargeable-status-save-assertions', text: 'update fhir.chargeable_status set assertions = $2 where patient = $1' };

/**
 * Changes what is asserted of a Patient, and what follows for it or for its survivor. False where there is no such Patient.
 * The Patient is locked first, as every write of it does, so that two writers never wait for each other.
 */
export async function changeAssertions(
  patient: string,
  change: (assertions: readonly Assertion[]) => readonly Assertion[],
  context: StatusContext,
  nonePolicy: NonePolicy,
): Promise<boolean> {
  const stored = await context.tx.lock('Patient', patient);
  if (!stored) return false;
  const row = await lockStatus(patient, context);
  const changed = { ...row, assertions: [...change(row.assertions)] };
  if (row.survivor === undefined) {
    await show(stored, await save(changed, context, nonePolicy), context);
  } else {
    await saveAssertions(context.tx.db, changed);
    await refreshStatus(row.survivor, context, nonePolicy);
  }
  return stored.text !== null;
}

/** Works the answer of a Patient, or of its survivor, out again and shows it. False where there is no such Patient. */
export async function refreshStatus(patient: string, context: StatusContext, nonePolicy: NonePolicy): Promise<boolean> {
  return changeAssertions(patient, (assertions) => assertions, context, nonePolicy);
}

/**
 * The same for a Patient that is itself being written: its row is changed and the extension for the write is returned.
 * A Patient that has been replaced shows none.
 */
export async function completeStatus(
  patient: string,
  change: (assertions: readonly Assertion[]) => readonly Assertion[],
  context: StatusContext,
  nonePolicy: NonePolicy,
): Promise<JsonObject | undefined> {
  const row = await lockStatus(patient, context);
  const changed = { ...row, assertions: [...change(row.assertions)] };
  const winner = await save(changed, context, nonePolicy);
  return row.survivor === undefined ? statusExtension(statusAt(winner, context.now)) : undefined;
}

async function lockStatus(patient: string, { tx, newId }: StatusContext): Promise<LockedRow> {
  const { rows } = await tx.db.query<{ summary: string; assertions: string; joined: string[]; lapseShown: boolean }>({ ...LOCK, values: [patient, VM_OBSERVATION_ID + newId()] });
  const [raw] = rows;
  if (!raw) throw new Error('an insert that returns gave no row');
  return { ...rowOf(raw.summary), assertions: readAssertions(raw.assertions), joined: raw.joined, lapseShown: raw.lapseShown };
}

async function saveAssertions(db: Queryable, row: LockedRow): Promise<void> {
  await db.query({ ...SAVE_ASSERTIONS, values: [row.patient, JSON.stringify(row.assertions)] });
}

async function save(row: LockedRow, { tx, now }: StatusContext, nonePolicy: NonePolicy): Promise<Winner | undefined> {
  const others = (await Promise.all(row.joined.map((id) => assertionsOf(tx.db, id)))).flat();
  const { winner, values, counted, isNews } = answerOf(row, others, now, nonePolicy);
  const { rows: [saved] } = await tx.db.query<{ summary: string }>({ ...SAVE, values: [...values, now, counted] });
  if (saved && isNews) await tx.announce([newsOf(saved.summary, row.joined, { tx, now })]);
  return winner;
}

export interface Answered {
  readonly winner: Winner | undefined;
  /** Patient, then the columns in the order of SAVED_COLUMNS. */
  readonly values: unknown[];
  /** All that counted, as JSON text. */
  readonly counted: string;
  /** Is the answer another than the last one told: by a write, or by the clock? */
  readonly isNews: boolean;
}

/** The answer that follows from all that is asserted, and the row that holds it. */
export function answerOf(row: LockedRow, others: readonly Assertion[], now: number, nonePolicy: NonePolicy): Answered {
  // The winner is the same at every moment from now on; only its lapse depends on the clock.
  const all = [...row.assertions, ...others];
  const winner = winnerOf(all, Infinity, nonePolicy);
  const differs = answerText(row.winner, now) !== answerText(winner, now);
  const lapsed = winner !== undefined && hasLapsed(winner, now);
  const values = [
    row.patient, JSON.stringify(row.assertions), row.changes + (differs ? 1 : 0), differs ? Math.max(now, row.changed) : row.changed,
    winner?.id ?? null, winner ? sourceText(winner) : null, winner?.basic ?? null, winner?.category ?? null, winner?.decided ?? null,
    winner?.decidedAt ?? null, winner?.validUntil ?? null, winner?.lapsesAt ?? null, lapsed,
  ];
  return { winner, values, counted: JSON.stringify(all), isNews: row.survivor === undefined && (differs || (lapsed && !row.lapseShown)) };
}

/** What subscribers are told of a row as it was saved. */
export function newsOf(summary: string, joined: readonly string[], { tx, now }: Pick<StatusContext, 'tx' | 'now'>): News {
  const row = rowOf(summary);
  return {
    topic: STATUS_TOPIC,
    stream: `Patient/${row.patient}`,
    subjects: () => namesOf(tx.db, row, joined),
    focus: `Observation/${row.observation}`,
    version: Number(vmVersion(row, now)),
    detail: summary,
  };
}

/** What a reader of the vm-observation sees of an answer: two that read the same are one version (VM-08). */
function answerText(winner: Winner | undefined, now: number): string {
  if (!winner) return '';
  const { basic, category, lastUpdated, expired } = statusAt(winner, now);
  return JSON.stringify([basic, category, lastUpdated, expired && winner.lapsesAt]);
}

/** Writes the Patient's next version where it does not show this status yet. */
async function show(stored: StoredVersion, winner: Winner | undefined, { now, put }: StatusContext): Promise<void> {
  const shown = patientShowing(stored, winner, now);
  if (shown) await put(shown);
}

/** The Patient with this status; undefined where it shows it already, or is deleted. */
function patientShowing(stored: StoredVersion, winner: Winner | undefined, now: number): Resource | undefined {
  if (stored.text === null) return undefined;
  const patient = JSON.parse(stored.text) as Resource;
  const { extension, ...rest } = patient;
  const change = extensionShowing(extension, winner, now);
  return change && { ...rest, resourceType: 'Patient', ...(change.value && { extension: change.value }) };
}

/** The extensions of a Patient with this status, undefined where none is left; no change at all where they show the status already. */
export function extensionShowing(extension: JsonValue | undefined, winner: Winner | undefined, now: number): { readonly value: JsonValue[] | undefined } | undefined {
  const status = statusExtension(statusAt(winner, now));
  if (JSON.stringify(shownStatus({ extension })) === JSON.stringify(status)) return undefined;
  return { value: extensionsShowing({ extension }, status) };
}
