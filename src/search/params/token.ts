// Token parameters: codes, identifiers, contact points, flags. https://hl7.org/fhir/R4/search.html#token
import { fail } from '../../fhir/errors.js';
import { fold } from '../fold.js';
import { splitEscaped, unescape } from '../escape.js';
import type { SearchValue } from '../query.js';
import { RowCollector } from '../row-collector.js';
import type { Slot } from '../slots.js';
import type { PredicateScope } from '../sql-scope.js';
import { codeTextPredicate, LONG_LIST, longListPredicate } from './code-text.js';
import { mimeTokens, mimeTokensAsked } from './mime-type.js';
import { badValue, isObject, listOf, textOf, type Indexer, type ParameterRules } from './rules.js';

/** A code and the system it is from, as found in a resource. */
export interface Coded {
  readonly system: string | undefined;
  readonly code: string;
}

/** Called with what one value of the resource says; `text` with its words. */
interface Found {
  coded(system: string | undefined, code: string): void;
  system(system: string): void;
  text(text: string): void;
  ofType(system: string, type: string, value: string): void;
}

type Reader = (value: unknown, found: Found) => void;

function readCoding(value: unknown, found: Found): void {
  if (!isObject(value)) return;
  const system = textOf(value.system);
  const code = textOf(value.code);
  const display = textOf(value.display);
  if (code !== undefined) found.coded(system, code);
  else if (system !== undefined) found.system(system);
  if (display !== undefined) found.text(display);
}

function readConcept(value: unknown, found: Found): void {
  if (!isObject(value)) return;
  for (const coding of listOf(value.coding)) readCoding(coding, found);
  const text = textOf(value.text);
  if (text !== undefined) found.text(text);
}

function readIdentifier(value: unknown, found: Found): void {
  if (!isObject(value)) return;
  const system = textOf(value.system);
  const code = textOf(value.value);
  if (code !== undefined) found.coded(system, code);
  else if (system !== undefined) found.system(system);
  if (!isObject(value.type)) return;
  const text = textOf(value.type.text);
  if (text !== undefined) found.text(text);
  if (code === undefined) return;
  for (const coding of listOf(value.type.coding)) {
    if (isObject(coding) && textOf(coding.code) !== undefined) found.ofType(textOf(coding.system) ?? '', String(coding.code), code);
  }
}

/** The namespace of a contact point is its use, or its kind: `home|…`, `phone|…`. */
function readContactPoint(value: unknown, found: Found): void {
  if (!isObject(value)) return;
  const code = textOf(value.value);
  if (code === undefined) return;
  const namespaces = [textOf(value.use), textOf(value.system)].filter((namespace) => namespace !== undefined);
  if (namespaces.length === 0) found.coded(undefined, code);
  for (const namespace of namespaces) found.coded(namespace, code);
}

const READERS: Readonly<Record<string, Reader>> = {
  Coding: readCoding,
  CodeableConcept: readConcept,
  Identifier: readIdentifier,
  ContactPoint: readContactPoint,
  Reference: (value, found) => {
    const reference = isObject(value) ? textOf(value.reference) : undefined;
    if (reference !== undefined) found.coded(undefined, reference);
  },
};

function readPlain(value: unknown, found: Found): void {
  if (typeof value === 'string' ? value !== '' : typeof value === 'boolean' || typeof value === 'number') found.coded(undefined, String(value));
}

const readerOf = (type: string): Reader => READERS[type] ?? readPlain;

const nothing = (): void => undefined;

/** The codes of one value, for composites. */
export function codesOf(type: string, value: unknown): readonly Coded[] {
  const codes: Coded[] = [];
  readerOf(type)(value, { coded: (system, code) => codes.push({ system, code }), system: nothing, text: nothing, ofType: nothing });
  return codes;
}

/** Puts the codes of one parameter into the rows of whatever resource is read. */
class Tokens implements Found {
  private rows = new RowCollector();

  /** `key`: of the dictionary that words go to; undefined for parameters that have no `:text` and no `:of-type`. */
  constructor(private readonly hasher: Slot['hasher'], private readonly key: number | undefined) {}

  read(reader: Reader, rows: RowCollector, value: unknown): void {
    this.rows = rows;
    reader(value, this);
  }

  coded(system: string | undefined, code: string): void {
    const { hasher, rows } = this;
    rows.token(hasher.anySystem(code));
    if (system === undefined) {
      rows.token(hasher.noSystem(code));
    } else {
      rows.token(hasher.exact(system, code));
      rows.token(hasher.system(system));
    }
  }

  system(system: string): void {
    this.rows.token(this.hasher.system(system));
  }

  text(text: string): void {
    if (this.key === undefined) return;
    const folded = fold(text);
    this.rows.text(this.key, folded, this.hasher.text(folded));
  }

  ofType(system: string, type: string, value: string): void {
    if (this.key !== undefined) this.rows.token(this.hasher.ofType(system, type, value));
  }
}

/** The tokens of an Identifier under a parameter's own hasher: `:identifier` of references. */
export function identifierIndexer(hasher: Slot['hasher']): Indexer {
  const tokens = new Tokens(hasher, undefined);
  return (rows, identifier) => { tokens.read(readIdentifier, rows, identifier); };
}

