// Versions that the server itself makes of a resource, in the transaction of the write that caused them.
import { exactJson } from '../fhir/exact-json.js';
import { readJson, readMembers, type JsonDocument } from '../fhir/json-text.js';
import { storedText } from '../fhir/stored-text.js';
import type { JsonValue, Resource } from '../fhir/resource.js';
import type { Shifter } from '../search/shift.js';
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

/**
 * The version after `current` in which one member has another value, or none; no version where `change` gives nothing. The rest of the text is
 * copied unread, and where the index says what depends on the member alone, the rest of its rows is left.
 */
export function withMember(current: StoredVersion, member: string, change: (before: JsonValue | undefined) => { readonly value: JsonValue | undefined } | undefined, amending: MemberChanging): Change | undefined {
  if (current.text === null) return undefined;
  const { type, id } = current;
  const document = readMembers(current.text, [member]);
  const before = document.value[member];
  const changed = change(before);
  if (!changed) return undefined;
  const set = { [member]: changed.value };
  // What it contains is indexed with its version.
  const shift = current.text.includes('"contained"') ? undefined : amending.shift(type, member, before, changed.value);
  if (shift) return { ...versionText(current, document, set, amending.now), shift };
  const whole = readJson(current.text);
  return versionOf(current, whole, set, { ...whole.value, ...set, resourceType: type, id }, amending);
}

export interface MemberChanging extends Versioning {
  readonly shift: Shifter;
}

type Versioning = Pick<Amending, 'now' | 'extract'>;

function versionOf(current: StoredVersion, document: JsonDocument, set: Readonly<Record<string, unknown>>, resource: Resource, { now, extract }: Versioning): Change {
  return { ...versionText(current, document, set, now), rows: extract(resource, document) };
}

function versionText({ type, id, version: before }: StoredVersion, document: JsonDocument, set: Readonly<Record<string, unknown>>, now: number): Omit<Change, 'rows' | 'shift'> {
  const version = before + 1;
  return { type, id, version, updated: now, method: 'PUT', text: storedText(document, { id, versionId: version, lastUpdated: now, edits: { set } }), before };
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
