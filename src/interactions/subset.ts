// `_summary` and `_elements`: less of each resource than there is. https://hl7.org/fhir/R4/search.html#summary
// On the text, so that what is left keeps its digits; a request that asks for neither costs nothing.
import { addPatients, apart, patientsIn } from '../audit/patients.js';
import type { Definitions, ElementRule, TypeRule } from '../definitions/model.js';
import { fail } from '../fhir/errors.js';
import { parseTree, treeText, type JsonMembers, type JsonTree } from '../fhir/json-tree.js';
import type { FhirRequest } from '../fhir/request.js';
import { subsetted } from '../fhir/subsetted.js';
import type { Found, StoredVersion } from '../store/store.js';

/** From the text of a resource to the part that was asked for. */
export interface Subset {
  match(type: string, text: string): string;
  /** What was included beside the matches: `_elements` are those of the type that is searched. */
  include(type: string, text: string): string;
}

type Keeps = (name: string, element: ElementRule | undefined) => boolean;

/** Members that a resource can't be without, whatever is asked for; modifiers change the meaning of the rest. */
const ALWAYS: ReadonlySet<string> = new Set(['resourceType', 'id', 'meta', 'implicitRules', 'modifierExtension']);

/** Undefined where all of each resource is asked for. Throws 400 for a bad value. */
export function readSubset(definitions: Definitions, pairs: FhirRequest['query']): Subset | undefined {
  const summary = pairs.find(([name, value]) => name === '_summary' && value !== '')?.[1];
  const elements = pairs.flatMap(([name, value]) => (name === '_elements' ? value.split(',') : [])).map((name) => name.trim()).filter((name) => name !== '');
  const cut = summary === undefined ? undefined : summaryCut(definitions, summary);
  if (elements.length === 0) return cut && { match: cut, include: cut };
  const chosen = elementsCut(definitions, elements);
  const match = cut ? (type: string, text: string) => chosen(type, cut(type, text)) : chosen;
  return { match, include: cut ?? ((_type, text) => text) };
}

interface Rows {
  readonly matches: readonly Found[];
  readonly includes: readonly Found[];
}

/** The rows of a page as they are asked for. */
export function subsetOf(subset: Subset | undefined, { matches, includes }: Rows): Rows {
  if (!subset) return { matches, includes };
  return {
    matches: matches.map((found) => ({ ...found, text: subset.match(found.type, found.text) })),
    includes: includes.map((found) => ({ ...found, text: subset.include(found.type, found.text) })),
  };
}

/** The versions of a history as they are asked for; a deletion has nothing to cut. */
export function subsetOfVersions<V extends StoredVersion>(subset: Subset | undefined, versions: readonly V[]): readonly V[] {
  return subset ? versions.map((version) => (version.text === null ? version : { ...version, text: subset.match(version.type, version.text) })) : versions;
}

/** Whom the versions are about, as below. */
export const patientsOfVersions = (versions: readonly StoredVersion[]): string[] =>
  versions.flatMap(({ type, id, text }) => [...(type === 'Patient' ? [id] : []), ...(text === null ? [] : patientsIn(text))]);

/** Whom the rows of a page are about: what is left of them may not say. */
export function patientsOfRows({ matches, includes }: Rows): string[] {
  const found = new Set<string>();
  for (const rows of [matches, includes]) {
    for (const { type, id, text } of rows) {
      if (type === 'Patient') found.add(apart(id));
      addPatients(text, found);
    }
  }
  return [...found];
}

type Cut = (type: string, text: string) => string;

function summaryCut(definitions: Definitions, summary: string): Cut | undefined {
  const required = (element: ElementRule | undefined): boolean => element !== undefined && element.min > 0;
  switch (summary) {
    case 'true': return cutting(definitions, (_name, element) => element?.summary === true || required(element), true);
    case 'text': return cutting(definitions, (name, element) => name === 'text' || required(element), false);
    case 'data': return cutting(definitions, (name) => name !== 'text', false);
    case 'false':
    case 'count': return undefined;
    default: throw fail('invalid-parameter', { text: `"${summary}" is not a value of _summary: write true, text, data, count or false`, expression: '_summary' });
  }
}

/** Names of elements, with or without their type in front: `name`, `Patient.name`. */
function elementsCut(definitions: Definitions, elements: readonly string[]): Cut {
  return (type, text) => {
    const named = new Set(elements.map((name) => (name.startsWith(`${type}.`) ? name.slice(type.length + 1) : name)));
    const keeps: Keeps = (name, element) => named.has(name) || (element !== undefined && (named.has(element.name) || named.has(element.name.replace('[x]', '')) || element.min > 0));
    return cutting(definitions, keeps, false)(type, text);
  };
}

function cutting(definitions: Definitions, keeps: Keeps, deep: boolean): Cut {
  return (type, text) => {
    const resource = parseTree(text) as JsonMembers;
    const rule = definitions.type(type);
    if (!rule) return text;
    return treeText(subsetted(kept(definitions, resource, rule, keeps, deep)));
  };
}

function kept(definitions: Definitions, members: JsonMembers, rule: TypeRule, keeps: Keeps, deep: boolean): JsonMembers {
  const left: JsonMembers = new Map();
  for (const [member, value] of members) {
    const name = member.startsWith('_') ? member.slice(1) : member;
    const element = elementNamed(rule, name);
    if (!ALWAYS.has(name) && !keeps(name, element)) continue;
    const inner = deep ? backboneOf(definitions, element) : undefined;
    left.set(member, inner ? within(value, (one) => kept(definitions, one, inner, keeps, deep)) : value);
  }
  return left;
}

function within(value: JsonTree, change: (members: JsonMembers) => JsonMembers): JsonTree {
  if (Array.isArray(value)) return value.map((one) => within(one, change));
  return value instanceof Map ? change(value) : value;
}

/** `valueQuantity` is of `value[x]`. */
function elementNamed(rule: TypeRule, name: string): ElementRule | undefined {
  return rule.elements.find((element) => element.name === name
    || (element.name.endsWith('[x]') && element.types.some((type) => `${element.name.slice(0, -3)}${type.charAt(0).toUpperCase()}${type.slice(1)}` === name)));
}

function backboneOf(definitions: Definitions, element: ElementRule | undefined): TypeRule | undefined {
  const [type = ''] = element?.types ?? [];
  const rule = definitions.type(type);
  return rule?.kind === 'backbone' ? rule : undefined;
}
