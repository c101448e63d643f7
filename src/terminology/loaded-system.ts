// A code system loaded by the command line into tables: SNOMED CT, dm+d. Nothing of it is held in memory.
import type { Queryable } from '../db/database.js';
import { sql, type Sql } from '../db/sql.js';
import { isAbstract, type Concept, type ConceptProperty, type Designation } from './concept.js';
import type { SystemHeader } from './memory-system.js';

export interface LoadedSystem {
  readonly kind: 'loaded';
  readonly header: SystemHeader;
  /** Names the rows of this release. */
  readonly load: number;
  readonly concepts: number;
}

interface ReleaseRow {
  readonly system: string;
  readonly version: string;
  readonly load: number;
  readonly name: string;
  readonly concepts: number;
}

/** What `more` of a concept's row holds, as JSON. */
export interface ConceptMore {
  readonly definition?: string;
  readonly designation?: readonly Designation[];
  readonly property?: readonly ConceptProperty[];
}

export interface ConceptRow {
  readonly code: string;
  readonly display: string;
  readonly active: boolean;
  readonly more: string | null;
}

export const CONCEPT_COLUMNS: Sql = sql.raw('c.code, c.display, c.active, c.more');

/** All releases of a system, the newest version first. */
export async function findReleases(db: Queryable, url: string): Promise<readonly LoadedSystem[]> {
  const text = 'select system, version, load, name, concepts from fhir.code_system_release where system = $1';
  const { rows } = await db.query<ReleaseRow>({ name: 'terminology releases', text, values: [url] });
  return rows.map(toSystem).sort((a, b) => compareVersions(b.header.version, a.header.version));
}

function toSystem({ system, version, load, name, concepts }: ReleaseRow): LoadedSystem {
  const header = { url: system, version, name, content: 'complete', caseSensitive: true, subsumes: true, properties: new Map() };
  return { kind: 'loaded', header, load, concepts };
}

/** `2.10` is after `2.9`. */
export function compareVersions(a: string | undefined, b: string | undefined): number {
  return (a ?? '').localeCompare(b ?? '', 'en', { numeric: true });
}

export function toConcept({ code, display, active, more }: ConceptRow): Concept {
  const { definition, designation = [], property = [] } = more === null ? {} : (JSON.parse(more) as ConceptMore);
  return { code, display, ...(definition !== undefined && { definition }), designations: designation, properties: property, parents: [], inactive: !active, abstract: isAbstract(property) };
}

/** With parents and refsets; undefined where there is none. */
export async function findConcept(db: Queryable, system: LoadedSystem, code: string): Promise<Concept | undefined> {
  const text = 'select c.code, c.display, c.active, c.more, array(select p.parent from fhir.concept_parent p where p.load = c.load and p.child = c.code order by 1) as parents from fhir.concept c where c.load = $1 and c.code = $2';
  const { rows } = await db.query<ConceptRow & { parents: readonly string[] }>({ name: 'terminology concept', text, values: [system.load, code] });
  const [row] = rows;
  return row && { ...toConcept(row), parents: row.parents };
}

export async function childrenOf(db: Queryable, system: LoadedSystem, code: string): Promise<readonly string[]> {
  const text = 'select child from fhir.concept_parent where load = $1 and parent = $2 order by 1';
  const { rows } = await db.query<{ child: string }>({ name: 'terminology children', text, values: [system.load, code] });
  return rows.map(({ child }) => child);
}

/** Is `ancestor` above `code`? Upwards there are few: some fifty in SNOMED CT. */
export async function isAbove(db: Queryable, system: LoadedSystem, ancestor: string, code: string): Promise<boolean> {
  const statement = sql`select ${ancestor} in (${aboveSql(system.load, sql`${code}`)}) as above`;
  const { rows } = await db.query<{ above: boolean }>(statement);
  return rows[0]?.above ?? false;
}

/** A subquery of the codes above `code`, a piece of SQL, without it. */
export function aboveSql(load: number, code: Sql): Sql {
  return sql`with recursive up as (
    select p.parent as code from fhir.concept_parent p where p.load = ${load}::bigint and p.child = ${code}
    union select p.parent from up join fhir.concept_parent p on p.load = ${load}::bigint and p.child = up.code) select code from up`;
}

/** A subquery of the codes below one, without it. */
export function belowSql(load: number, code: string): Sql {
  return sql`with recursive down as (
    select p.child as code from fhir.concept_parent p where p.load = ${load}::bigint and p.parent = ${code}
    union select p.child from down join fhir.concept_parent p on p.load = ${load}::bigint and p.parent = down.code) select code from down`;
}
