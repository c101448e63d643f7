// How likely two descriptions are of one person: what speaks for it and against it, in bits, summed up (Fellegi and Sunter, 1969).
import { asObjects, asText } from '../../fhir/elements.js';
import type { JsonObject } from '../../fhir/resource.js';
import { fold } from '../../search/fold.js';

export type Grade = 'certain' | 'probable' | 'possible';

export interface Score {
  /** From 0 to 1, in thousandths. */
  readonly score: number;
  /** Undefined where it is no match. https://hl7.org/fhir/R4/valueset-match-grade.html */
  readonly grade: Grade | undefined;
}

type Degree = 'same' | 'near' | 'other';

interface Trait {
  /** Undefined where one of the two says nothing of it. */
  readonly compare: (a: JsonObject, b: JsonObject) => Degree | undefined;
  /** Bits: log2 of how often it is so of one person, to how often of two. */
  readonly bits: Readonly<Record<Degree, number>>;
  /** Where it differs nothing is certain. */
  readonly decisive?: true;
}

/** A name is shared by one in some hundred people, a birth date by one in 20,000; one record in some twenty to a hundred has an error or is out of date. */
const TRAITS: readonly Trait[] = [
  { compare: identifiers, bits: { same: 40, near: 12, other: -8 }, decisive: true },
  { compare: (a, b) => names(a, b, families), bits: { same: 8, near: 4, other: -5 } },
  { compare: (a, b) => names(a, b, givens), bits: { same: 6, near: 3, other: -4 } },
  { compare: birthDates, bits: { same: 14, near: 6, other: -7 }, decisive: true },
  { compare: genders, bits: { same: 1, near: 1, other: -5 } },
  { compare: postalCodes, bits: { same: 11, near: 4, other: -2 } },
  { compare: telecoms, bits: { same: 14, near: 14, other: -1 } },
];

/** What speaks against any two being one before anything is known of them. */
const PRIOR = -12;
const GRADES: readonly (readonly [Grade, number])[] = [['certain', 20], ['probable', 12], ['possible', 0]];
/** Bits that make an even chance out of four to one: it spreads the grades over the scale. */
const SPREAD = 4;

export function scoreOf(asked: JsonObject, held: JsonObject): Score {
  let bits = PRIOR;
  let doubt = false;
  for (const { compare, bits: of, decisive } of TRAITS) {
    const degree = compare(asked, held);
    if (degree === undefined) continue;
    bits += of[degree];
    if (degree === 'other' && decisive) doubt = true;
  }
  const [grade] = GRADES.find(([name, least]) => bits >= least && !(doubt && name === 'certain')) ?? [];
  return { score: Math.round(1000 / (1 + 2 ** (-bits / SPREAD))) / 1000, grade };
}

/** Of one system they are one person's or they are not; without systems the same value says less. */
function identifiers(a: JsonObject, b: JsonObject): Degree | undefined {
  let degree: Degree | undefined;
  for (const one of asObjects(a['identifier'])) {
    for (const other of asObjects(b['identifier'])) {
      if (one['value'] === undefined || other['value'] === undefined) continue;
      const same = one['value'] === other['value'];
      if (one['system'] !== undefined && one['system'] === other['system']) {
        if (same) return 'same';
        degree ??= 'other';
      } else if (same && (one['system'] === undefined || other['system'] === undefined)) degree = 'near';
    }
  }
  return degree;
}

export const families = (patient: JsonObject): readonly string[] => namesOf(patient, (name) => [asText(name['family'])]);

export const givens = (patient: JsonObject): readonly string[] => namesOf(patient, (name) => (Array.isArray(name['given']) ? name['given'].map(asText) : []));

function namesOf(patient: JsonObject, partsOf: (name: JsonObject) => readonly (string | undefined)[]): readonly string[] {
  const all = asObjects(patient['name']).flatMap((name) => partsOf(name).map((part) => fold(part ?? '')));
  return [...new Set(all.filter((part) => part !== ''))];
}

