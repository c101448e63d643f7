// `_include` and `_revinclude` in the statement of the page itself. https://hl7.org/fhir/R4/search.html#include
import { askedSlot, exceptedIds, conjunctText, conjunctsOf, refIs, type Writing } from './clause.js';
import type { Include } from './query.js';
import { isReady } from './added.js';
import { slotsOf, type Slot } from './slots.js';

/** How many times `:iterate` goes on from what was included: a tree of organisations is no deeper. Of everything that refers to anything, less is enough. */
const ROUNDS = 8;
const WILD_ROUNDS = 3;

const COLUMNS = ['id', 'res', 'refs', 'self'];

/** CTEs for the includes of the rows of `shown` (columns type, id, refs, self), and the names of those that hold rows. */
export interface IncludeText {
  readonly ctes: readonly string[];
  readonly names: readonly string[];
}

/** `most`: so many are looked for, one more than are sent, to tell. */
export function includeText(writing: Writing, includes: readonly Include[], type: string, most: number): IncludeText {
  const ctes: string[] = [];
  const names: string[] = [];
  let from = 'shown';
  let types: readonly string[] = [type];
  const wild = includes.some(({ source }) => source === '*');
  if (wild) writing.sql.constant = false;
  for (let round = 0; round < (wild ? WILD_ROUNDS : ROUNDS); round += 1) {
    const due = sourced(writing, includes.filter((include) => round === 0 || include.iterate), types);
    const layer = layerText(writing, due, from, types, { wanted: `wanted${round}`, most });
    if (layer.branches.length === 0) break;
    const name = `included${round}`;
    ctes.push(...layer.ctes, `${name} as materialized (select * from (${layer.branches.join(' union all ')}) i limit ${most})`);
    names.push(name);
    from = name;
    types = layer.types;
  }
  return { ctes, names };
}

/** `*` as a source is every type: of what is shown already, or of what may refer to it. */
function sourced({ definitions }: Writing, includes: readonly Include[], types: readonly string[]): readonly Include[] {
  return includes.flatMap((include) => (include.source !== '*' ? [include] : (include.reverse ? definitions.resourceTypes : types).map((source) => ({ ...include, source }))));
}

interface Layer {
  readonly ctes: readonly string[];
  readonly branches: readonly string[];
  readonly types: readonly string[];
}

interface Bounds {
  /** The name of the CTE of what is pointed at. */
  readonly wanted: string;
  readonly most: number;
}

function layerText(writing: Writing, includes: readonly Include[], from: string, types: readonly string[], { wanted, most }: Bounds): Layer {
  const forward = includes.filter(({ reverse, source }) => !reverse && types.includes(source));
  const targets = visible(writing, [...new Set(forward.flatMap((include) => targetTypes(writing, include)))]);
  const backward = includes.flatMap((include) => (include.reverse && visible(writing, [include.source]).length > 0 ? backwardTexts(writing, include, from, types, most) : []));
  const sources = includes.filter(({ reverse }) => reverse).map(({ source }) => source);
  return {
    ctes: targets.length === 0 ? [] : [wantedText(writing, forward, from, wanted)],
    branches: [...targets.map((type) => forwardText(writing, type, wanted, most)), ...backward],
    types: [...new Set([...targets, ...sources])],
  };
}

/** The types of which the Grant shows any row. */
function visible({ grant }: Writing, types: readonly string[]): readonly string[] {
  return types.filter((type) => grant?.rows(type).kind !== 'none');
}

/** `*` stands for what the caller may ask by. */
function slotsIncluded(writing: Pick<Writing, 'definitions' | 'grant'>, { source, parameter }: Include): readonly Slot[] {
  const { definitions, grant } = writing;
  if (parameter) return [askedSlot(writing, source, parameter.code)];
  return [...slotsOf(definitions, source).byCode.values()].filter(({ code, parameter }) => parameter.type === 'reference' && isReady(parameter) && !grant?.hides(source, code));
}

