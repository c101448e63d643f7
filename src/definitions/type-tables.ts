// The types of R4 with their elements, unpacked when first asked for.
// https://hl7.org/fhir/R4/elementdefinition.html
import type { ElementModel, TypeModel } from '../fhirpath/model.js';
import type { Constraint, ElementRule, TypeRule } from './model.js';
import { wordsOf, type PackedDefinitions, type PackedElement, type PackedType } from './packed.js';

const KINDS = { r: 'resource', c: 'complex-type', p: 'primitive-type', b: 'backbone' } as const;
const STRENGTHS = { r: 'required', e: 'extensible', p: 'preferred', x: 'example' } as const;

export interface TypeTables extends TypeModel {
  type(name: string): TypeRule | undefined;
  readonly resourceTypes: readonly string[];
}

export function typeTables(packed: PackedDefinitions): TypeTables {
  const packedTypes = new Map(Object.entries(packed.types));
  const constraints: readonly Constraint[] = packed.constraints.map(([key, severity, human, expression]) => {
    return { key, severity: severity === 'e' ? 'error' : 'warning', human, expression };
  });
  const rules = new Map<string, TypeRule>();
  const models = new Map<string, ReadonlyMap<string, ElementModel>>();

  const type = (name: string): TypeRule | undefined => {
    const known = rules.get(name);
    if (known) return known;
    const source = packedTypes.get(name);
    if (!source) return undefined;
    const inherited = source.base === undefined ? [] : (type(source.base)?.elements ?? []);
    const rule = unpackType(name, source, inherited, constraints);
    rules.set(name, rule);
    return rule;
  };

  const isA = (name: string, ancestor: string): boolean => {
    for (let at: string | undefined = name; at !== undefined; at = packedTypes.get(at)?.base) if (at === ancestor) return true;
    return false;
  };

  const element = (name: string, child: string): ElementModel | undefined => {
    let known = models.get(name);
    if (!known) {
      known = new Map((type(name)?.elements ?? []).map((rule) => elementModel(rule, packedTypes)));
      models.set(name, known);
    }
    return known.get(child);
  };

  const concrete = [...packedTypes].filter(([, source]) => source.kind === 'r' && source.abstract === undefined);
  return {
    type,
    isA,
    element,
    isResource: (name) => packedTypes.get(name)?.kind === 'r',
    resourceTypes: Object.freeze(concrete.map(([name]) => name).sort()),
  };
}

function unpackType(name: string, source: PackedType, inherited: readonly ElementRule[], constraints: readonly Constraint[]): TypeRule {
  const own = new Map(source.own.map((row) => [row[0], unpackElement(name, row, constraints)]));
  const front = inherited.map((rule) => own.get(rule.name) ?? { ...rule, path: `${name}.${rule.name}` });
  const taken = new Set(inherited.map((rule) => rule.name));
  const rest = [...own.values()].filter((rule) => !taken.has(rule.name));
  return Object.freeze({
    name,
    kind: KINDS[source.kind],
    abstract: source.abstract === 1,
    ...(source.base !== undefined && { base: source.base }),
    ...(source.regex !== undefined && { regex: source.regex }),
    elements: Object.freeze([...front, ...rest]),
    constraints: pick(constraints, source.rules ?? []),
  });
}

function unpackElement(type: string, [name, min, max, types, more = {}]: PackedElement, constraints: readonly Constraint[]): ElementRule {
  return {
    name,
    path: `${type}.${name}`,
    min,
    max: max === -1 ? Infinity : max,
    types: wordsOf(types),
    ...(more.targets !== undefined && { targets: wordsOf(more.targets) }),
    ...(more.bind && { binding: { strength: STRENGTHS[more.bind[0]], valueSet: more.bind[1] } }),
    ...(more.rules && { constraints: pick(constraints, more.rules) }),
    ...(more.summary === 1 && { summary: true }),
  };
}

function pick(constraints: readonly Constraint[], places: readonly number[]): readonly Constraint[] {
  return Object.freeze(places.flatMap((place) => constraints[place] ?? []));
}

function elementModel(rule: ElementRule, types: ReadonlyMap<string, PackedType>): readonly [string, ElementModel] {
  const choice = rule.name.endsWith('[x]');
  const [first] = rule.types;
  const backbone = first !== undefined && types.get(first)?.kind === 'b' ? first : undefined;
  const model = { types: rule.types, choice, repeats: rule.max > 1, ...(backbone !== undefined && { backbone }) };
  return [choice ? rule.name.slice(0, -3) : rule.name, model];
}
