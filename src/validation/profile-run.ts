// One resource under the eyes of profiles: what is known of it so far, and where its references lead.
import type { Resource } from '../fhir/resource.js';
import type { PathEnvironment } from '../fhirpath/environment.js';
import { isObject } from './profile-elements.js';
import type { Findings } from './profile-findings.js';
import type { ProfileNode } from './profile-tree.js';

export interface ProfileRun {
  /** Warnings and hints are wanted. */
  readonly advice: boolean;
  readonly env: PathEnvironment;
  /** What conforms to which profile. True while it is being found out: profiles may refer to each other in circles. */
  readonly verdicts: Map<unknown, Map<string, boolean>>;
  readonly resolve: (reference: string, from: object) => object | undefined;
}

/** Looks at one value of the type it was made for, and adds what is wrong, with paths relative to the value. */
export type ProfileCheck = (value: unknown, sibling: unknown, run: ProfileRun, findings: Findings) => void;

/** Gives the check of a node for values of a type; made once each, when first asked for. Undefined where it says nothing of such values. */
export type CheckOf = (node: ProfileNode, type: string) => ProfileCheck | undefined;

/** `now` in ms; `conformsTo` answers undefined for a profile that is not known. */
export interface RunParts {
  readonly now: () => number;
  readonly memberOf: NonNullable<PathEnvironment['memberOf']>;
  conformsTo(value: unknown, type: string, profile: string, run: ProfileRun): boolean | undefined;
}

export function startRun(top: Resource, advice: boolean, parts: RunParts): ProfileRun {
  let entries: ReadonlyMap<string, object> | undefined;
  const resolve = (reference: string, from: object): object | undefined => {
    if (reference.startsWith('#')) return reference === '#' ? from : containedIn(from, reference.slice(1));
    entries ??= entriesOf(top);
    return entries.get(reference.replace(/\/_history\/.*$/, ''));
  };
  const env: PathEnvironment = {
    resource: top,
    rootResource: top,
    resolve: (reference) => resolve(reference, top),
    memberOf: parts.memberOf,
    conformsTo: (value, type, profile) => parts.conformsTo(value, type, profile, run),
    now: parts.now,
  };
  const run: ProfileRun = { advice, env, verdicts: new Map(), resolve };
  return run;
}

/** The same run, at a resource within: a contained one keeps its container as `%rootResource`, an entry of a bundle is its own. */
export function runAt(run: ProfileRun, resource: object): ProfileRun {
  if (resource === run.env.resource) return run;
  const { contained } = run.env.rootResource as { contained?: unknown };
  const rootResource = Array.isArray(contained) && contained.includes(resource) ? run.env.rootResource : resource;
  return { ...run, env: { ...run.env, resource, rootResource, resolve: (reference) => run.resolve(reference, rootResource) } };
}

function containedIn(container: object, id: string): object | undefined {
  const { contained } = container as { contained?: unknown };
  return Array.isArray(contained) ? contained.find((one: unknown): one is object => isObject(one) && one['id'] === id) : undefined;
}

/** By fullUrl, and by `Type/id`. */
function entriesOf(top: Resource): ReadonlyMap<string, object> {
  const found = new Map<string, object>();
  if (top.resourceType !== 'Bundle' || !Array.isArray(top['entry'])) return found;
  for (const entry of top['entry']) {
    if (!isObject(entry) || !isObject(entry['resource'])) continue;
    const { resource, fullUrl } = entry as { resource: { resourceType?: unknown; id?: unknown }; fullUrl?: unknown };
    if (typeof fullUrl === 'string') found.set(fullUrl, resource);
    if (typeof resource.id === 'string') found.set(`${String(resource.resourceType)}/${resource.id}`, resource);
  }
  return found;
}
