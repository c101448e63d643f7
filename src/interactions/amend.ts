// Versions that the server itself makes of a resource, in the transaction of the write that caused them.
import { exactJson } from '../fhir/exact-json.js';
import { readJson } from '../fhir/json-text.js';
import { storedText } from '../fhir/stored-text.js';
import type { Resource } from '../fhir/resource.js';
import type { Transaction } from '../store/store.js';
import type { Parts } from './context.js';

export interface Amending extends Pick<Parts, 'extract'> {
  readonly tx: Transaction;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Stores `resource` as the next version of itself. Only the members that differ are rewritten, so the rest keeps its digits. */
export async function amend(resource: Resource, { tx, now, extract }: Amending): Promise<void> {
  const { resourceType: type, id = '' } = resource;
  const current = await tx.lock(type, id);
  if (!current || current.text === null) throw new Error(`${type}/${id} is not there to be amended`);
  const document = readJson(current.text);
  const version = current.version + 1;
  const set = differences(document.value, resource);
  const text = storedText(document, { id, versionId: String(version), lastUpdated: now, edits: { set } });
  const rows = extract(resource, document);
  await tx.write([{ type, id, version, updated: now, method: 'PUT', text, before: current.version, rows }]);
}

/** Stores a new resource under the id it has. */
export async function add(resource: Resource, { tx, now, extract }: Amending): Promise<void> {
  const { resourceType: type, id = '' } = resource;
  const document = readJson(exactJson(resource));
  const text = storedText(document, { id, versionId: 1, lastUpdated: now });
  await tx.write([{ type, id, version: 1, updated: now, method: 'POST', text, rows: extract(document.value as Resource, document) }]);
}

function differences(before: Readonly<Record<string, unknown>>, after: Resource): Record<string, unknown> {
  const set: Record<string, unknown> = {};
  for (const member of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (member === 'id' || member === 'meta' || member === 'resourceType') continue;
    if (JSON.stringify(before[member]) !== JSON.stringify(after[member])) set[member] = after[member];
  }
  return set;
}
