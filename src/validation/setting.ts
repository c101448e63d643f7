// What surrounds a value while it is checked: its resource, the one that contains that, and the Bundle around both.
// https://hl7.org/fhir/R4/fhirpath.html#variables
import type { PathEnvironment } from '../fhirpath/environment.js';
import { memberIn, objectsIn } from './json-object.js';

export class Setting implements PathEnvironment {
  /** Why the last invariant that failed could not be evaluated. */
  trouble: string | undefined;
  private ids: ReadonlyMap<string, object> | undefined;

  /** `rootResource`: what contains `resource`, or itself. `bundle`: the innermost one that either is an entry of. */
  constructor(readonly resource: object, readonly rootResource: object = resource, readonly bundle?: Entries) {}

  /** What `#id` leads to; `#` alone is the container. */
  contained(fragment: string): object | undefined {
    if (fragment === '#') return this.rootResource;
    this.ids ??= new Map(objectsIn(this.rootResource, 'contained').map((resource) => [String(memberIn(resource, 'id')), resource]));
    return this.ids.get(fragment.slice(1));
  }

  readonly onError = (message: string): void => {
    this.trouble = message;
  };

  /** The resource a reference leads to, where it is here. */
  readonly resolve = (reference: string): object | undefined => {
    return reference.startsWith('#') ? this.contained(reference) : this.bundle?.find(reference, this.rootResource);
  };
}

/** The entries of a Bundle by their fullUrl, listed when first asked for. https://hl7.org/fhir/R4/bundle.html#references */
export class Entries {
  private byUrl: Map<string, object> | undefined;
  private readonly urls = new Map<object, string>();

  constructor(private readonly bundle: object) {}

  /** A relative reference counts from the fullUrl of the entry that it stands in. */
  find(reference: string, from: object): object | undefined {
    const byUrl = (this.byUrl ??= this.list());
    const found = byUrl.get(reference);
    if (found !== undefined || reference.includes(':')) return found;
    const base = /^(https?:.*\/)[A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64}$/.exec(this.urls.get(from) ?? '')?.[1];
    return base === undefined ? undefined : byUrl.get(base + reference);
  }

  private list(): Map<string, object> {
    const byUrl = new Map<string, object>();
    for (const entry of objectsIn(this.bundle, 'entry')) {
      const url = memberIn(entry, 'fullUrl');
      const resource = memberIn(entry, 'resource');
      if (typeof url !== 'string' || typeof resource !== 'object' || resource === null) continue;
      byUrl.set(url, resource);
      this.urls.set(resource, url);
    }
    return byUrl;
  }
}
