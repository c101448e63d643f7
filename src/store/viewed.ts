// The one place where text leaves the store: whatever road asked, the caller is given its Grant's view of the resource.
import type { Grant } from '../search/grant.js';
import type { Found, Reader } from './store.js';

/** The same reader, its texts as the Grant of each call shows them. */
export function viewed(reader: Omit<Reader, 'searchContained'>): Omit<Reader, 'searchContained'> {
  return {
    read: (grant, type, id) => one(grant, reader.read(grant, type, id)),
    vread: (grant, type, id, version) => one(grant, reader.vread(grant, type, id, version)),
    async history(grant, type, id, page) {
      const { versions, total } = await reader.history(grant, type, id, page);
      return { versions: versions.map((version) => shown(grant, version)), total };
    },
    async historyOfTypes(grant, query) {
      return (await reader.historyOfTypes(grant, query)).map((version) => shown(grant, version));
    },
    async search(grant, query) {
      const page = await reader.search(grant, query);
      return { ...page, matches: found(grant, page.matches), includes: found(grant, page.includes) };
    },
    // Labels tell what a view takes out of a resource, never what stood there.
    metaInUse: (grant, types) => reader.metaInUse(grant, types),
    scan: (grant, scan) => reader.scan(grant, scan),
    async linesAsOf(grant, type, ids, at) {
      const [view, lines] = [grant.view(type), await reader.linesAsOf(grant, type, ids, at)];
      return view ? lines.map(view) : lines;
    },
    deleted: (grant, scan) => reader.deleted(grant, scan),
    explain: (grant, query) => reader.explain(grant, query),
  };
}

async function one<T extends { readonly type: string; readonly text: string | null }>(grant: Grant, reading: Promise<T | undefined>): Promise<T | undefined> {
  const version = await reading;
  return version && shown(grant, version);
}

function shown<T extends { readonly type: string; readonly text: string | null }>(grant: Grant, version: T): T {
  const view = grant.view(version.type);
  return view && version.text !== null ? { ...version, text: view(version.text) } : version;
}

/** Most callers see all of everything: their pages are not copied. */
function found(grant: Grant, rows: readonly Found[]): readonly Found[] {
  return rows.some(({ type }) => grant.view(type)) ? rows.map((row) => shown(grant, row)) : rows;
}
