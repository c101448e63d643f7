// Searching contained resources: their own rows say which might match, and the search of their containers, under the Grant, which are there to be seen.
// https://hl7.org/fhir/R4/search.html#contained
import type { Database, Queryable } from '../db/database.js';
import { fail } from '../fhir/errors.js';
import { parseTree, treeText, type JsonMembers, type JsonTree } from '../fhir/json-tree.js';
import { readJson } from '../fhir/json-text.js';
import type { Resource } from '../fhir/resource.js';
import { containedStatement } from '../search/contained.js';
import type { Grant } from '../search/grant.js';
import type { IndexRows } from '../search/index-rows.js';
import type { Query } from '../search/query.js';
import { insertTexts, textValues } from './code-texts.js';
import { containedChanges, storeContained } from './contained.js';
import type { ContainedMatch, ContainedPage, Reader } from './store.js';
import { resourceTable } from './tables.js';
import type { Ground } from './visible-rows.js';

interface Candidate {
  readonly id: string;
  readonly type: string;
  readonly container: string;
  readonly version: string | number;
  readonly local: string;
}

const MOST_AT_ONCE = 500;
/** Looked at for one page or total: beyond that the search is to be narrowed. */
const MOST_LOOKED_AT = 20_000;

/** A page of matches; of a count of 0 none, and how many there are. */
export async function searchContained(ground: Ground, reader: Pick<Reader, 'search'>, grant: Grant, query: Query): Promise<ContainedPage> {
  const wanted = query.count === 0 ? Infinity : query.count + 1;
  const matches: ContainedMatch[] = [];
  let after = query.after;
  for (let looked = 0; matches.length < wanted;) {
    const size = Math.min(MOST_AT_ONCE, wanted * 2);
    const { rows } = await ground.db.query<Candidate>(containedStatement(ground.definitions, { ...query, ...(after && { after }) }, grant, size));
    matches.push(...await shownOf(rows, reader, grant));
    const last = rows.at(-1);
    if (!last || rows.length < size) break;
    after = { keys: [], id: last.id };
    looked += rows.length;
    if (looked >= MOST_LOOKED_AT) throw fail('too-costly', { text: 'Too many contained resources meet the criteria: narrow the search', expression: '_contained' });
  }
  if (query.count === 0) return { matches: [], total: matches.length };
  const shown = matches.slice(0, query.count);
  const last = matches.length > shown.length ? shown.at(-1) : undefined;
  return { matches: shown, ...(last && { next: { keys: [], id: last.key } }) };
}

/** Those whose containers are at the version that the rows are of, and are shown to the caller with what they contain. */
async function shownOf(rows: readonly Candidate[], reader: Pick<Reader, 'search'>, grant: Grant): Promise<readonly ContainedMatch[]> {
  const containers = new Map<string, string>();
  for (const type of new Set(rows.map((row) => row.type))) {
    if (!grant.allows('search', type)) continue;
    const ids = [...new Set(rows.flatMap((row) => (row.type === type ? [row.container] : [])))];
    const page = await reader.search(grant, { type, where: { kind: 'ids', ids }, sort: [], count: ids.length, includes: [], total: 'none', self: [] });
    for (const { id, text } of page.matches) containers.set(`${type}/${id}`, text);
  }
  return rows.flatMap(({ id: key, type, container, version, local }) => {
    const text = containers.get(`${type}/${container}`);
    const inner = text === undefined ? undefined : innerOf(text, String(version), local);
    return text === undefined || inner === undefined ? [] : [{ key, type, id: container, text, local, inner }];
  });
}

function innerOf(text: string, version: string, local: string): string | undefined {
  const members = parseTree(text) as JsonMembers;
  const meta = members.get('meta');
  if (!(meta instanceof Map) || meta.get('versionId') !== version) return undefined;
  const contained = members.get('contained');
  const found = Array.isArray(contained) ? contained.find((one: JsonTree) => one instanceof Map && one.get('id') === local) : undefined;
  return found === undefined ? undefined : treeText(found);
}

/** What a request waits for. */
const PATIENCE_MS = 2_000;
const BATCH = 200;

/** Reads in what was stored before contained resources were indexed. 503 where that takes longer than a request should: each goes on where the last one ended. */
export async function reachContained(db: Queryable, database: Database, extract: (resource: Resource) => IndexRows, now: () => number): Promise<void> {
  const { rows } = await db.query<{ due: boolean }>({ name: 'contained any due', text: 'select exists (select from fhir.contained_due) as due', values: [] });
  if (rows[0]?.due !== true) return;
  const until = now() + PATIENCE_MS;
  const readIn = (tx: Queryable): Promise<boolean> => readDue(tx, extract);
  while (await (db === database ? database.transaction(readIn) : readIn(db))) {
    if (now() > until) throw fail('not-ready', { text: 'What resources contain is being read for the first search of it: try again in a moment' }, { 'retry-after': '1' });
  }
}

/** False once nothing is due. */
async function readDue(db: Queryable, extract: (resource: Resource) => IndexRows): Promise<boolean> {
  const { rows: due } = await db.query<{ type: string; id: string }>({ name: 'contained due', text: `select type, id from fhir.contained_due order by id, type limit ${BATCH} for update`, values: [] });
  for (const type of new Set(due.map((one) => one.type))) {
    const ids = due.flatMap((one) => (one.type === type ? [one.id] : []));
    const { rows } = await db.query<{ id: string; version: string | number; updated: string | number; res: string }>({
      name: `contained read ${type}`,
      text: `select id, version, updated, res from ${resourceTable(type)} where id = any ($1::text[]) and res is not null order by id for update`,
      values: [ids],
    });
    const changes = rows.map(({ id, version, updated, res }) => ({ type, id, version: Number(version), updated: Number(updated), method: 'PUT' as const, text: res, rows: extract(readJson(res).value as Resource) }));
    await storeContained(db, changes);
    const texts = containedChanges(changes).flatMap((change) => change.rows.texts).sort((a, b) => a.param - b.param || (a.value < b.value ? -1 : 1));
    if (texts.length > 0) await db.query({ name: 'contained texts', text: insertTexts(1), values: textValues(texts) });
    await db.query({ name: 'contained done', text: 'delete from fhir.contained_due where type = $1 and id = any ($2::text[])', values: [type, ids] });
  }
  return due.length === BATCH;
}
