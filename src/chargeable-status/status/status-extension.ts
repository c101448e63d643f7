// The chargeable-status extension of a Patient: a stored copy of the answer, written by the server alone (domain.md 3.3, ruling 8).
import { fail } from '../../fhir/errors.js';
import type { JsonObject, JsonValue, Resource } from '../../fhir/resource.js';
import { BASIC_DISPLAY, CATEGORIES } from './category.js';
import { BASIC_STATUS, BUSINESS_ERROR, CATEGORY_STATUS, STATUS_EXTENSION } from '../codes.js';
import type { EffectiveStatus } from './effective-status.js';
import { asObjects } from '../../fhir/elements.js';

/** The extension that shows a status; undefined where nothing was ever asserted: absence is never N and never A. */
export function statusExtension(status: EffectiveStatus): JsonObject | undefined {
  const { determined, basic, category, lastUpdated, source, validUntil, winner } = status;
  if (!determined || lastUpdated === undefined || source === undefined || winner === undefined) return undefined;
  const parts: JsonObject[] = [
    { url: 'basic', valueCodeableConcept: { coding: [{ system: BASIC_STATUS, code: basic, display: BASIC_DISPLAY[basic] }] } },
  ];
  if (category) parts.push({ url: 'category', valueCodeableConcept: { coding: [{ system: CATEGORY_STATUS, code: category, display: CATEGORIES[category].display }] } });
  parts.push({ url: 'lastUpdated', valueDateTime: lastUpdated }, { url: 'source', valueCode: source });
  if (validUntil !== undefined) parts.push({ url: 'validUntil', valueDate: validUntil });
  parts.push({ url: 'derivedFrom', valueReference: { reference: `Observation/${winner}` } });
  return { url: STATUS_EXTENSION, extension: parts };
}

/** A Patient, or as much of it as is asked for. */
type Extended = Readonly<Record<string, unknown>>;

export const shownStatus = (patient: Extended | undefined): JsonObject | undefined => asObjects(patient?.['extension']).find(isStatus);

/** The extensions of a Patient with this status in place of any other; undefined where none is left. */
export function extensionsShowing(patient: Extended, status: JsonObject | undefined): JsonValue[] | undefined {
  const others = asObjects(patient['extension']).filter((extension) => !isStatus(extension));
  const all = status ? [...others, status] : others;
  return all.length > 0 ? all : undefined;
}

/** Refuses a status that is not the one the server shows; the same one echoed passes (422 FORBIDDEN_UPDATE). */
export function refuseForeignStatus(before: Resource | undefined, after: Resource): void {
  const shown = shownStatus(before);
  asObjects(after['extension']).forEach((extension, index) => {
    if (!isStatus(extension) || (shown && canonical(extension) === canonical(shown))) return;
    throw fail('business-rule', {
      text: 'The chargeable status is kept by the server: leave the extension out, or send it as it was read. Record an assessment to change it',
      coding: { system: BUSINESS_ERROR, code: 'FORBIDDEN_UPDATE', display: 'Only the server may change this' },
      expression: `Patient.extension[${index}]`,
    });
  });
}

const isStatus = (extension: JsonObject): boolean => extension['url'] === STATUS_EXTENSION;

/** The same content gives the same text, whatever the order of members and parts. */
function canonical(value: JsonValue | undefined): string {
  if (Array.isArray(value)) return `[${value.map(canonical).sort().join()}]`;
  if (value === undefined) return '';
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join()}}`;
}
