// The house: which room may import which, and what must never import what. The drawing in the README says the same.
import { readSources, filesUnder, type Source } from './sources.js';

/** A room imports only rooms with a lower number; rooms with the same number do not know each other. */
const FLOORS: Readonly<Record<string, number>> = {
  fhir: 0, db: 0,
  fhirpath: 1,
  definitions: 2,
  xml: 3,
  terminology: 3,
  search: 4, validation: 4,
  store: 5,
  identity: 6, access: 6, audit: 6,
  'chargeable-status': 7, budgets: 7,
  interactions: 8,
  jobs: 9, subscriptions: 9,
  operations: 10,
  dispatch: 11,
  http: 12, console: 12,
  'config.ts': 13, 'progress.ts': 13, 'demo-budgets.ts': 13, 'demo-data.ts': 13,
  'app.ts': 14, 'banner.ts': 14, 'log.ts': 14, 'demo.ts': 14,
  service: 15,
  'service.ts': 16,
  'main.ts': 17,
  'own-server.ts': 18,
  'feed-file.ts': 19, 'directory-file.ts': 19,
  'cli.ts': 20,
};

/** Packages that only these may know. */
const RESERVED: Readonly<Record<string, readonly string[]>> = {
  fastify: ['http', 'console', 'app.ts'],
  pg: ['db'],
  jose: ['identity'],
  commander: ['cli.ts'],
};

const HOMELESS = /(^|\/)(utils?|helpers?|common|shared|lib|types)(\.[a-z]+)?(\/|$)|-(utils?|helpers?)\./;
const MOST_LINES = 350;

const sources = readSources('src');
const roomOf = (path: string): string => path.split('/')[1] ?? '';

/** `src/a.ts -> src/b.ts` for each import that the test of two rooms refuses. */
function wrongImports(refuses: (from: string, to: string) => boolean): string[] {
  return sources.flatMap((source) => source.imports.filter((to) => refuses(roomOf(source.path), roomOf(to))).map((to) => `${source.path} -> ${to}`));
}

function loopFrom(start: Source, byPath: ReadonlyMap<string, Source>): string | undefined {
  const seen = new Set<string>();
  const walk = (source: Source, trail: readonly string[]): string | undefined => {
    for (const next of source.imports) {
      if (next === start.path) return [...trail, next].join(' -> ');
      const found = byPath.get(next);
      if (found === undefined || seen.has(next)) continue;
      seen.add(next);
      const loop = walk(found, [...trail, next]);
      if (loop !== undefined) return loop;
    }
    return undefined;
  };
  return walk(start, [start.path]);
}

test('there are sources, and their imports are seen', () => {
  expect(sources.find(({ path }) => path === 'src/cli.ts')).toMatchObject({ imports: expect.arrayContaining(['src/main.ts', 'src/config.ts', 'src/fhir/caller.ts']), packages: expect.arrayContaining(['commander']) });
});

test('every room of src has its floor', () => {
  expect([...new Set(sources.map(({ path }) => roomOf(path)))].filter((room) => !(room in FLOORS))).toEqual([]);
});

test('a room imports only rooms with a lower number', () => {
  expect(wrongImports((from, to) => from !== to && (FLOORS[to] ?? Infinity) >= (FLOORS[from] ?? -1))).toEqual([]);
});

test('an import leads to a file of src', () => {
  const paths = new Set(sources.map(({ path }) => path));
  expect(sources.flatMap(({ path, imports }) => imports.filter((to) => !paths.has(to)).map((to) => `${path} -> ${to}`))).toEqual([]);
});

test('the ledger of budgets knows nothing of what stands on it', () => {
  const ledger = sources.filter(({ path }) => path.startsWith('src/budgets/ledger/'));
  expect(ledger.map(({ path }) => path)).toContain('src/budgets/ledger/ledger.ts');
  const beside = ledger.flatMap(({ imports }) => imports.filter((to) => to.startsWith('src/budgets/') && !to.startsWith('src/budgets/ledger/')));
  expect([...new Set(beside)]).toEqual(['src/budgets/codes.ts']);
});

test.each(Object.entries(RESERVED))('%s is imported only in %j', (name, rooms) => {
  expect(sources.filter(({ path, packages }) => packages.some((one) => one === name || one.startsWith(`${name}/`)) && !rooms.includes(roomOf(path))).map(({ path }) => path)).toEqual([]);
});

test('only config.ts reads the environment', () => {
  expect(sources.filter(({ path, text }) => /process\s*\.\s*env|process\s*\[|\{[^}]*\benv\b[^}]*\}\s*=\s*process/.test(text) && path !== 'src/config.ts').map(({ path }) => path)).toEqual([]);
});

test('the environment is found where it is read', () => {
  expect(sources.filter(({ text }) => text.includes('process.env')).map(({ path }) => path)).toContain('src/config.ts');
});

test('no folder or file is named for having no home', () => {
  const files = ['src', 'test', 'bench', 'scripts'].flatMap((folder) => filesUnder(folder, /./));
  expect(['src/lib/a.ts', 'src/fhir/types.ts', 'test/api-helpers.ts', 'src/utils'].every((file) => HOMELESS.test(file))).toBe(true);
  expect(files.filter((file) => HOMELESS.test(file))).toEqual([]);
});

test('names are kebab-case', () => {
  expect(sources.map(({ path }) => path).filter((path) => !/^[a-z0-9]+([-/][a-z0-9]+)*\.ts$/.test(path))).toEqual([]);
});

test('no imports go in a circle', () => {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  expect(sources.map((source) => loopFrom(source, byPath)).filter((loop) => loop !== undefined)).toEqual([]);
});

test('each file begins by saying what it is', () => {
  expect(sources.filter(({ text }) => !/^\/\/ \S|^\/\*\* \S/.test(text)).map(({ path }) => path)).toEqual([]);
});

test(`no file is longer than ${MOST_LINES} lines`, () => {
  expect(sources.filter(({ text }) => text.split('\n').length > MOST_LINES).map(({ path }) => path)).toEqual([]);
});
