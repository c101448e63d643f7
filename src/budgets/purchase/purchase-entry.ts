// An item of a purchase that was found in the directory: the entry's name and its price of the day stay with the purchase, whatever becomes
// of the entry (domain.md 2.1 E8, 3.3).
import { dateRange, periodRange } from '../../fhir/date-time.js';
import { poundsText, toPence } from '../../fhir/decimal.js';
import { asObject, asObjects, asText, extensionsOf } from '../../fhir/elements.js';
import { fault } from '../../fhir/faults.js';
import type { Issue } from '../../fhir/issue.js';
import type { JsonDocument } from '../../fhir/json-text.js';
import type { JsonObject, Resource } from '../../fhir/resource.js';
import type { WriteContext } from '../../store/rule.js';
import { DIRECTORY_ENTRY } from '../codes.js';
import { isEntry, pricesOf } from '../directory/directory.js';
import { itemsOf, withExtension, type PurchaseItem } from './purchase.js';
import { pricedNet } from './purchase-amounts.js';

export interface Entries {
  /** The items with what is kept of their entries; undefined where nothing is to be set. */
  readonly items: readonly JsonObject[] | undefined;
  readonly faults: readonly Issue[];
}

/** Looks up the entries that items name. One that the earlier version named already keeps the name it had. */
export async function entriesOf(after: Resource, before: Resource | undefined, document: JsonDocument, context: WriteContext): Promise<Entries> {
  const items = itemsOf(after);
  if (items.every(({ entry }) => entry === undefined)) return { items: undefined, faults: [] };
  const faults: Issue[] = [];
  const kept: JsonObject[] = [];
  for (const item of items) {
    const entry = item.entry === undefined ? undefined : await keptOf(item, before, asText(after['created']), document, context);
    if (typeof entry === 'string') faults.push(fault('reference-not-found', entry, `Claim.item[${item.index}].extension`));
    kept.push(typeof entry === 'object' ? entry : item.element);
  }
  return { items: kept, faults };
}

/** The item with its entry's name, and the price of the day where it says none; words for an entry that can't be bought. */
async function keptOf(item: PurchaseItem, before: Resource | undefined, created: string | undefined, document: JsonDocument, { tx, grant }: WriteContext): Promise<JsonObject | string> {
  const { element, entry = '' } = item;
  const earlier = itemsOf(before).find((one) => one.entry === entry && one.element['sequence'] === element['sequence']);
  if (earlier) return withName(element, entry, asText(asObject(extensionsOf(earlier.element, DIRECTORY_ENTRY)[0]?.['valueReference'])?.['display']));
  const found = await tx.read(grant, 'HealthcareService', entry);
  const service = found?.text == null ? undefined : (JSON.parse(found.text) as Resource);
  if (!service || !isEntry(service)) return `There is no HealthcareService/${entry} in the directory: name an entry, or leave ext-directory-entry out`;
  if (service['active'] !== true) return `HealthcareService/${entry} is offered no more: choose an entry that is active`;
  return withPrice(withName(element, entry, asText(service['name'])), item.index, pricesOn(service, created), document);
}

function withName(element: JsonObject, entry: string, display: string | undefined): JsonObject {
  const valueReference = { reference: `HealthcareService/${entry}`, ...(display !== undefined && { display }) };
  return { ...element, extension: withExtension(asObjects(element['extension']), DIRECTORY_ENTRY, { valueReference }) };
}

/** Only a price that agrees with what was paid is filled in: a shop may have sold for less. */
function withPrice(element: JsonObject, index: number, prices: readonly bigint[], document: JsonDocument): JsonObject {
  if (element['unitPrice'] !== undefined) return element;
  const [price] = prices.filter((one) => pricedNet(document, index, one));
  return price === undefined ? element : { ...element, unitPrice: { value: Number(poundsText(price)), currency: 'GBP' } };
}

/** Pence of each price that holds on the day (FHIR date or dateTime), whatever its unit. */
function pricesOn(service: Resource, day: string | undefined): readonly bigint[] {
  const at = day === undefined ? undefined : dateRange(day, 'Europe/London');
  return pricesOf(service).flatMap(({ amount, start, end }) => {
    const period = periodRange(start, end, 'Europe/London');
    if (at && period && (period.lo >= at.hi || period.hi <= at.lo)) return [];
    const value = amount?.['value'];
    return typeof value === 'number' ? (toPence(String(value)) ?? []) : [];
  });
}
