// Requests that were carried out, by the key of their X-Request-ID, so that the first answer can be given again (domain.md ruling 14).
import type { Queryable } from '../db/database.js';
import { resourceTable } from './tables.js';

/** What is kept of an answer: not the text of a resource, which its version still has. */
export interface KeptAnswer {
  readonly status: number;
  readonly version: string | undefined;
  readonly updated: number | undefined;
  readonly location: string | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;
  /** The body is the text of this version: Type/id/version. */
  readonly resource: string | undefined;
  readonly body: string | undefined;
  readonly outcome: boolean;
}

/** How long a request waits for another of the same key; then PostgreSQL gives up with lock_not_available. */
const PATIENCE = '10s';

const CLAIM = {
  name: 'request-claim',
  text: `with patience as materialized (select set_config('lock_timeout', '${PATIENCE}', true))
    insert into fhir.request_key (key, content, made, status, outcome) select $1, $2, $3, 0, false from patience on conflict (key) do nothing`,
};
const KEPT = { name: 'request-kept', text: 'select content, status, version, updated, location, headers, resource, body, outcome from fhir.request_key where key = $1' };
const KEEP = {
  name: 'request-keep',
  text: 'update fhir.request_key set status = $2, version = $3, updated = $4, location = $5, headers = $6, resource = $7, body = $8, outcome = $9 where key = $1',
};

interface Row {
  readonly content: string;
  readonly status: number;
  readonly version: string | null;
  readonly updated: number | null;
  readonly location: string | null;
  readonly headers: string | null;
  readonly resource: string | null;
  readonly body: string | null;
  readonly outcome: boolean;
}

/**
 * Takes the key for this transaction, waiting for another that has it. Undefined where it is new: the answer is then kept by keepAnswer before the
 * transaction ends. Else what was answered first, and to what content.
 */
export async function claimRequest(db: Queryable, key: string, content: string, now: number): Promise<(KeptAnswer & { readonly content: string }) | undefined> {
  const { count } = await db.query({ ...CLAIM, values: [key, content, now] });
  if (count === 1) return undefined;
  const { rows } = await db.query<Row>({ ...KEPT, values: [key] });
  const [row] = rows;
  if (!row) throw new Error('a key that is taken has no row');
  const { version, updated, location, headers, resource, body } = row;
  return {
    content: row.content,
    status: row.status,
    outcome: row.outcome,
    version: version ?? undefined,
    updated: updated ?? undefined,
    location: location ?? undefined,
    headers: headers === null ? undefined : (JSON.parse(headers) as Record<string, string>),
    resource: resource ?? undefined,
    body: body ?? undefined,
  };
}

export async function keepAnswer(db: Queryable, key: string, answer: KeptAnswer): Promise<void> {
  const { status, version, updated, location, headers, resource, body, outcome } = answer;
  const values = [key, status, version ?? null, updated ?? null, location ?? null, headers ? JSON.stringify(headers) : null, resource ?? null, body ?? null, outcome];
  await db.query({ ...KEEP, values });
}

/** The text of Type/id/version, current or superseded. */
export async function versionText(db: Queryable, resource: string): Promise<string | undefined> {
  const [type = '', id, version] = resource.split('/');
  const text = `select res from ${resourceTable(type)} where id = $1 and version = $2 union all select res from fhir.history where id = $1 and type = $3 and version = $2`;
  const { rows } = await db.query<{ res: string }>({ name: `version ${type}`, text, values: [id, version, type] });
  return rows[0]?.res;
}

/** Forgets the keys of requests made before a moment (ms); gives how many there were. */
export async function sweepRequests(db: Queryable, before: number): Promise<number> {
  const { count } = await db.query({ text: 'delete from fhir.request_key where made < $1', values: [before] });
  return count;
}
