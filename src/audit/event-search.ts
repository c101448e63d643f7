// AuditEvents by search: those the server recorded and those that clients sent, as one list by time, a page at a time.
import type { Queryable } from '../db/database.js';
import { dateRange } from '../fhir/date-time.js';
import { fail } from '../fhir/errors.js';
import type { Grant } from '../search/grant.js';
import type { Cursor, Query } from '../search/query.js';
import { SqlScope } from '../search/sql-scope.js';
import type { Found, Reader } from '../store/store.js';
import { auditEventText } from './audit-event.js';
import type { AuditRows } from './audit-rows.js';
import { condition } from './event-conditions.js';
import { EVENT_COLUMNS, EVENT_TABLES, timeOf, visible, type EventRow } from './event-row.js';
import { eventId } from './server-made.js';

export interface SearchContext {
  readonly db: Queryable;
  readonly store: Reader;
  readonly grant: Grant;
  readonly rows: AuditRows;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface EventPage {
  readonly matches: readonly Found[];
  readonly includes: readonly Found[];
  readonly next?: Cursor;
  readonly total?: number;
}

/** Where each of the two lists goes on. */
interface Place {
  /** The last event told; undefined at the beginning. */
  readonly own?: string;
  /** `end`: none is left. */
  readonly sent?: Cursor | 'end';
}

interface Timed extends Found {
  readonly at: number;
}

export async function searchEvents(query: Query, context: SearchContext): Promise<EventPage> {
  const descending = directionOf(query);
  const total = query.total === 'none' ? undefined : await totalOf(query, context);
  if (query.count === 0) return { matches: [], includes: [], ...(total !== undefined && { total }) };
  const place = placeOf(query.after);
  const own = await ownEvents(query, place, descending, context);
  const sent = await sentEvents(query, place, query.count, context);
  const page = [...own, ...sent.list].sort((a, b) => (descending ? b.at - a.at : a.at - b.at)).slice(0, query.count);
  const ownShown = own.filter((one) => page.includes(one));
  const sentShown = sent.list.filter((one) => page.includes(one)).length;
  // Fewer than were found: once more, for the place behind the last of them and for what they include.
  const used = sentShown === sent.list.length ? sent : await sentEvents(query, place, sentShown, context);
  const more = own.length > ownShown.length || used.next !== 'end';
  return {
    matches: page, includes: used.includes, ...(total !== undefined && { total }),
    ...(more && { next: cursorOf({ ...((ownShown.at(-1)?.id ?? place.own) !== undefined && { own: ownShown.at(-1)?.id ?? place.own ?? '' }), ...(used.next !== undefined && { sent: used.next }) }) }),
  };
}

function directionOf({ sort }: Query): boolean {
  const [first, ...others] = sort;
  if (!first) return true;
  if (others.length > 0 || !['date', '_lastUpdated'].includes(first.parameter.code)) {
    throw fail('invalid-parameter', { text: 'Audit events are sorted by time alone: _sort=-date or _sort=date', expression: '_sort' });
  }
  return first.descending;
}

const cursorOf = ({ own, sent }: Place): Cursor => ({ keys: [own ?? null, sent === undefined ? null : JSON.stringify(sent)], id: '' });

function placeOf(cursor: Cursor | undefined): Place {
  const [own, sent] = cursor?.keys ?? [];
  return { ...(typeof own === 'string' && { own }), ...(typeof sent === 'string' && { sent: JSON.parse(sent) as Cursor | 'end' }) };
}

/** One more than the page holds, to know whether there is more. */
async function ownEvents(query: Query, { own }: Place, descending: boolean, { db, rows, now }: SearchContext): Promise<Timed[]> {
  if (rows.kind === 'none') return [];
  const sql = new SqlScope([]);
  const tests = [visible(rows, sql), condition(query.where, { sql, now })];
  if (own !== undefined) tests.push(`e.id ${descending ? '<' : '>'} ${sql.bind(own.slice(eventId('').length), 'text')}::uuid`);
  const order = descending ? 'desc' : 'asc';
  const text = `select ${EVENT_COLUMNS} from ${EVENT_TABLES} where ${tests.join(' and ')} order by e.id ${order} limit ${String(query.count + 1)}`;
  const found = await db.query<EventRow>({ text, values: sql.values });
  return found.rows.map((row) => ({ type: 'AuditEvent', id: eventId(row.id), text: auditEventText(row, rows), at: timeOf(row.id) }));
}

interface Sent {
  readonly list: readonly Timed[];
  readonly includes: readonly Found[];
  /** Undefined: from where this page began. */
  readonly next: Cursor | 'end' | undefined;
}

async function sentEvents(query: Query, { sent }: Place, count: number, { store, grant }: SearchContext): Promise<Sent> {
  if (sent === 'end') return { list: [], includes: [], next: 'end' };
  if (count === 0) return { list: [], includes: [], next: sent };
  const { after: _place, ...rest } = query;
  const page = await store.search(grant, { ...rest, count, total: 'none', ...(sent && { after: sent }) });
  return { list: page.matches.map((found) => ({ ...found, at: recorded(found) })), includes: page.includes, next: page.next ?? 'end' };
}

/** AuditEvent.recorded is required. */
function recorded({ text }: Found): number {
  const { recorded: written } = JSON.parse(text) as { readonly recorded: string };
  return dateRange(written)?.lo ?? 0;
}

async function totalOf(query: Query, { db, store, grant, rows, now }: SearchContext): Promise<number> {
  const sent = await store.search(grant, { ...query, count: 0, includes: [], total: 'accurate' });
  if (rows.kind === 'none') return sent.total ?? 0;
  const sql = new SqlScope([]);
  const text = `select count(*) as total from ${EVENT_TABLES} where ${visible(rows, sql)} and ${condition(query.where, { sql, now })}`;
  const own = await db.query<{ total: number }>({ text, values: sql.values });
  return (sent.total ?? 0) + (own.rows[0]?.total ?? 0);
}
