// Special parameters have rules of their own. `near` is the only one of R4 that is answered: `latitude|longitude|distance|unit`.
// https://hl7.org/fhir/R4/location.html#positional
import { splitEscaped, unescape } from '../escape.js';
import type { SearchValue } from '../query.js';
import { anyOf, paramIs, sidePredicate, type SqlScope } from '../sql-scope.js';
import type { Slot } from '../slots.js';
import { badValue, isObject, type ParameterRules } from './rules.js';

const EARTH_KM = 6371.0088;
/** What a search without a distance reaches. */
const USUAL_KM = 10;
const FURTHEST_KM = 20_100;
const UNITS_KM: Readonly<Record<string, number>> = { '': 1, km: 1, m: 0.001, '[mi_us]': 1.609347219, '[mi_i]': 1.609344, mi: 1.609344 };
const ADVICE = 'write latitude|longitude|distance|unit, such as 53.7976|-1.5437|5|km; unit is km, m or mi';

/** Strips of longitude: a row's is its `key`, so that the index on (param, key, value) finds a few of them within bounds of latitude. */
const STRIPS_PER_DEGREE = 4;
const STRIPS = 360 * STRIPS_PER_DEGREE;
/** More strips than these are not told apart from all. */
const MANY_STRIPS = 300;
/** Longitudes are kept in ten-millionths of a degree: a centimetre. */
const SCALE = 1e7;

/** Degrees and kilometres. */
interface Circle {
  readonly latitude: number;
  readonly longitude: number;
  readonly km: number;
}

const stripOf = (longitude: number): number => Math.floor((longitude + 180) * STRIPS_PER_DEGREE);
const radians = (degrees: number): number => (degrees * Math.PI) / 180;
const degrees = (angle: number): number => (angle * 180) / Math.PI;

function readCircle(slot: Slot, text: string): Circle {
  const [latitude = '', longitude = '', distance = '', unit = '', ...rest] = splitEscaped(text, '|').map((part) => unescape(part).trim());
  const factor = Object.hasOwn(UNITS_KM, unit) ? UNITS_KM[unit] : undefined;
  const circle = { latitude: numberOf(latitude), longitude: numberOf(longitude), km: distance === '' ? USUAL_KM : numberOf(distance) * (factor ?? NaN) };
  const sound = Math.abs(circle.latitude) <= 90 && Math.abs(circle.longitude) <= 180 && circle.km >= 0;
  if (!sound || factor === undefined || rest.length > 0) throw badValue(slot, text, ADVICE);
  return { ...circle, km: Math.min(circle.km, FURTHEST_KM) };
}

const numberOf = (text: string): number => (/^[+-]?\d{1,9}(?:\.\d{1,12})?$/.test(text) ? Number(text) : NaN);

/** The strips that the circle touches; undefined where that is most of them, as around a pole. */
function stripsOf({ latitude, longitude, km }: Circle): readonly number[] | undefined {
  const angle = km / EARTH_KM;
  const widest = Math.sin(angle) / Math.cos(radians(latitude));
  if (angle >= Math.PI / 2 || Math.abs(latitude) + degrees(angle) >= 90 || widest >= 1) return undefined;
  const reach = degrees(Math.asin(widest));
  const [first, last] = [stripOf(longitude - reach), stripOf(longitude + reach)];
  if (last - first >= MANY_STRIPS) return undefined;
  // Round the other side of the earth it goes on from the beginning; 180 itself has a strip of its own.
  const strips = Array.from({ length: last - first + 1 }, (_, index) => (first + index + STRIPS) % STRIPS);
  return strips.includes(0) ? [...strips, STRIPS] : strips;
}

/** Bounds first, which the index knows; then the exact distance on the sphere. */
function withinText(sql: SqlScope, side: string, circle: Circle): string {
  const { latitude, longitude, km } = circle;
  const margin = degrees(km / EARTH_KM);
  const strips = stripsOf(circle);
  const number = (value: number): string => sql.bind(value.toFixed(12), 'numeric');
  if (strips === undefined) sql.constant = false;
  const inStrips = strips === undefined ? [] : [`${side}.key = any(${sql.bindTokens(strips.map(BigInt))})`];
  const [north, east] = [`radians(${side}.value::float8)`, `radians(${side}.unit / ${SCALE}::float8)`];
  const [fromNorth, fromEast] = [`radians(${number(latitude)}::float8)`, `radians(${number(longitude)}::float8)`];
  const chord = `power(sin((${north} - ${fromNorth}) / 2), 2) + cos(${fromNorth}) * cos(${north}) * power(sin((${east} - ${fromEast}) / 2), 2)`;
  return [
    ...inStrips,
    `${side}.value between ${number(latitude - margin)} and ${number(latitude + margin)}`,
    `${2 * EARTH_KM} * asin(least(1, sqrt(${chord}))) <= ${number(km)}::float8`,
  ].join(' and ');
}

export const special: ParameterRules = {
  modifiers: [],

  indexer({ key: param }) {
    return (rows, value) => {
      if (!isObject(value)) return;
      const { latitude, longitude } = value;
      if (typeof latitude !== 'number' || typeof longitude !== 'number' || Math.abs(latitude) > 90 || Math.abs(longitude) > 180) return;
      rows.quantity({ param, key: BigInt(stripOf(longitude)), value: latitude.toFixed(12), unit: BigInt(Math.round(longitude * SCALE)), code: 0n, display: 0n });
    };
  },

  read(slot, _modifier, text): SearchValue {
    readCircle(slot, text);
    return { text };
  },

  predicate(slot, _modifier, values, scope) {
    return sidePredicate(scope, 'quantity_index', (side) => {
      const tests = values.map(({ text }) => `(${withinText(scope.sql, side, readCircle(slot, text))})`);
      return `${paramIs(scope.sql, side, slot.readers.map(({ key }) => key))} and ${anyOf(scope.sql, tests)}`;
    });
  },
};
