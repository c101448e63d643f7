// One clause of a search tree as SQL, for the row of one alias: rows of the same resource by EXISTS or columns,
// another resource only by an uncorrelated select (design/storage.md, rule 4).
import type { Definitions } from '../definitions/model.js';
import { fail } from '../fhir/errors.js';
import type { Grant } from './grant.js';
import { PARAMETER_RULES } from './params/index.js';
import { driversOf, drives, type Conjunct } from './drivers.js';
import type { Clause } from './query.js';
import { presenceText } from './presence.js';
import { slotsOf, type Slot } from './slots.js';
import { paramIs, type SqlScope, type Use } from './sql-scope.js';
import { tsquery } from './words.js';
import { commonTokens, type FrequencyOf } from './token-frequency.js';

/** What stays the same while one statement is written. */
export interface Writing {
  readonly definitions: Definitions;
  readonly sql: SqlScope;
  /** ANDed to the rows of each other type on the way; absent while a clause of the Grant itself is written. */
  readonly grant?: Grant;
  readonly frequencyOf: FrequencyOf;
}

export interface Row {
  readonly type: string;
  readonly alias: string;
  /** Select of the few ids of which the row's is one, where that is known: then other rows are looked up from these, and not all that satisfy a clause are gathered. */
  readonly ids?: string;
  /** Select of `Type/id`: all that the one chain which is written may lead to, where that is gathered beforehand. */
  readonly targets?: string;
  /** The column of the id by which the caller knows the row, where that is not `id`. */
  readonly own?: string;
}

type Of<K extends Clause['kind']> = Extract<Clause, { kind: K }>;

export function slotOf(definitions: Definitions, type: string, code: string): Slot {
  const slot = slotsOf(definitions, type).byCode.get(code);
  if (!slot) throw fail('unknown-parameter', { text: `${type} has no search parameter ${code}`, expression: code });
  return slot;
}

/** The slot of a parameter that the caller asked by. Refused, by name, where the Grant hides what it is about: the answer would tell. */
export function askedSlot({ definitions, grant }: Pick<Writing, 'definitions' | 'grant'>, type: string, code: string, values?: readonly string[]): Slot {
  if (grant?.hides(type, code, values)) {
    throw fail('forbidden', { text: `The role ${grant.caller.role} sees only part of a ${type}, and may not ask by ${code}, which is about the rest`, expression: code });
  }
  return slotOf(definitions, type, code);
}

export function clauseText(writing: Writing, row: Row, clause: Clause, use: Use): string {
  switch (clause.kind) {
    case 'all': return 'true';
    case 'none': return 'false';
    case 'and':
    case 'or': return joined(writing, row, clause, use);
    case 'not': return `(${clauseText(writing, row, clause.of, 'filter')}) is not true`;
    case 'ids': return idsText(writing, row, clause, use);
    case 'parameter': return parameterText(writing, row, clause, use);
    case 'chain': return chainText(writing, row, clause, use);
    case 'names': return namesText(writing, row, clause);
    case 'has': return hasText(writing, row, clause, use);
    case 'text': return wordsText(writing, row, clause, use);
    case 'below': return belowText(writing, row, clause, use);
    case 'above': return aboveText(writing, row, clause, use);
    case 'held': return heldText(writing, row, clause, use);
  }
}

function joined(writing: Writing, row: Row, { kind, of }: Of<'and' | 'or'>, use: Use): string {
  if (of.length === 0) return kind === 'and' ? 'true' : 'false';
  writing.sql.constant &&= of.length < 8;
  if (kind === 'or' && use === 'drive' && of.some((part) => part.kind === 'and')) return eitherText(writing, row, of);
  return `(${of.map((part) => clauseText(writing, row, part, use)).join(` ${kind} `)})`;
}

/** Each alternative finds its rows in its own best way: a condition with `or` between lists of ids is tried on every row. */
function eitherText(writing: Writing, { type, alias }: Row, of: readonly Clause[]): string {
  const ids = of.map((part) => otherRows(writing, type, part, (other) => `${other}.id`));
  return `${alias}.id = any(array(${ids.join(' union all ')}))`;
}