function targetTypes(writing: Writing, include: Include): readonly string[] {
  if (include.target !== undefined) return [include.target];
  return slotsIncluded(writing, include).flatMap(({ targets }) => (targets.length > 0 ? targets : writing.definitions.resourceTypes));
}

/** What the rows point at by the parameters asked for: `Patient/123`. */
function wantedText(writing: Writing, includes: readonly Include[], from: string, wanted: string): string {
  const tests = includes.map((include) => {
    const target = include.target === undefined ? '' : ` and starts_with(f, '${include.target}/')`;
    const which = wantedBy(writing, include);
    return `(s.type = '${include.source}' and ${which}${target})`;
  });
  return `${wanted} as materialized (select distinct split_part(f, ' ', 1) as target from ${from} s, unnest(s.refs) f where ${tests.join(' or ')})`;
}

/** `*` without a test, unless some references are not to be followed. */
function wantedBy(writing: Writing, include: Include): string {
  const { definitions, grant, sql } = writing;
  const { source, parameter } = include;
  const restrained = [...slotsOf(definitions, source).byCode.keys()].some((code) => grant?.hides(source, code) === true || grant?.except(source, code));
  if (!parameter && !restrained) return 'true';
  const tests = slotsIncluded(writing, include).map((slot) => {
    const excepted = exceptedIds(writing, source, slot.code);
    return excepted === undefined ? refIs(sql, 'f', slot) : `(${refIs(sql, 'f', slot)} and s.id not in (${excepted}))`;
  });
  return tests.length === 0 ? 'false' : `(${tests.join(' or ')})`;
}

function forwardText(writing: Writing, type: string, wanted: string, most: number): string {
  const ids = `array(select substr(target, ${type.length + 2}) from ${wanted} where starts_with(target, '${type}/'))`;
  return rowsText(writing, type, [(alias) => `${alias}.id = any(${ids})`], most);
}

/** Rows of the source that point at the rows shown: by the subject column, or by the token of each row. */
function backwardTexts(writing: Writing, include: Include, from: string, types: readonly string[], most: number): string[] {
  const { sql } = writing;
  const on = include.target === undefined ? '' : ` where type = '${include.target}'`;
  const slots = slotsIncluded(writing, include).filter(({ targets }) => targets.length === 0 || targets.some((type) => types.includes(type)));
  const subject = slots.filter(({ column }) => column === 'subject');
  const others = slots.filter(({ column }) => column !== 'subject').flatMap(({ readers }) => readers);
  const tests: ((alias: string) => string)[] = [];
  if (subject.length > 0) tests.push((alias) => `${alias}.subject = any(array(select type || '/' || id from ${from}${on}))`);
  if (others.length > 0) {
    const salts = others.map(({ salt }) => `self # ${sql.bind(String(salt), 'bigint')}`).join(', ');
    tests.push((alias) => `${alias}.tokens && array(select unnest(array[${salts}]) from ${from}${on})`);
  }
  const excepted = slots.map(({ code }) => exceptedIds(writing, include.source, code)).find((ids) => ids !== undefined);
  return tests.map((test) => rowsText(writing, include.source, [test, ...(excepted === undefined ? [] : [(alias: string) => `${alias}.id not in (${excepted})`])], most));
}

function rowsText(writing: Writing, type: string, found: readonly ((alias: string) => string)[], most: number): string {
  const alias = writing.sql.alias('i');
  const granted = conjunctsOf(writing, type, { kind: 'all' }).map((conjunct) => conjunctText(writing, { type, alias }, conjunct, 'filter'));
  const tests = [`${alias}.res is not null`, ...found.map((test) => test(alias)), ...granted];
  return `(select '${type}' as type, ${COLUMNS.map((name) => `${alias}.${name}`).join(', ')} from fhir."${type}" ${alias} where ${tests.join(' and ')} limit ${most})`;
}
