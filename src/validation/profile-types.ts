// What a profile asks of a value by its type: profiles of data types, extensions and references.
import { isObject } from './json-object.js';
import { note, reportNoProfile, reportTarget } from './profile-reports.js';
import type { ProfileCheck, ProfileRun } from './profile-run.js';
import type { ElementType, ProfileNode } from './profile-tree.js';
import type { LazyCheck, ProfileWorld } from './profile-world.js';
import { referencedType } from './reference.js';

/** Undefined where the node has no profile for values of the type. */
export function profileOf({ types }: ProfileNode, type: string, profile: string, world: ProfileWorld): LazyCheck | undefined {
  const [only, ...others] = everyOf(typesOf(types, type), 'profile');
  if (only === undefined) return undefined;
  return others.length === 0 ? linkTo(only, profile, world) : { check: oneOf([only, ...others], type, profile, world) };
}

/** Undefined where the node has no profile for what its references lead to. */
export function targetOf({ types }: ProfileNode, type: string, profile: string, world: ProfileWorld): ProfileCheck | undefined {
  const urls = type === 'Reference' ? everyOf(typesOf(types, type), 'targetProfile') : [];
  return urls.length === 0 ? undefined : targetCheck(urls, profile, world);
}

const typesOf = (types: readonly ElementType[] = [], type: string): readonly ElementType[] => types.filter(({ code }) => code === type);

/** Nothing where one of the types leaves it open. */
function everyOf(types: readonly ElementType[], member: 'profile' | 'targetProfile'): readonly string[] {
  if (types.some((type) => (type[member] ?? []).length === 0)) return [];
  return types.flatMap((type) => type[member] ?? []);
}

/** Found when first asked, since profiles may refer to each other in circles; where one changes, all are compiled anew. */
function linkTo(url: string, profile: string, world: ProfileWorld): LazyCheck {
  const link: LazyCheck = {
    check: (value, sibling, run, findings) => {
      const found = world.profile(url);
      if (found) {
        found.check(value, sibling, run, findings);
        link.check = found.check;
      } else if (world.typeOf(url) === undefined) note(findings, profile, 'profile', `the profile ${url} is not known here, so this was not checked by it`);
    },
  };
  return link;
}

function oneOf(urls: readonly string[], type: string, profile: string, world: ProfileWorld): ProfileCheck {
  return (value, sibling, run, findings) => {
    const verdicts = urls.map((url) => world.conforms(value, sibling, type, url, run));
    if (verdicts.every((verdict) => verdict === false)) reportNoProfile(findings, profile, urls);
  };
}

function targetCheck(urls: readonly string[], profile: string, world: ProfileWorld): ProfileCheck {
  let types: readonly (string | undefined)[] | undefined;
  return (value, _sibling, run, findings) => {
    if (!isObject(value)) return;
    types ??= urls.map((url) => world.typeOf(url));
    const { reference } = value;
    const target = typeof reference === 'string' ? run.resolve(reference) : undefined;
    if (isObject(target) ? !meetsOne(target, urls, run, world) : !mayBeOne(value, types, world)) {
      reportTarget(findings, profile, reference ?? value['type'], urls.map((url) => url.slice(url.lastIndexOf('/') + 1)));
    }
  };
}

/** By the target itself, where it is at hand. */
function meetsOne(target: Readonly<Record<string, unknown>>, urls: readonly string[], run: ProfileRun, world: ProfileWorld): boolean {
  const { resourceType: type } = target;
  return typeof type !== 'string' || urls.some((url) => world.conforms(target, undefined, type, url, run) !== false);
}

/** By its type, as the reference tells it; true where it does not. `types`: of the profiles, undefined for those nobody knows. */
function mayBeOne(value: Readonly<Record<string, unknown>>, types: readonly (string | undefined)[], { definitions }: ProfileWorld): boolean {
  const { reference } = value;
  // almost always one of the types and a slash: no text is cut out of another then
  for (const type of types) if (type === undefined || (typeof reference === 'string' && reference.charCodeAt(type.length) === 47 && reference.startsWith(type))) return true;
  const type = targetType(value);
  return type === undefined || !definitions.isResource(type) || types.some((wanted) => wanted === undefined || definitions.isA(type, wanted));
}

/** The resource that a Reference leads to, where it lies in what is being checked. */
export function targetAt(value: unknown, run: ProfileRun): Readonly<Record<string, unknown>> | undefined {
  if (!isObject(value) || typeof value['reference'] !== 'string') return undefined;
  const target = run.resolve(value['reference']);
  return isObject(target) ? target : undefined;
}

/** As the text of a Reference, or its `type`, tells it. */
export function targetType(value: unknown): string | undefined {
  if (!isObject(value)) return undefined;
  const { reference, type } = value;
  return (typeof reference === 'string' ? referencedType(reference) : undefined) ?? (typeof type === 'string' ? type : undefined);
}
