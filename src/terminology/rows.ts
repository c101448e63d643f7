// The concepts of one part of a plan, counted and paged, wherever its code system is held.
import type { Queryable } from '../db/database.js';
import { codeOf } from '../db/failure.js';
import { sql, type Sql } from '../db/sql.js';
import { bareConcept, type Concept } from './concept.js';
import { textSql, whereSql } from './loaded-selection.js';
import { CONCEPT_COLUMNS, toConcept, type ConceptRow, type LoadedSystem } from './loaded-system.js';
import { matcher } from './memory-selection.js';
import type { MemorySystem } from './memory-system.js';
import type { PlanPart } from './plan.js';
import { MOST_CONCEPTS, notSupported, tooCostly } from './refusals.js';
import { and, candidates, decide } from './selection.js';
import type { HeldSystem } from './sources.js';
import { matchesText, type TextFilter } from './text-filter.js';

export interface RowOptions {
  readonly text?: TextFilter;
  readonly activeOnly: boolean;
}

export interface Rows {
  readonly total: number;
  page(offset: number, limit: number): Promise<readonly Concept[]>;
}

/** Undefined where only the code system could tell, and it is not here. */
export async function rowsOf(part: PlanPart, held: HeldSystem | undefined, options: RowOptions, db: Queryable): Promise<Rows | undefined> {
  const asked = options.activeOnly ? { ...part, selection: and([part.selection, { kind: 'active' }]) } : part;
  if (held?.kind === 'memory') return listRows(memoryConcepts(asked, held), asked, options);
  const list = candidates(asked.selection);
  if (held === undefined) return list && bareRows(asked, list, options);
  if (list === undefined) return loadedRows(asked, held, options, db);
  if (list.length > MOST_CONCEPTS) throw tooCostly(`The value set lists ${list.length} codes of ${part.system}: list at most ${MOST_CONCEPTS}`);
  const found = new Map((await queryConcepts(db, whereSql(asked.selection, held.load, true), held)).map((concept) => [concept.code, concept]));
  return listRows(list.flatMap((code) => found.get(code) ?? []), asked, options);
}

/** In the order in which the value set lists them, else that of the code system. */
function memoryConcepts({ selection }: PlanPart, system: MemorySystem): readonly Concept[] {
  const matches = matcher(selection, system);
  const list = candidates(selection);
  if (list === undefined) return [...system.concepts.values()].filter(matches);
  // What a fragment lacks may still be one of the system's codes.
  const missing = (code: string): readonly Concept[] => (system.header.content === 'complete' ? [] : decide(selection, code) === true ? [bareConcept(code)] : []);
  return [...new Set(list.flatMap((code) => system.find(code) ?? missing(code)))].filter((concept) => !system.concepts.has(concept.code) || matches(concept));
}

function bareRows(part: PlanPart, list: readonly string[], options: RowOptions): Rows | undefined {
  const decided = list.map((code) => decide(part.selection, code));
  return decided.includes(undefined) ? undefined : listRows(list.filter((_code, index) => decided[index]).map(bareConcept), part, options);
}

function listRows(concepts: readonly Concept[], part: PlanPart, { text }: RowOptions): Rows {
  const named = concepts.map((concept) => asListed(concept, part));
  const found = text ? named.filter((concept) => matchesText(text, concept)) : named;
  return { total: found.length, page: (offset, limit) => Promise.resolve(found.slice(offset, offset + limit)) };
}

/** The value set's own words for a concept go before the code system's. */
export function asListed(concept: Concept, { listed }: PlanPart): Concept {
  const own = listed.get(concept.code);
  if (!own) return concept;
  return { ...concept, ...(own.display !== undefined && { display: own.display }), designations: [...own.designations, ...concept.designations] };
}

/** From so many concepts, each is asked what it is below: half a millisecond for one of SNOMED CT. */
const FEW = 500;

async function loadedRows(part: PlanPart, system: LoadedSystem, { text }: RowOptions, db: Queryable): Promise<Rows> {
  const named = text && textSql(text, system.concepts);
  const few = named !== undefined && (await countConcepts(db, named, system, FEW + 1)) <= FEW;
  const where = sql`${whereSql(part.selection, system.load, few)}${named ? sql` and ${named}` : sql``}`;
  const counted = part.selection.kind === 'all' && !text ? system.concepts : await countConcepts(db, where, system);
  // The shortest name that holds what was typed is most likely the one that was meant.
  const order = text ? sql`length(c.display), c.code` : sql`c.code`;
  return {
    total: counted,
    page: async (offset, limit) => (await queryConcepts(db, where, system, sql` order by ${order} offset ${offset} limit ${limit}`)).map((concept) => asListed(concept, part)),
  };
}

/** What was counted, by database: rows of a load never change, and who turns pages asks again. */
const counted = new WeakMap<Queryable, Map<string, number>>();
const MOST_COUNTS = 1000;
/** A list of codes makes a long statement, and is soon counted. */
const LONGEST_KEPT = 2000;

async function countConcepts(db: Queryable, where: Sql, { load }: LoadedSystem, most?: number): Promise<number> {
  const limit = most === undefined ? sql`` : sql` limit ${most}`;
  const statement = sql`select count(*)::integer as count from (select from fhir.concept c where c.load = ${load} and ${where}${limit}) found`;
  const key = `${statement.text} ${JSON.stringify(statement.values)}`;
  const counts = counted.get(db) ?? new Map<string, number>();
  counted.set(db, counts);
  const known = counts.get(key);
  if (known !== undefined) return known;
  const { rows } = await asked(db.query<{ count: number }>(statement));
  const count = rows[0]?.count ?? 0;
  if (key.length <= LONGEST_KEPT) counts.set(key, count);
  const [oldest] = counts.keys();
  if (counts.size > MOST_COUNTS && oldest !== undefined) counts.delete(oldest);
  return count;
}

export async function queryConcepts(db: Queryable, where: Sql, { load }: LoadedSystem, more: Sql = sql``): Promise<readonly Concept[]> {
  const { rows } = await asked(db.query<ConceptRow>(sql`select ${CONCEPT_COLUMNS} from fhir.concept c where c.load = ${load} and ${where}${more}`));
  return rows.map(toConcept);
}

async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw codeOf(error) === '2201B' ? notSupported('The pattern of a filter is not one that PostgreSQL reads') : error;
  }
}
