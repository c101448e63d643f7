// What is equal (=), alike (~), before and after (<) in FHIRPath. https://hl7.org/fhirpath/N1/#equality
import { compareDecimals, decimalText, type Decimal } from '../fhir/decimal.js';
import { atScale, trimmed } from './decimal-arithmetic.js';
import { EvaluationError } from './expression.js';
import { systemItem, type Item, type Items } from './item.js';
import { areQuantitiesLike, compareQuantities, type Quantity } from './quantity.js';
import { compareTemporals, temporalKey, type Temporal } from './temporal.js';

/** `=` of collections: undefined where one is empty, or where dates do not tell. */
export function areEqual(left: Items, right: Items): boolean | undefined {
  if (left.length === 0 || right.length === 0) return undefined;
  if (left.length !== right.length) return false;
  let result: boolean | undefined = true;
  for (let place = 0; place < left.length; place++) {
    const equal = isEqual(left[place] as Item, right[place] as Item);
    if (equal === false) return false;
    result = equal === undefined ? undefined : result;
  }
  return result;
}

/** Two single items; undefined where dates of different precision do not tell. */
export function isEqual(a: Item, b: Item): boolean | undefined {
  const [left, right] = [systemItem(a), systemItem(b)];
  if (!left || !right) return !left && !right && sameJson(a.value, b.value) && sameJson(a.sibling, b.sibling);
  const order = orderOf(left, right);
  return order === 'unlike' ? false : order === undefined ? undefined : order === 0;
}

/** `~` of collections: the order does not matter. */
export function areAlike(left: Items, right: Items): boolean {
  if (left.length !== right.length) return false;
  const rest = [...right];
  return left.every((item) => {
    const found = rest.findIndex((other) => isAlike(item, other));
    if (found >= 0) rest.splice(found, 1);
    return found >= 0;
  });
}

function isAlike(a: Item, b: Item): boolean {
  const [left, right] = [systemItem(a), systemItem(b)];
  if (!left || !right) return !left && !right && alikeJson(a.value, b.value);
  if (isText(left) && isText(right)) return plain(left.value) === plain(right.value);
  if (isNumber(left) && isNumber(right)) return alikeDecimals(decimalOf(left), decimalOf(right));
  if (left.type === 'System.Quantity' && right.type === 'System.Quantity') return areQuantitiesLike(left.value as Quantity, right.value as Quantity);
  const order = orderOf(left, right);
  return order === 0;
}

/** Rounded to the places of the one that has fewer, zeros at the end not counted. */
function alikeDecimals(a: Decimal, b: Decimal): boolean {
  const scale = Math.min(trimmed(a).scale, trimmed(b).scale);
  return compareDecimals(atScale(a, scale), atScale(b, scale)) === 0;
}

function plain(text: unknown): string {
  return String(text).toLowerCase().replace(/\s+/g, ' ').trim();
}

/** `<` and its kin: undefined where one is empty or the values do not tell. Throws EvaluationError for values of different types. */
export function compareItems(a: Item, b: Item): number | undefined {
  const [left, right] = [systemItem(a), systemItem(b)];
  const order = left && right && left.type !== 'System.Boolean' ? orderOf(left, right) : 'unlike';
  if (order === 'unlike') throw new EvaluationError(`${a.type} and ${b.type} can not be compared`);
  return order;
}

/** Both are of FHIRPath's own types; 'unlike' where these do not mix. */
function orderOf(a: Item, b: Item): number | undefined | 'unlike' {
  if (isText(a) && isText(b)) return a.value === b.value ? 0 : a.value < b.value ? -1 : 1;
  if (isNumber(a) && isNumber(b)) return typeof a.value === 'number' && typeof b.value === 'number' ? a.value - b.value : compareDecimals(decimalOf(a), decimalOf(b));
  if (a.type === 'System.Boolean' && b.type === 'System.Boolean') return a.value === b.value ? 0 : a.value === true ? 1 : -1;
  if (isTemporal(a) && isTemporal(b)) return (a.type === 'System.Time') === (b.type === 'System.Time') ? compareTemporals(a.value, b.value) : 'unlike';
  if (a.type === 'System.Quantity' || b.type === 'System.Quantity') return quantityOrder(a, b);
  return 'unlike';
}

/** A number beside a quantity is one without a unit. */
function quantityOrder(a: Item, b: Item): number | undefined | 'unlike' {
  const [left, right] = [asQuantity(a), asQuantity(b)];
  if (!left || !right) return 'unlike';
  return compareQuantities(left, right);
}

function asQuantity(item: Item): Quantity | undefined {
  if (item.type === 'System.Quantity') return item.value as Quantity;
  return isNumber(item) ? { value: decimalOf(item), unit: '1', calendar: false } : undefined;
}

function isText(item: Item): item is Item & { readonly value: string } {
  return item.type === 'System.String';
}

export function isNumber(item: Item): boolean {
  return item.type === 'System.Integer' || item.type === 'System.Decimal';
}

function isTemporal(item: Item): item is Item & { readonly value: Temporal } {
  return item.type === 'System.Date' || item.type === 'System.DateTime' || item.type === 'System.Time';
}

/** Of an Integer or Decimal. */
export function decimalOf(item: Item): Decimal {
  return typeof item.value === 'number' ? { digits: BigInt(item.value), scale: 0 } : (item.value as Decimal);
}

/** Without the items that are equal to one before. */
export function distinct(items: Items): Items {
  if (items.length < 2) return items;
  const seen = new Seen();
  return items.filter((item) => seen.add(item));
}

/** A set of items by FHIRPath's `=`. */
export class Seen {
  private readonly keys = new Set<string>();
  private readonly quantities: Item[] = [];

  has(item: Item): boolean {
    const key = keyOf(item);
    return key === undefined ? this.quantities.some((other) => isEqual(item, other) === true) : this.keys.has(key);
  }

  /** False where it is there already. */
  add(item: Item): boolean {
    if (this.has(item)) return false;
    const key = keyOf(item);
    if (key === undefined) this.quantities.push(item);
    else this.keys.add(key);
    return true;
  }
}

/** The same for two items exactly where they are equal; undefined for quantities, whose units only a comparison can tell. */
function keyOf(item: Item): string | undefined {
  const system = systemItem(item);
  if (!system) return `o${canonical(item.value)}${canonical(item.sibling)}`;
  if (isText(system)) return `s${system.value}`;
  if (isNumber(system)) return `n${typeof system.value === 'number' ? String(system.value) : decimalText(trimmed(decimalOf(system)))}`;
  if (isTemporal(system)) return `t${temporalKey(system.value)}`;
  return system.type === 'System.Boolean' ? `b${String(system.value)}` : undefined;
}

function canonical(value: unknown): string {
  if (value === undefined) return '';
  return JSON.stringify(value, (_, node: unknown) => (isRecord(node) ? Object.fromEntries(Object.entries(node).sort(([a], [b]) => (a < b ? -1 : 1))) : node));
}

/** Whatever the order of members. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (!isRecord(a) || !isRecord(b)) return a === b || canonical(a) === canonical(b);
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => sameJson(a[name], b[name]));
}

/** Complex values are alike where their parts are: texts without regard to case, lists in any order. */
function alikeJson(a: unknown, b: unknown): boolean {
  if (typeof a === 'string' && typeof b === 'string') return plain(a) === plain(b);
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item) => b.some((other) => alikeJson(item, other)));
  if (!isRecord(a) || !isRecord(b)) return a === b;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => alikeJson(a[name], b[name]));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
