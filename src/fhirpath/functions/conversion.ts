// From one of FHIRPath's own types to another. https://hl7.org/fhirpath/N1/#conversion
import { decimalText, parseDecimal, type Decimal } from '../../fhir/decimal.js';
import { trimmed } from '../decimal-arithmetic.js';
import { decimalOf, isNumber } from '../equality.js';
import { booleanItems, EMPTY, integerItems, single, systemItem, type Item, type Items } from '../item.js';
import { compareQuantities, parseQuantity, quantityText, type Quantity } from '../quantity.js';
import { parseTemporal, temporalText, type Temporal } from '../temporal.js';
import type { FunctionTable } from './plain-function.js';

type Convert = (item: Item) => Items;

const TRUE: ReadonlySet<string> = new Set(['true', 't', 'yes', 'y', '1', '1.0']);
const FALSE: ReadonlySet<string> = new Set(['false', 'f', 'no', 'n', '0', '0.0']);

const CONVERSIONS: Readonly<Record<string, Convert>> = {
  Boolean: toBoolean,
  Integer: toInteger,
  Decimal: toDecimal,
  String: (item) => itemsOf('String', textOfValue(item)),
  Date: (item) => toTemporal(item, 'Date'),
  DateTime: (item) => toTemporal(item, 'DateTime'),
  Time: (item) => toTemporal(item, 'Time'),
};

export const CONVERSION: FunctionTable = {
  ...Object.fromEntries(Object.entries(CONVERSIONS).flatMap(([type, convert]) => [
    [`to${type}`, { takes: [0, 0] as const, gives: `System.${type}`, run: (input: Items) => converted(input, convert) }],
    [`convertsTo${type}`, { takes: [0, 0] as const, gives: 'System.Boolean', run: (input: Items) => converts(input, convert) }],
  ])),
  toQuantity: { takes: [0, 1], gives: 'System.Quantity', run: (input, [unit]) => converted(input, (item) => toQuantity(item, unit)) },
  convertsToQuantity: { takes: [0, 1], gives: 'System.Boolean', run: (input, [unit]) => converts(input, (item) => toQuantity(item, unit)) },
};

function converted(input: Items, convert: Convert): Items {
  const item = single(input, 'a conversion');
  const system = item && systemItem(item);
  return system ? convert(system) : EMPTY;
}

function converts(input: Items, convert: Convert): Items {
  return input.length === 0 ? EMPTY : booleanItems(converted(input, convert).length > 0);
}

function itemsOf(type: string, value: unknown): Items {
  return value === undefined ? EMPTY : [{ type: `System.${type}`, value }];
}

function toBoolean({ value }: Item): Items {
  if (typeof value === 'boolean') return booleanItems(value);
  const text = typeof value === 'string' ? value.toLowerCase() : typeof value === 'number' ? String(value) : decimalLike(value);
  return booleanItems(TRUE.has(text) ? true : FALSE.has(text) ? false : undefined);
}

/** 1.0 and 1.00 alike; '' for what is no Decimal. */
function decimalLike(value: unknown): string {
  return typeof value === 'object' && value !== null && 'digits' in value ? decimalText(trimmed(value as Decimal)) : '';
}

function toInteger({ value }: Item): Items {
  if (typeof value === 'number') return integerItems(value);
  if (typeof value === 'boolean') return integerItems(value ? 1 : 0);
  return typeof value === 'string' && /^[+-]?\d{1,10}$/.test(value) ? integerItems(Number(value)) : EMPTY;
}

function toDecimal(item: Item): Items {
  const { value } = item;
  if (isNumber(item)) return itemsOf('Decimal', decimalOf(item));
  if (typeof value === 'boolean') return itemsOf('Decimal', { digits: value ? 1n : 0n, scale: 0 });
  return typeof value === 'string' && /^[+-]?\d+(\.\d+)?$/.test(value) ? itemsOf('Decimal', parseDecimal(value.replace(/^\+/, '').replace(/^(-?)0+(?=\d)/, '$1'))) : EMPTY;
}

/** Of an item of FHIRPath's own types. */
function textOfValue(item: Item): string {
  const { type, value } = item;
  if (type === 'System.Decimal') return decimalText(value as Decimal);
  if (type === 'System.Quantity') return quantityText(value as Quantity);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : temporalText(value as Temporal);
}

function toTemporal({ type, value }: Item, kind: Temporal['kind']): Items {
  if (typeof value === 'string') return itemsOf(kind, parseTemporal(value, kind));
  if (type === `System.${kind}`) return itemsOf(kind, value);
  if (type !== 'System.Date' && type !== 'System.DateTime') return EMPTY;
  const { parts } = value as Temporal;
  if (kind === 'Time') return EMPTY;
  return itemsOf(kind, kind === 'Date' ? { kind, parts: parts.slice(0, 3), offset: undefined } : { ...(value as Temporal), kind });
}

function toQuantity(item: Item, unit: Items | undefined): Items {
  const quantity = quantityOfItem(item);
  if (!quantity) return EMPTY;
  const wanted = unit?.[0]?.value;
  if (typeof wanted !== 'string') return itemsOf('Quantity', quantity);
  const inUnit = compareQuantities(quantity, { ...quantity, unit: wanted, calendar: false }) !== undefined;
  return inUnit ? itemsOf('Quantity', quantity) : EMPTY;
}

function quantityOfItem(item: Item): Quantity | undefined {
  if (item.type === 'System.Quantity') return item.value as Quantity;
  if (typeof item.value === 'string') return parseQuantity(item.value);
  const number = toDecimal(item)[0];
  return number && { value: number.value as Decimal, unit: '1', calendar: false };
}
