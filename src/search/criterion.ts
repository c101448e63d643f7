// One search criterion: `code`, `name:exact`, `subject:Patient.name`, `_has:Observation:patient:code`. https://hl7.org/fhir/R4/search.html
import type { Definitions } from '../definitions/model.js';
import { fail, type FhirError } from '../fhir/errors.js';
import { isId } from '../fhir/id.js';
import { isReady, notReady } from './added.js';
import { splitEscaped, unescape } from './escape.js';
import { hierarchyClause } from './hierarchy.js';
import { PARAMETER_RULES } from './params/index.js';
import { USUAL_LIMITS } from './limits.js';
import { badValue, type ReadContext } from './params/rules.js';
import type { Clause, SearchValue } from './query.js';
import { slotsOf, type Slot } from './slots.js';
import { readWords } from './words.js';

export interface CriterionContext extends ReadContext {
  readonly definitions: Definitions;
  /** Will the index of words be brought up to date before it is asked? */
  readonly words?: boolean;
  /** Of one chain, at most; the usual where absent. */
  readonly hops?: number;
  /** How many more ways the chains of this search may take; counted down. */
  readonly ways?: { left: number };
}

/** Where each hop may lead to several types, the ways multiply. */
const MOST_WAYS = 200;

/** Names by which other versions of FHIR call a modifier of R4. */
const SAME: Readonly<Record<string, string>> = { ofType: 'of-type' };

/** Undefined where the type has no such parameter; 400 where it has, and value or modifier is wrong. */
export function readCriterion(context: CriterionContext, type: string, name: string, value: string, depth = 0): Clause | undefined {
  const { hops = USUAL_LIMITS.hops } = context;
  if (depth > hops) throw fail('invalid-parameter', { text: `The chain ${name} is longer than ${hops} hops`, expression: name });
  if (name.startsWith('_has:')) return readHas(context, type, name, value, depth);
  const [plain = '', other] = name.split(':', 2);
  if (WHOLE.has(plain)) return readWhole(context, type, plain, other, value);
  const dot = name.indexOf('.');
  if (dot >= 0) return readChain(context, type, name.slice(0, dot), name.slice(dot + 1), value, depth);
  const colon = name.indexOf(':');
  const slot = searchableSlot(context.definitions, type, colon < 0 ? name : name.slice(0, colon));
  return slot && readValues(context, slot, colon < 0 ? undefined : name.slice(colon + 1), value);
}

/** What is asked of a resource as a whole, and takes no modifier. */
const WHOLE: ReadonlySet<string> = new Set(['_list', '_text', '_content']);

function readWhole(context: CriterionContext, type: string, name: string, modifier: string | undefined, value: string): Clause | undefined {
  if (modifier !== undefined) throw fail('unsupported-modifier', { text: `${name} takes no modifier`, expression: name });
  return name === '_list' ? readList(context, value) : readText(context, type, name === '_text' ? name : '_content', value);
}

/** A parameter that the index can answer. */
export function searchableSlot(definitions: Definitions, type: string, code: string): Slot | undefined {
  const slot = slotsOf(definitions, type).byCode.get(code);
  if (!slot || slot.parameter.expression === undefined) return undefined;
  if (!isReady(slot.parameter)) throw notReady(slot.parameter);
  return slot.parameter.type === 'composite' && !slot.parts ? undefined : slot;
}

function readValues(context: CriterionContext, slot: Slot, written: string | undefined, value: string): Clause {
  const modifier = written === undefined ? undefined : SAME[written] ?? written;
  const { parameter } = slot;
  if (modifier === 'missing') {
    if (value !== 'true' && value !== 'false') throw badValue(slot, value, ':missing takes true or false');
    return { kind: 'parameter', parameter, modifier, values: [{ text: value }] };
  }
  const rules = PARAMETER_RULES[parameter.type];
  if (modifier !== undefined && !rules.modifiers.includes(modifier) && !isTargetOf(context.definitions, slot, modifier)) throw badModifier(slot, modifier);
  const texts = splitEscaped(value, ',');
  if (slot.column === 'id') return readIds(slot, texts, modifier);
  if (parameter.type === 'reference' && (modifier === 'above' || modifier === 'below')) return readHierarchy(context, slot, modifier, texts);
  const values = texts.map((text) => rules.read(slot, modifier, text, context));
  if (slot.readers.some(({ both }) => both)) return readBoth(slot, values);
  return { kind: 'parameter', parameter, values, ...(modifier !== undefined && { modifier }) };
}

/** Each value by itself: a resource and what it is part of, or a URL and what lies along its path. */
function readHierarchy(context: CriterionContext, slot: Slot, modifier: 'above' | 'below', texts: readonly string[]): Clause {
  const of = texts.map((text): Clause => hierarchyClause(context.definitions, slot, modifier, text, context)
    ?? { kind: 'parameter', parameter: slot.parameter, modifier, values: [PARAMETER_RULES.reference.read(slot, modifier, text, context)] });
  return of.length === 1 && of[0] ? of[0] : { kind: 'or', of };
}

/** A composite that its parts answer, or that one of its readers does so: `combo-code-value-quantity` finds pairs as well. */
function readBoth({ readers }: Slot, values: readonly SearchValue[]): Clause {
  const of = readers.flatMap((reader): Clause[] => {
    const { parameter, parts = [], both } = reader;
    if (!both) return [{ kind: 'parameter', parameter, values }];
    return values.map((value) => ({ kind: 'and', of: parts.map(({ slot }, index) => partClause(slot, value.parts?.[index])) }));
  });
  return of.length === 1 && of[0] ? of[0] : { kind: 'or', of };
}

