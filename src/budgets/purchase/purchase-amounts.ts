// The amounts of a purchase, exact from its text: each item's net is what was bought times its price, and the total is the sum of the items
// (domain.md 3.4 clm-1 to clm-3, 3.8 rules 1 and 2).
import { compareDecimals, parseDecimal, poundsText, toPence, type Decimal } from '../../fhir/decimal.js';
import { asObject, asObjects } from '../../fhir/elements.js';
import { fail, type FhirError } from '../../fhir/errors.js';
import type { JsonDocument } from '../../fhir/json-text.js';
import type { JsonObject, Resource } from '../../fhir/resource.js';
import { businessError } from '../codes.js';
import { readPence } from '../ledger/money.js';

/** Pence of the whole; throws 422 for what does not add up. */
export function totalOf(document: JsonDocument): bigint {
  const claim = document.value;
  const items = asObjects(claim['item']);
  if (items.length === 0) throw fail('required', { text: 'A purchase has at least one item, with its net amount', expression: 'Claim.item' });
  if (new Set(items.map(({ sequence }) => sequence)).size < items.length) throw fail('invalid', { text: 'Each item has a sequence of its own', expression: 'Claim.item' });
  let sum = 0n;
  for (const [index, item] of items.entries()) sum += netOf(item, `item[${index}]`, document);
  if (claim['total'] === undefined) throw fail('required', { text: `A purchase has a total: the items come to £${poundsText(sum)}`, expression: 'Claim.total' });
  const total = readPence(document, claim['total'], 'total');
  if (total !== sum) throw mismatch(`The total is £${poundsText(total)}, and the items come to £${poundsText(sum)}`, 'Claim.total');
  if (total <= 0n) throw fail('business-rule', { text: 'The total of a purchase is above zero', expression: 'Claim.total' });
  return total;
}

/** Pence of the whole of a purchase that is stored: it was found to be whole pence, which a double prints exactly. */
export function storedTotal(claim: Resource): bigint | undefined {
  const value = asObject(claim['total'])?.['value'];
  return typeof value === 'number' ? toPence(String(value)) : undefined;
}

/** The net amount of an item, whose parts need only be in pounds and pence: it stands for them. */
function netOf(item: JsonObject, path: string, document: JsonDocument): bigint {
  if (item['net'] === undefined) throw fail('required', { text: 'Each item has a net amount', expression: `Claim.${path}.net` });
  const net = readPence(document, item['net'], `${path}.net`);
  if (net < 0n) throw fail('business-rule', { text: 'A net amount is not below zero: money that came back is recorded by PaymentNotice/$refund', expression: `Claim.${path}.net` });
  const priced = pricedAt(item, path, document);
  if (priced !== undefined && priced !== net) throw mismatch(`The net amount is £${poundsText(net)}, and quantity times price comes to £${poundsText(priced)}`, `Claim.${path}.net`);
  for (const [index, detail] of asObjects(item['detail']).entries()) readParts(detail, `${path}.detail[${index}]`, document);
  return net;
}

function readParts(part: JsonObject, path: string, document: JsonDocument): void {
  for (const member of ['unitPrice', 'net']) if (part[member] !== undefined) readPence(document, part[member], `${path}.${member}`);
  for (const [index, below] of asObjects(part['subDetail']).entries()) readParts(below, `${path}.subDetail[${index}]`, document);
}

/** quantity x unitPrice x factor in pence, half a penny rounded up; undefined where no price is given. */
function pricedAt(item: JsonObject, path: string, document: JsonDocument): bigint | undefined {
  if (item['unitPrice'] === undefined) return undefined;
  const price = readPence(document, item['unitPrice'], `${path}.unitPrice`);
  if (price < 0n) throw fail('business-rule', { text: 'A price is not below zero', expression: `Claim.${path}.unitPrice` });
  return timesPrice(item, path, price, document);
}

/** Does the net amount of the item with this index come to quantity times this price (pence)? */
export function pricedNet(document: JsonDocument, index: number, price: bigint): boolean {
  const item = asObjects(document.value['item'])[index] ?? {};
  return readPence(document, item['net'], `item[${index}].net`) === timesPrice(item, `item[${index}]`, price, document);
}

function timesPrice(item: JsonObject, path: string, price: bigint, document: JsonDocument): bigint {
  const quantity = asObject(item['quantity'])?.['value'] === undefined ? ONE : decimalAt(document, `${path}.quantity.value`);
  const factor = item['factor'] === undefined ? ONE : decimalAt(document, `${path}.factor`);
  return rounded(price * quantity.digits * factor.digits, quantity.scale + factor.scale);
}

const ONE: Decimal = { digits: 1n, scale: 0 };
const MOST: Decimal = { digits: 1_000_000_000n, scale: 0 };
const MOST_PLACES = 12;

function decimalAt(document: JsonDocument, path: string): Decimal {
  const written = document.writtenNumber(path);
  const decimal = written === undefined ? undefined : parseDecimal(written);
  if (decimal && decimal.digits >= 0n && Math.abs(decimal.scale) <= MOST_PLACES && compareDecimals(decimal, MOST) <= 0) return decimal;
  throw fail('invalid', { text: `A quantity or factor is a number from 0 to 1000000000 with at most ${MOST_PLACES} places`, expression: `Claim.${path}` });
}

/** digits x 10^-scale to the nearest whole number, halves up; `digits` is not below zero. */
export function rounded(digits: bigint, scale: number): bigint {
  if (scale <= 0) return digits * 10n ** BigInt(-scale);
  const unit = 10n ** BigInt(scale);
  return (2n * digits + unit) / (2n * unit);
}

const mismatch = (text: string, expression: string): FhirError => fail('business-rule', { text, expression, coding: businessError('TOTAL_MISMATCH') });
