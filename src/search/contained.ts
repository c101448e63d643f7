// `_contained`: criteria asked of resources that stand inside others. https://hl7.org/fhir/R4/search.html#contained
import type { Definitions } from '../definitions/model.js';
import { conjunctsOf, conjunctText, type Writing } from './clause.js';
import type { SearchStatement } from './compile.js';
import { driversOf, type Conjunct } from './drivers.js';
import type { Grant } from './grant.js';
import type { Query } from './query.js';
import { SqlScope } from './sql-scope.js';

/** More values than these are not looked for in an index. */
const MOST_DRIVING = 100;

/**
 * The rows of fhir.contained that the criteria hold of, in order of their ids: id, type and id of the container with the version that they are of, and `local`.
 * Whether that version is the current one, and whether the Grant shows it, is for the store to ask. `container`: the type of what contains them, if it is to be one.
 */
export function containedStatement(definitions: Definitions, { type, where, after }: Query, grant: Grant, count: number, container?: string): SearchStatement {
  const sql = new SqlScope([]);
  const writing: Writing = { definitions, sql, grant, frequencyOf: () => undefined };
  const row = { type, alias: 'r', own: 'r.local' };
  const conjuncts = conjunctsOf({}, type, where);
  const { drivers } = driversOf(writing, type, conjuncts);
  const tests = conjuncts.map((conjunct) => conjunctText(writing, row, conjunct, drivers.has(conjunct) && isPlain(conjunct) ? 'drive' : 'filter'));
  if (after) tests.push(`r.id > ${sql.bind(after.id, 'text')}`);
  if (container !== undefined) tests.push(`r.container_type = ${sql.bind(container, 'text')}`);
  return {
    text: `select r.id, r.container_type as type, r.container, r.version, r.local from fhir.contained r where ${[`r.type = '${type}'`, ...tests].join(' and ')} order by r.id limit ${count}`,
    values: sql.values,
  };
}

/** Other predicates, when they drive, ask the table of the type itself. */
const isPlain = ({ clause }: Conjunct): boolean => clause.kind === 'parameter' && clause.modifier === undefined && clause.values.length < MOST_DRIVING;
