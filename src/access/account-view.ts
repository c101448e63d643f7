// What a third party is shown of a budget: whose it is, and its own lines (domain.md ruling 35).
import { parseTree, treeText, type JsonMembers, type JsonTree } from '../fhir/json-tree.js';
import type { View } from '../search/grant.js';
import { subsetted } from '../fhir/subsetted.js';

const ALLOCATION = 'https://fhir.entitle.example/StructureDefinition/ext-allocation';
const SHOWN: ReadonlySet<string> = new Set(['resourceType', 'id', 'meta', 'status', 'type', 'name', 'subject', 'servicePeriod', 'owner']);

/** Search parameters about what is shown. */
export const SHOWN_CODES: ReadonlySet<string> = new Set(['_id', '_lastUpdated', '_profile', '_security', '_source', '_tag', 'status', 'type', 'name', 'subject', 'patient', 'period', 'owner']);

/** `holders`: `Organization/1`, those whose lines are shown. */
export const cutToLines = (holders: readonly string[]): View => (text) => {
  const account = parseTree(text) as JsonMembers;
  const kept: JsonMembers = new Map([...account].filter(([member]) => SHOWN.has(member)));
  const extensions = account.get('extension');
  const lines = (Array.isArray(extensions) ? extensions : []).filter((extension) => isHeldBy(extension, holders));
  if (lines.length > 0) kept.set('extension', lines);
  return treeText(subsetted(kept));
};

function isHeldBy(extension: JsonTree, holders: readonly string[]): boolean {
  if (!(extension instanceof Map) || extension.get('url') !== ALLOCATION) return false;
  const parts = extension.get('extension');
  return Array.isArray(parts) && parts.some((part) => part instanceof Map && part.get('url') === 'holder' && holders.includes(referenceOf(part.get('valueReference'))));
}

function referenceOf(value: JsonTree | undefined): string {
  const reference = value instanceof Map ? value.get('reference') : undefined;
  return typeof reference === 'string' ? reference : '';
}
