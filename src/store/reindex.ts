// Rows of parameters that were added, for resources that were there before; and the end of rows of parameters that are gone.
import type { Queryable } from '../db/database.js';
import type { IndexRows } from '../search/index-rows.js';
import { numberArray, textArray } from './array-text.js';
import { insertTexts, textValues } from './code-texts.js';
import { SIDE_TABLES, sideIds } from './side-tables.js';
import { resourceTable } from './tables.js';

/** A resource as the scan met it. */
export interface Scanned {
  readonly id: string;
  readonly version: number;
  readonly text: string;
}

/** What is to be added to a resource, if it is still at the version. */
export interface AddedRows {
  readonly id: string;
  readonly version: number;
  readonly rows: IndexRows;
}

/** The resources of a type behind an id, in order of id. Deleted ones have no rows. */
export async function scanType(db: Queryable, type: string, after: string, count: number): Promise<readonly Scanned[]> {
  const { rows } = await db.query<{ id: string; version: number; res: string }>({
    name: `reindex scan ${type}`,
    text: `select id, version, res from ${resourceTable(type)} where id > $1 and res is not null order by id limit $2`,
    values: [after, count],
  });
  return rows.map(({ id, version, res }) => ({ id, version, text: res }));
}

/**
 * Adds rows to those that are still at their version: a later one was written with the parameters of today. What is there already is not
 * there twice afterwards. `params`: of the parameters added.
 */
export async function addRows(db: Queryable, type: string, added: readonly AddedRows[], params: readonly number[]): Promise<void> {
  const table = resourceTable(type);
  const { rows } = await db.query<{ id: string }>({
    name: `reindex rows ${type}`,
    text: `with given as materialized (
        select g.id, g.tokens::bigint[] as tokens, g.refs::text[] as refs from unnest($1::text[], $2::bigint[], $3::text[], $4::text[]) as g (id, version, tokens, refs)
        join ${table} t on t.id = g.id and t.version = g.version order by g.id for update of t)
      update ${table} t set
        tokens = t.tokens || array(select unnest(given.tokens) except select unnest(t.tokens)),
        refs = t.refs || array(select unnest(given.refs) except select unnest(t.refs))
      from given where t.id = given.id returning t.id`,
    values: [textArray(added.map(({ id }) => id)), numberArray(added.map(({ version }) => version)), textArray(added.map((one) => numberArray(one.rows.tokens))), textArray(added.map((one) => textArray(one.rows.refs)))],
  });
  const changed = new Set(rows.map(({ id }) => id));
  await addSides(db, added.filter(({ id }) => changed.has(id)), params);
}

async function addSides(db: Queryable, added: readonly AddedRows[], params: readonly number[]): Promise<void> {
  const ids = added.map(({ id }) => id);
  const texts = added.flatMap(({ rows }) => rows.texts).sort((a, b) => a.param - b.param || (a.value < b.value ? -1 : 1));
  if (texts.length > 0) await db.query({ name: 'reindex texts', text: insertTexts(1), values: textValues(texts) });
  const changes = added.map(({ id, version, rows }) => ({ type: '', id, version, updated: 0, method: 'PUT' as const, text: null, rows }));
  for (const side of SIDE_TABLES) {
    if (!changes.some((change) => side.rowCount(change) > 0)) continue;
    await db.query({ name: `reindex clear ${side.name}`, text: `delete from fhir.${side.name} where id = any ($1) and param = any ($2::integer[])`, values: [ids, params] });
    const cells = side.arrays.map((type, index) => `$${index + 1}::${type}`).join(', ');
    await db.query({
      name: `reindex add ${side.name}`,
      text: `insert into fhir.${side.name} (${side.columns}, id) select * from unnest(${cells}, $${side.arrays.length + 1}::text[])`,
      values: [...side.values(changes), sideIds(side, changes)],
    });
  }
}

/** Takes away rows that nobody reads any more, a number of resources at a time; gives whether there were any. */
export async function clearRows(db: Queryable, params: readonly number[], count: number): Promise<boolean> {
  let found = 0;
  for (const { name } of SIDE_TABLES) {
    const text = `delete from fhir.${name} where param = any ($1::integer[]) and id = any (array(select id from fhir.${name} where param = any ($1::integer[]) limit $2))`;
    found += (await db.query({ name: `reindex end ${name}`, text, values: [params, count] })).count;
  }
  return found > 0;
}

/** The dictionary is small. */
export async function clearTexts(db: Queryable, params: readonly number[]): Promise<void> {
  await db.query({ name: 'reindex end texts', text: 'delete from fhir.code_text where param = any ($1::integer[])', values: [params] });
}

/** How many resources of the types there are, about. */
export async function roughCount(db: Queryable, types: readonly string[]): Promise<number> {
  const { rows } = await db.query<{ count: number | null }>({
    name: 'reindex count',
    text: "select sum(greatest(reltuples, 0))::bigint as count from pg_class where relnamespace = 'fhir'::regnamespace and relname = any ($1)",
    values: [types],
  });
  return rows[0]?.count ?? 0;
}

/** A moment that all that is begun from now on comes after. */
export async function nowMark(db: Queryable): Promise<string> {
  const { rows } = await db.query<{ mark: string }>({ name: 'reindex mark', text: "select pg_current_xact_id()::text || ' ' || extract(epoch from clock_timestamp())::text as mark", values: [] });
  return rows[0]?.mark ?? '';
}

/**
 * Has every transaction ended that may have written with the parameters of before? Those that have written hold back the horizon of the
 * cluster, whoever they are; one that is about to write shows when it began.
 */
export async function hasDrained(db: Queryable, mark: string): Promise<boolean> {
  const [xid = '', moment = ''] = mark.split(' ');
  const { rows } = await db.query<{ drained: boolean }>({
    name: 'reindex drained',
    text: `select pg_snapshot_xmin(pg_current_snapshot()) > $1::xid8 and not exists (
        select from pg_stat_activity where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid() and xact_start <= to_timestamp($2::float8)) as drained`,
    values: [xid, moment],
  });
  return rows[0]?.drained ?? false;
}
