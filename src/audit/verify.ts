// Is the trail as it was recorded? Walks the chain from its beginning and names the first event or block that does not hold.
import { createHash } from 'node:crypto';
import type { Database, Queryable } from '../db/database.js';
import { agentId, type Agent } from './agent.js';
import { digestSql, SEALED } from './seal.js';

export interface Verified {
  readonly events: number;
  /** `seq:link`, to be noted somewhere else: whoever rewrites the whole chain can't rewrite that. */
  readonly head: string;
  /** The first fault found; undefined where the trail is whole. */
  readonly fault?: string;
}

const AT_ONCE = 200;
const DIGEST_BYTES = 32;

/** A block, and the first of its events that is missing or not as it was. */
interface Walked {
  readonly seq: number;
  readonly count: number;
  readonly digests: Buffer;
  readonly link: Buffer;
  readonly place: number | null;
  readonly event: string;
  readonly missing: boolean;
}

/** Each event is looked up by its id: joined to them all, a block of one would cost as much as the whole trail. */
const WALK = {
  name: 'audit walk',
  text: `select b.seq, cardinality(b.events) as count, b.digests, b.link, f.place, f.event, f.missing from fhir.audit_block b
    left join lateral (
      select g.place::integer as place, g.event, e.digest is null as missing from unnest(b.events) with ordinality as g (event, place)
        left join lateral (select ${digestSql('a')} as digest from fhir.audit_event a where a.id = g.event offset 0) e on true
      where e.digest is distinct from substring(b.digests from (g.place::integer - 1) * ${DIGEST_BYTES} + 1 for ${DIGEST_BYTES}) order by g.place limit 1) f on true
    where b.seq > $1 order by b.seq limit ${AT_ONCE}`,
};
const HEAD = { name: 'audit head', text: `select seq, link from fhir.audit_chain where name = 'audit'` };
const UNSEALED = {
  name: 'audit unsealed',
  text: `select s.id from (
      select e.id from fhir.audit_event e, fhir.audit_chain c
        where c.name = 'audit' and ((e.xid, e.id) <= (c.xid, c.event) or e.xid >= pg_snapshot_xmax(pg_current_snapshot()))
      except ${SEALED}) s order by s.id limit 1`,
};
const TWICE = { name: 'audit twice', text: `select event from (${SEALED}) s group by event having count(*) > 1 limit 1` };
const AGENTS = { name: 'audit agents', text: 'select id, client, subject, role, organization, practitioner_role, patient, related_person, purpose from fhir.audit_agent order by id' };
const STRAYS = { name: 'audit strays', text: 'select e.id from fhir.audit_event e where not exists (select from fhir.audit_agent a where a.id = e.agent) limit 1' };

/** `noted`: a head of an earlier run, which the chain must still hold. In one view of the tables, so that the sealer may go on meanwhile. */
export function verifyTrail(database: Database, noted?: string): Promise<Verified> {
  return database.transaction((tx) => verifyIn(tx, noted));
}

async function verifyIn(db: Queryable, noted: string | undefined): Promise<Verified> {
  await db.query({ text: 'set transaction isolation level repeatable read', values: [] });
  const { rows: [head] } = await db.query<{ seq: string | number; link: Buffer }>({ ...HEAD, values: [] });
  if (!head) return { events: 0, head: '0', fault: 'the end of the chain is missing (fhir.audit_chain)' };
  const end = { seq: Number(head.seq), link: head.link };
  const fault = (await walk(db, end, noted)) ?? (await besideTheChain(db)) ?? (await changedAgent(db));
  return { events: end.seq, head: headText(end), ...(fault !== undefined && { fault }) };
}

const headText = ({ seq, link }: { seq: number; link: Buffer }): string => `${seq}:${link.toString('hex')}`;

async function walk(db: Queryable, end: { seq: number; link: Buffer }, noted: string | undefined): Promise<string | undefined> {
  let at = { seq: 0, link: Buffer.alloc(end.link.length) as Buffer };
  let met = noted === undefined;
  for (;;) {
    const { rows } = await db.query<Walked>({ ...WALK, values: [at.seq] });
    for (const block of rows) {
      const fault = faultOf(block, at);
      if (fault !== undefined) return fault;
      at = { seq: block.seq, link: block.link };
      met ||= noted === headText(at);
    }
    if (rows.length < AT_ONCE) break;
  }
  if (at.seq !== end.seq || !at.link.equals(end.link)) return `the chain ends at event ${at.seq}, and was ${end.seq} long`;
  return met ? undefined : `the chain does not hold ${noted}: it was made anew since`;
}

function faultOf({ seq, count, digests, link, place, event, missing }: Walked, before: { readonly seq: number; readonly link: Buffer }): string | undefined {
  if (seq - count !== before.seq) return `the block of event ${before.seq + 1} is missing`;
  if (place !== null) return `event audit-${event} (number ${before.seq + place}) is ${missing ? 'missing' : 'not as it was recorded'}`;
  const holds = digests.length === count * DIGEST_BYTES && createHash('sha256').update(before.link).update(digests).digest().equals(link);
  return holds ? undefined : `the block of event ${before.seq + 1} is not as it was sealed`;
}

async function besideTheChain(db: Queryable): Promise<string | undefined> {
  const [unsealed, twice] = [await db.query<{ id: string }>({ ...UNSEALED, values: [] }), await db.query<{ event: string }>({ ...TWICE, values: [] })];
  if (unsealed.rows[0]) return `event audit-${unsealed.rows[0].id} was put in afterwards: it is in no block`;
  return twice.rows[0] && `event audit-${twice.rows[0].event} is in two blocks`;
}

async function changedAgent(db: Queryable): Promise<string | undefined> {
  const { rows } = await db.query<Agent & { readonly id: string; readonly practitioner_role: string | null; readonly related_person: string | null }>({ ...AGENTS, values: [] });
  const changed = rows.find((row) => agentId({ ...row, practitionerRole: row.practitioner_role, relatedPerson: row.related_person }) !== row.id);
  if (changed) return `agent ${changed.id} is not as it was recorded`;
  const { rows: [stray] } = await db.query<{ id: string }>({ ...STRAYS, values: [] });
  return stray && `event audit-${stray.id} names an agent who is missing`;
}
