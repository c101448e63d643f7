// Reference parameters: `Patient/123`, `123`, an absolute URL, and the identifier of a reference. https://hl7.org/fhir/R4/search.html#reference
import { isId } from '../../fhir/id.js';
import { unescape } from '../escape.js';
import type { SearchValue } from '../query.js';
import type { RowCollector } from '../row-collector.js';
import type { Slot } from '../slots.js';
import type { PredicateScope } from '../sql-scope.js';
import { referenceHash } from '../token-hash.js';
import { badValue, isObject, textOf, type Indexer, type ParameterRules } from './rules.js';
import { rowsOfTexts } from './code-text.js';
import { identifierIndexer, token, tokenPredicate, tokensAsked } from './token.js';
import { belowTest, canonicalForms, dictionaryText, urisAsked } from './uri.js';

const LOCAL = /^[A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64}$/;
const VERSION = /\/_history\/[A-Za-z0-9\-.]{1,64}$/;

/** The target without its version; undefined for what lies inside the resource itself. */
export function targetOf(reference: string): string | undefined {
  if (reference === '' || reference.startsWith('#')) return undefined;
  return reference.includes('/_history/') ? reference.replace(VERSION, '') : reference;
}

/** Targets of one value: of a Reference, a canonical or uri, or a resource that stands in a Bundle. */
export function targetsOf(type: string, value: unknown): readonly string[] {
  if (typeof value === 'string') return targetOf(value) === undefined ? [] : canonicalForms(value);
  if (!isObject(value)) return [];
  if (type !== 'Reference' && typeof value.resourceType === 'string') {
    return typeof value.id === 'string' ? [`${value.resourceType}/${value.id}`] : [];
  }
  const reference = textOf(value.reference);
  const target = reference === undefined ? undefined : targetOf(reference);
  return target === undefined ? [] : [target];
}

/** What a query value can mean: a bare id may be of any type that the parameter points at. */
function targetsAsked(slot: Slot, modifier: string | undefined, text: string, types: readonly string[]): readonly string[] {
  const target = unescape(text).replace(VERSION, '');
  if (modifier !== undefined) return [isId(target) ? `${modifier}/${target}` : target].filter((found) => !LOCAL.test(found) || found.startsWith(`${modifier}/`));
  if (!isId(target)) return restricted(slot, target);
  return (slot.targets.length > 0 ? slot.targets : types).map((type) => `${type}/${target}`);
}

/** `patient=Group/1` finds nothing, though the column of both `subject` and `patient` may hold it. */
function restricted(slot: Slot, target: string): readonly string[] {
  const only = slot.column === 'subject' && slot.targets.length === 1 ? slot.targets[0] : undefined;
  return only !== undefined && LOCAL.test(target) && !target.startsWith(`${only}/`) ? [] : [target];
}

/** All targets of a comma list. `parts` holds the meanings of each, found when the query was read. */
export function askedTargets(slot: Slot, modifier: string | undefined, values: readonly SearchValue[]): readonly string[] {
  return values.flatMap(({ text, parts }) => parts?.map((part) => part.text) ?? targetsAsked(slot, modifier, text, []));
}

/** Of `:above` all that stand above what is asked. */
function targetsNamed(slot: Slot, modifier: string | undefined, values: readonly SearchValue[]): readonly string[] {
  return modifier === 'above' ? urisAsked(modifier, values) : askedTargets(slot, modifier, values);
}

/** One of them is enough. */
export function referenceTokens(slot: Slot, modifier: string | undefined, values: readonly SearchValue[]): readonly bigint[] {
  const targets = targetsNamed(slot, modifier, values);
  return slot.readers.flatMap((reader) => targets.map((target) => referenceHash(target) ^ reader.salt));
}

function subjectPredicate(targets: readonly string[], { sql, row, use }: PredicateScope): string {
  const [only, ...others] = targets;
  const test = others.length === 0 && only !== undefined
    ? `${row}.subject = ${sql.bind(only, 'text')}`
    : `${row}.subject = any(${sql.bind(targets, 'text[]')})`;
  return use === 'drive' ? test : `(${test}) is true`;
}

function addReference(slot: Slot, rows: RowCollector, target: string): void {
  if (LOCAL.test(target)) rows.ref(target, slot.mark);
  else rows.count += 1;
  if (slot.column === 'subject') rows.subject = target;
  else rows.token(referenceHash(target) ^ slot.salt);
}

function referenceIndexer(slot: Slot): Indexer {
  const indexIdentifier = identifierIndexer(slot.identifierHasher);
  return (rows, value) => {
    if (!isObject(value)) return;
    const reference = textOf(value.reference);
    const target = reference === undefined ? undefined : targetOf(reference);
    if (target !== undefined) addReference(slot, rows, target);
    if (value.identifier !== undefined) indexIdentifier(rows, value.identifier);
  };
}

export const reference: ParameterRules = {
  modifiers: ['identifier', 'above', 'below'],

  indexer(slot, type) {
    if (type === 'Reference') return referenceIndexer(slot);
    return (rows, value) => {
      for (const target of targetsOf(type, value)) addReference(slot, rows, target);
      if (typeof value !== 'string' || targetOf(value) === undefined) return;
      const hash = referenceHash(value) ^ slot.salt;
      rows.text(slot.key, dictionaryText(value, hash), hash);
    };
  },

  read(slot, modifier, text, context) {
    const { base, types } = context;
    if (modifier === 'identifier') return token.read(slot, undefined, text, context);
    const local = base !== '' && text.startsWith(`${base}/`) ? text.slice(base.length + 1) : text;
    if (local === '') throw badValue(slot, text, 'write Type/id, an id, or a whole URL');
    if (modifier === 'above' || modifier === 'below') return { text: local };
    return { text: local, parts: targetsAsked(slot, modifier, local, types).map((target) => ({ text: target })) };
  },

  predicate(slot, modifier, values, scope) {
    if (modifier === 'identifier') {
      const asked = { hasher: slot.identifierHasher, bare: false };
      return tokenPredicate(values.flatMap(({ text }) => tokensAsked(asked, text)), scope);
    }
    if (modifier === 'below') return rowsOfTexts(slot, scope, (column) => values.map(({ text }) => belowTest(scope.sql, column, unescape(text))));
    if (slot.column === 'subject') return subjectPredicate(targetsNamed(slot, modifier, values), scope);
    return tokenPredicate(referenceTokens(slot, modifier, values), scope);
  },
};
