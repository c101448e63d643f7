// A write as rules see it, and as the store is given it.
import { storedText } from '../fhir/stored-text.js';
import type { Resource } from '../fhir/resource.js';
import type { Write } from '../store/rule.js';
import type { Change, StoredVersion } from '../store/store.js';
import type { Asked } from './asked.js';
import type { Context } from './context.js';

/** As rules see it, before any of them has completed it. */
export function describe(asked: Asked, current: StoredVersion | undefined): Write {
  const before = current?.text == null ? undefined : (JSON.parse(current.text) as Resource);
  const value = asked.resolved?.value ?? asked.document?.value;
  return {
    type: asked.type,
    id: asked.id,
    kind: asked.kind === 'delete' ? 'delete' : before ? 'update' : 'create',
    before,
    after: value && { ...value, resourceType: asked.type, id: asked.id },
    document: asked.document,
    ifMatch: asked.ifMatch,
  };
}

/** With what rules have completed: undefined takes the member away. */
export function merge(resource: Resource, set: Readonly<Record<string, unknown>>): Resource {
  const merged = { ...resource, ...set } as Resource;
  for (const [member, value] of Object.entries(set)) if (value === undefined) Reflect.deleteProperty(merged, member);
  return merged;
}

/** As it is stored: the next version, its text and its index rows. */
export function toChange(asked: Asked, write: Write, set: Readonly<Record<string, unknown>>, current: StoredVersion | undefined, context: Context): Change {
  const { type, id, method, document, resolved } = asked;
  const version = (current?.version ?? 0) + 1;
  const before = current?.version;
  if (!write.after || !document) return { type, id, version, updated: context.now, method, text: null, before, rows: undefined };
  const edits = resolved ? { set, strings: resolved.strings } : { set };
  const text = storedText(document, { id, versionId: version, lastUpdated: context.now, edits });
  return { type, id, version, updated: context.now, method, text, before, rows: context.parts.extract(write.after, document) };
}
