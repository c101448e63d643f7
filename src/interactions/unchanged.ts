// An update that changes nothing makes no version: the content is compared, however it is laid out. https://hl7.org/fhir/R4/http.html#update
import { JsonNumber, parseTree, type JsonTree } from '../fhir/json-tree.js';

/** What stands before it is the version's own: type, id, versionId; a moment has always this length. */
const UPDATED = '"lastUpdated":"';
const MOMENT = UPDATED.length + '2026-11-21T12:00:00.000Z"'.length;

/** Are two stored texts of one resource the same but for versionId and lastUpdated? Members may stand in another order; 1.0 is not 1.00. */
export function isUnchanged(before: string, after: string): boolean {
  const [one, other] = [contentOf(before), contentOf(after)];
  if (one === other) return true;
  // Members in another order are as many characters; most changes are told by that alone.
  return one.length === other.length && isSame(parseTree(`{"meta":{${one}`), parseTree(`{"meta":{${other}`));
}

/** From behind the moment on, without the comma where meta has more. */
function contentOf(text: string): string {
  const rest = text.slice(text.indexOf(UPDATED) + MOMENT);
  return rest.startsWith(',') ? rest.slice(1) : rest;
}

function isSame(one: JsonTree, other: JsonTree): boolean {
  if (one instanceof JsonNumber) return other instanceof JsonNumber && one.text === other.text;
  if (Array.isArray(one)) return Array.isArray(other) && one.length === other.length && one.every((item, index) => isSame(item, other[index] ?? null));
  if (!(one instanceof Map)) return one === other;
  if (!(other instanceof Map) || one.size !== other.size) return false;
  return [...one].every(([key, value]) => {
    const found = other.get(key);
    return found !== undefined && isSame(value, found);
  });
}
