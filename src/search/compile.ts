// A search tree and a Grant as one SQL statement, values apart; pure, and printable. https://hl7.org/fhir/R4/search.html
import type { Definitions } from '../definitions/model.js';
import { conjunctText, conjunctsOf, type Writing } from './clause.js';
import { driversOf, drives } from './drivers.js';
import type { Grant } from './grant.js';
import { includeText } from './include.js';
import { USUAL_LIMITS } from './limits.js';
import { keysOf, packed, unpack, type PackedRow, type SearchRow } from './packed-page.js';
import { pageText, wholePage } from './page.js';
import type { Cursor, Query } from './query.js';
import { SqlScope } from './sql-scope.js';
import { statementName } from './statement-name.js';
import type { FrequencyOf } from './token-frequency.js';
import type { WholePage } from './frame.js';

/** Structurally the Statement of db/. */
export interface SearchStatement {
  /** Set where other values give the same text. */
  readonly name?: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

const unknownFrequency: FrequencyOf = () => undefined;

/** The statement of a page and how its answer is read. */
export interface PageStatement extends SearchStatement {
  read(rows: readonly PackedRow[]): SearchRow[];
}

/** The page's rows and their includes. The count must be at least 1; `totalStatement` answers a count of 0. */
export function searchStatement(definitions: Definitions, query: Query, grant: Grant, frequencyOf: FrequencyOf = unknownFrequency): PageStatement {
  const sql = new SqlScope([]);
  const writing = { definitions, sql, grant, frequencyOf };
  const typed = query.includes.length > 0;
  const { name, text, keys } = typed ? withIncludes(writing, query) : wholePage(writing, query, matchesOnly);
  const { values } = sql;
  const read = (rows: readonly PackedRow[]): SearchRow[] => unpack(rows, keys, typed);
  return name === undefined ? { text, values, read } : { name, text, values, read };
}

const matchesOnly = (select: string, keys: number): string => packed(`(${select})`, keys, false);

function withIncludes(writing: Writing, query: Query): WholePage {
  const { type, count, mostIncluded = USUAL_LIMITS.included } = query;
  const { text, keys } = pageText(writing, query, ['refs', 'self']);
  const { ctes, names } = includeText(writing, query.includes, type, mostIncluded + 1);
  const nulls = Array.from({ length: keys }, (_, index) => `, null as k${index}`).join('');
  const all = names.map((name) => `select type, id, res from ${name}`).join(' union all ');
  const included = names.length === 0 ? '' : ` union all (select * from (select distinct on (type, id) type, id, res${nulls}`
    + ` from (${all}) i where not exists (select from shown s where s.type = i.type and s.id = i.id)) j limit ${mostIncluded + 1})`;
  const first = [`with page as materialized (${text})`, `shown as materialized (select '${type}'::text as type, id, refs, self from page limit ${count})`, ...ctes].join(', ');
  const whole = `${first} ${packed(`(select null::text as type, id, res${keyNames(keys)} from page${included})`, keys, true)}`;
  return { ...namedText(writing.sql, whole), keys };
}

const keyNames = (keys: number): string => Array.from({ length: keys }, (_, index) => `, k${index}`).join('');

/** One row with the number of all matches in `total`. */
export function totalStatement(definitions: Definitions, query: Query, grant: Grant, frequencyOf: FrequencyOf = unknownFrequency): SearchStatement {
  const sql = new SqlScope([]);
  const writing = { definitions, sql, grant, frequencyOf };
  const row = { type: query.type, alias: 'r' };
  const conjuncts = conjunctsOf(writing, query.type, query.where);
  const drivers = driversOf(writing, query.type, conjuncts);
  const tests = conjuncts.map((conjunct) => conjunctText(writing, row, conjunct, drives(writing, query.type, drivers, conjunct) ? 'drive' : 'filter'));
  return { ...namedText(sql, `select count(*) as total from fhir."${query.type}" r where ${['r.res is not null', ...tests].join(' and ')}`), values: sql.values };
}

const namedText = ({ constant }: SqlScope, text: string): { readonly name?: string; readonly text: string } => (constant ? { name: statementName(text), text } : { text });

/** Where the page after this row begins. */
export const cursorOf = (row: SearchRow): Cursor => ({ keys: keysOf(row), id: row.id });
