// What is left of a Patient for callers who may not see all of it: without status, masked, or with the place of a restricted patient taken out
// (domain.md sections 3.3 and 4, ruling 32).
import { parseTree, treeText, type JsonMembers, type JsonTree } from '../fhir/json-tree.js';
import { NHS_NUMBER_SYSTEM } from '../fhir/nhs-number.js';
import type { View } from '../search/grant.js';
import { subsetted } from '../fhir/subsetted.js';

const STATUS = 'https://fhir.entitle.example/StructureDefinition/ext-chargeable-status';
const CONFIDENTIALITY = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
const MASK: ReadonlySet<string> = new Set(['resourceType', 'id', 'meta', 'identifier', 'name', 'gender', 'birthDate', 'generalPractitioner', 'managingOrganization']);
const PLACES = ['address', 'telecom', 'contact', 'text', 'generalPractitioner', 'managingOrganization'];

/** Without the chargeable status: it belongs to another purpose than budgets. */
export const withoutStatus: View = (text) => {
  if (!text.includes(STATUS)) return text;
  const patient = parseTree(text) as JsonMembers;
  const kept = items(patient, 'extension').filter((extension) => member(extension, 'url') !== STATUS);
  setItems(patient, 'extension', kept);
  return treeText(subsetted(patient));
};

/** Who it is, where they are registered, and nothing else. */
export const masked: View = (text) => {
  const patient = parseTree(text) as JsonMembers;
  const kept: JsonMembers = new Map([...patient].filter(([name]) => MASK.has(name)));
  setItems(kept, 'identifier', items(kept, 'identifier').filter((identifier) => member(identifier, 'system') === NHS_NUMBER_SYSTEM));
  return treeText(subsetted(kept));
};

/** Nothing that tells where a restricted patient (meta.security R) is to be found. */
export const withoutPlaces: View = (text) => {
  if (!text.includes('"security"')) return text;
  const patient = parseTree(text) as JsonMembers;
  const meta = patient.get('meta');
  const restricted = meta instanceof Map && items(meta, 'security').some((label) => member(label, 'code') === 'R' && [undefined, CONFIDENTIALITY].includes(member(label, 'system')));
  if (!restricted) return text;
  for (const name of PLACES) patient.delete(name);
  return treeText(subsetted(patient));
};

/** One view after the other. */
export const inTurn = (...views: readonly View[]): View => (text) => views.reduce((shown, view) => view(shown), text);

function items(members: JsonMembers, name: string): readonly JsonTree[] {
  const list = members.get(name);
  return Array.isArray(list) ? list : [];
}

function member(tree: JsonTree, name: string): string | undefined {
  const value = tree instanceof Map ? tree.get(name) : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** FHIR has no empty lists. */
function setItems(members: JsonMembers, name: string, list: readonly JsonTree[]): void {
  if (list.length > 0) members.set(name, [...list]);
  else members.delete(name);
}
