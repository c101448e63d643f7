// The row of one access, and the statements that store it: by itself, many at once, or beside a write.
import type { Queryable } from '../db/database.js';
import type { Beside } from '../store/store.js';
import { numberArray, rowsSql, textArray } from '../store/array-text.js';

export interface AuditRow {
  /** UUIDv7: holds the time. */
  readonly id: string;
  readonly agent: string;
  /** As in HTTP. */
  readonly status: number;
  /** `read`, `create` …, `$chargeable-status`; `start`, `stop` and `gap` of the server itself. */
  readonly interaction: string;
  /** `Patient`, `Patient/1`, `Patient/1/_history/2`. */
  readonly what: string | null;
  /** Ids. */
  readonly patients: readonly string[];
  readonly reason: string | null;
  /** X-Request-ID, a space, X-Correlation-ID. */
  readonly trace: string | null;
  readonly query: string | null;
  /** The code of the error that the request was refused with: `INSUFFICIENT_FUNDS`. */
  readonly refused?: string | undefined;
}

const COLUMNS = 'id, agent, status, interaction, what, patient, others, reason, trace, query';
const TYPES = ['uuid', 'uuid', 'smallint', 'text', 'text', 'text', 'text', 'text', 'text', 'text'];

const othersOf = ({ patients }: AuditRow): string | null => (patients.length > 1 ? textArray(patients.slice(1)) : null);
/** PostgreSQL's text holds no NUL, and a header or a query can: nothing is lost that could be searched for. */
const clean = (text: string | null): string | null => (text?.includes('\0') ? text.replaceAll('\0', '') : text);

/** The rows of a write, stored in its own statement or beside it in its transaction. Never empty. */
export function besideWrite(rows: readonly AuditRow[]): Beside {
  const [only] = rows;
  const several = { held: rows, of: (all: readonly unknown[]) => besideWrite(all as readonly AuditRow[]) };
  if (only && rows.length === 1) return { name: 'audit', text: oneText, values: oneValues(only), several };
  return { name: 'audits', text: (first) => manyText(first), values: manyValues(rows), several };
}

function oneText(first: number): string {
  return `insert into fhir.audit_event (${COLUMNS}) values (${TYPES.map((type, index) => `$${String(first + index)}${type === 'text' ? '' : `::${type}`}`).join(', ')})`;
}

function oneValues(row: AuditRow): unknown[] {
  return [row.id, row.agent, row.status, row.interaction, clean(row.what), row.patients[0] ?? null, othersOf(row), clean(row.reason), row.trace, clean(row.query)];
}

/** `more`: further columns, of text. */
function manyText(first: number, more: readonly string[] = []): string {
  const columns = [...COLUMNS.split(', '), ...more];
  const given = Object.fromEntries(columns.map((column, index) => [column, `$${String(first + index)}::${TYPES[index] ?? 'text'}[]`]));
  return `insert into fhir.audit_event (${columns.join(', ')}) select ${columns.join(', ').replace('others', 'others::text[]')} from ${rowsSql(given)} as given`;
}

function manyValues(rows: readonly AuditRow[]): unknown[] {
  return [
    textArray(rows.map(({ id }) => id)), textArray(rows.map(({ agent }) => agent)), numberArray(rows.map(({ status }) => status)),
    textArray(rows.map(({ interaction }) => interaction)), textArray(rows.map(({ what }) => what)), textArray(rows.map(({ patients }) => patients[0] ?? null)),
    textArray(rows.map(othersOf)), textArray(rows.map(({ reason }) => reason)), textArray(rows.map(({ trace }) => trace)), textArray(rows.map(({ query }) => query)),
  ];
}

const CREATED = {
  name: 'audit created',
  text: `insert into fhir.audit_event (id, agent, status, interaction, what, patient, trace)
    select id, $2::uuid, 201, 'create', $5::text || '/' || created || '/_history/1', patient, $6::text from unnest($1::uuid[], $3::text[], $4::text[]) as given (id, created, patient)`,
};

/** Records that one agent has made many new resources of a type, each about one patient or none, in the transaction that stores them. */
export async function storeCreated(db: Queryable, { agent, type, trace }: Pick<AuditRow, 'agent' | 'trace'> & { readonly type: string }, created: readonly { readonly event: string; readonly id: string; readonly patient: string | undefined }[]): Promise<void> {
  const values = [textArray(created.map(({ event }) => event)), agent, textArray(created.map(({ id }) => id)), textArray(created.map(({ patient }) => patient ?? null)), type, trace];
  await db.query({ ...CREATED, values });
}

/** What could not be stored in one statement with its write, in the same transaction. Run again, it meets its own rows. */
export async function storeBeside(db: Queryable, { name, text, values }: Beside): Promise<void> {
  await db.query({ name: `beside ${name} once`, text: `${text(1)} on conflict (id) do nothing`, values });
}

/** Of many rows at once. One that is there already is left: the answer of an earlier try may have been lost. */
export function insertRows(rows: readonly AuditRow[]): { name: string; text: string; values: unknown[] } {
  return { name: 'audit rows', text: `${manyText(1, ['refused'])} on conflict (id) do nothing`, values: [...manyValues(rows), textArray(rows.map(({ refused }) => refused ?? null))] };
}