/** The tokens that a query value asks for: one of them is enough. */
export function tokensAsked(slot: Pick<Slot, 'hasher' | 'bare' | 'bareCodes'>, text: string): readonly bigint[] {
  const { hasher, bare, bareCodes } = slot;
  const [first = '', second] = splitEscaped(text, '|');
  if (second === undefined) return [hasher.anySystem(unescape(first))];
  const system = unescape(first);
  const code = unescape(second);
  if (bare) {
    if (system === '' || !bareCodes || bareCodes.has(`${system}|${code}`)) return [hasher.anySystem(code)];
    const members = code === '' ? [...bareCodes].filter((member) => member.startsWith(`${system}|`)) : [];
    return members.map((member) => hasher.anySystem(member.slice(system.length + 1)));
  }
  if (code === '') return [hasher.system(system)];
  return [system === '' ? hasher.noSystem(code) : hasher.exact(system, code)];
}

function ofTypeAsked(slot: Slot, text: string): bigint {
  const [system = '', type = '', value = ''] = splitEscaped(text, '|').map(unescape);
  return slot.hasher.ofType(system, type, value);
}

/** Modifiers whose codes are those of a value set or of a hierarchy: see ../code-lists.ts, which looks them up and puts them in `parts`. */
export const BY_LIST: ReadonlySet<string> = new Set(['in', 'not-in', 'above', 'below']);

/** Modifiers that hold of the rows which have none of the values. */
export const NEGATIVE: ReadonlySet<string> = new Set(['not', 'not-in']);

/** All tokens of a comma list, for the parameter itself or for the ones that answer for it. */
export function tokensOf(slot: Slot, modifier: string | undefined, values: readonly SearchValue[]): readonly bigint[] {
  if (slot.mime && modifier === 'below') return slot.readers.flatMap(({ hasher }) => values.flatMap(({ text }) => mimeTokensAsked(hasher, text)));
  const asked = modifier !== undefined && BY_LIST.has(modifier) ? values.flatMap(({ parts }) => parts ?? []) : values;
  return slot.readers.flatMap((reader) => asked.flatMap(({ text }) => (
    modifier === 'of-type' ? [ofTypeAsked(reader, text)] : tokensAsked(reader, text)
  )));
}

/**
 * Rows with any of the tokens. The list is hidden from the planner in a select: there is one way only, and where the value does not change the
 * estimate a prepared statement is planned once (an identifier's look-up on a million rows: 42 µs, else 66; a page sorted by gender 340, else 670).
 */
export function tokenPredicate(tokens: readonly bigint[], { sql, row, use }: PredicateScope): string {
  const list = sql.bindTokens(tokens);
  return use === 'drive' ? `${row}.tokens && (select ${list})` : `(${row}.tokens && (select ${list})) is true`;
}

/** What names a list of codes, not looked up yet. A code alone has the system of the one value set that it must be from, where there is one. */
function readList(slot: Slot, modifier: string, text: string, lists: boolean): SearchValue {
  if (!lists) throw fail('unsupported-modifier', { text: `:${modifier} is answered in searches only, not here: list the codes instead`, expression: slot.code });
  if (modifier === 'in' || modifier === 'not-in') {
    if (unescape(text).trim() === '') throw badValue(slot, text, `with :${modifier} write the URL of a ValueSet, or ValueSet/id`);
    return { text };
  }
  const [first = '', second, ...rest] = splitEscaped(text, '|').map(unescape);
  const system = second === undefined ? systemOf(slot, first) : first;
  const code = second ?? first;
  if (system === '' || code === '' || rest.length > 0) throw badValue(slot, text, `with :${modifier} write system|code`);
  return { text: `${escapeBars(system)}|${escapeBars(code)}` };
}

const escapeBars = (text: string): string => text.replace(/[\\|]/g, '\\$&');

function systemOf({ bareCodes }: Slot, code: string): string {
  const member = [...(bareCodes ?? [])].find((one) => one.endsWith(`|${code}`));
  return member?.slice(0, -code.length - 1) ?? '';
}

/** How a code of a list stands in `parts`. */
export const codedText = ({ system, code }: Coded): string => (system === undefined ? escapeBars(code) : `${escapeBars(system)}|${escapeBars(code)}`);

export const token: ParameterRules = {
  modifiers: ['not', 'text', 'of-type', 'in', 'not-in', 'above', 'below'],

  indexer({ hasher, key, bare, mime }, type) {
    if (mime) return (rows, value) => { for (const one of [hasher.anySystem(String(value)), ...mimeTokens(hasher, String(value))]) rows.token(one); };
    if (bare) return (rows, value) => { rows.token(hasher.anySystem(String(value))); };
    const reader = readerOf(type);
    const tokens = new Tokens(hasher, key);
    return (rows, value) => { tokens.read(reader, rows, value); };
  },

  read(slot, modifier, text, { lists = false }) {
    const parts = splitEscaped(text, '|');
    // No list is to be looked up: what a type is below is in the index.
    if (slot.mime && modifier === 'below' && text.trim() !== '') return { text, parts: [] };
    if (modifier !== undefined && BY_LIST.has(modifier)) return readList(slot, modifier, text, lists);
    if (modifier === 'of-type') {
      if (parts.length !== 3 || parts.some((part) => part === '')) throw badValue(slot, text, 'with :of-type write system|code|value, all three');
    } else if (modifier !== 'text' && (parts.length > 2 || parts.every((part) => part === ''))) {
      throw badValue(slot, text, 'write code, system|code, system| or |code, and \\| for a bar within one of them');
    }
    return { text };
  },

  predicate(slot, modifier, values, scope) {
    if (modifier === 'text') return codeTextPredicate(slot, values, scope);
    const tokens = tokensOf(slot, modifier, values);
    const negative = modifier !== undefined && NEGATIVE.has(modifier);
    const way: PredicateScope = negative ? { ...scope, use: 'filter' } : scope;
    const predicate = tokens.length > LONG_LIST ? longListPredicate(slot, tokens, way) : tokenPredicate(tokens, way);
    return negative ? `not (${predicate})` : predicate;
  },
};
