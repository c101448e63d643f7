// The profiles that are known, compiled when first asked for and kept until one of them changes.
import type { Definitions } from '../definitions/model.js';
import type { Resource } from '../fhir/resource.js';
import { createBindings, isBoundCoding, isBoundConcept } from './binding.js';
import { compileProfile } from './profile-check.js';
import { isObject } from './json-object.js';
import { createForms } from './profile-elements.js';
import { Findings } from './profile-findings.js';
import type { ProfileRun } from './profile-run.js';
import { profileTree, type ProfileNode } from './profile-tree.js';
import type { CompiledProfile, ProfileWorld } from './profile-world.js';

const HL7 = 'http://hl7.org/fhir/StructureDefinition/';
/** Deeper than any honest chain of profiles. */
const MOST_BASES = 30;

export interface Profiles extends ProfileWorld {
  /** Forgets what was compiled: a definition has changed. */
  forget(): void;
}

/** `find`: the StructureDefinition of a canonical URL, with or without version. */
export function createProfiles(definitions: Definitions, find: (canonical: string) => Resource | undefined): Profiles {
  const compiled = new Map<string, CompiledProfile>();
  const binding = createBindings(definitions);
  const compile = (url: string): CompiledProfile | undefined => {
    const definition = find(url);
    const root = definition && treeOf(definition, find, MOST_BASES);
    if (!definition || !root) return undefined;
    const { type, url: canonical } = definition;
    if (typeof type !== 'string' || typeof canonical !== 'string' || definitions.type(type) === undefined) return undefined;
    return lazyProfile(canonical, type, root, world);
  };
  const world: Profiles = {
    definitions,
    formsOf: createForms(definitions),
    binding,
    profile: (url) => {
      const known = compiled.get(url) ?? compile(url);
      // What is not known is asked for again: it may be posted at any time, and callers can invent any number of URLs.
      if (known) compiled.set(url, known);
      return known;
    },
    typeOf: (url) => baseType(url, definitions) ?? world.profile(url)?.type,
    conforms: (value, sibling, type, url, run) => {
      const plain = baseType(url, definitions);
      if (plain !== undefined) return definitions.isA(type, plain);
      const profile = world.profile(url);
      return profile && definitions.isA(type, profile.type) ? remembered(value, sibling, profile, run) : profile && false;
    },
    forget: () => { compiled.clear(); },
  };
  return world;
}

/** Known before its code is made, which may ask for it: profiles may refer to each other in circles. */
function lazyProfile(url: string, type: string, root: ProfileNode, world: ProfileWorld): CompiledProfile {
  const profile: CompiledProfile = {
    url, type, root,
    check: (value, sibling, run, findings) => {
      profile.check = compileProfile(root, type, url, world);
      profile.check(value, sibling, run, findings);
    },
  };
  return profile;
}

/** HL7's URL of a resource or data type. */
function baseType(url: string, definitions: Definitions): string | undefined {
  if (!url.startsWith(HL7)) return undefined;
  const name = url.slice(HL7.length).replace(/\|.*$/, '');
  return definitions.type(name) === undefined ? undefined : name;
}

function treeOf(definition: Resource, find: (canonical: string) => Resource | undefined, left: number): ReturnType<typeof profileTree> {
  const { baseDefinition } = definition;
  const base = typeof baseDefinition === 'string' && left > 0 ? find(baseDefinition) : undefined;
  return profileTree(definition, base?.['derivation'] === 'constraint' ? treeOf(base, find, left - 1) : undefined);
}

/** Each object is judged once by each profile. */
function remembered(value: unknown, sibling: unknown, profile: CompiledProfile, run: ProfileRun): boolean {
  const verdicts = run.known.verdictsOn(value);
  const { url } = profile;
  const known = verdicts.get(url);
  if (known !== undefined) return known;
  verdicts.set(url, true);
  const findings = new Findings(false);
  profile.check(value, sibling, run, findings);
  verdicts.set(url, findings.errors === 0);
  return findings.errors === 0;
}

/** For `memberOf()` in rules: undefined where nobody can tell, or not yet. */
export function isMember({ binding }: ProfileWorld, value: unknown, valueSet: string, { known }: ProfileRun): boolean | undefined {
  const bound = binding(valueSet);
  if (bound === undefined) {
    const { outcome } = known.codes.member(value, valueSet);
    return outcome === 'open' || outcome === 'unknown' ? undefined : outcome !== 'wrong';
  }
  if (typeof value === 'string') return bound.codes.has(value);
  return isObject(value) && ('coding' in value ? isBoundConcept(bound, value) : isBoundCoding(bound, value));
}