function partClause({ parameter }: Slot, value: SearchValue | undefined): Clause {
  return { kind: 'parameter', parameter, values: value ? [value] : [] };
}

/** Undefined for types that have no narrative, and where nobody keeps the index of words. */
function readText({ definitions, words }: CriterionContext, type: string, name: '_text' | '_content', value: string): Clause | undefined {
  return words && slotsOf(definitions, type).byCode.has(name) ? { kind: 'text', of: name, words: readWords(name, value) } : undefined;
}

/** What the entries of a List refer to: the same as `_has:List:item:_id`. https://hl7.org/fhir/R4/search.html#list */
function readList({ definitions }: CriterionContext, value: string): Clause | undefined {
  const ids = splitEscaped(value, ',').map((text) => (text.startsWith('List/') ? text.slice('List/'.length) : text));
  const functional = ids.find((id) => id.startsWith('$'));
  if (functional !== undefined) throw fail('invalid-parameter', { text: `The functional list ${functional.slice(0, 64)} is not kept here: _list takes the id of a List`, expression: '_list' });
  const wrong = ids.find((id) => !isId(id));
  if (wrong !== undefined) throw fail('invalid-parameter', { text: `"${wrong.slice(0, 64)}" is not a value of _list: write the id of a List`, expression: '_list' });
  const slot = searchableSlot(definitions, 'List', 'item');
  return slot && { kind: 'has', type: 'List', parameter: slot.parameter, where: { kind: 'ids', ids } };
}

function readIds(slot: Slot, texts: readonly string[], modifier: string | undefined): Clause {
  const ids = texts.map(unescape);
  const wrong = ids.find((id) => !isId(id));
  if (wrong !== undefined) throw badValue(slot, wrong, 'an id is 1 to 64 letters, digits, - and .');
  if (modifier === undefined) return { kind: 'ids', ids };
  if (modifier === 'not') return { kind: 'not', of: { kind: 'ids', ids } };
  throw badModifier(slot, modifier);
}

/** `subject:Patient`: the name of a type is a modifier of references to it. */
function isTargetOf(definitions: Definitions, { parameter, targets }: Slot, type: string): boolean {
  return parameter.type === 'reference' && definitions.resourceTypes.includes(type) && (targets.length === 0 || targets.includes(type));
}

function badModifier(slot: Slot, modifier: string): FhirError {
  const { type } = slot.parameter;
  const known = ['missing', ...PARAMETER_RULES[type].modifiers].map((name) => `:${name}`).join(', ');
  return fail('unsupported-modifier', { text: `:${modifier} does not go with the ${type} parameter ${slot.code}. It takes ${known}`, expression: slot.code });
}

function readChain(context: CriterionContext, type: string, first: string, rest: string, value: string, depth: number): Clause | undefined {
  return chained(context, type, first, rest, (target) => readCriterion(context, target, rest, value, depth + 1));
}

/** Rows whose reference `first` (`subject`, `subject:Patient`) leads to what `far` gives for the type of the target; undefined where it gives nothing for any. */
export function chained(context: CriterionContext, type: string, first: string, rest: string, far: (target: string) => Clause | undefined): Clause | undefined {
  const [code = '', only] = first.split(':');
  const slot = searchableSlot(context.definitions, type, code);
  if (slot?.parameter.type !== 'reference') return undefined;
  if (only !== undefined && !isTargetOf(context.definitions, slot, only)) throw badModifier(slot, only);
  if (only === undefined && slot.targets.length === 0) {
    throw fail('invalid-parameter', { text: `${code} may point at any type: name one, as in ${code}:Patient.${rest}`, expression: `${first}.${rest}` });
  }
  const hops = (only === undefined ? slot.targets : [only]).flatMap((target): Clause[] => {
    countWay(context, first, rest);
    const where = far(target);
    return where ? [{ kind: 'chain', parameter: slot.parameter, type: target, where }] : [];
  });
  return hops.length > 1 ? { kind: 'or', of: hops } : hops[0];
}

function countWay({ ways }: CriterionContext, first: string, rest: string): void {
  if (!ways) return;
  ways.left -= 1;
  if (ways.left < 0) throw fail('invalid-parameter', { text: `The chain ${first}.${rest.slice(0, 100)} may lead along more than ${MOST_WAYS} ways: name the type of each hop, as in ${first.split(':')[0] ?? ''}:Patient`, expression: first });
}

/** For one search. */
export const waysOfSearch = (): { left: number } => ({ left: MOST_WAYS });

function readHas(context: CriterionContext, type: string, name: string, value: string, depth: number): Clause | undefined {
  return had(context, type, name, (source, rest) => readCriterion(context, source, rest, value, depth + 1));
}

/** Rows that a row of another type points at, of which holds what `far` gives for that type and the rest of `_has:Type:reference:rest`. */
export function had(context: CriterionContext, type: string, name: string, far: (source: string, rest: string) => Clause | undefined): Clause | undefined {
  const [, source = '', code = '', rest = ''] = /^_has:([^:]*):([^:]*):(.+)$/s.exec(name) ?? [];
  if (!context.definitions.resourceTypes.includes(source)) {
    throw fail('invalid-parameter', { text: `Write _has:Type:reference:parameter, as in _has:Observation:patient:code, not ${name}`, expression: '_has' });
  }
  const slot = searchableSlot(context.definitions, source, code);
  if (slot?.parameter.type !== 'reference' || (slot.targets.length > 0 && !slot.targets.includes(type))) return undefined;
  const where = far(source, rest);
  return where && { kind: 'has', type: source, parameter: slot.parameter, where };
}
