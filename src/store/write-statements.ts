// The statements that store changes: one for all changes of a kind to a type, with history and side rows in the same stroke.
// Their texts depend on the type, the side tables they fill, whether they add to the dictionary, and one or many, so each is prepared
// once per connection.
import { rowsSql } from './array-text.js';
import { insertTexts } from './code-texts.js';
import type { ShiftedMember } from '../search/shift.js';
import { givenRows, ROW_COLUMNS, rowParameters, SHIFT_PARAMETERS, shiftedRows } from './row-columns.js';
import { DATES, SIDE_TABLES, type SideTable } from './side-tables.js';
import type { Beside } from './store.js';
import { resourceTable } from './tables.js';

/** What a statement is made for. */
export interface Filling {
  /** Of the search parameters whose rows are stored. */
  readonly generation: number;
  readonly sides: readonly SideTable[];
  /** Are there texts to add to the dictionary? Their parameters come last. */
  readonly texts: boolean;
  readonly many: boolean;
  /** The version stays, and nothing goes to the history. */
  readonly restates?: boolean;
  /** Rows of other rooms' tables; their parameters come after all others. */
  readonly besides: readonly Beside[];
}

/**
 * Inserts new resources. An id that is taken raises 23505, so that nothing of the statement stays: 40 µs cheaper than
 * ON CONFLICT DO NOTHING with side rows hung on what it returns.
 */
export function createText(type: string, filling: Filling): string {
  const { sides, many, generation } = filling;
  const parameters = rowParameters('create', many);
  const parts = sides.map((side, index) => `${side.name}_new as (${insertSide(side, firstParameter(parameters, sides, index, many), many)})`);
  parts.push(...textPart(parameters, filling), ...besidePart(parameters, filling));
  const withParts = parts.length > 0 ? `with ${parts.join(', ')} ` : '';
  return `${withParts}insert into ${resourceTable(type)} (${ROW_COLUMNS}) ${givenRows('create', many, generation)}`;
}

/**
 * Puts new versions, or deletions, in the place of current ones and moves those to the history. Rows that are not at
 * `before` are left alone with all that hangs on them; returns the ids of the others. Reading the superseded version
 * from the statement's snapshot is safe: an update that had to wait for another finds its version gone.
 * `params`: see paramsOf.
 */
export function changeText(type: string, params: string, filling: Filling): string {
  const { sides, many, restates = false, generation } = filling;
  const parameters = rowParameters('change', many);
  const table = resourceTable(type);
  const parts = [
    `given as ${many ? lockedInOrder(table, givenRows('change', true, generation)) : `(${givenRows('change', many, generation)})`}`,
    `changed as (update ${table} as t set ${assignments(restates)} from given where t.id = given.id and t.version = given.before returning ${many ? SUPERSEDED : 't.id'})`,
    ...(restates ? [] : [supersededPart(type, many ? 'from changed t' : `from ${table} t where ${oneChanged('t')}`, many ? 'old_' : '')]),
    ...SIDE_TABLES.map(({ name }) => {
      const whose = many ? 'using changed where s.id = changed.id' : `where ${oneChanged('s')}`;
      return `${name}_old as (delete from fhir.${name} s ${whose} and s.param = any ('${params}'::integer[]))`;
    }),
    ...sides.map((side, index) => {
      const insert = insertSide(side, firstParameter(parameters, sides, index, many), many);
      return `${side.name}_new as (${insert} where ${many ? 'id in (select id from changed)' : 'exists (select from changed)'})`;
    }),
    ...textPart(parameters, filling),
    ...besidePart(parameters, filling),
  ];
  return `with ${parts.join(',\n')}\nselect id from changed`;
}

/**
 * Gives new tokens, dates and presence to rows of which the rest of the index stays: its parameters are those of shiftValues, then of the texts.
 * Always of many.
 */
