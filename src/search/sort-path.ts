// Where the values of a token, reference or uri parameter stand in a resource's JSON, for sorting: of these the index holds hashes, which have no order.
// https://hl7.org/fhir/R4/search.html#sort · https://www.postgresql.org/docs/current/functions-json.html#FUNCTIONS-SQLJSON-PATH
import type { Definitions } from '../definitions/model.js';
import { alternatives } from './element-path.js';

/** What is compared of a value: the first that is there. */
const COMPARED: Readonly<Record<string, readonly string[]>> = {
  CodeableConcept: ['coding.code', 'text'], Coding: ['code'], Identifier: ['value'], ContactPoint: ['value'], Reference: ['reference', 'identifier.value'],
};
const PLAIN: ReadonlySet<string> = new Set(['code', 'id', 'string', 'uri', 'url', 'canonical', 'oid', 'uuid', 'boolean', 'markdown', 'integer', 'positiveInt']);

interface Place {
  readonly type: string;
  readonly path: string;
}

const CAST = /^\(\s*([\w.]+)\s+as\s+(\w+)\s*\)/;
const STEP = /^\.?(?:(where|as|ofType)\(([^()]*(?:\([^()]*\)[^()]*)*)\)|(\w+))/;
const EQUALS = /^\s*(\w+)\s*=\s*'([^'"\\]*)'\s*$/;
const IS_TYPE = /^\s*resolve\(\)\s+is\s+\w+\s*$/;

/** PostgreSQL's paths into the JSON, in groups of which the first that finds anything counts; undefined where the expression says more than a path can. */
export function sortPaths(definitions: Definitions, type: string, expression: string): readonly (readonly string[])[] | undefined {
  const places: Place[] = [];
  for (const branch of alternatives(expression)) {
    const found = placesOf(definitions, type, branch);
    if (!found) return undefined;
    places.push(...found);
  }
  const comparable = places.filter((place) => place.type in COMPARED || PLAIN.has(place.type));
  if (comparable.length === 0 || comparable.length < places.length) return undefined;
  const groups = comparable.map((place) => (COMPARED[place.type] ?? ['']).map((rest) => (rest === '' ? place.path : `${place.path}.${rest}`)));
  return [0, 1].map((rank) => groups.flatMap((group) => group[rank] ?? [])).filter((group) => group.length > 0);
}

/** Nothing of a branch that concerns another type; undefined of one that is more than a path. */
function placesOf(definitions: Definitions, type: string, branch: string): Place[] | undefined {
  const text = branch.trim().replace(CAST, '$1.as($2)').replace(/^\(\s*([\w.]+)\s*\)$/, '$1');
  const base = /^(\w+)/.exec(text)?.[1];
  if (base === undefined) return undefined;
  if (!definitions.isA(type, base)) return definitions.isResource(base) ? [] : undefined;
  let at: Place[] = [{ type, path: '$' }];
  for (let rest = text.slice(base.length); rest !== '';) {
    const step = STEP.exec(rest);
    const next: Place[] | undefined = step ? stepped(definitions, at, step) : undefined;
    if (!step || !next) return undefined;
    at = next;
    rest = rest.slice(step[0].length);
  }
  return at;
}

function stepped(definitions: Definitions, at: readonly Place[], [, call, argument = '', name = '']: RegExpExecArray): Place[] | undefined {
  if (call === undefined) return at.flatMap((place) => membersOf(definitions, place, name));
  if (call !== 'where') return at.filter((place) => place.type === argument.trim());
  if (IS_TYPE.test(argument)) return [...at];
  const [, member, literal] = EQUALS.exec(argument) ?? [];
  return member === undefined ? undefined : at.map((place) => ({ ...place, path: `${place.path} ? (@.${member} == "${String(literal)}")` }));
}

function membersOf(definitions: Definitions, { type, path }: Place, name: string): Place[] {
  const element = definitions.element(type, name);
  if (!element) return [];
  if (element.choice) return element.types.map((one) => ({ type: one, path: `${path}."${name}${one.charAt(0).toUpperCase()}${one.slice(1)}"` }));
  return element.types.slice(0, 1).map((one) => ({ type: element.backbone ?? one, path: `${path}."${name}"` }));
}
