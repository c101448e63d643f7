// A Group of criteria read as questions about a patient (domain.md rulings 17, 59; https://hl7.org/fhir/R4/group.html). What can't be asked is refused by name.
import { asObject, asObjects, asText, codesOf, codingsOf, extensionsOf } from '../../fhir/elements.js';
import type { Definitions } from '../../definitions/model.js';
import { fail } from '../../fhir/errors.js';
import type { JsonObject, Resource } from '../../fhir/resource.js';
import { ELIGIBILITY_BASIS } from './decision-rule.js';
import { BASE, extensionUrl } from '../codes.js';

const CRITERION = `${BASE}/CodeSystem/criterion`;
const WEIGHT = extensionUrl('criterion-weight');
const BASES = `${BASE}/ValueSet/eligibility-basis`;

/** Both ends inclusive; undefined where open. */
export interface NumberRange {
  readonly low: number | undefined;
  readonly high: number | undefined;
}

export type Question =
  | { readonly code: 'age' | 'last-review'; readonly range: NumberRange }
  | { readonly code: 'decision'; readonly basis: string }
  | { readonly code: 'active-budget'; readonly has: boolean }
  | { readonly code: 'gp-practice'; readonly practice: string }
  | { readonly code: 'condition-code'; readonly tokens: readonly string[] };

export interface Criterion {
  readonly question: Question;
  /** The patients for whom it is not so. */
  readonly exclude: boolean;
  /** Undefined where it must be met; else it only ranks. */
  readonly weight: number | undefined;
  /** For people: `age 18 to 64`, `not condition-code http://snomed.info/sct|13645005`. */
  readonly words: string;
}

/** Is it a Group of criteria? Its characteristics say so, never its profile (ruling 58). */
export const isCriteria = (group: Resource | undefined): boolean =>
  asObjects(group?.['characteristic']).some((one) => codesOf(one['code'], CRITERION).length > 0);

/** Where the codes that a criterion may name are known. */
type Known = Pick<Definitions, 'codes'>;

/** Throws 422 not-supported for a characteristic that this server can't judge, naming it; 422 for a value that its criterion does not take. */
export function criteriaOf(group: Resource, known: Known): readonly Criterion[] {
  return asObjects(group['characteristic']).map((characteristic, index) => criterionOf(characteristic, `Group.characteristic[${index}]`, known));
}

function criterionOf(characteristic: JsonObject, path: string, known: Known): Criterion {
  const [code, second] = codesOf(characteristic['code'], CRITERION);
  if (second !== undefined) throw fail('unsupported-criterion', { text: `${code} and ${second} are two criteria: send a characteristic for each`, expression: `${path}.code` });
  const question = code === undefined ? undefined : QUESTIONS[code]?.(characteristic, path, known);
  if (!question) throw unsupported(characteristic, path);
  if (characteristic['period'] !== undefined) throw fail('unsupported-criterion', { text: `The criterion ${code} is judged as things are now: leave out period`, expression: `${path}.period` });
  const exclude = characteristic['exclude'] === true;
  const weight = extensionsOf(characteristic, WEIGHT)[0]?.['valuePositiveInt'];
  return { question, exclude, weight: typeof weight === 'number' ? weight : undefined, words: `${exclude ? 'not ' : ''}${wordsOf(question)}` };
}

function unsupported(characteristic: JsonObject, path: string): Error {
  const [coding] = codingsOf(characteristic['code']);
  const name = coding ? `${coding.system ?? ''}|${coding.code ?? ''}` : asText(asObject(characteristic['code'])?.['text']) ?? 'without a code';
  return fail('unsupported-criterion', { text: `The criterion ${name} is not one this server can judge: use ${Object.keys(QUESTIONS).join(', ')} of ${CRITERION}`, expression: `${path}.code` });
}

type Reader = (characteristic: JsonObject, path: string, known: Known) => Question;

