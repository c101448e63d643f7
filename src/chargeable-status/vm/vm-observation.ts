// The Visitors and Migrants status observation, re-authored in R4: made from the patient's row each time it is asked for (VM-01 to VM-08).
import { instantText } from '../../fhir/date-time.js';
import { BASIC_DISPLAY, CATEGORIES, type Basic, type Category } from '../status/category.js';
import { BASE, BASIC_STATUS, CATEGORY_STATUS, NHS_NUMBER, VM_CODE, VM_COMPONENT } from '../codes.js';
import { hasLapsed, type Winner } from '../status/effective-status.js';
import type { StatusRow } from '../status/status-row.js';

export interface VmObservation {
  readonly text: string;
  /** Grows when the answer changes and when it lapses, and never else: 2n, and 2n+1 once lapsed (ruling 8). */
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly updated: number;
}

export type AnsweredRow = StatusRow & { readonly winner: Winner };

export const isAnswered = (row: StatusRow): row is AnsweredRow => row.winner !== undefined;

/** `code.system|code.code` of the one observation there is. */
export const VM_CODE_VALUE = '0001';

// The parts that never vary are made once: this is the hot path of every supplier.
const CODE = JSON.stringify({ coding: [{ system: VM_CODE, code: VM_CODE_VALUE, display: 'Visitors and Migrants status observation' }] });
const PROFILE = JSON.stringify([`${BASE}/StructureDefinition/vm-observation`]);
const BASIC_COMPONENTS = Object.fromEntries(
  Object.entries(BASIC_DISPLAY).map(([code, display]) => [code, component('BASIC_CHARGEABLE_STATUS', 'Basic Chargeable Status', { system: BASIC_STATUS, code, display })]),
) as Record<Basic, string>;
const CATEGORY_COMPONENTS = Object.fromEntries(
  Object.entries(CATEGORIES).map(([code, { display }]) => [code, component('CATEGORY_CHARGEABLE_STATUS', 'Category Chargeable Status', { system: CATEGORY_STATUS, code, display })]),
) as Record<Category, string>;

/** 2n, and 2n+1 once lapsed: also of a row whose answer was taken back, and which has no observation to show. */
export const vmVersion = ({ changes, winner }: StatusRow, now: number): string => String(2 * changes + (winner && hasLapsed(winner, now) ? 1 : 0));

/** Ids, numbers and dates hold no character that JSON escapes: they were checked when they were stored. */
export function vmObservation(row: AnsweredRow, now: number): VmObservation {
  const { winner } = row;
  const lapsed = hasLapsed(winner, now);
  const version = vmVersion(row, now);
  // What had lapsed when it came is no older than that.
  const updated = lapsed ? Math.max(winner.lapsesAt ?? 0, row.changed) : row.changed;
  const category = winner.category === undefined || lapsed ? '' : `,${CATEGORY_COMPONENTS[winner.category]}`;
  const text =
    `{"resourceType":"Observation","id":"${row.observation}","meta":{"versionId":"${version}","lastUpdated":"${instantText(updated)}","profile":${PROFILE}},` +
    `"status":"final","code":${CODE},"subject":${patientReference(row)},"effectiveDateTime":"${winner.decided}",` +
    `"component":[${BASIC_COMPONENTS[lapsed ? 'U' : winner.basic]}${category}]}`;
  return { text, version, updated };
}

/** The patient as JSON text of a Reference: the record, and its NHS number where it has one. */
export function patientReference({ patient, number }: Pick<StatusRow, 'patient' | 'number'>): string {
  const identifier = number === undefined ? '' : `,"identifier":{"system":"${NHS_NUMBER}","value":"${number}"}`;
  return `{"reference":"Patient/${patient}"${identifier}}`;
}

function component(code: string, display: string, value: { system: string; code: string; display: string }): string {
  return JSON.stringify({ code: { coding: [{ system: VM_COMPONENT, code, display }] }, valueCodeableConcept: { coding: [value] } });
}
