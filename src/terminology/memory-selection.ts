// A selection told of the concepts of a code system in memory. https://hl7.org/fhir/R4/valueset.html#filters
import { propertyText, type Concept } from './concept.js';
import type { MemorySystem } from './memory-system.js';
import { notSupported } from './refusals.js';
import { matchAll } from './regex-filter.js';
import type { Filter, Selection } from './selection.js';

type Matches = (concept: Concept) => boolean;

/** Properties that every code system has. */
const ALWAYS = ['concept', 'code', 'display', 'definition', 'parent', 'child', 'inactive', 'notSelectable', 'status'];

/** A test of one concept; whatever can be worked out for all of them is, once. Throws for a filter that can't be told. */
export function matcher(selection: Selection, system: MemorySystem): Matches {
  switch (selection.kind) {
    case 'all': return () => true;
    case 'none': return () => false;
    case 'active': return (concept) => !concept.inactive;
    case 'codes': return codesMatcher(selection.codes, system);
    case 'and': {
      const tests = selection.of.map((part) => matcher(part, system));
      return (concept) => tests.every((test) => test(concept));
    }
    case 'or': {
      const tests = selection.of.map((part) => matcher(part, system));
      return (concept) => tests.some((test) => test(concept));
    }
    case 'not': {
      const test = matcher(selection.of, system);
      return (concept) => !test(concept);
    }
    case 'filter': return filterMatcher(selection, system);
  }
}

/** Listed codes may differ in case where the system does not mind. */
function codesMatcher(codes: ReadonlySet<string>, system: MemorySystem): Matches {
  const known = system.header.caseSensitive ? codes : new Set([...codes].map((code) => system.find(code)?.code ?? code));
  return ({ code }) => known.has(code);
}

function filterMatcher({ property, op, value }: Filter, system: MemorySystem): Matches {
  if (!ALWAYS.includes(property) && !system.header.properties.has(property))
    throw notSupported(`The code system ${system.header.url} has no property ${JSON.stringify(property.slice(0, 100))} to filter by`);
  const values = (concept: Concept): readonly string[] => valuesOf(property, concept, system);
  const among = (wanted: ReadonlySet<string>): Matches => (concept) => values(concept).some((text) => wanted.has(text));
  switch (op) {
    case '=': return among(new Set([value]));
    case 'in': return among(listOf(value));
    case 'not-in': return negate(among(listOf(value)));
    case 'is-a': return among(withItself(value, system.descendants(value)));
    case 'descendent-of': return among(system.descendants(value));
    case 'is-not-a': return negate(among(withItself(value, system.descendants(value))));
    case 'generalizes': return among(withItself(value, system.ancestors(value)));
    case 'exists': return (concept) => (values(concept).length > 0) === (value !== 'false');
    case 'regex': return among(matching(value, new Set([...system.concepts.values()].flatMap(values))));
  }
}

function valuesOf(property: string, concept: Concept, system: MemorySystem): readonly string[] {
  switch (property) {
    case 'concept': case 'code': return [concept.code];
    case 'display': return concept.display === undefined ? [] : [concept.display];
    case 'definition': return concept.definition === undefined ? [] : [concept.definition];
    case 'parent': return concept.parents;
    case 'child': return system.childrenOf(concept.code);
    case 'inactive': return [String(concept.inactive)];
    case 'notSelectable': return [String(concept.abstract)];
    default: return concept.properties.filter((one) => one.code === property).map(propertyText);
  }
}

const negate = (test: Matches): Matches => (concept) => !test(concept);
const withItself = (code: string, others: Set<string>): Set<string> => others.add(code);

function matching(pattern: string, texts: ReadonlySet<string>): ReadonlySet<string> {
  const list = [...texts];
  const answers = matchAll(pattern, list);
  return new Set(list.filter((_text, index) => answers[index]));
}

/** `in` and `not-in` name codes with commas between. */
export function listOf(value: string): ReadonlySet<string> {
  return new Set(value.split(',').map((one) => one.trim()));
}
