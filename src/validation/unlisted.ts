// Value sets too large to list, whose codes have a form instead: MIME types, languages, units of measure.
// https://hl7.org/fhir/R4/terminologies.html#mimetypes
import { createRequire } from 'node:module';

/** What stands for the members of a value set. */
export interface CodeForm {
  readonly system: string;
  /** Gives one right code. */
  has(code: string): boolean;
  [Symbol.iterator](): Iterator<string>;
}

const MIME_TYPE = /^[A-Za-z0-9][\w!#$&^.+-]{0,126}\/[A-Za-z0-9*][\w!#$&^.+-]{0,126}(?:\s*;\s*[\w!#$&^.+-]{1,127}=(?:[^";]+|"[^"]*"))*$/;

/** What R4 itself allows beside them, where a system says what it speaks. */
const FORMATS: ReadonlySet<string> = new Set(['xml', 'json', 'ttl', 'none']);

const LANGUAGE = new RegExp('^(?:(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})(?:-[a-z]{4})?(?:-(?:[a-z]{2}|[0-9]{3}))?(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*'
  + '(?:-[a-wyz0-9](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?|x(?:-[a-z0-9]{1,8})+|i-[a-z]{3,8}|sgn-[a-z]{2}-[a-z]{2})$', 'i');

const LONGEST_TAG = 200;

const FORMS: ReadonlyMap<string, CodeForm> = new Map([
  ['http://hl7.org/fhir/ValueSet/mimetypes', form('urn:ietf:bcp:13', 'text/plain', (code) => code.length <= LONGEST_TAG && (MIME_TYPE.test(code) || FORMATS.has(code)))],
  ['http://hl7.org/fhir/ValueSet/languages', form('urn:ietf:bcp:47', 'en-GB', (code) => code.length <= LONGEST_TAG && LANGUAGE.test(code))],
  ['http://hl7.org/fhir/ValueSet/ucum-units', form('http://unitsofmeasure.org', 'mg/dL', isUnit)],
]);

function form(system: string, example: string, has: (code: string) => boolean): CodeForm {
  return { system, has: (code) => typeof code === 'string' && has(code), [Symbol.iterator]: () => [`such as ${example}`].values() };
}

export function formOfCodes(valueSet: string): CodeForm | undefined {
  return FORMS.get(valueSet);
}

/** Code systems whose codes have a form. */
const BY_SYSTEM: ReadonlyMap<string, CodeForm> = new Map([...FORMS.values()].map((one) => [one.system, one]));

export function formOfSystem(system: string): CodeForm | undefined {
  return BY_SYSTEM.get(system);
}

interface Ucum {
  readonly UcumLhcUtils: { getInstance(): { validateUnitString(unit: string): { readonly status: string } } };
}

const MOST_KEPT = 10_000;
const units = new Map<string, boolean>();

/** The table of units takes a tenth of a second to load: only when first asked. */
function isUnit(code: string): boolean {
  const known = units.get(code);
  if (known !== undefined) return known;
  if (code.length > LONGEST_TAG) return false;
  const { UcumLhcUtils } = createRequire(createRequire(import.meta.url).resolve('fhirpath'))('@lhncbc/ucum-lhc') as Ucum;
  const valid = UcumLhcUtils.getInstance().validateUnitString(code).status === 'valid';
  if (units.size >= MOST_KEPT) units.clear();
  units.set(code, valid);
  return valid;
}
