// Marks a resource of which something was left out, so that nobody takes it for the whole. https://hl7.org/fhir/R4/resource.html#Meta
import type { JsonMembers, JsonTree } from './json-tree.js';

/** The tag, for what is made rather than cut. */
export const SUBSETTED = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' } as const;

/** The same resource with the tag, once. */
export function subsetted(resource: JsonMembers): JsonMembers {
  const meta = resource.get('meta');
  const members: JsonMembers = meta instanceof Map ? meta : new Map<string, JsonTree>();
  const tags = members.get('tag');
  const list: JsonTree[] = Array.isArray(tags) ? tags : [];
  if (!list.some((tag) => tag instanceof Map && tag.get('system') === SUBSETTED.system && tag.get('code') === SUBSETTED.code)) {
    list.push(new Map<string, JsonTree>(Object.entries(SUBSETTED)));
  }
  members.set('tag', list);
  resource.set('meta', members);
  return resource;
}