function idsText({ sql }: Writing, { alias, own = `${alias}.id` }: Row, { ids }: Of<'ids'>, use: Use): string {
  const test = `${own} = any(${sql.bind(ids, 'text[]')})`;
  return use === 'drive' ? test : `(${test}) is true`;
}

function parameterText(writing: Writing, row: Row, clause: Of<'parameter'>, use: Use): string {
  const { sql, frequencyOf } = writing;
  const { type, alias } = row;
  const { modifier, values } = clause;
  const slot = askedSlot(writing, type, clause.parameter.code, values.map(({ text }) => text));
  if (modifier === 'missing') {
    return withExcept(writing, row, slot.code, presenceText(alias, slot, values[0]?.text !== 'true'));
  }
  const common = (): readonly bigint[] => {
    const frequency = frequencyOf(type);
    return frequency ? commonTokens(frequency) : [];
  };
  const predicate = PARAMETER_RULES[slot.parameter.type].predicate(slot, modifier, values, { sql, row: alias, use, common });
  return use === 'ids' ? predicate : withExcept(writing, row, slot.code, predicate);
}

/** The index of words is brought up to date before a search asks it: store/text-index.ts. */
function wordsText(writing: Writing, row: Row, { of, words }: Of<'text'>, use: Use): string {
  const { sql } = writing;
  const { type, alias } = row;
  askedSlot(writing, type, of);
  // Planned for each value anew: a word may be in every row, or in one.
  sql.constant = false;
  const entry = sql.alias('w');
  const test = `${entry}.type = '${type}' and ${entry}.${of === '_text' ? 'narrative' : 'content'} @@ ${tsquery(sql, words)}`;
  if (use === 'filter') return withExcept(writing, row, of, `(select true from fhir.text_index ${entry} where ${entry}.id = ${alias}.id and ${test} limit 1) is true`);
  const ids = `select ${entry}.id from fhir.text_index ${entry} where ${test}`;
  return use === 'ids' ? ids : withExcept(writing, row, of, `${alias}.id = any(array(${ids}))`);
}

/** A criterion, where the Grant lets it hold of every row; else of the others only. */
function withExcept(writing: Writing, row: Row, code: string, text: string): string {
  const except = writing.grant?.except(row.type, code);
  return except ? `(${text} and ${clauseText(ungranted(writing), row, { kind: 'not', of: except }, 'filter')})` : text;
}

/** For clauses of the Grant itself, which are not put under it. */
function ungranted({ definitions, sql, frequencyOf }: Writing): Writing {
  return { definitions, sql, frequencyOf };
}

/** The ids of the rows of which the Grant lets no criterion by the parameter hold, as a select; undefined where there are none. */
export function exceptedIds(writing: Writing, type: string, code: string): string | undefined {
  const except = writing.grant?.except(type, code);
  return except && otherRows(ungranted(writing), type, except, (other) => `${other}.id`);
}

/** Rows that point at a row of another type which satisfies a clause. */
function chainText(writing: Writing, row: Row, clause: Of<'chain'>, use: Use): string {
  return withExcept(writing, row, clause.parameter.code, pointingText(writing, row, clause, use));
}

function pointingText(writing: Writing, { type, alias, ids, targets: gathered }: Row, clause: Of<'chain'>, use: Use): string {
  const { parameter, type: other, where } = clause;
  const slot = askedSlot(writing, type, parameter.code);
  if (ids !== undefined) return fewPointing(writing, { type, alias, ids }, slot, other, where);
  if (slot.column === 'subject') {
    const targets = gathered ?? targetsText(writing, clause);
    return use === 'drive' ? `${alias}.subject = any(array(${targets}))` : `(${alias}.subject in (${targets})) is true`;
  }
  if (use === 'drive') {
    const salts = slot.readers.map((reader) => writing.sql.bind(String(reader.salt), 'bigint'));
    const tokens = (to: string): string => salts.map((salt) => `${to}.self # ${salt}`).join(', ');
    return `${alias}.tokens && array(${otherRows(writing, other, where, (to) => `unnest(array[${tokens(to)}])`)})`;
  }
  // An overlap of two long lists is slow for each row; a hashed select is not.
  const targets = gathered ?? targetsText(writing, clause);
  const ref = writing.sql.alias('f');
  return `(select true from unnest(${alias}.refs) ${ref} where ${refIs(writing.sql, ref, slot)}`
    + ` and (split_part(${ref}, ' ', 1) in (${targets})) is true limit 1) is true`;
}

