// From a resource to its rows in the index tables: every search parameter of its type, compiled together once.
// https://hl7.org/fhir/R4/search.html#2.21.1.3
import type { Definitions } from '../definitions/model.js';
import { asObjects } from '../fhir/elements.js';
import type { Resource } from '../fhir/resource.js';
import type { ContainedRows, IndexRows } from './index-rows.js';
import { RowCollector } from './row-collector.js';
import { slotsOf, type Slot, type SlotTable } from './slots.js';
import { referenceHash } from './token-hash.js';
import { compileSlots, type Visit } from './visit.js';

/**
 * Compiles a type's parameters when its first resource comes, and anew when they are others. The resource must have its id.
 * `only`: rows of these parameters alone.
 */
export function createExtractor(definitions: Definitions, only: (slot: Slot) => boolean = () => true): (resource: Resource) => IndexRows {
  const visits = new WeakMap<SlotTable, Visit>();
  const alone = (resource: Resource): IndexRows => {
    const { resourceType: type, id } = resource;
    const { generation } = definitions.searchVersion();
    const slots = slotsOf(definitions, type);
    let visit = visits.get(slots);
    if (!visit) visits.set(slots, (visit = compileSlots(definitions, type, [...slots.byCode.values()].filter(only))));
    const rows = new RowCollector();
    visit(resource, rows);
    return rows.finish(referenceHash(`${type}/${id}`), generation);
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
