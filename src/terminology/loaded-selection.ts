// A selection as SQL over the tables of loaded code systems: a condition on `c`, a row of fhir.concept.
import { sql, type Sql } from '../db/sql.js';
import { aboveSql, belowSql } from './loaded-system.js';
import { listOf } from './memory-selection.js';
import { notSupported } from './refusals.js';
import { wholePattern } from './regex-filter.js';
import type { Filter, Selection } from './selection.js';
import type { TextFilter } from './text-filter.js';

/**
 * The condition of a whole statement. `few`: the rows asked about are few (one code, or those that a text finds), so it is told
 * from each upwards whether it is below another; else all below are listed once.
 */
export function whereSql(selection: Selection, load: number, few: boolean): Sql {
  const [first, ...others] = selection.kind === 'and' ? selection.of.toSorted((a, b) => Number(isBelow(b)) - Number(isBelow(a))) : [selection];
  if (few || first === undefined || !isBelow(first)) return selectionSql(selection, load, few);
  // As an array the codes below are looked up one by one; PostgreSQL takes a subquery for long, and would read the whole table.
  // Only one, and only here: within `or` and `not`, arrays are searched from end to end for each row.
  const itself = first.op === 'is-a' ? sql`select ${first.value}::text union ` : sql``;
  const below = sql`c.code = any (array(${itself}select b.code from (${belowSql(load, first.value)}) b))`;
  return sql.join([below, ...others.map((part) => selectionSql(part, load, few))], ' and ');
}

const isBelow = (selection: Selection): selection is Filter =>
  selection.kind === 'filter' && ['concept', 'code'].includes(selection.property) && (selection.op === 'is-a' || selection.op === 'descendent-of');

function selectionSql(selection: Selection, load: number, few: boolean): Sql {
  switch (selection.kind) {
    case 'all': return sql`true`;
    case 'none': return sql`false`;
    case 'active': return sql`c.active`;
    case 'codes': return sql`c.code = any (${[...selection.codes]}::text[])`;
    case 'not': return sql`not (${selectionSql(selection.of, load, few)})`;
    case 'filter': return filterSql(selection, load, few);
    case 'and': case 'or':
      return sql`(${sql.join(selection.of.map((part) => selectionSql(part, load, few)), selection.kind === 'and' ? ' and ' : ' or ')})`;
  }
}

function filterSql(filter: Filter, load: number, few: boolean): Sql {
  switch (filter.property) {
    case 'concept': case 'code': return codeSql(filter, load, few);
    case 'display': return valueSql(filter, sql`c.display`);
    case 'inactive': return valueSql(filter, sql`(not c.active)::text`);
    case 'parent': return existsSql(filter, (test) => sql`select 1 from fhir.concept_parent p where p.load = c.load and p.child = c.code and ${test(sql`p.parent`)}`);
    case 'child': return existsSql(filter, (test) => sql`select 1 from fhir.concept_parent p where p.load = c.load and p.parent = c.code and ${test(sql`p.child`)}`);
    default:
      return existsSql(filter, (test) => sql`select 1 from fhir.concept_property p where p.load = c.load and p.code = c.code and p.property = ${filter.property} and ${test(sql`p.value`)}`);
  }
}

function codeSql(filter: Filter, load: number, few: boolean): Sql {
  const { op, value } = filter;
  const below = few ? sql`${value} in (${aboveSql(load, sql`c.code`)})` : sql`c.code in (${belowSql(load, value)})`;
  switch (op) {
    case 'is-a': return sql`(c.code = ${value} or ${below})`;
    case 'is-not-a': return sql`not (c.code = ${value} or ${below})`;
    case 'descendent-of': return below;
    case 'generalizes': return sql`(c.code = ${value} or c.code in (${aboveSql(load, sql`${value}`)}))`;
    // A reference set of SNOMED CT is named by its concept: http://hl7.org/fhir/R4/snomedct.html#filters
    case 'in': return sql`(${valueSql(filter, sql`c.code`)} or ${inRefset(value)})`;
    case 'not-in': return sql`(${valueSql(filter, sql`c.code`)} and not ${inRefset(value)})`;
    default: return valueSql(filter, sql`c.code`);
  }
}

const inRefset = (value: string): Sql =>
  sql`exists (select 1 from fhir.concept_property p where p.load = c.load and p.code = c.code and p.property = 'refset' and p.value = any (${[...listOf(value)]}::text[]))`;

/** Negations and absence are asked of all values of the concept together. */
function existsSql(filter: Filter, select: (test: (value: Sql) => Sql) => Sql): Sql {
  if (filter.op === 'exists') return filter.value === 'false' ? sql`not exists (${select(() => sql`true`)})` : sql`exists (${select(() => sql`true`)})`;
  if (filter.op === 'not-in') return sql`not exists (${select((value) => valueSql({ ...filter, op: 'in' }, value))})`;
  return sql`exists (${select((value) => valueSql(filter, value))})`;
}

function valueSql({ op, value, property }: Filter, of: Sql): Sql {
  switch (op) {
    case '=': return sql`${of} = ${value}`;
    case 'in': return sql`${of} = any (${[...listOf(value)]}::text[])`;
    case 'not-in': return sql`not ${of} = any (${[...listOf(value)]}::text[])`;
    case 'exists': return value === 'false' ? sql`false` : sql`true`;
    // The whole text is compared: PostgreSQL's engine needs no time limit but for references back.
    case 'regex': return sql`${of} ~ ${boundedPattern(value)}`;
    default: throw notSupported(`The filter ${op} is for concept, not for the property ${JSON.stringify(property.slice(0, 100))} of a loaded code system`);
  }
}

function boundedPattern(pattern: string): string {
  if (/\\\d/.test(pattern)) throw notSupported('A pattern of a filter that refers back to a group is not taken');
  try {
    RegExp(pattern);
  } catch {
    throw notSupported(`The pattern ${JSON.stringify(pattern.slice(0, 100))} of a filter is not a regular expression`);
  }
  return wholePattern(pattern);
}

/** Systems up to this size are read through for text within words; of larger ones the index finds beginnings of words. */
const READ_THROUGH = 100_000;

export function textSql({ folded, words }: TextFilter, concepts: number): Sql {
  const query = words.map((word) => `'${word}':*`).join(' & ');
  const begins = words.length > 0 ? sql`c.words @@ ${query}::tsquery` : sql`false`;
  const code = sql`c.code = ${folded}`;
  if (concepts > READ_THROUGH) return sql`(${begins} or ${code})`;
  return sql`(${begins} or c.folded like ${`%${folded.replace(/[\\%_]/g, '\\$&')}%`} or lower(c.code) like ${`${folded.replace(/[\\%_]/g, '\\$&')}%`})`;
}