/** What a chain leads to, as a select of `Patient/1`. */
export function targetsText(writing: Writing, { type, where }: Of<'chain'>): string {
  return otherRows(writing, type, where, (to) => `'${type}/' || ${to}.id`);
}

/** That is most rows, or all: no index is asked. */
function namesText({ definitions, sql }: Writing, { type, alias }: Row, { parameter, type: other }: Of<'names'>): string {
  const slot = slotOf(definitions, type, parameter.code);
  if (slot.column === 'subject') return `starts_with(coalesce(${alias}.subject, ''), '${other}/')`;
  const ref = sql.alias('f');
  return `exists (select from unnest(${alias}.refs) ${ref} where starts_with(${ref}, '${other}/') and ${refIs(sql, ref, slot)})`;
}

/** Rows that a row of another type points at, which satisfies a clause. */
type FewRows = Row & { readonly ids: string };

/** The same of few rows: what they point at, and which of that satisfies the clause. */
function fewPointing(writing: Writing, { type, alias, ids }: FewRows, slot: Slot, other: string, where: Clause): string {
  const [from, ref] = [writing.sql.alias('q'), writing.sql.alias('f')];
  const start = other.length + 2;
  const targets = slot.column === 'subject'
    ? `select substr(${from}.subject, ${start}) from fhir."${type}" ${from} where ${from}.id = any(array(${ids})) and starts_with(${from}.subject, '${other}/')`
    : `select substr(split_part(${ref}, ' ', 1), ${start}) from fhir."${type}" ${from}, unnest(${from}.refs) ${ref}`
      + ` where ${from}.id = any(array(${ids})) and starts_with(${ref}, '${other}/') and ${refIs(writing.sql, ref, slot)}`;
  const found = fewRows(writing, other, where, targets, (to) => `'${other}/' || ${to}.id`);
  if (slot.column === 'subject') return `(${alias}.subject in (${found})) is true`;
  const own = writing.sql.alias('f');
  return `(select true from unnest(${alias}.refs) ${own} where ${refIs(writing.sql, own, slot)} and (split_part(${own}, ' ', 1) in (${found})) is true limit 1) is true`;
}

/** Those of few rows that satisfy a clause and the Grant. */
function fewRows(writing: Writing, type: string, where: Clause, ids: string, column: (alias: string) => string): string {
  const alias = writing.sql.alias('o');
  const tests = conjunctsOf(writing, type, where).map((conjunct) => conjunctText(writing, { type, alias, ids }, conjunct, 'filter'));
  return `select ${column(alias)} from fhir."${type}" ${alias} where ${[`${alias}.res is not null`, `${alias}.id = any(array(${ids}))`, ...tests].join(' and ')}`;
}

/** Rows that point at few rows, and satisfy a clause. */
function fewHaving(writing: Writing, { type, alias, ids }: FewRows, slot: Slot, other: string, where: Clause): string {
  const [from, to] = [writing.sql.alias('q'), writing.sql.alias('q')];
  const test = slot.column === 'subject'
    ? `${from}.subject = any(array(select '${type}/' || i.id from (${ids}) i (id)))`
    : `${from}.tokens && array(select unnest(array[${slot.readers.map(({ salt }) => `${to}.self # ${writing.sql.bind(String(salt), 'bigint')}`).join(', ')}]) from fhir."${type}" ${to} where ${to}.id = any(array(${ids})))`;
  const pointing = `select ${from}.id from fhir."${other}" ${from} where ${from}.res is not null and ${test}`;
  const start = type.length + 2;
  if (slot.column === 'subject') return `(${alias}.id in (${fewRows(writing, other, where, pointing, (one) => `substr(${one}.subject, ${start})`)})) is true`;
  const ref = writing.sql.alias('f');
  const refs = (one: string): string => `array(select substr(split_part(${ref}, ' ', 1), ${start}) from unnest(${one}.refs) ${ref} where starts_with(${ref}, '${type}/') and ${refIs(writing.sql, ref, slot)}) as ids`;
  return `(${alias}.id in (select unnest(ids) from (${fewRows(writing, other, where, pointing, refs)}) l)) is true`;
}

