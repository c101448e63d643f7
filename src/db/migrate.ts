// Bring the schema up to date: files NNNN-name.sql in order, each in one transaction, each once, none changed afterwards.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Database, Queryable } from './database.js';

/** Stands for `compression lz4` after a column's type, where the server has it. */
const LZ4 = '/*lz4*/';
/** Any number that is ours alone. It only keeps two starters apart; what counts is the table's own lock. */
const LOCK = 734_082_561;

interface Migration {
  readonly name: string;
  readonly text: string;
  readonly checksum: string;
}

/** Returns the names applied now. Safe to run from several processes at once. Throws if an applied file has changed or gone. */
export async function migrate(database: Database, directory: string): Promise<string[]> {
  const migrations = readMigrations(directory);
  await database.transaction(makeTable);
  const applied: string[] = [];
  for (const migration of await pending(database, migrations)) {
    if (await database.transaction((tx) => applyOnce(tx, migration))) applied.push(migration.name);
  }
  return applied;
}

function readMigrations(directory: string): Migration[] {
  const names = readdirSync(directory).filter((name) => name.endsWith('.sql')).sort();
  const numbers = names.map((name) => /^(\d{4})-[a-z0-9-]+\.sql$/.exec(name)?.[1]);
  const bad = names.find((_name, at) => numbers[at] === undefined || numbers[at] === numbers[at - 1]);
  if (bad !== undefined) throw new Error(`Migration ${bad}: names are NNNN-name.sql, and each number comes once`);
  return names.map((name) => {
    const text = readFileSync(join(directory, name), 'utf8');
    return { name, text, checksum: createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex') };
  });
}

async function makeTable(tx: Queryable): Promise<void> {
  await tx.query({ text: 'select pg_advisory_xact_lock($1)', values: [LOCK] });
  await tx.query({
    text: `create table if not exists public.schema_migration (
             name text collate "C" primary key, checksum text not null, applied timestamptz not null default now())`,
    values: [],
  });
}

async function pending(database: Queryable, migrations: readonly Migration[]): Promise<Migration[]> {
  const known = await checksums(database);
  const byName = new Map(migrations.map((migration) => [migration.name, migration.checksum]));
  for (const [name, checksum] of known) {
    const now = byName.get(name);
    if (now === undefined) throw new Error(`Migration ${name} was applied to this database, and the program has no such file: it is older than the database`);
    if (now !== checksum) throw new Error(`Migration ${name} was changed after it was applied: put it back, and write a new one`);
  }
  return migrations.filter((migration) => !known.has(migration.name));
}

async function checksums(database: Queryable): Promise<Map<string, string>> {
  const text = 'select name, checksum from public.schema_migration';
  const { rows } = await database.query<{ name: string; checksum: string }>({ text, values: [] });
  return new Map(rows.map((row) => [row.name, row.checksum]));
}

/** False if another process has applied it in the meantime. */
async function applyOnce(tx: Queryable, { name, text, checksum }: Migration): Promise<boolean> {
  await tx.query({ text: 'lock table public.schema_migration in share row exclusive mode', values: [] });
  if ((await checksums(tx)).has(name)) return false;
  await tx.query({ text: text.replaceAll(LZ4, (await hasLz4(tx)) ? 'compression lz4' : ''), values: [] });
  await tx.query({ text: 'insert into public.schema_migration (name, checksum) values ($1, $2)', values: [name, checksum] });
  return true;
}

async function hasLz4(tx: Queryable): Promise<boolean> {
  const text = `select 'lz4' = any(enumvals) as has from pg_settings where name = 'default_toast_compression'`;
  return (await tx.query<{ has: boolean }>({ text, values: [] })).rows[0]?.has ?? false;
}
