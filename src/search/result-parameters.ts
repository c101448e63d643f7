// Parameters that say how to give the result, not what is in it. https://hl7.org/fhir/R4/search.html#return
import type { Definitions } from '../definitions/model.js';
import { fail, type FhirError } from '../fhir/errors.js';
import { searchableSlot } from './criterion.js';
import { isSortable } from './order.js';
import type { ContainedWish, Include, SortKey } from './query.js';

/** What has been read so far. */
export interface ResultSettings {
  sort: readonly SortKey[];
  count: number;
  total: 'none' | 'estimate' | 'accurate';
  readonly includes: Include[];
  explain?: 'plan' | 'analyze';
  contained?: ContainedWish;
  /** Named before or after `_contained`. */
  containedType?: ContainedWish['give'];
}

export interface ResultContext {
  readonly definitions: Definitions;
  readonly type: string;
  readonly maxCount: number;
  /** Can what resources contain be searched? */
  readonly contained: boolean;
}

/** Sets what the value says. Undefined when done; words, where the value names something that is not there. */
type Setter = (settings: ResultSettings, value: string, context: ResultContext, modifier: string | undefined) => string | undefined;

const SETTERS: Readonly<Record<string, Setter>> = {
  _sort: setSort,
  _count: setCount,
  _total: setTotal,
  _summary: setSummary,
  _include: (settings, value, context, modifier) => addInclude(settings, value, context, modifier, false),
  _revinclude: (settings, value, context, modifier) => addInclude(settings, value, context, modifier, true),
  _elements: () => undefined,
  _contained: setContained,
  _containedType: setContainedType,
  _explain: setExplain,
  _format: () => undefined,
  _pretty: () => undefined,
};

/** The setter of a parameter by its name, with or without a modifier. */
export function resultSetter(name: string): Setter | undefined {
  if (!name.startsWith('_')) return undefined;
  const colon = name.indexOf(':');
  const plain = colon < 0 ? name : name.slice(0, colon);
  return Object.hasOwn(SETTERS, plain) ? SETTERS[plain] : undefined;
}

function bad(name: string, value: string, advice: string): FhirError {
  return fail('invalid-parameter', { text: `"${value}" is not a value of ${name}: ${advice}`, expression: name });
}

function setSort(settings: ResultSettings, value: string, { definitions, type }: ResultContext): string | undefined {
  const keys: SortKey[] = [];
  for (const text of value.split(',')) {
    const descending = text.startsWith('-');
    const code = descending ? text.slice(1) : text;
    if (code === '') throw bad('_sort', value, 'write parameters with commas between, - before those in descending order');
    const slot = searchableSlot(definitions, type, code);
    if (!slot) return `${type} has no search parameter ${code} to sort by`;
    if (!isSortable(definitions, slot)) return `Results can't be sorted by ${code}: no one value of it stands in the resource`;
    keys.push({ parameter: slot.parameter, descending });
  }
  settings.sort = keys;
  return undefined;
}

function setCount(settings: ResultSettings, value: string, { maxCount }: ResultContext): undefined {
  if (!/^\d{1,9}$/.test(value)) throw bad('_count', value, 'write a whole number, 0 or more');
  settings.count = Math.min(Number(value), maxCount);
  if (settings.count === 0) settings.total = 'accurate';
}

function setTotal(settings: ResultSettings, value: string): undefined {
  if (value !== 'none' && value !== 'estimate' && value !== 'accurate') throw bad('_total', value, 'write none, estimate or accurate');
  settings.total = value;
}

function setSummary(settings: ResultSettings, value: string): undefined {
  if (!['true', 'text', 'data', 'count', 'false'].includes(value)) throw bad('_summary', value, 'write true, text, data, count or false');
  if (value === 'count') settings.count = 0;
}

function setContained(settings: ResultSettings, value: string, { contained }: ResultContext): string | undefined {
  if (value === 'false') return undefined;
  if (value !== 'true' && value !== 'both') throw bad('_contained', value, 'write false, true or both');
  if (!contained) throw fail('unknown-parameter', { text: `Contained resources are searched for by GET or POST of one type alone, not here: leave _contained out`, expression: '_contained' });
  settings.contained = { which: value, give: 'container' };
  return undefined;
}

function setContainedType(settings: ResultSettings, value: string): undefined {
  if (value !== 'container' && value !== 'contained') throw bad('_containedType', value, 'write container or contained');
  settings.containedType = value;
}

function setExplain(settings: ResultSettings, value: string): undefined {
  if (value !== 'true' && value !== 'analyze' && value !== 'false') throw bad('_explain', value, 'write true for the plan, or analyze to run the search and measure it');
  if (value !== 'false') settings.explain = value === 'true' ? 'plan' : 'analyze';
}

const INCLUDE = /^([A-Za-z]+):([^:]+)(?::([A-Za-z]+))?$/;

function addInclude(settings: ResultSettings, value: string, context: ResultContext, modifier: string | undefined, reverse: boolean): string | undefined {
  const { definitions, type } = context;
  const name = reverse ? '_revinclude' : '_include';
  if (modifier !== undefined && modifier !== 'iterate' && modifier !== 'recurse') {
    throw fail('unsupported-modifier', { text: `${name} takes :iterate and no other modifier`, expression: name });
  }
  const iterate = modifier !== undefined;
  if (value === '*') {
    if (reverse && iterate) throw bad('_revinclude:iterate', value, 'whatever refers to whatever is found has no end: name a type');
    settings.includes.push({ source: iterate || reverse ? '*' : type, iterate, reverse });
    return undefined;
  }
  const [, source = '', code = '', target] = INCLUDE.exec(value) ?? [];
  if (source === '') throw bad(name, value, 'write Type:parameter or Type:parameter:Target');
  const unknown = [source, ...(target === undefined ? [] : [target])].find((found) => !definitions.resourceTypes.includes(found));
  if (unknown !== undefined) return `There is no resource type ${unknown} to include by`;
  const slot = code === '*' ? undefined : searchableSlot(definitions, source, code);
  if (code !== '*' && slot?.parameter.type !== 'reference') return `${source} has no reference parameter ${code} to include by`;
  settings.includes.push({ source, iterate, reverse, ...(slot && { parameter: slot.parameter }), ...(target !== undefined && { target }) });
  return undefined;
}
