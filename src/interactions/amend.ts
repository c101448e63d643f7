// Versions that the server itself makes of a resource, in the transaction of the write that caused them.
import { exactJson } from '../fhir/exact-json.js';
import { readJson, type JsonDocument } from '../fhir/json-text.js';
import { storedText } from '../fhir/stored-text.js';
import type { Resource } from '../fhir/resource.js';
import type { Change, StoredVersion, Transaction } from '../store/store.js';
import type { Parts } from './context.js';

export interface Amending extends Pick<Parts, 'extract'> {
  readonly tx: Transaction;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Stores `resource` as the next version of itself, or as its first. Only the members that differ are rewritten, so the rest keeps its digits. */
export async function amend(resource: Resource, amending: Amending): Promise<void> {
  const { resourceType: type, id = '' } = resource;
  const current = await amending.tx.lock(type, id);
  await amending.tx.write([current ? nextVersion(current, resource, amending) : firstVersion(resource, amending)]);
}

/** The change that makes `resource` the version after `current`. */
function nextVersion(current: StoredVersion, resource: Resource, amending: Versioning): Change {
  const document = readJson(current.text ?? exactJson(resource));
  return versionOf(current, document, differences(document.value, resource), resource, amending);
}

/** The version after `current` in which members are set, or dropped where undefined; none where `change` gives nothing. Reads the text once. */
export function changedVersion(current: StoredVersion, change: (resource: Resource) => Readonly<Record<string, unknown>> | undefined, amending: Versioning): Change | undefined {
  if (current.text === null) return undefined;
  const document = readJson(current.text);
  const before = document.value as Resource;
  const set = change(before);
  if (!set) return undefined;
  const version = versionOf(current, document, set, { ...before, ...set } as Resource, amending);
  // To look costs a fifth of what it saves: a Patient has a dozen strings, each a row to delete and one to insert.
  const keepsStrings = JSON.stringify(amending.extract(before, document).strings) === JSON.stringify(version.rows?.strings);
  return { ...version, keepsStrings };
}

type Versioning = Pick<Amending, 'now' | 'extract'>;

function versionOf({ type, id, version: before }: StoredVersion, document: JsonDocument, set: Readonly<Record<string, unknown>>, resource: Resource, { now, extract }: Versioning): Change {
  const version = before + 1;
  const text = storedText(document, { id, versionId: version, lastUpdated: now, edits: { set } });
  return { type, id, version, updated: now, method: 'PUT', text, before, rows: extract(resource, document) };
}

/** Stores a new resource under the id it has. */
export async function add(resource: Resource, { tx, now, extract }: Amending): Promise<void> {
  await tx.write([firstVersion(resource, { now, extract })]);
}

/** The change that makes a new resource, whose id the server has chosen. */
export function firstVersion(resource: Resource, { now, extract }: Versioning): Change {
  const { resourceType: type, id = '' } = resource;
  const document = readJson(exactJson(resource));
  const text = storedText(document, { id, versionId: 1, lastUpdated: now });
  return { type, id, version: 1, updated: now, method: 'POST', text, rows: extract(document.value as Resource, document) };
}

function differences(before: Readonly<Record<string, unknown>>, after: Resource): Record<string, unknown> {
  const set: Record<string, unknown> = {};
  for (const member of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (member === 'id' || member === 'meta' || member === 'resourceType') continue;
    if (JSON.stringify(before[member]) !== JSON.stringify(after[member])) set[member] = after[member];
  }
  return set;
}
