// What a Bundle must be beyond its invariants: each entry's fullUrl, and what a document or message leads to.
// https://hl7.org/fhir/R4/bundle.html#bundle-unique
import type { Faults } from './faults.js';
import { isObject, memberIn, objectsIn, textIn, type Member } from './json-object.js';
import { Entries } from './setting.js';
import { shown } from './words.js';

/** Asked of a well-formed Bundle. */
export function checkBundle(bundle: Member, faults: Faults): void {
  const { entry, type } = bundle;
  if (!Array.isArray(entry)) return;
  for (let i = 0; i < entry.length; i++) checkFullUrl(entry[i], `.entry[${i}]`, faults);
  if (type === 'document' || type === 'message') checkLinks(bundle, entry, faults);
}

/** A URL of a server ends in what the resource is: its type and id. */
const REST = /^https?:\/\/.*\/([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})$/;
const ID = /^[A-Za-z0-9\-.]{1,64}$/;
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:/;

function checkFullUrl(entry: unknown, segment: string, faults: Faults): void {
  const url = textIn(entry, 'fullUrl');
  if (url === undefined) return;
  if (!SCHEME.test(url)) {
    faults.add('value', segment, () => `the fullUrl ${shown(url)} must be absolute: a URL with its scheme, or urn:uuid:…`);
    return;
  }
  const resource = memberIn(entry, 'resource');
  const id = textIn(resource, 'id');
  const [, type, urlId] = (id === undefined || !ID.test(id) ? null : REST.exec(url)) ?? [];
  if (type !== undefined && type === textIn(resource, 'resourceType') && urlId !== id) {
    faults.add('value', segment, () => `the fullUrl ${shown(url)} must end in the id of its resource, ${shown(id)}`);
  }
}

/** Where a document's or message's first resource refers to what must come with it. https://hl7.org/fhir/R4/documents.html#content */
const CARRIED: Readonly<Record<string, readonly string[]>> = {
  Composition: ['subject', 'encounter', 'author', 'custodian', 'section'],
  MessageHeader: ['focus'],
};

function checkLinks(bundle: Member, [first]: readonly unknown[], faults: Faults): void {
  const resource = memberIn(first, 'resource');
  if (!isObject(resource)) return;
  const entries = new Entries(bundle);
  for (const member of CARRIED[String(resource.resourceType)] ?? []) {
    for (const { at, reference } of referencesIn(resource[member], `.${member}`)) {
      if (reference.startsWith('#') || entries.find(reference, resource) !== undefined) continue;
      faults.add('structure', `.entry[0].resource${at}`, () => `no entry of the bundle has the fullUrl that ${shown(reference)} leads to: add the resource, or correct the reference`);
    }
  }
}

function referencesIn(value: unknown, at: string): readonly { readonly at: string; readonly reference: string }[] {
  if (Array.isArray(value)) return value.flatMap((item, i) => referencesIn(item, `${at}[${i}]`));
  const reference = textIn(value, 'reference');
  if (reference !== undefined) return [{ at, reference }];
  return ['entry', 'section'].flatMap((member) => objectsIn(value, member).length > 0 ? referencesIn(memberIn(value, member), `${at}.${member}`) : []);
}
