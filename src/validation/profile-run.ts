// One resource under the eyes of profiles: what is known of it so far, and where its references lead.
import type { Resource } from '../fhir/resource.js';
import type { PathEnvironment } from '../fhirpath/environment.js';
import type { AskedCodes } from './asked-codes.js';
import { isObject } from './json-object.js';
import type { Findings } from './profile-findings.js';
import type { ProfileNode } from './profile-tree.js';

/** Looks at one value of the type it was made for, and adds what is wrong, with paths relative to the value. */
export type ProfileCheck = (value: unknown, sibling: unknown, run: ProfileRun, findings: Findings) => void;

/** Gives the check of a node for values of a type; made once each, when first asked for. Undefined where it says nothing of such values. */
export type CheckOf = (node: ProfileNode, type: string) => ProfileCheck | undefined;

/** `now` in ms; `conformsTo` answers undefined for a profile that is not known. */
export interface RunParts {
  readonly now: () => number;
  memberOf(value: unknown, valueSet: string, run: ProfileRun): boolean | undefined;
  conformsTo(value: unknown, type: string, profile: string, run: ProfileRun): boolean | undefined;
}

export function startRun(top: Resource, advice: boolean, codes: AskedCodes, parts: RunParts): ProfileRun {
  return new ProfileRun(top, top, advice, parts, new Known(top, codes));
}

/** The same run, at a resource within: a contained one keeps its container as `%rootResource`, an entry of a bundle is its own. */
export function runAt(run: ProfileRun, resource: object): ProfileRun {
  if (resource === run.resource) return run;
  const { contained } = run.rootResource as { contained?: unknown };
  const rootResource = Array.isArray(contained) && contained.includes(resource) ? run.rootResource : resource;
  return new ProfileRun(resource, rootResource, run.advice, run.parts, run.known);
}

/** What rules see of the world. Made for every check, so it holds nothing that may not be asked for. */
export class ProfileRun implements PathEnvironment {
  /** `advice`: warnings and hints are wanted. */
  constructor(
    readonly resource: object,
    readonly rootResource: object,
    readonly advice: boolean,
    readonly parts: RunParts,
    readonly known: Known,
  ) {}

  /** Where a reference of the resource leads, within what is being checked. */
  resolve(reference: string): object | undefined {
    if (reference.charCodeAt(0) !== 35) return this.known.entry(reference);
    return reference === '#' ? this.rootResource : containedIn(this.rootResource, reference.slice(1));
  }

  memberOf(value: unknown, _type: string, valueSet: string): boolean | undefined {
    return this.parts.memberOf(value, valueSet, this);
  }

  conformsTo(value: unknown, type: string, profile: string): boolean | undefined {
    return this.parts.conformsTo(value, type, profile, this);
  }

  now(): number {
    return this.parts.now();
  }
}

/** What has been found out of a resource and all in it. */
class Known {
  private verdicts: Map<unknown, Map<string, boolean>> | undefined;
  private entries: ReadonlyMap<string, object> | undefined;

  /** `codes` judges those of value sets that can't be listed. */
  constructor(private readonly top: Resource, readonly codes: AskedCodes) {}

  /** What conforms to which profile, by canonical URL. True while it is being found out: profiles may refer to each other in circles. */
  verdictsOn(value: unknown): Map<string, boolean> {
    this.verdicts ??= new Map();
    const verdicts = this.verdicts.get(value) ?? new Map<string, boolean>();
    this.verdicts.set(value, verdicts);
    return verdicts;
  }

  entry(reference: string): object | undefined {
    if (this.top.resourceType !== 'Bundle') return undefined;
    this.entries ??= entriesOf(this.top);
    return this.entries.get(reference.replace(/\/_history\/.*$/, ''));
  }
}

function containedIn(container: object, id: string): object | undefined {
  const { contained } = container as { contained?: unknown };
  return Array.isArray(contained) ? contained.find((one: unknown): one is object => isObject(one) && one['id'] === id) : undefined;
}

/** By fullUrl, and by `Type/id`. */
function entriesOf(top: Resource): ReadonlyMap<string, object> {
  const found = new Map<string, object>();
  if (!Array.isArray(top['entry'])) return found;
  for (const entry of top['entry']) {
    if (!isObject(entry) || !isObject(entry['resource'])) continue;
    const { resource, fullUrl } = entry as { resource: { resourceType?: unknown; id?: unknown }; fullUrl?: unknown };
    if (typeof fullUrl === 'string') found.set(fullUrl, resource);
    if (typeof resource.id === 'string') found.set(`${String(resource.resourceType)}/${resource.id}`, resource);
  }
  return found;
}
