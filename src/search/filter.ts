// `_filter`: an expression over search parameters as the clauses that they would make by themselves, so that indexes and
// the Grant hold of it as of any criterion. https://hl7.org/fhir/R4/search_filter.html
import { fail, type FhirError } from '../fhir/errors.js';
import { chained, had, readCriterion, searchableSlot, type CriterionContext } from './criterion.js';
import { badFilter, parseFilter, type FilterNode, type FilterOperator, type FilterStep } from './filter-text.js';
import type { Clause, Prefix } from './query.js';
import type { Slot } from './slots.js';

type Test = Extract<FilterNode, { kind: 'test' }>;
type Kind = Slot['parameter']['type'];

interface Filtering {
  readonly context: CriterionContext;
  readonly text: string;
}

/** Throws 400 naming the place of what is wrong, of a parameter that is not there, and of an operator that does not go with it. */
export function readFilter(context: CriterionContext, type: string, text: string): Clause {
  return nodeClause({ context, text }, type, parseFilter(text));
}

function nodeClause(filtering: Filtering, type: string, node: FilterNode): Clause {
  switch (node.kind) {
    case 'and':
    case 'or': return { kind: node.kind, of: node.of.map((part) => nodeClause(filtering, type, part)) };
    case 'not': return { kind: 'not', of: nodeClause(filtering, type, node.of) };
    case 'test': return testClause(filtering, type, node);
  }
}

function testClause(filtering: Filtering, type: string, test: Test): Clause {
  const clause = placed(filtering, test, () => pathClause(filtering, type, test.path, test));
  if (clause) return clause;
  const path = test.path.map(({ name }) => name).join('.');
  throw badFilter(filtering.text, test.position, `${type} is not searched by ${path} here`);
}

/** What the parameters refuse, with its place in the filter. */
function placed<T>({ text }: Filtering, { position }: Test, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const issue = (error as Partial<FhirError>).issues?.[0];
    if (!issue || issue.expression === '_filter') throw error;
    throw badFilter(text, position, issue.text);
  }
}

/** Undefined where a name of the path is not there. */
function pathClause(filtering: Filtering, type: string, path: readonly FilterStep[], test: Test): Clause | undefined {
  const [step, ...rest] = path;
  if (!step) return undefined;
  const { name, where } = step;
  if (name.startsWith('_has:')) {
    return had(filtering.context, type, name, (source, inner) => pathClause(filtering, source, [{ ...step, name: inner }, ...rest], test));
  }
  if (rest.length === 0) return leafClause(filtering.context, type, name, test);
  return chained(filtering.context, type, name, rest[0]?.name ?? '', (target) => {
    const far = pathClause(filtering, target, rest, test);
    if (!far || !where) return far;
    return { kind: 'and', of: [nodeClause(filtering, target, where), far] };
  });
}

const PREFIXES: Readonly<Partial<Record<FilterOperator, Prefix>>> = { gt: 'gt', lt: 'lt', ge: 'ge', le: 'le', sa: 'sa', eb: 'eb', ap: 'ap', ne: 'ne' };
const ORDERED: ReadonlySet<Kind> = new Set<Kind>(['date', 'number', 'quantity']);

/** The modifier of a string parameter that an operator stands for: those of `_filter` alone compare whole strings, and their ends. */
const OF_STRINGS: Readonly<Partial<Record<FilterOperator, string>>> = { eq: 'equals', ne: 'differs', co: 'contains', sw: '', ew: 'ends' };

/** Those that ask a code system or a value set. */
const OF_CODES: Readonly<Partial<Record<FilterOperator, string>>> = { ss: 'below', sb: 'above', in: 'in', ni: 'not-in' };

function leafClause(context: CriterionContext, type: string, name: string, test: Test): Clause | undefined {
  const { operator, value } = test;
  const [code = '', modifier] = name.split(':');
  const slot = searchableSlot(context.definitions, type, code);
  if (!slot) return undefined;
  if (modifier !== undefined && slot.parameter.type !== 'reference') throw unsuited(slot, `:${modifier}`);
  if (operator === 'pr') return presence(slot, value);
  const read = (as: string, text = value): Clause | undefined => readCriterion(context, type, as, oneValue(text));
  const kind = slot.column === 'id' ? 'token' : slot.parameter.type;
  if (ORDERED.has(kind)) return orderedClause(slot, kind, operator, read, name, value);
  if (kind === 'string') return stringClause(slot, operator, value);
  if (operator === 'eq' || (operator === 're' && kind === 'reference')) return read(name);
  if (operator === 'ne') return different(slot, read(name));
  const asked = OF_CODES[operator];
  if (asked === undefined || (kind !== 'token' && kind !== 'uri')) throw unsuited(slot, operator);
  return read(`${name}:${asked}`);
}

function orderedClause(slot: Slot, kind: Kind, operator: FilterOperator, read: (as: string, text: string) => Clause | undefined, name: string, value: string): Clause | undefined {
  if (!/^[-+.\d]/.test(value)) throw fail('invalid-parameter', { text: `"${value.slice(0, 64)}" is not a value of ${slot.code}, which is a ${kind}`, expression: slot.code });
  if (operator === 'eq') return read(name, `eq${value}`);
  const prefix = PREFIXES[operator];
  if (prefix) return read(name, prefix + value);
  if (operator !== 'po' || kind !== 'date') throw unsuited(slot, operator);
  read(name, `eq${value}`);
  // `ap` without a reach is what overlaps the date itself.
  return { kind: 'parameter', parameter: slot.parameter, values: [{ text: value, prefix: 'ap' }] };
}

function stringClause(slot: Slot, operator: FilterOperator, value: string): Clause {
  const modifier = OF_STRINGS[operator];
  if (modifier === undefined) throw unsuited(slot, operator);
  if (value.trim() === '') throw fail('invalid-parameter', { text: `${slot.code} ${operator} wants at least one character`, expression: slot.code });
  return { kind: 'parameter', parameter: slot.parameter, values: [{ text: value.replace(/[\\,|$]/g, '\\$&') }], ...(modifier !== '' && { modifier }) };
}

function presence({ parameter, code }: Slot, value: string): Clause {
  if (value !== 'true' && value !== 'false') throw fail('invalid-parameter', { text: `${code} pr wants true (there is one) or false (there is none)`, expression: code });
  return { kind: 'parameter', parameter, modifier: 'missing', values: [{ text: value === 'true' ? 'false' : 'true' }] };
}

/** There is a value, and it is another. */
function different(slot: Slot, equal: Clause | undefined): Clause | undefined {
  return equal && { kind: 'and', of: [presence(slot, 'true'), { kind: 'not', of: equal }] };
}

function unsuited({ parameter, code }: Slot, operator: string): FhirError {
  return fail('unsupported-modifier', { text: `${operator} does not go with the ${parameter.type} parameter ${code}`, expression: code });
}

/** A filter's value is one, whatever commas are in it. */
function oneValue(text: string): string {
  return text.replace(/\\.|,/gs, (found) => (found === ',' ? '\\,' : found));
}
