// An event as it is read: its row with the agent's.
import type { Queryable } from '../db/database.js';
import { SqlScope } from '../search/sql-scope.js';
import type { AuditRows } from './audit-rows.js';

export interface EventRow {
  readonly id: string;
  readonly status: number;
  readonly interaction: string;
  readonly what: string | null;
  readonly patient: string | null;
  readonly others: readonly string[] | null;
  readonly reason: string | null;
  readonly trace: string | null;
  readonly query: string | null;
  readonly refused: string | null;
  readonly client: string;
  readonly subject: string | null;
  readonly role: string | null;
  readonly organization: string | null;
  readonly practitioner_role: string | null;
  readonly agent_patient: string | null;
  readonly related_person: string | null;
  readonly purpose: string | null;
}

export const EVENT_COLUMNS = `e.id, e.status, e.interaction, e.what, e.patient, e.others, e.reason, e.trace, e.query, e.refused, a.client, a.subject, a.role,
  a.organization, a.practitioner_role, a.patient as agent_patient, a.related_person, a.purpose`;
export const EVENT_TABLES = 'fhir.audit_event e join fhir.audit_agent a on a.id = e.agent';

/** The condition that leaves the rows a caller may see. */
export function visible(rows: AuditRows, sql: SqlScope): string {
  switch (rows.kind) {
    case 'all': return 'true';
    case 'none': return 'false';
    case 'organization': return `a.organization = ${sql.bind(rows.organization, 'text')}`;
    case 'patient': return aboutPatient(rows.patient, sql);
  }
}

/** Each half finds its rows by an index of its own. */
export function aboutPatient(id: string, sql: SqlScope): string {
  const value = sql.bind(id, 'text');
  return `(e.patient = ${value} or e.others @> array[${value}])`;
}

/** Milliseconds since the epoch: the first 48 bits of a UUIDv7. */
export const timeOf = (uuid: string): number => Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);

/** The least id of a moment. */
export function leastId(ms: number): string {
  const hex = Math.min(Math.max(Math.ceil(ms), 0), 2 ** 48 - 1).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

/** Undefined where there is no such event, or the caller may not see it. */
export async function readEvent(db: Queryable, rows: AuditRows, uuid: string): Promise<EventRow | undefined> {
  const sql = new SqlScope([uuid]);
  const text = `select ${EVENT_COLUMNS} from ${EVENT_TABLES} where e.id = $1::uuid and ${visible(rows, sql)}`;
  const found = await db.query<EventRow>({ text, values: sql.values });
  return found.rows[0];
}
