// The steps of a profile's check that follow a type: profiles of data types, extensions and references.
import { isObject } from './profile-elements.js';
import { note, reportNoProfile, reportTarget } from './profile-reports.js';
import type { ProfileCheck, ProfileRun } from './profile-run.js';
import type { ElementType, ProfileNode } from './profile-tree.js';
import type { ProfileWorld } from './profile-world.js';
import { referencedType } from './reference.js';

export function typeSteps({ types }: ProfileNode, type: string, profile: string, world: ProfileWorld): ProfileCheck[] {
  const own = (types ?? []).filter(({ code }) => code === type);
  const profiles = everyOf(own, 'profile');
  const targets = type === 'Reference' ? everyOf(own, 'targetProfile') : [];
  return [
    ...(profiles.length > 0 ? [profileStep(profiles, type, profile, world)] : []),
    ...(targets.length > 0 ? [targetStep(targets, profile, world)] : []),
  ];
}

/** Nothing where one of the types leaves it open. */
function everyOf(types: readonly ElementType[], member: 'profile' | 'targetProfile'): readonly string[] {
  if (types.some((type) => (type[member] ?? []).length === 0)) return [];
  return types.flatMap((type) => type[member] ?? []);
}

function profileStep(urls: readonly string[], type: string, profile: string, world: ProfileWorld): ProfileCheck {
  const [only = ''] = urls;
  return (value, sibling, run, findings) => {
    if (urls.length > 1) {
      const verdicts = urls.map((url) => world.conforms(value, sibling, type, url, run));
      if (verdicts.every((verdict) => verdict === false)) reportNoProfile(findings, profile, urls);
      return;
    }
    const asked = world.profile(only);
    if (asked) asked.check(value, sibling, run, findings);
    else if (world.typeOf(only) === undefined) note(findings, profile, 'profile', `the profile ${only} is not known here, so this was not checked by it`);
  };
}

function targetStep(urls: readonly string[], profile: string, world: ProfileWorld): ProfileCheck {
  return (value, _sibling, run, findings) => {
    if (isObject(value) && !mayBeTarget(value, urls, run, world)) reportTarget(findings, profile, value['reference'] ?? value['type'], urls.map((url) => url.slice(url.lastIndexOf('/') + 1)));
  };
}

/** By the target itself where it is at hand, else by its type as the reference tells it; true where neither is known. */
function mayBeTarget(value: Readonly<Record<string, unknown>>, urls: readonly string[], run: ProfileRun, world: ProfileWorld): boolean {
  const target = targetOf(value, run);
  if (target && typeof target['resourceType'] === 'string') {
    const type = target['resourceType'];
    return urls.some((url) => world.conforms(target, undefined, type, url, run) !== false);
  }
  const type = targetType(value);
  return type === undefined || !world.definitions.isResource(type) || urls.some((url) => {
    const wanted = world.typeOf(url);
    return wanted === undefined || world.definitions.isA(type, wanted);
  });
}

/** The resource that a Reference leads to, where it lies in what is being checked. */
export function targetOf(value: unknown, run: ProfileRun): Readonly<Record<string, unknown>> | undefined {
  if (!isObject(value) || typeof value['reference'] !== 'string') return undefined;
  const target = run.resolve(value['reference'], run.env.rootResource);
  return isObject(target) ? target : undefined;
}

/** As the text of a Reference, or its `type`, tells it. */
export function targetType(value: unknown): string | undefined {
  if (!isObject(value)) return undefined;
  const { reference, type } = value;
  return (typeof reference === 'string' ? referencedType(reference) : undefined) ?? (typeof type === 'string' ? type : undefined);
}