const QUESTIONS: Readonly<Record<string, Reader>> = {
  age: (one, path) => ({ code: 'age', range: rangeOf(one, path, YEARS) }),
  'last-review': (one, path) => ({ code: 'last-review', range: rangeOf(one, path, DAYS) }),
  decision: (one, path, known) => ({ code: 'decision', basis: basisOf(one, path, known) }),
  'active-budget': (one, path) => ({ code: 'active-budget', has: needed(typeof one['valueBoolean'] === 'boolean' ? one['valueBoolean'] : undefined, path, 'valueBoolean') }),
  'gp-practice': (one, path) => ({ code: 'gp-practice', practice: needed(asText(asObject(one['valueReference'])?.['reference']), path, 'valueReference to the practice\'s Organization') }),
  'condition-code': (one, path) => ({ code: 'condition-code', tokens: needed(tokensOf(one['valueCodeableConcept']), path, 'valueCodeableConcept with a coding') }),
};

function needed<T>(value: T | undefined, path: string, what: string): T {
  if (value === undefined) throw fail('invalid', { text: `This criterion takes ${what}`, expression: `${path}.value` });
  return value;
}

/** A basis that nobody decides on would find nobody, without saying why. */
function basisOf(characteristic: JsonObject, path: string, known: Known): string {
  const [first, second] = codesOf(characteristic['valueCodeableConcept'], ELIGIBILITY_BASIS);
  const basis = needed(first, path, `valueCodeableConcept with a code of ${ELIGIBILITY_BASIS}`);
  if (second !== undefined) throw fail('unsupported-criterion', { text: `${basis} and ${second} are two decisions: send a characteristic for each`, expression: `${path}.value` });
  if (known.codes(BASES)?.has(`|${basis}`) === false) throw fail('code-invalid', { text: `${basis} is no basis of a budget: use a code of ${ELIGIBILITY_BASIS}`, expression: `${path}.value` });
  return basis;
}

/** What a range is counted in, and the codes (UCUM) and words that say so. */
interface Unit {
  readonly words: string;
  readonly names: readonly string[];
}
const YEARS: Unit = { words: 'years', names: ['a', 'year', 'years', 'yr', 'yrs'] };
const DAYS: Unit = { words: 'days ago', names: ['d', 'day', 'days'] };

function rangeOf(characteristic: JsonObject, path: string, unit: Unit): NumberRange {
  const range = asObject(characteristic['valueRange']);
  const [low, high] = [endOf(range?.['low'], path, unit), endOf(range?.['high'], path, unit)];
  if (low === undefined && high === undefined) throw fail('invalid', { text: `This criterion takes valueRange with low, high or both, in ${unit.words}`, expression: `${path}.value` });
  return { low, high };
}

/** Throws 422 for months where years are counted: nothing is converted. */
function endOf(quantity: unknown, path: string, { words, names }: Unit): number | undefined {
  const { value, code, unit } = asObject(quantity) ?? {};
  const other = [code, unit].map(asText).find((one) => one !== undefined && !names.includes(one.toLowerCase()));
  if (other !== undefined) throw fail('unsupported-criterion', { text: `This criterion is counted in ${words}, not in ${other}: send ${names[0]} as code, or no unit`, expression: `${path}.value` });
  return typeof value === 'number' ? value : undefined;
}

function tokensOf(concept: unknown): readonly string[] | undefined {
  const tokens = codingsOf(concept).flatMap(({ system, code }) => (code === undefined ? [] : [`${system ?? ''}|${code}`]));
  return tokens.length > 0 ? tokens : undefined;
}

function wordsOf(question: Question): string {
  switch (question.code) {
    case 'age':
    case 'last-review': return `${question.code} ${question.range.low ?? 'any'} to ${question.range.high ?? 'any'}`;
    case 'decision': return `decision ${question.basis}`;
    case 'active-budget': return `active-budget ${question.has}`;
    case 'gp-practice': return `gp-practice ${question.practice}`;
    case 'condition-code': return `condition-code ${question.tokens.join(' or ')}`;
  }
}
