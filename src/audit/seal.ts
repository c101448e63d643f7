// The sealer: chains what was recorded, a moment later and never on a request. Each link is a hash of the one before and of a row.
import { createHash } from 'node:crypto';
import type { Database, Queryable } from '../db/database.js';

/** The content of a row as the chain holds it. */
export interface ContentRow {
  readonly id: string;
  readonly agent: string;
  readonly status: number;
  readonly interaction: string;
  readonly what: string | null;
  readonly patient: string | null;
  readonly others: readonly string[] | null;
  readonly reason: string | null;
  readonly trace: string | null;
  readonly query: string | null;
}

export const CONTENT_COLUMNS = 'e.id, e.agent, e.status, e.interaction, e.what, e.patient, e.others, e.reason, e.trace, e.query';

/** SHA-256 of the link before and the row. */
export function linkOf(previous: Buffer, row: ContentRow): Buffer {
  const { id, agent, status, interaction, what, patient, others, reason, trace, query } = row;
  return createHash('sha256').update(previous).update(JSON.stringify([id, agent, status, interaction, what, patient, others, reason, trace, query])).digest();
}

export interface ChainEnd {
  readonly seq: number;
  readonly link: Buffer;
  /** The place in (xid, event) up to which rows are sealed. */
  readonly xid: string;
  readonly event: string;
}

interface Pass {
  readonly end: ChainEnd;
  /** All transactions below it are over: no row below it is still to come. */
  readonly horizon: string;
  /** The database has been moved: its transactions count from anew. */
  readonly moved: boolean;
}

const AT_ONCE = 2000;
const NO_EVENT = '00000000-0000-0000-0000-000000000000';

const LOCK = {
  name: 'audit chain lock',
  text: `select seq, link, xid::text, event, pg_snapshot_xmin(pg_current_snapshot())::text as horizon, xid > pg_snapshot_xmax(pg_current_snapshot()) as moved
    from fhir.audit_chain where name = 'audit' for update`,
};
const NEXT = {
  name: 'audit chain next',
  text: `select e.xid::text, ${CONTENT_COLUMNS} from fhir.audit_event e
    where e.xid >= $1::xid8 and (e.xid, e.id) > ($1::xid8, $2::uuid) and e.xid < $3::xid8 order by e.xid, e.id limit ${AT_ONCE}`,
};
/** After a move transactions tell nothing of order: what is not sealed yet is sealed as it stands. */
const UNSEALED = {
  name: 'audit chain unsealed',
  text: `select e.xid::text, ${CONTENT_COLUMNS} from fhir.audit_event e where not exists (select from fhir.audit_seal s where s.event = e.id) order by e.id limit ${AT_ONCE}`,
};
const SEAL = {
  name: 'audit seal',
  text: 'insert into fhir.audit_seal (seq, event, link) select unnest($1::bigint[]), unnest($2::uuid[]), unnest($3::bytea[])',
};
const END = { name: 'audit chain end', text: `update fhir.audit_chain set seq = $1, link = $2, xid = $3::xid8, event = $4 where name = 'audit'` };

/** Seals all rows whose place is certain, and says how many. Of several servers one seals at a time. */
export async function sealAll(database: Database): Promise<number> {
  let sealed = 0;
  for (;;) {
    const count = await database.transaction(sealSome);
    sealed += count;
    if (count < AT_ONCE) return sealed;
  }
}

async function sealSome(tx: Queryable): Promise<number> {
  const pass = await lockChain(tx);
  const { end, horizon, moved } = pass;
  const { rows } = await tx.query<ContentRow & { readonly xid: string }>(moved ? { ...UNSEALED, values: [] } : { ...NEXT, values: [end.xid, end.event, horizon] });
  const links = chain(end.link, rows);
  const last = rows.at(-1);
  if (last) await tx.query({ ...SEAL, values: [rows.map((_row, index) => end.seq + index + 1), rows.map(({ id }) => id), links] });
  const more = rows.length === AT_ONCE;
  // All that is below the horizon is sealed: the next pass begins there.
  const place = more ? (moved ? end : { xid: last?.xid ?? end.xid, event: last?.id ?? end.event }) : { xid: horizon, event: NO_EVENT };
  if (last || place.xid !== end.xid) await tx.query({ ...END, values: [end.seq + rows.length, links.at(-1) ?? end.link, place.xid, place.event] });
  return rows.length;
}

async function lockChain(tx: Queryable): Promise<Pass> {
  const { rows } = await tx.query<{ seq: string | number; link: Buffer; xid: string; event: string; horizon: string; moved: boolean }>({ ...LOCK, values: [] });
  const [row] = rows;
  if (!row) throw new Error('fhir.audit_chain has lost its row: put it back from a copy, and run the command audit verify');
  return { end: { seq: Number(row.seq), link: row.link, xid: row.xid, event: row.event }, horizon: row.horizon, moved: row.moved };
}

function chain(first: Buffer, rows: readonly ContentRow[]): Buffer[] {
  let link = first;
  return rows.map((row) => (link = linkOf(link, row)));
}
