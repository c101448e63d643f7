// Puts the project's own profiles, code systems and operation definitions into the store at start, so that the API serves
// them by the ordinary road: read, search, history.
import { readJson } from '../fhir/json-text.js';
import { storedText } from '../fhir/stored-text.js';
import type { Resource } from '../fhir/resource.js';
import { serverGrant } from '../search/grant.js';
import type { Change, Store, StoredVersion } from '../store/store.js';
import type { Parts } from '../interactions/context.js';

/** The server's own view of its own definitions. */
const GRANT = serverGrant();

/** Writes the definitions that are new or differ from what is stored; gives how many. Two servers that start together are both content. */
export async function publishDefinitions(resources: readonly Resource[], parts: Pick<Parts, 'store' | 'extract' | 'clock'>): Promise<number> {
  return parts.store.transaction(async (tx) => {
    await tx.lockKey('publish-definitions');
    // All at once: the connection takes the next read before it has answered the last.
    const stored = await Promise.all(resources.map((resource) => readStored(tx, resource)));
    const changes = resources.flatMap((resource, index) => changeFor(resource, stored[index], parts) ?? []);
    if (changes.length > 0) await tx.write(changes);
    return changes.length;
  });
}

const readStored = (store: Pick<Store, 'read'>, { resourceType, id = '' }: Resource): Promise<StoredVersion | undefined> =>
  store.read(GRANT, resourceType, id);

function changeFor(resource: Resource, stored: StoredVersion | undefined, { extract, clock }: Pick<Parts, 'extract' | 'clock'>): Change | undefined {
  const { resourceType: type, id } = resource;
  if (id === undefined) throw new Error(`A ${type} of this project has no id`);
  const document = readJson(JSON.stringify(resource));
  const text = (version: number, lastUpdated: number): string => storedText(document, { id, versionId: String(version), lastUpdated });
  if (stored?.text != null && stored.text === text(stored.version, stored.updated)) return undefined;
  const version = (stored?.version ?? 0) + 1;
  const updated = clock();
  return { type, id, version, updated, method: 'PUT', text: text(version, updated), rows: extract(resource, document), ...(stored && { before: stored.version }) };
}
