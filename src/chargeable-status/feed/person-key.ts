// A person without NHS number is known by five things together: family name, first given name, date of birth, gender and postal code.
// All must be there, and all must agree; case, accents and blanks do not count. Fewer would join strangers (domain.md 1.3, ruling 5).
import { asObjects, asText } from '../../fhir/elements.js';
import type { JsonObject, Resource } from '../../fhir/resource.js';
import { fold } from '../../search/fold.js';
import { standingOf } from '../number/standing.js';

export interface Person {
  /** The five, folded, as one text. */
  readonly key: string;
  readonly birthDate: string;
  /** Folded, as the index of addresses may hold it: with a blank and without. */
  readonly postalCodes: readonly string[];
}

/** The person a statement describes; undefined where one of the five is missing. */
export function personOf(patient: Resource | undefined): Person | undefined {
  if (!patient) return undefined;
  const [name] = namesOf(patient);
  const [postal] = postalCodesOf(patient);
  const birthDate = asText(patient['birthDate']);
  const gender = asText(patient['gender']);
  if (name === undefined || postal === undefined || birthDate?.length !== 10 || gender === undefined) return undefined;
  return { key: keyOf(name, birthDate, gender, postal), birthDate, postalCodes: [postal, `${postal.slice(0, -3)} ${postal.slice(-3)}`] };
}

/** All by which a Patient may be meant; none for one that is inactive or was replaced. */
export function personKeysOf(patient: Resource): string[] {
  if (standingOf(patient).mode !== 'held') return [];
  const birthDate = asText(patient['birthDate']);
  const gender = asText(patient['gender']);
  if (birthDate === undefined || gender === undefined) return [];
  const postals = postalCodesOf(patient);
  return namesOf(patient).flatMap((name) => postals.map((postal) => keyOf(name, birthDate, gender, postal)));
}

const keyOf = (name: string, birthDate: string, gender: string, postal: string): string => [name, birthDate, gender, postal].join('|');

/** `family|given` of each name that has both. */
function namesOf(patient: Resource): string[] {
  return asObjects(patient['name']).flatMap((name) => {
    const family = fold(asText(name['family']) ?? '');
    const [given = ''] = fold(firstGiven(name)).split(' ');
    return family === '' || given === '' ? [] : [`${family}|${given}`];
  });
}

function firstGiven(name: JsonObject): string {
  const { given } = name;
  return Array.isArray(given) ? asText(given[0]) ?? '' : '';
}

/** Of addresses that are not of the past, without blanks. */
function postalCodesOf(patient: Resource): string[] {
  return asObjects(patient['address']).flatMap((address) => {
    const code = fold(asText(address['postalCode']) ?? '').replaceAll(' ', '');
    return code.length < 4 || address['use'] === 'old' ? [] : [code];
  });
}
