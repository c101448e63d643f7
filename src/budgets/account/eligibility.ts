// Was this budget granted to someone who may have it? Decided by an organisation, not in the future, and at the right age
// (domain.md rulings 17 and 52; SI 2012/2996 reg. 32A). A chargeable status is never looked at.
import { dateRange } from '../../fhir/date-time.js';
import { fault } from '../../fhir/faults.js';
import type { Issue } from '../../fhir/issue.js';
import { londonDate } from '../../fhir/london.js';
import type { Eligibility } from './account.js';
import { businessError } from '../codes.js';

/** Until the patient is an adult. */
export const CHILDRENS_BASIS = 'cyp-continuing-care';

/** Ages in completed years, inclusive; a basis that is not here has none. */
const AGES: Readonly<Record<string, { readonly least?: number; readonly most?: number; readonly words: string }>> = {
  'nhs-chc': { least: 18, words: 'NHS Continuing Healthcare is for adults of 18 or more' },
  [CHILDRENS_BASIS]: { most: 17, words: 'Continuing care for children is for those of 17 or less' },
};

export interface EligibilityFacts {
  /** FHIR date, perhaps of a month or year only; undefined where none is held. */
  readonly birthDate: string | undefined;
  /** The moment at which the age counts, in milliseconds: the start of the budget. */
  readonly at: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The caller speaks for the owner of the budget. */
  readonly byOwner: boolean;
}

/** What is wrong with the decision, each as a 422 NOT_ELIGIBLE. Codes outside the value set are the profile's to refuse. */
export function eligibilityFaults(eligibility: Eligibility | undefined, facts: EligibilityFacts): Issue[] {
  if (!eligibility) return [unmet('A budget says why it was granted: send ext-eligibility with basis, decidedBy and decidedOn')];
  const { basis, decidedBy, decidedOn, exceptional } = eligibility;
  const faults: Issue[] = [];
  if (basis === undefined || decidedBy === undefined || decidedOn === undefined) faults.push(unmet('The basis is not decided: ext-eligibility needs basis, decidedBy (an Organization) and decidedOn'));
  const decided = decidedOn === undefined ? undefined : dateRange(decidedOn, 'Europe/London');
  if (decided && decided.lo > facts.now) faults.push(unmet('The decision lies in the future: decidedOn is today or before'));
  const words = basis === undefined ? undefined : ageFault(basis, facts);
  if (words !== undefined) faults.push(unmet(words));
  if (basis === 'other' && !exceptional) faults.push(unmet('The basis other is an exception: send exceptional = true'));
  if (basis === 'other' && exceptional && !facts.byOwner) faults.push(unmet('An exception is the owner\'s to make: let the organisation in Account.owner open this budget'));
  return faults;
}

/** Someone whose birthday is not known to the day is refused only where no day would do. */
function ageFault(basis: string, { birthDate, at }: EligibilityFacts): string | undefined {
  const rule = AGES[basis];
  const born = birthDate === undefined ? undefined : dateRange(birthDate);
  if (!rule || !born) return undefined;
  const day = londonDate(at);
  const oldest = ageOn(day, dayOf(born.lo));
  const youngest = ageOn(day, dayOf(born.hi - 1));
  if (rule.least !== undefined && oldest < rule.least) return `${rule.words}, and the patient is ${oldest} on ${day}`;
  if (rule.most !== undefined && youngest > rule.most) return `${rule.words}, and the patient is ${youngest} on ${day}`;
  return undefined;
}

/** Completed years; someone born on 29 February is a year older on 1 March. */
export function ageOn(day: string, born: string): number {
  const years = Number(day.slice(0, 4)) - Number(born.slice(0, 4));
  return day.slice(5) < born.slice(5) ? years - 1 : years;
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const unmet = (text: string): Issue => fault('business-rule', text, 'Account.extension', businessError('NOT_ELIGIBLE'));
