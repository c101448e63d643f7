// From a resource to its rows in the index tables: every search parameter of its type, each expression compiled once.
// https://hl7.org/fhir/R4/search.html#2.21.1.3
import type { Definitions } from '../definitions/model.js';
import { asObjects } from '../fhir/elements.js';
import type { Resource } from '../fhir/resource.js';
import { compilePath } from '../fhirpath/compile-path.js';
import type { CompiledPath } from '../fhirpath/model.js';
import { membersOf } from './element-path.js';
import type { ContainedRows, IndexRows } from './index-rows.js';
import { indexTogether, type Found } from './params/composite.js';
import { PARAMETER_RULES } from './params/index.js';
import { RowCollector } from './row-collector.js';
import { slotsOf, type Slot, type SlotTable } from './slots.js';
import { referenceHash } from './token-hash.js';

/** Fills the collector with what one parameter finds. */
export type Step = (resource: Resource, rows: RowCollector) => void;

export interface IndexedStep {
  /** Place in `present`, or the token that says the same of a parameter that was added. */
  readonly index: number;
  readonly presence?: bigint | undefined;
  readonly slot: Slot;
  readonly step: Step;
}

export interface Plan {
  /** Steps that find something only where the resource has a certain member, by that member: most parameters of a type find nothing. */
  readonly byMember: ReadonlyMap<string, readonly IndexedStep[]>;
  readonly always: readonly IndexedStep[];
  /** `0` per parameter, `1` for those that every resource has. */
  readonly absent: readonly string[];
  /** Parameters answered by others: present where in each list one of those is. */
  readonly combined: readonly { readonly index: number; readonly parts: readonly (readonly number[])[] }[];
}

/** What `resource.id` and `meta.lastUpdated` answer is always there, and lies in columns. */
const isColumn = ({ column }: Slot): boolean => column === 'id' || column === 'updated';

/**
 * Compiles a type's parameters when its first resource comes, and anew when they are others. The resource must have its id.
 * `only`: rows of these parameters alone.
 */
export function createExtractor(definitions: Definitions, only: (slot: Slot) => boolean = () => true): (resource: Resource) => IndexRows {
  const plans = new WeakMap<SlotTable, Plan>();
  const alone = (resource: Resource): IndexRows => {
    const { generation } = definitions.searchVersion();
    const slots = slotsOf(definitions, resource.resourceType);
    let plan = plans.get(slots);
    if (!plan) {
      plan = makePlan(definitions, [...slots.byCode.values()].filter(only));
      plans.set(slots, plan);
    }
    return extract(resource, plan, generation);
  };
  return (resource) => {
    const rows = alone(resource);
    const inside = resource['contained'];
    return inside === undefined ? rows : withContained(definitions, rows, inside, alone);
  };
}

/** What has no type or no id can't be named, and no two have one id. */
function withContained(definitions: Definitions, rows: IndexRows, inside: unknown, alone: (resource: Resource) => IndexRows): IndexRows {
  const contained = new Map<string, ContainedRows>();
  for (const one of asObjects(inside)) {
    const { resourceType: type, id: local } = one;
    if (typeof type !== 'string' || typeof local !== 'string' || !definitions.isResource(type) || contained.has(local)) continue;
    contained.set(local, { type, local, rows: alone({ ...one, resourceType: type, id: local }) });
  }
  return contained.size === 0 ? rows : { ...rows, contained: [...contained.values()] };
}

function extract(resource: Resource, { byMember, always, absent, combined }: Plan, generation: number): IndexRows {
  const rows = new RowCollector();
  const present = [...absent];
  const run = (steps: readonly IndexedStep[]): void => {
    for (const { index, presence, step } of steps) {
      const before = rows.count;
      step(resource, rows);
      if (rows.count === before) continue;
      if (presence === undefined) present[index] = '1';
      else rows.token(presence);
    }
  };
  for (const member in resource) {
    const steps = byMember.get(member);
    if (steps) run(steps);
  }
  run(always);
  for (const { index, parts } of combined) if (parts.every((any) => any.some((part) => present[part] === '1'))) present[index] = '1';
  return rows.finish(present.join(''), referenceHash(`${resource.resourceType}/${resource.id}`), generation);
}