/** The best of all pairs: people have more than one name. */
function names(a: JsonObject, b: JsonObject, partsOf: (patient: JsonObject) => readonly string[]): Degree | undefined {
  const [ours, theirs] = [partsOf(a), partsOf(b)];
  if (ours.length === 0 || theirs.length === 0) return undefined;
  if (ours.some((one) => theirs.includes(one))) return 'same';
  return ours.some((one) => theirs.some((other) => alike(one, other))) ? 'near' : 'other';
}

/** An initial or a short form, one half of a double name, or a slip of the pen. */
function alike(a: string, b: string): boolean {
  if (a.startsWith(b) || b.startsWith(a)) return true;
  const [halves, others] = [a.split(/[ -]/), b.split(/[ -]/)];
  return halves.some((half) => others.includes(half)) || isOneSlip(a, b);
}

/** One letter more, less or other, or two that have changed places; of words that are long enough for it to be a slip. */
export function isOneSlip(a: string, b: string): boolean {
  if (Math.min(a.length, b.length) < 4 || Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start += 1;
  const [x, y] = [a.slice(start), b.slice(start)];
  if (x.slice(1) === y.slice(1) || x.slice(1) === y || x === y.slice(1)) return true;
  return x[0] === y[1] && x[1] === y[0] && x.slice(2) === y.slice(2);
}

/** Less precise, day and month exchanged, or one of year, month and day wrong. */
function birthDates(a: JsonObject, b: JsonObject): Degree | undefined {
  const [one, other] = [asText(a['birthDate']), asText(b['birthDate'])];
  if (one === undefined || other === undefined) return undefined;
  if (one === other) return 'same';
  if (one.startsWith(other) || other.startsWith(one)) return 'near';
  const [[year, month, day], [otherYear, otherMonth, otherDay]] = [one.split('-'), other.split('-')];
  if (day === undefined || otherDay === undefined) return 'other';
  if (year === otherYear && month === otherDay && day === otherMonth) return 'near';
  return [year === otherYear, month === otherMonth, day === otherDay].filter(Boolean).length === 2 ? 'near' : 'other';
}

function genders(a: JsonObject, b: JsonObject): Degree | undefined {
  const known = [a['gender'], b['gender']].filter((gender) => gender !== undefined && gender !== 'unknown');
  if (known.length < 2) return undefined;
  return known[0] === known[1] ? 'same' : 'other';
}

/** The last three characters of a British one are a few houses; what stands before is a town or a part of it. */
function postalCodes(a: JsonObject, b: JsonObject): Degree | undefined {
  const [ours, theirs] = [codesOf(a), codesOf(b)];
  if (ours.length === 0 || theirs.length === 0) return undefined;
  if (ours.some((code) => theirs.includes(code))) return 'same';
  const areas = theirs.map((code) => code.slice(0, -3));
  return ours.some((code) => code.length > 4 && areas.includes(code.slice(0, -3))) ? 'near' : 'other';
}

const codesOf = (patient: JsonObject): readonly string[] =>
  asObjects(patient['address']).flatMap((address) => asText(address['postalCode'])?.toUpperCase().replaceAll(/[^A-Z0-9]/g, '') ?? []);

function telecoms(a: JsonObject, b: JsonObject): Degree | undefined {
  const [ours, theirs] = [numbersOf(a), numbersOf(b)];
  if (ours.length === 0 || theirs.length === 0) return undefined;
  return ours.some((number) => theirs.includes(number)) ? 'same' : 'other';
}

/** +44 7700 900123 and 07700 900123 are one number. */
const numbersOf = (patient: JsonObject): readonly string[] =>
  asObjects(patient['telecom']).flatMap(({ value }) => {
    const text = asText(value)?.trim().toLowerCase() ?? '';
    const number = text.includes('@') ? text : text.replaceAll(/[^0-9+]/g, '').replace(/^(?:\+44|0044)/, '0');
    return number.length < 5 ? [] : [number];
  });
