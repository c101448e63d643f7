// An XML Patch on a resource that is stored as JSON: its XML is patched and read back. https://hl7.org/fhir/R4/http.html#patch
import { fail, FhirError } from '../fhir/errors.js';
import { readXml } from './read-xml.js';
import { writeXml } from './write-xml.js';
import { parseXml, xmlText, type XmlElement } from './xml-node.js';
import { applyXmlPatch, type XmlPatch } from './xml-patch.js';
import type { XmlType, XmlTypes } from './xml-forms.js';

/** The JSON text of the patched resource; refuses (422) a patch that does not fit it, or leaves what is no resource. */
export function patchResource(json: string, patch: XmlPatch, types: XmlTypes): string {
  const document = documentOf(writeXml(json, types));
  applyXmlPatch(document, patch);
  const root = document.children.find((child) => child.kind === 'element');
  if (root) placeChildren(root, types(root.local), types);
  try {
    return readXml(document.children.map((child) => xmlText(child)).join(''), types);
  } catch (error) {
    throw error instanceof FhirError ? leavesNone(error) : error;
  }
}

/** What is stored is well-formed, but a narrative in it may be as deep as it likes. */
function documentOf(xml: string): XmlElement {
  try {
    return parseXml(xml);
  } catch {
    throw fail('patch-failed', { text: 'The resource is nested deeper than an XML Patch can reach: send a JSON Patch, or the whole resource by PUT' });
  }
}

/** The place in the XML is not one the caller has seen. */
function leavesNone({ issues: [issue] }: FhirError): FhirError {
  return fail('patch-failed', { text: `The XML Patch leaves what is no resource: ${issue?.text ?? ''}. Nothing was changed`, ...(issue?.expression !== undefined && { expression: issue.expression }) });
}

/** Puts what was added where FHIR wants it: who patches does not know all that stands beside. */
function placeChildren(element: XmlElement, type: XmlType | undefined, types: XmlTypes): void {
  if (!type) return;
  const orderOf = (name: string): number => type.forms.get(name)?.order ?? Infinity;
  const elements = element.children.filter((child) => child.kind === 'element');
  const sorted = elements.every((child, index) => orderOf(child.local) >= orderOf(elements[index - 1]?.local ?? child.local));
  if (!sorted) element.children = [...elements].sort((one, other) => orderOf(one.local) - orderOf(other.local));
  for (const child of elements) {
    const form = type.forms.get(child.local);
    if (form?.kind === 'resource') child.children.forEach((inner) => { if (inner.kind === 'element') placeChildren(inner, types(inner.local), types); });
    else if (form && form.kind !== 'xhtml') placeChildren(child, types(form.type), types);
  }
}