export function shiftText(type: string, { places, dateParams }: ShiftedMember, { texts, generation }: Pick<Filling, 'texts' | 'generation'>): string {
  const table = resourceTable(type);
  const present = places.reduce((text, place, index) => `overlay(${text} placing substr(given.present, ${String(index + 1)}, 1) from ${String(place)} for 1)`, 't.present');
  const kept = 'case when given.gone = \'{}\' then t.tokens else array(select token from unnest(t.tokens) as token where token <> all (given.gone)) end';
  const parts = [
    `given as ${lockedInOrder(table, shiftedRows(generation))}`,
    `changed as (update ${table} as t set version = given.version, updated = given.updated, method = given.method, res = given.res, present = ${present}, tokens = ${kept} || given.come
      from given where t.id = given.id and t.version = given.before returning ${SUPERSEDED})`,
    supersededPart(type, 'from changed t', 'old_'),
    `date_index_old as (delete from fhir.date_index s using changed where s.id = changed.id and s.param = any ('{${dateParams.join()}}'::integer[]))`,
    `date_index_new as (${insertSide(DATES, SHIFT_PARAMETERS + 1, true)} where id in (select id from changed))`,
    ...(texts ? [`texts_new as (${insertTexts(SHIFT_PARAMETERS + DATES.arrays.length + 2)})`] : []),
  ];
  return `with ${parts.join(',\n')}\nselect id from changed`;
}

/** Returned by the update itself, so that nothing is joined: of a list of unknown length the planner expects too little to join it well. */
const SUPERSEDED = 't.id, given.old_version, given.old_updated, given.old_method, given.old_res';

/** Two writes of the same resources wait for each other instead of deadlocking. What is superseded comes with its lock. */
function lockedInOrder(table: string, rows: string): string {
  return `materialized (select g.*, t.version as old_version, t.updated as old_updated, t.method as old_method, t.res as old_res
      from (${rows}) g join ${table} t on t.id = g.id and t.version = g.before order by g.id for update of t)`;
}

function supersededPart(type: string, from: string, prefix: string): string {
  const columns = ['version', 'updated', 'method', 'res'].map((column) => `t.${prefix}${column}`).join(', ');
  return `superseded as (insert into fhir.history (type, id, version, updated, method, res) select '${type}', t.id, ${columns} ${from})`;
}

/** With the id as a parameter, so that every plan looks it up in an index. */
function oneChanged(alias: string): string {
  return `${alias}.id = $1::text and exists (select from changed)`;
}

/** What is said of the same version anew was made by the same method. */
function assignments(restates: boolean): string {
  return ROW_COLUMNS.split(', ')
    .filter((column) => column !== 'id' && !(restates && column === 'method'))
    .map((column) => (column === 'self' ? 'self = coalesce(given.self, t.self)' : `${column} = given.${column}`))
    .join(', ');
}

/** The parameters of a side table follow those of the rows and of the side tables before it; many changes add one of ids. */
function firstParameter(before: number, sides: readonly SideTable[], index: number, many: boolean): number {
  return sides.slice(0, index).reduce((sum, { arrays }) => sum + arrays.length + (many ? 1 : 0), before + 1);
}

/** Added even where a change then meets another version: a text too many does no harm. */
function textPart(before: number, { sides, texts, many }: Filling): string[] {
  return texts ? [`texts_new as (${insertTexts(firstParameter(before, sides, sides.length, many))})`] : [];
}

const TEXT_PARAMETERS = 3;

function besidePart(before: number, { sides, texts, many, besides }: Filling): string[] {
  let first = firstParameter(before, sides, sides.length, many) + (texts ? TEXT_PARAMETERS : 0);
  return besides.flatMap((beside, index) => {
    const parts = [...(beside.parts?.(first) ?? []), `beside_${index}_new as (${beside.text(first)})`];
    first += beside.values.length;
    return parts;
  });
}

/** By itself, in the transaction of its changes. */
export function besideText({ parts, text }: Beside): string {
  const built = parts?.(1) ?? [];
  return built.length > 0 ? `with ${built.join(', ')} ${text(1)}` : text(1);
}

function insertSide({ name, columns, arrays }: SideTable, first: number, many: boolean): string {
  const given = Object.fromEntries(columns.split(', ').map((column, index) => [column, `$${String(first + index)}::${arrays[index] ?? ''}`]));
  if (many) given['id'] = `$${String(first + arrays.length)}::text[]`;
  return `insert into fhir.${name} (${columns}, id) select ${columns}, ${many ? 'id' : '$1::text'} from ${rowsSql(given)} as given`;
}