function hasText(writing: Writing, { type, alias, ids: few }: Row, { type: other, parameter, where: asked }: Of<'has'>, use: Use): string {
  const slot = askedSlot(writing, other, parameter.code);
  const except = writing.grant?.except(other, slot.code);
  const where: Clause = except ? { kind: 'and', of: [asked, { kind: 'not', of: except }] } : asked;
  if (few !== undefined) return fewHaving(writing, { type, alias, ids: few }, slot, other, where);
  const start = type.length + 2;
  const ids = slot.column === 'subject'
    ? otherRows(writing, other, where, (from) => `substr(${from}.subject, ${start})`, (from) => `${from}.subject >= '${type}/' and ${from}.subject < '${type}0'`)
    : otherRefs(writing, other, where, slot, type);
  if (use === 'ids') return ids;
  return use === 'drive' ? `${alias}.id = any(array(${ids}))` : `(${alias}.id in (${ids})) is true`;
}

/** The rows that satisfy the clause and, step by step, those that point at what was found; a circle ends where nothing new is found. */
function belowText(writing: Writing, { type, alias }: Row, { parameter, where }: Of<'below'>, use: Use): string {
  const slot = askedSlot(writing, type, parameter.code);
  const [tree, next] = [writing.sql.alias('w'), writing.sql.alias('o')];
  const tokens = slot.readers.map(({ salt }) => `${tree}.self # ${writing.sql.bind(String(salt), 'bigint')}`).join(', ');
  const ids = `with recursive ${tree} (id, self) as (${otherRows(writing, type, where, (top) => `${top}.id, ${top}.self`)}`
    + ` union select ${next}.id, ${next}.self from ${tree}, fhir."${type}" ${next} where ${[`${next}.res is not null`, `${next}.tokens && array[${tokens}]`, ...seen(writing, { type, alias: next })].join(' and ')})`
    + ` select id from ${tree}`;
  return use === 'drive' ? `${alias}.id = any(array(${ids}))` : `(${alias}.id in (${ids})) is true`;
}

/** The rows that satisfy the clause and, step by step, those that they point at. */
function aboveText(writing: Writing, { type, alias }: Row, { parameter, where }: Of<'above'>, use: Use): string {
  const slot = askedSlot(writing, type, parameter.code);
  const [tree, next, ref] = [writing.sql.alias('w'), writing.sql.alias('o'), writing.sql.alias('f')];
  const start = type.length + 2;
  const steps = `select substr(split_part(${ref}, ' ', 1), ${start}) from unnest(${tree}.refs) ${ref} where starts_with(${ref}, '${type}/') and ${refIs(writing.sql, ref, slot)}`;
  const ids = `with recursive ${tree} (id, refs) as (${otherRows(writing, type, where, (bottom) => `${bottom}.id, ${bottom}.refs`)}`
    + ` union select ${next}.id, ${next}.refs from ${tree}, fhir."${type}" ${next} where ${[`${next}.res is not null`, `${next}.id = any(array(${steps}))`, ...seen(writing, { type, alias: next })].join(' and ')})`
    + ` select id from ${tree}`;
  return use === 'drive' ? `${alias}.id = any(array(${ids}))` : `(${alias}.id in (${ids})) is true`;
}

/** What the Grant says of a row that stands between. */
function seen(writing: Writing, row: Row): string[] {
  return conjunctsOf(writing, row.type, { kind: 'all' }).map((conjunct) => conjunctText(writing, row, conjunct, 'filter'));
}

