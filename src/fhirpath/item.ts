// One element of a FHIRPath collection: a value with its type. https://hl7.org/fhir/R4/fhirpath.html#types
import { parseDecimal, type Decimal } from '../fhir/decimal.js';
import { EvaluationError } from './expression.js';
import { quantityOf } from './quantity.js';
import { parseTemporal } from './temporal.js';

/**
 * `type`: `HumanName`, `code`, `Patient.contact`, or of FHIRPath's own, `System.Integer`. The value of an own type is a boolean,
 * string, number (Integer), Decimal, Temporal or Quantity; that of a FHIR type is what the JSON holds.
 */
export interface Item {
  readonly type: string;
  /** Undefined for a primitive that has extensions alone. */
  readonly value: unknown;
  /** `_birthDate`: id and extensions of a primitive. */
  readonly sibling?: object | undefined;
}

export type Items = readonly Item[];

export const EMPTY: Items = [];
const TRUE: Items = [{ type: 'System.Boolean', value: true }];
const FALSE: Items = [{ type: 'System.Boolean', value: false }];

const INTEGERS: ReadonlySet<string> = new Set(['integer', 'positiveInt', 'unsignedInt']);
const TEMPORALS: ReadonlyMap<string, 'Date' | 'DateTime' | 'Time'> = new Map([['date', 'Date'], ['dateTime', 'DateTime'], ['instant', 'DateTime'], ['time', 'Time']]);
const QUANTITIES: ReadonlySet<string> = new Set(['Quantity', 'Age', 'Count', 'Distance', 'Duration', 'Money', 'SimpleQuantity']);

/** Empty for undefined. */
export function booleanItems(value: boolean | undefined): Items {
  return value === undefined ? EMPTY : value ? TRUE : FALSE;
}

export function stringItems(value: string | undefined): Items {
  return value === undefined ? EMPTY : [{ type: 'System.String', value }];
}

/** Empty where it is no 32-bit integer: FHIRPath gives nothing where a number overflows. */
export function integerItems(value: number | undefined): Items {
  return value === undefined || (value | 0) !== value ? EMPTY : [{ type: 'System.Integer', value }];
}

export function decimalItems(value: Decimal | undefined): Items {
  return value === undefined ? EMPTY : [{ type: 'System.Decimal', value }];
}

export function isSystem(item: Item): boolean {
  return item.type.startsWith('System.');
}

/** A FHIR primitive or Quantity as FHIRPath's own type; undefined for other FHIR types and for primitives without a value. */
export function systemItem(item: Item): Item | undefined {
  const { type, value } = item;
  if (isSystem(item)) return item;
  if (typeof value === 'boolean') return { type: 'System.Boolean', value };
  if (typeof value === 'string') return textItem(type, value);
  if (typeof value === 'number') return INTEGERS.has(type) ? { type: 'System.Integer', value } : numberItem(value);
  if (!QUANTITIES.has(type)) return undefined;
  const quantity = quantityOf(value);
  return quantity && { type: 'System.Quantity', value: quantity };
}

function textItem(type: string, value: string): Item {
  const kind = TEMPORALS.get(type);
  const temporal = kind && parseTemporal(value, kind);
  return temporal ? { type: `System.${temporal.kind}`, value: temporal } : { type: 'System.String', value };
}

function numberItem(value: number): Item | undefined {
  const decimal = parseDecimal(String(value));
  return decimal && { type: 'System.Decimal', value: decimal };
}

/** The one item, undefined where there is none. Throws EvaluationError where there are several. */
export function single(items: Items, what: string): Item | undefined {
  if (items.length > 1) throw new EvaluationError(`${what} takes one value, not ${items.length}`);
  return items[0];
}

/** https://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections: one item that is no boolean counts as true. */
export function truthOf(items: Items, what: string): boolean | undefined {
  const item = single(items, what);
  if (item === undefined) return undefined;
  return item.type === 'boolean' || typeof item.value === 'boolean' ? (item.value as boolean | undefined) : true;
}

/** Throws EvaluationError where the value is of another type. */
export function textOf(items: Items, what: string): string | undefined {
  const item = single(items, what);
  if (item === undefined || item.value === undefined) return undefined;
  if (typeof item.value !== 'string') throw new EvaluationError(`${what} takes a text, not ${item.type}`);
  return item.value;
}

/** Throws EvaluationError where the value is of another type. */
export function integerOf(items: Items, what: string): number | undefined {
  const item = single(items, what);
  if (item === undefined || item.value === undefined) return undefined;
  if (typeof item.value !== 'number' || !Number.isInteger(item.value)) throw new EvaluationError(`${what} takes a whole number, not ${item.type}`);
  return item.value;
}
