// The catalogue of a migrated database against the rules that let it be spread over machines.
import type { Database } from '../../src/db/database.js';
import { tableClass } from '../../src/store/tables.js';
import { definitions, openFixture, type Fixture } from './fixture.js';

let fixture: Fixture;
beforeAll(async () => void (fixture = await openFixture()));
afterAll(() => fixture.close());

const OURS = `n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')`;

async function names(database: Database, text: string): Promise<string[]> {
  const { rows } = await database.query<{ name: string }>({ text, values: [] });
  return rows.map(({ name }) => name);
}

const tables = (): Promise<string[]> =>
  names(fixture.database, `select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p') and ${OURS}`);

it('has one table for every concrete resource type of R4', async () => {
  const resources = (await tables()).filter((name) => /^fhir\.[A-Z]/.test(name)).map((name) => name.slice('fhir.'.length));
  expect(resources.sort()).toEqual([...definitions.resourceTypes]);
  expect(resources).toHaveLength(146);
});

it('has no table without a word on how it is spread', async () => {
  expect((await tables()).filter((name) => tableClass(name, definitions.resourceTypes) === undefined)).toEqual([]);
  expect(tableClass('fhir.stray', definitions.resourceTypes)).toBeUndefined();
});

it('leads every unique index with the column its table is distributed by', async () => {
  const { rows } = await fixture.database.query<{ table: string; index: string; first: string }>({
    text: `select n.nspname || '.' || c.relname as table, i.indexrelid::regclass::text as index, a.attname as first
           from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
           join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0] where i.indisunique and ${OURS}`,
    values: [],
  });
  expect(rows.length).toBeGreaterThan(146);
  const wrong = rows.filter(({ table, first }) => {
    const spread = tableClass(table, definitions.resourceTypes);
    return spread?.spread === 'distributed' && spread.by !== first;
  });
  expect(wrong).toEqual([]);
});

it('has no sequence, trigger, foreign key or exclusion constraint', async () => {
  const found = await names(fixture.database, `
    select 'sequence ' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'S' and ${OURS}
    union all select 'trigger ' || tgname from pg_trigger
    union all select 'constraint ' || conname from pg_constraint where contype in ('f', 'x')`);
  expect(found).toEqual([]);
});

it('orders ids, codes and folded strings by their bytes', async () => {
  const found = await names(fixture.database, `
    select c.relname || '.' || a.attname as name from pg_index i
    join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey) join pg_collation l on l.oid = a.attcollation
    where n.nspname = 'fhir' and l.collname <> 'C'`);
  expect(found).toEqual([]);
});

it('keeps no list of pending entries in a token index', async () => {
  const gin = await names(fixture.database, `
    select c.relname as name from pg_class c join pg_am m on m.oid = c.relam
    where m.amname = 'gin' and coalesce(array_to_string(c.reloptions, ','), '') not like '%fastupdate=off%'`);
  expect(gin).toEqual([]);
});
