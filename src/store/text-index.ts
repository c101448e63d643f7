// The index of words behind `_text` and `_content`: before a search asks it about a type, whatever of that type has been written
// since the last time is read into it. Writes pay nothing for it. https://www.postgresql.org/docs/current/textsearch.html
import type { Database, Queryable } from '../db/database.js';
import { fail } from '../fhir/errors.js';
import type { Clause, Query } from '../search/query.js';
import { plainWords } from '../search/words.js';
import { numberArray, textArray } from './array-text.js';
import type { Change } from './store.js';
import { resourceTable } from './tables.js';

/** A change may be committed so long after the time it bears: changes of that age are looked at again. */
const LATEST_COMMIT_MS = 10 * 60_000;
/** What a search waits for, for each type: HL7's own definitions are read in within that. Longer work goes on behind it. */
const PATIENCE_MS = 10_000;
const BATCH = 500;
/** Characters of one resource that are read: PostgreSQL's vectors end at a megabyte. */
const LONGEST = 100_000;
/** A string of such length without a space is data, not words. */
const LONGEST_WORD = 200;

interface Row {
  readonly id: string;
  readonly version: number;
  readonly updated: number;
  readonly res: string;
}

export class TextIndex {
  private readonly running = new Map<string, Promise<void>>();

  constructor(
    private readonly database: Database,
    private readonly now: () => number,
  ) {}

  /**
   * Brings the index up to now for every type that the clause asks words of. Throws 503 where that takes longer than a request should: an
   * index that is not complete is never asked. `db` is that of the search: inside a transaction its own writes are read too. Undefined for a
   * search that asks for no words.
   */
  reach(db: Queryable, { type, where }: Pick<Query, 'type' | 'where'>): Promise<void> | undefined {
    const types = wordedTypes(type, where);
    return types.size === 0 ? undefined : this.reachAll(db, types);
  }

  private async reachAll(db: Queryable, types: ReadonlySet<string>): Promise<void> {
    for (const type of types) await (db === this.database ? this.together(type) : this.read(db, type));
  }

  /** One at a time for a type; the next search waits for the same work, and then for what came meanwhile. */
  private async together(type: string): Promise<void> {
    const before = this.running.get(type);
    const work = before ? before.catch(() => undefined).then(() => this.running.get(type) ?? this.start(type)) : this.start(type);
    if (await Promise.race([work.then(() => true), waited(PATIENCE_MS)])) return;
    work.catch(() => undefined);
    throw fail('not-ready', { text: `The words of all ${type} resources are being read for the first search of them: try again in a moment` }, { 'retry-after': '5' });
  }

  private start(type: string): Promise<void> {
    const work = this.read(this.database, type).finally(() => this.running.delete(type));
    this.running.set(type, work);
    return work;
  }

  private async read(db: Queryable, type: string): Promise<void> {
    const started = this.now();
    let from = await reached(db, type);
    for (;;) {
      const rows = await unread(db, type, from);
      if (rows.length > 0) await add(db, type, rows);
      const last = rows.at(-1);
      if (!last || rows.length < BATCH) break;
      from = last.updated;
    }
    await setReached(db, type, started - LATEST_COMMIT_MS);
  }
}

const waited = (ms: number): Promise<false> => new Promise((resolve) => { setTimeout(() => { resolve(false); }, ms).unref(); });

/** The types whose words the clause asks for. */
export function wordedTypes(type: string, where: Clause): ReadonlySet<string> {
  const types = new Set<string>();
  const visit = (of: string, clause: Clause): void => {
    switch (clause.kind) {
      case 'text': types.add(of); break;
      case 'and':
      case 'or': for (const part of clause.of) visit(of, part); break;
      case 'not': visit(of, clause.of); break;
      case 'chain':
      case 'has': visit(clause.type, clause.where); break;
      default:
    }
  };
  visit(type, where);
  return types;
}

async function reached(db: Queryable, type: string): Promise<number> {
  const { rows } = await db.query<{ updated: string | number }>({ name: 'text reached', text: 'select updated from fhir.text_reached where type = $1', values: [type] });
  return Number(rows[0]?.updated ?? 0);
}

