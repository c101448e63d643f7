// Marks a resource of which something was left out, so that nobody takes it for the whole. https://hl7.org/fhir/R4/resource.html#Meta
import type { JsonMembers, JsonTree } from './json-tree.js';

const SYSTEM = 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue';
const CODE = 'SUBSETTED';

/** The same resource with the tag, once. */
export function subsetted(resource: JsonMembers): JsonMembers {
  const meta = resource.get('meta');
  const members: JsonMembers = meta instanceof Map ? meta : new Map<string, JsonTree>();
  const tags = members.get('tag');
  const list: JsonTree[] = Array.isArray(tags) ? tags : [];
  if (!list.some((tag) => tag instanceof Map && tag.get('system') === SYSTEM && tag.get('code') === CODE)) {
    list.push(new Map([['system', SYSTEM], ['code', CODE]]));
  }
  members.set('tag', list);
  resource.set('meta', members);
  return resource;
}