/** Strings are kept folded, and references are ASCII. */
function heldText(writing: Writing, { type, alias }: Row, { parameter, type: other, held, holder, where }: Of<'held'>, use: Use): string {
  const { definitions, sql } = writing;
  const [own, their, who] = [sql.alias('s'), sql.alias('s'), sql.alias('w')];
  const holders = otherRows(writing, holder, where, (to) => `lower('${holder}/' || ${to}.id) as name`);
  const names = `select substr(${their}.value, length(${who}.name) + 2) from (${holders}) ${who}, fhir.string_index ${their}`
    + ` where ${paramIs(sql, their, [slotOf(definitions, other, held.code).key])} and ${their}.value >= ${who}.name || ' ' and ${their}.value < ${who}.name || '!'`;
  const mine = paramIs(sql, own, [slotOf(definitions, type, parameter.code).key]);
  if (use === 'drive') return `${alias}.id = any(array(select ${own}.id from fhir.string_index ${own} where ${mine} and ${own}.value = any(array(${names}))))`;
  return `(select true from fhir.string_index ${own} where ${own}.id = ${alias}.id and ${mine} and ${own}.value in (${names}) limit 1) is true`;
}

function otherRefs(writing: Writing, other: string, where: Clause, slot: Slot, type: string): string {
  const ref = writing.sql.alias('f');
  const found = (from: string): string => (
    `(select substr(split_part(${ref}, ' ', 1), ${type.length + 2}) from unnest(${from}.refs) ${ref} where starts_with(${ref}, '${type}/') and ${refIs(writing.sql, ref, slot)})`
  );
  return `select unnest(ids) from (${otherRows(writing, other, where, (from) => `array${found(from)} as ids`)}) l`;
}

/** Does an entry of `refs` (`Patient/123 subject patient `) belong to the parameter? */
export function refIs(sql: SqlScope, ref: string, { readers }: Slot): string {
  const [only, ...others] = readers;
  if (only && others.length === 0) return `position(${sql.bind(` ${only.mark} `, 'text')} in ${ref}) > 0`;
  return `(${readers.map(({ mark }) => `position(${sql.bind(` ${mark} `, 'text')} in ${ref}) > 0`).join(' or ')})`;
}

/** A select over another type's rows: the clause, and what the Grant shows of that type. */
function otherRows(writing: Writing, type: string, where: Clause, column: (alias: string) => string, more?: (alias: string) => string): string {
  const alias = writing.sql.alias('o');
  const own = rowTests(writing, { type, alias }, where);
  const tests = [`${alias}.res is not null`, ...(more ? [more(alias)] : []), ...own];
  return `select ${column(alias)} from fhir."${type}" ${alias} where ${tests.join(' and ')}`;
}

/** The tests of a row that is to be found by what is best at finding it. */
function rowTests(writing: Writing, row: Row, where: Clause): string[] {
  const conjuncts = conjunctsOf(writing, row.type, where);
  const drivers = driversOf(writing, row.type, conjuncts);
  return conjuncts.map((conjunct) => conjunctText(writing, row, conjunct, drives(writing, row.type, drivers, conjunct) ? 'drive' : 'filter'));
}

/** The clause and the Grant's, taken apart at each `and`. */
export function conjunctsOf({ grant }: Pick<Writing, 'grant'>, type: string, where: Clause): readonly Conjunct[] {
  const own = flat(where).map((clause) => ({ clause, granted: false }));
  return grant ? [...own, ...flat(grant.rows(type)).map((clause) => ({ clause, granted: true }))] : own;
}

function flat(clause: Clause): readonly Clause[] {
  if (clause.kind === 'and') return clause.of.flatMap(flat);
  return clause.kind === 'all' ? [] : [clause];
}

export function conjunctText(writing: Writing, row: Row, { clause, granted }: Conjunct, use: Use): string {
  return clauseText(granted ? ungranted(writing) : writing, row, clause, use);
}
