// Who meets a Group's criteria, best first; and which of them one patient meets. One statement judges all (domain.md rulings 17, 25, 65; C32E6, C32E15).
import type { Queryable } from '../../db/database.js';
import type { Definitions } from '../../definitions/model.js';
import { clauseSql } from '../../search/clause-sql.js';
import type { Grant } from '../../search/grant.js';
import type { Criterion } from './criteria.js';
import { criterionSql, optedOutSql, patientSql, type CriterionScope } from './criterion-sql.js';

export interface Judging {
  readonly db: Queryable;
  readonly definitions: Definitions;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface Candidate {
  readonly id: string;
  /** Sum of the weights met. */
  readonly met: number;
}

export interface CandidatePage {
  readonly count: number;
  readonly after?: Candidate;
}

/** Left out always: a merged or inactive record, someone who died, someone restricted, and who does not want to be looked for. */
const LEFT_OUT: readonly (readonly (readonly [string, string])[])[] = [
  [['active', 'false']],
  [['deceased', 'true']],
  [['_security', 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality|R']],
];

/** The sum of all weights: what a candidate can meet at most. */
export const weightOf = (criteria: readonly Criterion[]): number => criteria.reduce((sum, { weight }) => sum + (weight ?? 0), 0);

/** The patients that the Grant shows who meet all criteria without weight, by the weights they meet and then by id; and how many there are. */
export async function candidates(criteria: readonly Criterion[], grant: Grant, page: CandidatePage, { db, definitions, now }: Judging): Promise<{ found: readonly Candidate[]; total: number }> {
  const values: unknown[] = [];
  const scope: CriterionScope = { definitions, now, values };
  const bind = (value: unknown, type: string): string => `$${values.push(value)}::${type}`;
  const tests = [
    'p.res is not null',
    `(${clauseSql(definitions, 'Patient', grant.rows('Patient'), 'p', values)})`,
    ...LEFT_OUT.map((pairs) => `(${patientSql(pairs, scope)}) is not true`),
    `(${optedOutSql(scope)}) is not true`,
    ...criteria.filter(({ weight }) => weight === undefined).map((criterion) => criterionSql(criterion, scope)),
  ];
  const met = criteria.flatMap((criterion) => (criterion.weight === undefined ? [] : [`case when ${criterionSql(criterion, scope)} then ${bind(criterion.weight, 'int')} else 0 end`]));
  const after = page.after ? `where met < ${bind(page.after.met, 'int')} or (met = ${bind(page.after.met, 'int')} and id > ${bind(page.after.id, 'text')})` : '';
  const text = `with c as materialized (select p.id, ${met.length === 0 ? '0' : met.join(' + ')} as met from fhir."Patient" p where ${tests.join(' and ')})
    select (select count(*) from c)::int as total, n.id, n.met from (select 1) one left join lateral (select id, met from c ${after} order by met desc, id limit ${bind(page.count, 'int')}) n on true`;
  const { rows } = await db.query<{ total: number; id: string | null; met: number }>({ text, values });
  return { found: rows.flatMap(({ id, met: reached }) => (id === null ? [] : [{ id, met: reached }])), total: rows[0]?.total ?? 0 };
}

/** For one patient: is each criterion met? In the order given. */
export async function judged(criteria: readonly Criterion[], patient: string, { db, definitions, now }: Judging): Promise<readonly boolean[]> {
  if (criteria.length === 0) return [];
  const values: unknown[] = [patient];
  const tests = criteria.map((criterion, index) => `${criterionSql(criterion, { definitions, now, values })} as c${index}`);
  const { rows } = await db.query<Record<string, boolean>>({ text: `select ${tests.join(', ')} from fhir."Patient" p where p.id = $1`, values });
  return criteria.map((_, index) => rows[0]?.[`c${index}`] === true);
}

export interface Decided {
  readonly basis: string;
  readonly eligible: boolean;
}

/** The latest decision of each basis, the newest first. */
export async function decisionsFor(patient: string, { db }: Pick<Judging, 'db'>): Promise<readonly Decided[]> {
  const text = 'select basis, eligible from fhir.eligibility_decision where patient = $1 order by decided desc, basis';
  const { rows } = await db.query<Decided>({ name: 'decisions-for', text, values: [patient] });
  return rows;
}
