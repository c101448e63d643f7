// Migrations: in order, once, whole or not at all, by several processes at once.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from '../../src/db/database.js';
import { migrate } from '../../src/db/migrate.js';
import { openDatabase } from '../../src/db/pool.js';
import { cloneDatabase, type TestDatabase } from '../database.js';

let clone: TestDatabase;
let db: Database;
let directory: string;

beforeEach(async () => {
  clone = await cloneDatabase('template0');
  db = openDatabase({ connection: clone.connection, size: 4, prepared: true });
  directory = mkdtempSync(join(tmpdir(), 'migrations-'));
});
afterEach(async () => {
  await db.close();
  await clone.drop();
  rmSync(directory, { recursive: true });
});

const write = (name: string, text: string) => {
  writeFileSync(join(directory, name), text);
};

async function tables(): Promise<string[]> {
  const text = `select tablename from pg_tables where schemaname = 'public' and tablename <> 'schema_migration' order by 1`;
  return (await db.query<{ tablename: string }>({ text, values: [] })).rows.map((row) => row.tablename);
}

test('files are applied in order, and each once', async () => {
  write('0002-more.sql', 'alter table one add column b int;');
  write('0001-first.sql', 'create table one (a int); create table two (a int);');
  write('notes.txt', 'not SQL');
  expect(await migrate(db, directory)).toEqual(['0001-first.sql', '0002-more.sql']);
  expect(await migrate(db, directory)).toEqual([]);
  write('0003-last.sql', 'drop table two;');
  expect(await migrate(db, directory)).toEqual(['0003-last.sql']);
  expect(await tables()).toEqual(['one']);
});

test('an empty folder is no error', async () => {
  expect(await migrate(db, directory)).toEqual([]);
});

test('a file that fails changes nothing, and the ones before it stay', async () => {
  write('0001-first.sql', 'create table one (a int);');
  write('0002-bad.sql', 'create table two (a int); select 1/0;');
  await expect(migrate(db, directory)).rejects.toMatchObject({ code: '22012' });
  expect(await tables()).toEqual(['one']);
  write('0002-bad.sql', 'create table two (a int);');
  expect(await migrate(db, directory)).toEqual(['0002-bad.sql']);
});

test('a file that was changed after it was applied is named', async () => {
  write('0001-first.sql', 'create table one (a int);');
  await migrate(db, directory);
  write('0001-first.sql', 'create table one (a bigint);');
  await expect(migrate(db, directory)).rejects.toThrow('0001-first.sql was changed after it was applied');
});

test('line ends of Windows are no change', async () => {
  write('0001-first.sql', 'create table one (\na int);\n');
  await migrate(db, directory);
  write('0001-first.sql', 'create table one (\r\na int);\r\n');
  expect(await migrate(db, directory)).toEqual([]);
});

test('a database that is newer than the program is refused', async () => {
  write('0001-first.sql', 'create table one (a int);');
  await migrate(db, directory);
  rmSync(join(directory, '0001-first.sql'));
  await expect(migrate(db, directory)).rejects.toThrow('0001-first.sql was applied to this database');
});

test.each([['first.sql'], ['01-first.sql'], ['0001-other.sql']])('the name %s beside 0001-first.sql is refused', async (name) => {
  write('0001-first.sql', 'select 1;');
  write(name, 'select 2;');
  await expect(migrate(db, directory)).rejects.toThrow('NNNN-name.sql');
});

test('several processes at once apply each file once', async () => {
  write('0001-first.sql', 'create table one (a int); insert into one values (1); select pg_sleep(0.05);');
  write('0002-more.sql', 'insert into one values (2);');
  const others = [1, 2, 3].map(() => openDatabase({ connection: clone.connection, size: 1, prepared: false }));
  const applied = await Promise.all(others.map((other) => migrate(other, directory)));
  expect(applied.flat().sort()).toEqual(['0001-first.sql', '0002-more.sql']);
  expect((await db.query({ text: 'select a from one order by a', values: [] })).rows).toEqual([{ a: 1 }, { a: 2 }]);
  await Promise.all(others.map((other) => other.close()));
});

test('columns are compressed by lz4 exactly where the server has it', async () => {
  write('0001-first.sql', 'create table one (a text /*lz4*/ not null);');
  await migrate(db, directory);
  const { rows } = await db.query<{ right: boolean }>({
    text: `select attcompression = case when 'lz4' = any(enumvals) then 'l' else '' end as right
             from pg_attribute, pg_settings where attrelid = 'one'::regclass and attname = 'a' and name = 'default_toast_compression'`,
    values: [],
  });
  expect(rows).toEqual([{ right: true }]);
});