/** Parameters of a type, compiled. */
export function makePlan(definitions: Definitions, slots: readonly Slot[]): Plan {
  const isCombined = (slot: Slot): boolean => slot.both === true || slot.readers[0] !== slot;
  const indexes = ({ readers }: Slot): number[] => readers.map((reader) => reader.position - 1);
  const both = slots.filter((slot) => slot.both);
  const others = slots.filter((slot) => slot.readers[0] !== slot);
  return {
    absent: slots.filter(({ presence }) => presence === undefined).map((slot) => (isColumn(slot) ? '1' : '0')),
    // `combo-code-value-quantity` reads what is found of `code-value-quantity`, which comes first.
    combined: [
      ...both.map((slot) => ({ index: slot.position - 1, parts: (slot.parts ?? []).map((part) => indexes(part.slot)) })),
      ...others.map((slot) => ({ index: slot.position - 1, parts: [indexes(slot)] })),
    ],
    ...stepsOf(definitions, slots.filter((slot) => !isColumn(slot) && !isCombined(slot))),
  };
}

function stepsOf(definitions: Definitions, slots: readonly Slot[]): Pick<Plan, 'byMember' | 'always'> {
  const byMember = new Map<string, IndexedStep[]>();
  const always: IndexedStep[] = [];
  for (const slot of slots) {
    const step = makeStep(definitions, slot);
    if (!step) continue;
    const indexed = { index: slot.position - 1, presence: slot.presence, slot, step };
    const members = membersOf(definitions, slot.type, slot.parameter.expression ?? '');
    if (!members) always.push(indexed);
    for (const member of members ?? []) byMember.set(member, [...(byMember.get(member) ?? []), indexed]);
  }
  return { byMember, always };
}

/** An extension stands for the value it holds: `Observation.extension('…dna-variant')`. */
function emitValue(found: string, value: unknown, index: (type: string, value: unknown) => void): void {
  if (found !== 'Extension' || typeof value !== 'object' || value === null) {
    index(found, value);
    return;
  }
  for (const [member, held] of Object.entries(value)) {
    if (member.startsWith('value')) index(typeof held === 'object' ? member.slice(5) : member.charAt(5).toLowerCase() + member.slice(6), held);
  }
}

/** Undefined for parameters that have no expression (`_text`). */
function makeStep(definitions: Definitions, slot: Slot): Step | undefined {
  const { type, parameter, parts } = slot;
  if (parameter.expression === undefined) return undefined;
  if (parameter.type === 'composite') return parts && compositeStep(definitions, slot, parameter.expression);
  const path = compilePath(parameter.expression, type, definitions);
  const index = PARAMETER_RULES[parameter.type].indexer(slot);
  let current = new RowCollector();
  const add = (found: string, value: unknown): void => { index(current, found, value); };
  const emit = (found: string, value: unknown): void => { emitValue(found, value, add); };
  return (resource, rows) => {
    current = rows;
    path(resource, emit);
  };
}

/** The expression gives the nodes in which the components stand together; each component is evaluated within one node. */
function compositeStep(definitions: Definitions, slot: Slot, expression: string): Step {
  const components = (slot.parts ?? []).map((part) => componentPaths(definitions, part.expression));
  const contexts = compilePath(expression, slot.type, definitions);
  return (resource, rows) => {
    contexts(resource, (type, node) => {
      if (typeof node !== 'object' || node === null) return;
      let together: Found[][] = [[]];
      for (const component of components) {
        if (together.length === 0) return;
        const found = gather(component(type), node, resource);
        together = together.flatMap((values) => found.map((value) => [...values, value]));
      }
      for (const values of together) indexTogether(slot, rows, values);
    });
  };
}

/** A component's expression, compiled for each type of node it meets. */
function componentPaths(definitions: Definitions, expression: string): (type: string) => CompiledPath {
  const byType = new Map<string, CompiledPath>();
  return (type) => {
    let path = byType.get(type);
    if (!path) {
      path = compilePath(expression, type, definitions);
      byType.set(type, path);
    }
    return path;
  };
}

function gather(path: CompiledPath, node: object, resource: Resource): Found[] {
  const found: Found[] = [];
  path(node, (type, value) => {
    found.push({ type, value });
  }, resource);
  return found;
}
