// A criterion as a condition on a row of Patient, alias `p`: of the patient's own rows by key, of other resources by an uncorrelated select, so that
// many patients are judged in one statement.
import type { Definitions } from '../../definitions/model.js';
import { londonDate } from '../../fhir/london.js';
import { clauseSql } from '../../search/clause-sql.js';
import { readCriterion } from '../../search/criterion.js';
import type { Clause } from '../../search/query.js';
import type { Criterion, NumberRange, Question } from './criteria.js';
import { TASK_CODE } from '../codes.js';

export interface CriterionScope {
  readonly definitions: Definitions;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Of the statement; appended to. */
  readonly values: unknown[];
}

/** Never null. */
export function criterionSql({ question, exclude }: Criterion, scope: CriterionScope): string {
  const met = `(${questionSql(question, scope)}) is true`;
  return exclude ? `not (${met})` : `(${met})`;
}

function questionSql(question: Question, scope: CriterionScope): string {
  const bind = (value: unknown): string => `$${scope.values.push(value)}`;
  switch (question.code) {
    case 'age': return ageSql(question.range, scope);
    case 'last-review': return reviewSql(question.range, scope);
    case 'decision': return `exists (select from fhir.eligibility_decision d where d.patient = p.id and d.basis = ${bind(question.basis)} and d.eligible)`;
    case 'active-budget': return `${question.has ? '' : 'not '}(p.id in (${activeBudgets(bind(scope.now))}))`;
    case 'gp-practice': return patientSql([['general-practitioner', question.practice]], scope);
    case 'condition-code': return conditionSql(question.tokens, scope);
  }
}

const activeBudgets = (now: string): string =>
  `select b.patient from fhir.budget_account b where b.state = 'active' and b.kind = 'phb' and b.period_from <= ${now}::bigint and b.period_until > ${now}::bigint`;

/** Whoever turned `low` by today, and has not turned `high` + 1; only dates of birth that are held can be judged. */
function ageSql({ low, high }: NumberRange, scope: CriterionScope): string {
  const today = londonDate(scope.now);
  const pairs: [string, string][] = [['birthdate:missing', 'false']];
  if (low !== undefined) pairs.push(['birthdate', `le${yearsBefore(today, Math.ceil(low))}`]);
  if (high !== undefined) pairs.push(['birthdate', `gt${yearsBefore(today, Math.floor(high) + 1)}`]);
  return patientSql(pairs, scope);
}

/** 29 February of a year that has none is as 28 February: someone born on the 29th is a year older on 1 March. */
function yearsBefore(day: string, years: number): string {
  const year = String(Number(day.slice(0, 4)) - years).padStart(4, '0');
  const rest = day.slice(4);
  const leap = new Date(Date.UTC(Number(year), 1, 29)).getUTCMonth() === 1;
  return rest === '-02-29' && !leap ? `${year}-02-28` : `${year}${rest}`;
}

const DAY_MS = 86_400_000;

/** The latest completed review lies within the days: one does, and none is later. */
function reviewSql({ low, high }: NumberRange, scope: CriterionScope): string {
  const day = (ago: number): string => londonDate(scope.now - ago * DAY_MS);
  const reviewed = (...dates: readonly string[]): string => reviewedSql(dates, scope);
  const within = reviewed(...(high === undefined ? [] : [`ge${day(high)}`]));
  return low === undefined || low <= 0 ? within : `${within} and not ${reviewed(`gt${day(low)}`)}`;
}

function reviewedSql(dates: readonly string[], scope: CriterionScope): string {
  const criterion = reader('Task', scope);
  return hasSql('Task', [criterion('code', `${TASK_CODE}|budget-review`), criterion('status', 'completed'), ...dates.map((date) => criterion('period', date))], scope);
}

/** A condition that was refuted, or noted by mistake, is none. */
function conditionSql(tokens: readonly string[], scope: CriterionScope): string {
  const criterion = reader('Condition', scope);
  const wrong: Clause = { kind: 'not', of: criterion('verification-status', 'refuted,entered-in-error') };
  return hasSql('Condition', [criterion('code', tokens.map(escaped).join(',')), wrong], scope);
}

/** Patients with a consent that stands by which they are not to be looked for. */
export function optedOutSql(scope: CriterionScope): string {
  const criterion = reader('Consent', scope);
  return hasSql('Consent', [criterion('category', 'phb-opt-out'), criterion('status', 'active')], scope);
}

/** Patients to whom a resource of the type belongs for which all of it holds. */
function hasSql(type: string, of: readonly Clause[], { definitions, values }: CriterionScope): string {
  const parameter = definitions.searchParameters(type).get('patient');
  if (!parameter) throw new Error(`${type} has no search parameter patient`);
  return clauseSql(definitions, 'Patient', { kind: 'has', type, parameter, where: { kind: 'and', of } }, 'p', values);
}

function reader(type: string, { definitions, now }: CriterionScope): (name: string, value: string) => Clause {
  const context = { definitions, base: '', types: definitions.resourceTypes, now };
  return (name, value) => readCriterion(context, type, name, value) ?? { kind: 'none' };
}

/** As a search of Patient reads the pairs. */
export function patientSql(pairs: readonly (readonly [string, string])[], scope: CriterionScope): string {
  const criterion = reader('Patient', scope);
  return clauseSql(scope.definitions, 'Patient', { kind: 'and', of: pairs.map(([name, value]) => criterion(name, value)) }, 'p', scope.values);
}

const escaped = (token: string): string => token.replace(/[\\,$]/g, '\\$&');