async function setReached(db: Queryable, type: string, updated: number): Promise<void> {
  await db.query({
    name: 'set text reached',
    text: `insert into fhir.text_reached (type, updated) values ($1, $2::bigint)
           on conflict (type) do update set updated = greatest(text_reached.updated, excluded.updated)`,
    values: [type, updated],
  });
}

/** The oldest that are not in the index as they are now; of a batch that ends among changes of one moment the rest comes with the next. */
async function unread(db: Queryable, type: string, from: number): Promise<readonly Row[]> {
  const { rows } = await db.query<Omit<Row, 'version' | 'updated'> & { readonly version: string | number; readonly updated: string | number }>({
    name: `unread ${type}`,
    text: `select r.id, r.version, r.updated, r.res from ${resourceTable(type)} r
           where r.updated >= $1::bigint and r.res is not null
           and not exists (select from fhir.text_index w where w.id = r.id and w.type = $2 and w.version = r.version)
           order by r.updated, r.id limit ${BATCH}`,
    values: [from, type],
  });
  return rows.map((row) => ({ ...row, version: Number(row.version), updated: Number(row.updated) }));
}

/** For versions whose text was changed in place: read at once, as nothing else tells that they were. */
export async function restateTexts(db: Queryable, changes: readonly Change[]): Promise<void> {
  for (const { type, id, version, updated, text } of changes) if (text !== null) await add(db, type, [{ id, version, updated, res: text }], '<=');
}

/** `beside`: which rows of the index give way to a version. */
async function add(db: Queryable, type: string, rows: readonly Row[], beside: '<' | '<=' = '<'): Promise<void> {
  // In the order of their ids, so that two servers wait for each other and do not deadlock.
  const sorted = [...rows].sort((a, b) => (a.id < b.id ? -1 : 1));
  const texts = sorted.map(({ res }) => textsOf(res));
  await db.query({
    name: `add texts ${beside}`,
    text: `insert into fhir.text_index (id, version, type, narrative, content)
           select id, version, $5::text, to_tsvector('simple', narrative), to_tsvector('simple', content)
           from unnest($1::text[], $2::bigint[], $3::text[], $4::text[]) as given (id, version, narrative, content)
           on conflict (id, type) do update set version = excluded.version, narrative = excluded.narrative, content = excluded.content
           where text_index.version ${beside} excluded.version`,
    values: [textArray(sorted.map(({ id }) => id)), numberArray(sorted.map(({ version }) => version)), textArray(texts.map(({ narrative }) => narrative)), textArray(texts.map(({ content }) => content)), type],
  });
}

/** The words of the narrative, and those of all values there are. */
function textsOf(res: string): { readonly narrative: string; readonly content: string } {
  const resource = JSON.parse(res) as { readonly text?: { readonly div?: unknown } };
  const div = typeof resource.text?.div === 'string' ? resource.text.div : '';
  const found: string[] = [];
  gather(resource, found);
  return { narrative: plainWords(narrativeText(div)).slice(0, LONGEST), content: plainWords(found.join(' \n')).slice(0, LONGEST) };
}

function gather(value: unknown, found: string[]): void {
  if (Array.isArray(value)) for (const one of value) gather(one, found);
  else if (typeof value === 'object' && value !== null) for (const [name, one] of Object.entries(value)) gather(name === 'div' && typeof one === 'string' ? narrativeText(one) : one, found);
  else if (typeof value === 'number') found.push(String(value));
  else if (typeof value === 'string' && (value.length < LONGEST_WORD || /\s/.test(value))) found.push(value);
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

/** Tags stand between words, except where they only mark a part of one. */
function narrativeText(div: string): string {
  return div
    .replace(/<!--.*?-->/gs, ' ')
    .replace(/<\/?(?:b|i|em|strong|span|sub|sup|u|a)\b[^>]*>/g, '')
    .replace(/<[^>]*>?/g, ' ')
    .replace(/&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(\w+));/g, (whole, decimal: string | undefined, hex: string | undefined, name: string | undefined) => {
      if (name !== undefined) return ENTITIES[name] ?? whole;
      const point = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
      return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : ' ';
    });
}
