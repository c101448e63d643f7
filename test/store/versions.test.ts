// vread and history: which versions there are, in what order, a page at a time.
import { ALL, create, openFixture, remove, update, type Fixture } from './fixture.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture();
  const { store } = fixture;
  await store.write([create('Patient', 'p'), create('Person', 'p', { text: '{"other":true}' }), create('Patient', 'once')]);
  await store.write([update('Patient', 'p', 1)]);
  await store.write([remove('Patient', 'p', 2)]);
  await store.write([update('Patient', 'p', 3, { method: 'PATCH' })]);
  await store.write([update('Person', 'p', 1)]);
});
afterAll(() => fixture.close());

describe('vread', () => {
  it.each([[1, create('Patient', 'p').text], [2, '{"version":2}'], [3, null], [4, '{"version":4}']])('gives version %i', async (version, text) => {
    expect(await fixture.store.vread(ALL, 'Patient', 'p', version)).toEqual({ type: 'Patient', id: 'p', version, updated: version * 1000, text });
  });

  it.each([0, 5, 2 ** 40])('gives nothing for version %i, which never was', async (version) => {
    expect(await fixture.store.vread(ALL, 'Patient', 'p', version)).toBeUndefined();
  });

  it('gives nothing for a resource that never was', async () => {
    expect(await fixture.store.vread(ALL, 'Observation', 'p', 1)).toBeUndefined();
  });
});

describe('history', () => {
  const versionsOf = (answer: { readonly versions: readonly { readonly version: number }[] }): number[] => answer.versions.map(({ version }) => version);

  it('gives all versions of one resource, newest first, with their methods', async () => {
    const { versions, total } = await fixture.store.history(ALL, 'Patient', 'p', { count: 10 });
    expect(total).toBe(4);
    expect(versions).toEqual([
      { type: 'Patient', id: 'p', version: 4, updated: 4000, method: 'PATCH', text: '{"version":4}' },
      { type: 'Patient', id: 'p', version: 3, updated: 3000, method: 'DELETE', text: null },
      { type: 'Patient', id: 'p', version: 2, updated: 2000, method: 'PUT', text: '{"version":2}' },
      { type: 'Patient', id: 'p', version: 1, updated: 1000, method: 'POST', text: create('Patient', 'p').text },
    ]);
  });

  it('gives the same versions page by page, each page with the same total', async () => {
    for (const count of [1, 2, 3]) {
      const seen: number[] = [];
      for (let before: number | undefined; ; before = seen.at(-1)) {
        const page = await fixture.store.history(ALL, 'Patient', 'p', { count, ...(before !== undefined && { before }) });
        expect(page.total).toBe(4);
        expect(page.versions.length).toBeLessThanOrEqual(count);
        if (page.versions.length === 0) break;
        seen.push(...versionsOf(page));
      }
      expect(seen).toEqual([4, 3, 2, 1]);
    }
  });

  it('gives and counts only what was updated since', async () => {
    const since = await fixture.store.history(ALL, 'Patient', 'p', { count: 10, since: 2000 });
    expect([versionsOf(since), since.total]).toEqual([[4, 3, 2], 3]);
    const later = await fixture.store.history(ALL, 'Patient', 'p', { count: 10, since: 4001 });
    expect([versionsOf(later), later.total]).toEqual([[], 0]);
  });

  it('of a resource with one version is that version', async () => {
    const { versions, total } = await fixture.store.history(ALL, 'Patient', 'once', { count: 10 });
    expect([versionsOf({ versions }), total]).toEqual([[1], 1]);
  });

  it('of a resource that never was is empty', async () => {
    expect(await fixture.store.history(ALL, 'Observation', 'p', { count: 10 })).toEqual({ versions: [], total: 0 });
  });

  it('of count 0 gives the total alone', async () => {
    expect(await fixture.store.history(ALL, 'Patient', 'p', { count: 0 })).toEqual({ versions: [], total: 4 });
  });
});
