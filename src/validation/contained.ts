// What a resource may contain: dom-2 to dom-5, and the advice of dom-6. https://hl7.org/fhir/R4/domainresource.html#invs
import type { Faults } from './faults.js';
import { isObject, memberIn, type Member } from './json-object.js';

/** Asked of each DomainResource that is not contained itself. */
export function checkDomainResource(resource: Member, faults: Faults): void {
  if (faults.setting.rootResource !== resource) return;
  if (Array.isArray(resource.contained)) checkContained(resource, resource.contained, faults);
  if (faults.hints && memberIn(resource.text, 'div') === undefined) {
    faults.hint('invariant', '', () => 'dom-6: a resource should have narrative for robust management: give it a text');
  }
}

function checkContained(resource: Member, contained: readonly unknown[], faults: Faults): void {
  const named = new Set<string>();
  collectFragments(resource, named);
  for (let i = 0; i < contained.length; i++) {
    const one = contained[i];
    if (isObject(one)) checkOne(one, `.contained[${i}]`, named, faults);
  }
}

function checkOne(one: Member, segment: string, named: ReadonlySet<string>, faults: Faults): void {
  const add = (words: string): void => { faults.add('invariant', segment, () => words); };
  if (one.contained !== undefined) add('dom-2: a contained resource must not contain resources of its own: put them beside it');
  if (!named.has(`#${String(one.id)}`) && !refersToContainer(one)) {
    add(`dom-3: nothing in the resource refers to this contained resource, nor it to the resource: refer to it as '#id', or leave it out`);
  }
  const { meta } = one;
  if (memberIn(meta, 'versionId') !== undefined || memberIn(meta, 'lastUpdated') !== undefined) {
    add('dom-4: a contained resource has no version of its own: leave out its meta.versionId and meta.lastUpdated');
  }
  if (memberIn(meta, 'security') !== undefined) add('dom-5: a contained resource has the security labels of its container: leave out its meta.security');
}

/** Every text `#…`, which only a reference, uri, url or canonical is likely to be. */
function collectFragments(value: unknown, into: Set<string>): void {
  if (typeof value === 'string') {
    if (value.charCodeAt(0) === 35) into.add(value);
  } else if (Array.isArray(value)) {
    for (const item of value) collectFragments(item, into);
  } else if (isObject(value)) {
    for (const name in value) collectFragments(value[name], into);
  }
}

function refersToContainer(one: Member): boolean {
  const named = new Set<string>();
  collectFragments(one, named);
  return named.has('#');
}
