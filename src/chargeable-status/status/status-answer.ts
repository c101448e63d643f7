// The answer of Patient/$chargeable-status as JSON text of Parameters (domain.md 3.6).
import { BASIC_DISPLAY, CATEGORIES, type Basic, type Category } from './category.js';
import { BASIC_STATUS, CATEGORY_STATUS } from '../codes.js';
import type { EffectiveStatus } from './effective-status.js';
import type { StatusRow } from './status-row.js';
import { patientReference } from '../vm/vm-observation.js';

// The parts that never vary are made once: this is the hot path.
const DETERMINED = '{"name":"determined","valueBoolean":true},';
const UNDETERMINED = '{"name":"determined","valueBoolean":false},';
const BASICS = Object.fromEntries(
  Object.entries(BASIC_DISPLAY).map(([code, display]) => [code, JSON.stringify({ name: 'basic', valueCoding: { system: BASIC_STATUS, code, display } })]),
) as Record<Basic, string>;
const CATEGORY_PARTS = Object.fromEntries(
  Object.entries(CATEGORIES).map(([code, { display }]) => [code, `,${JSON.stringify({ name: 'category', valueCoding: { system: CATEGORY_STATUS, code, display } })}`]),
) as Record<Category, string>;

/** `detailed` adds what only an OVM is told: the source (of a further feed its code, too), and where the status observation is. */
export function statusAnswer(row: StatusRow, status: EffectiveStatus, detailed: boolean): string {
  const { determined, basic, category, lastUpdated, source, feed, expired } = status;
  return (
    `{"resourceType":"Parameters","parameter":[{"name":"patient","valueReference":${patientReference(row)}},` +
    (determined ? DETERMINED : UNDETERMINED) +
    BASICS[basic] +
    (category ? CATEGORY_PARTS[category] : '') +
    (lastUpdated === undefined ? '' : `,{"name":"lastUpdated","valueDateTime":"${lastUpdated}"}`) +
    (detailed && source !== undefined ? `,{"name":"source","valueCode":"${source}"}` : '') +
    (detailed && feed !== undefined ? `,{"name":"feed","valueCode":"${feed}"}` : '') +
    (expired ? ',{"name":"expired","valueBoolean":true}' : '') +
    (detailed && determined ? `,{"name":"observation","valueReference":{"reference":"Observation/${row.observation}"}}` : '') +
    ']}'
  );
}
