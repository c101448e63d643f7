// The search parameters of a type as one JavaScript function that goes through a resource once and hands each value to the parameters that find it.
// https://hl7.org/fhir/R4/search.html#2.21.1.3
import type { Definitions } from '../definitions/model.js';
import type { Resource } from '../fhir/resource.js';
import { compilePath } from '../fhirpath/compile-path.js';
import { compileVisit, planPath, type Visited } from '../fhirpath/compile-visit.js';
import type { CompiledPath } from '../fhirpath/model.js';
import { isOpen, type Nodes } from '../fhirpath/plan.js';
import { indexTogether, type Found } from './params/composite.js';
import { PARAMETER_RULES } from './params/index.js';
import type { Indexer } from './params/rules.js';
import { PresenceText, WORD } from './presence-text.js';
import type { RowCollector } from './row-collector.js';
import type { Slot } from './slots.js';

/** Fills the collector with what the parameters find, and says in `present` which found something. */
export type Visit = (resource: Resource, rows: RowCollector) => void;

/** Takes a node of the type that code was made for; `resource` is what it lies in. */
type Taker = (rows: RowCollector, node: unknown, resource: Resource) => void;

/** What `resource.id` and `meta.lastUpdated` answer is always there, and lies in columns. */
const isColumn = ({ column }: Slot): boolean => column === 'id' || column === 'updated';

const isCombined = (slot: Slot): boolean => slot.both === true || slot.readers[0] !== slot;

/** Has it values of its own, to be looked for in a resource? Some have no expression (`_text`). */
export function isVisited(slot: Slot): boolean {
  const { expression, type } = slot.parameter;
  return expression !== undefined && (type !== 'composite' || slot.parts !== undefined) && !isColumn(slot) && !isCombined(slot);
}

/** `present` has a place for each of the slots, in their order, but for those whose presence is a token. */
export function compileSlots(definitions: Definitions, type: string, slots: readonly Slot[]): Visit {
  const constants = new Map<string, unknown>();
  const use = (value: unknown): string => {
    const name = `x${constants.size}`;
    constants.set(name, value);
    return name;
  };
  const placed = slots.filter(({ presence }) => presence === undefined);
  const placeOf = (slot: Slot): Bit => bitAt(placed.indexOf(slot));
  const visited = slots.filter(isVisited).map((slot): Visited => {
    const noted = slot.presence === undefined ? noteCode(placeOf(slot)) : `s.token(${use(slot.presence)});`;
    const { plan, takerOf } = finderOf(definitions, type, slot);
    return { plan, take: (of, node) => `b = s.count; ${use(takerOf(of))}(s, ${node}, o); if (s.count !== b) ${noted}\n` };
  });
  const words = Array.from({ length: Math.ceil(placed.length / WORD) }, (_, word) => `p${word}`);
  const always = words.map((name, word) => `${name} = ${placed.reduce((bits, slot, place) => (isColumn(slot) && Math.floor(place / WORD) === word ? bits | (1 << place % WORD) : bits), 0)}`);
  return compileVisit<RowCollector>(type, visited, {
    before: `let b = 0${always.map((start) => `, ${start}`).join('')};\n`,
    after: `${placed.map((slot) => combinedCode(slot, placeOf)).join('')}s.present = ${words.map((name, word) => `${use(new PresenceText(Math.min(WORD, placed.length - word * WORD)))}.of(${name})`).join(' + ') || '""'};\n`,
    constants,
  });
}

/** Where the code notes that a parameter has a value. */
interface Bit {
  readonly word: string;
  readonly mask: number;
}

const bitAt = (place: number): Bit => ({ word: `p${Math.floor(place / WORD)}`, mask: 1 << place % WORD });
const noteCode = ({ word, mask }: Bit): string => `${word} |= ${mask};`;

/**
 * A parameter answered by others is there where in each of some lists one of those is; `combo-code-value-quantity` reads what is found of
 * `code-value-quantity`, which comes first.
 */
function combinedCode(slot: Slot, placeOf: (slot: Slot) => Bit): string {
  if (!isCombined(slot)) return '';
  const lists = slot.both ? (slot.parts ?? []).map((part) => part.slot.readers) : [slot.readers];
  const tests = lists.map((any) => `(${any.map(placeOf).map(({ word, mask }) => `(${word} & ${mask}) !== 0`).join(' || ')})`);
  return `if (${tests.join(' && ')}) ${noteCode(placeOf(slot))}\n`;
}

interface Finder {
  readonly plan: Nodes;
  takerOf(type: string): Taker;
}

function finderOf(definitions: Definitions, type: string, slot: Slot): Finder {
  const { expression = '' } = slot.parameter;
  const byType = new Map<string, Taker>();
  const make = slot.parameter.type === 'composite' ? (of: string) => togetherTaker(definitions, slot, of) : (of: string) => valueTaker(slot, of);
  const takerOf = (of: string): Taker => {
    let taker = byType.get(of);
    if (!taker) byType.set(of, (taker = make(of)));
    return taker;
  };
  const plan = planPath(expression, type, definitions);
  if (plan) return { plan, takerOf };
  // What has no code of its own is evaluated by the side of the visit.
  const path = compilePath(expression, type, definitions);
  const evaluate: Taker = (rows, node, resource) => { path(node as object, (of, value) => { takerOf(of)(rows, value, resource); }); };
  return { plan: { op: 'scope', types: [type], scope: 0 }, takerOf: () => evaluate };
}

function valueTaker(slot: Slot, type: string): Indexer {
  const { indexer } = PARAMETER_RULES[slot.parameter.type];
  if (type === 'Extension') return (rows, value) => { forHeld(value, (of, held) => { indexer(slot, of)(rows, held); }); };
  // The resource tells: what it says is not kept, as anybody may write anything there.
  if (isOpen(type)) return (rows, value) => { indexer(slot, ownType(value) ?? type)(rows, value); };
  return indexer(slot, type);
}

function ownType(value: unknown): string | undefined {
  return typeof value === 'object' && value !== null && 'resourceType' in value && typeof value.resourceType === 'string' ? value.resourceType : undefined;
}

/** An extension stands for the value it holds: `Observation.extension('…dna-variant')`. */
function forHeld(extension: unknown, index: (type: string, value: unknown) => void): void {
  if (typeof extension !== 'object' || extension === null) return;
  for (const [member, held] of Object.entries(extension)) {
    if (member.startsWith('value')) index(typeof held === 'object' ? member.slice(5) : member.charAt(5).toLowerCase() + member.slice(6), held);
  }
}

/** The expression gives the nodes in which the components stand together; each component is evaluated within one node. */
function togetherTaker(definitions: Definitions, slot: Slot, type: string): Taker {
  const components = (slot.parts ?? []).map((part) => compilePath(part.expression, type, definitions));
  return (rows, node, resource) => {
    if (typeof node !== 'object' || node === null) return;
    let together: Found[][] = [[]];
    for (const component of components) {
      if (together.length === 0) return;
      const found = gather(component, node, resource);
      together = together.flatMap((values) => found.map((value) => [...values, value]));
    }
    for (const values of together) indexTogether(slot, rows, values);
  };
}

function gather(path: CompiledPath, node: object, resource: Resource): Found[] {
  const found: Found[] = [];
  path(node, (type, value) => {
    found.push({ type, value });
  }, resource);
  return found;
}
