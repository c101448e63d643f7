// The sealer: chains what was recorded, a moment later and never on a request, in blocks. Each link is a hash of the one before and of the digests of a
// block's events. All in the database: an event that came to the server to be hashed and went back as a row cost 10 µs of each side.
import type { Database, Queryable } from '../db/database.js';

/** What is sealed of an event: all that was recorded. A row's text ends with its bracket, and what stands behind it is why the request was refused. */
export const digestSql = (event: string): string =>
  `sha256(convert_to((${['id', 'agent', 'status', 'interaction', 'what', 'patient', 'others', 'reason', 'trace', 'query'].map((column) => `${event}.${column}`).join(', ')})::text || coalesce(${event}.refused, ''), 'UTF8'))`;

/** All events that are in a block. To be taken off by EXCEPT: NOT EXISTS may look through all of them for each event. */
export const SEALED = 'select unnest(events) as event from fhir.audit_block';

export interface ChainEnd {
  readonly seq: number;
  readonly link: Buffer;
  /** The place in (xid, event) up to which rows are sealed. */
  readonly xid: string;
  readonly event: string;
}

interface Block {
  readonly count: number;
  readonly link: Buffer;
  /** Of its last event. */
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
  text: blockOf(`select e.xid, e.id, ${digestSql('e')} as digest from fhir.audit_event e
    where e.xid >= $3::xid8 and (e.xid, e.id) > ($3::xid8, $4::uuid) and e.xid < $5::xid8 order by e.xid, e.id limit ${AT_ONCE}`),
};
/** After a move transactions tell nothing of order: what is not sealed yet is sealed as it stands. */
const UNSEALED = {
  name: 'audit chain unsealed',
  text: blockOf(`select e.xid, e.id, ${digestSql('e')} as digest from (select a.id from fhir.audit_event a except ${SEALED}) u join fhir.audit_event e on e.id = u.id order by e.id limit ${AT_ONCE}`),
};
const END = { name: 'audit chain end', text: `update fhir.audit_chain set seq = $1, link = $2, xid = $3::xid8, event = $4 where name = 'audit'` };

/** Seals all events whose place is certain, and says how many. Of several servers one seals at a time. */
export async function sealAll(database: Database): Promise<number> {
  let sealed = 0;
  for (;;) {
    const count = await database.transaction(sealSome);
    sealed += count;
    if (count < AT_ONCE) return sealed;
  }
}

async function sealSome(tx: Queryable): Promise<number> {
  const { end, horizon, moved } = await lockChain(tx);
  const given = moved ? { ...UNSEALED, values: [end.seq, end.link] } : { ...NEXT, values: [end.seq, end.link, end.xid, end.event, horizon] };
  const { rows: [block] } = await tx.query<Block>(given);
  const count = block?.count ?? 0;
  // All that is below the horizon is sealed: the next pass begins there.
  const place = count < AT_ONCE || !block ? { xid: horizon, event: NO_EVENT } : moved ? end : block;
  if (count > 0 || place.xid !== end.xid) await tx.query({ ...END, values: [end.seq + count, block?.link ?? end.link, place.xid, place.event] });
  return count;
}

async function lockChain(tx: Queryable): Promise<Pass> {
  const { rows } = await tx.query<{ seq: string | number; link: Buffer; xid: string; event: string; horizon: string; moved: boolean }>({ ...LOCK, values: [] });
  const [row] = rows;
  if (!row) throw new Error('fhir.audit_chain has lost its row: put it back from a copy, and run the command audit verify');
  return { end: { seq: Number(row.seq), link: row.link, xid: row.xid, event: row.event }, horizon: row.horizon, moved: row.moved };
}

/** Stores the next block of `events`, and gives it; no row where there is none. $1 and $2 are the end of the chain. */
function blockOf(events: string): string {
  return `with next as materialized (${events}),
    block as (select count(*)::integer as count, array_agg(n.id order by n.xid, n.id) as events, string_agg(n.digest, '' order by n.xid, n.id) as digests from next n),
    linked as (select b.*, sha256($2::bytea || b.digests) as link from block b where b.count > 0),
    stored as (insert into fhir.audit_block (seq, events, digests, link) select $1::bigint + l.count, l.events, l.digests, l.link from linked l)
    select l.count, l.link, last.xid::text, last.id as event from linked l cross join lateral (select n.xid, n.id from next n order by n.xid desc, n.id desc limit 1) last`;
}
