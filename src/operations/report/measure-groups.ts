// The groups of a report on budgets: what was counted, with small numbers left out where they are not to be told (domain.md ruling 62).
import { BASE, extensionUrl } from '../../budgets/codes.js';
import type { Exposed } from '../../budgets/report/measure-exposed.js';
import type { MeasuredPeople } from '../../budgets/report/measure-people.js';
import type { MeasuredSpend, SpendReport } from '../../budgets/report/measure-spend.js';
import { moneyOf } from '../../budgets/ledger/money.js';
import { hiddenParts, isHiddenPart, isSmall } from '../../budgets/report/suppression.js';
import { poundsText } from '../../fhir/decimal.js';
import { exactNumber } from '../../fhir/exact-json.js';

/** One number of people, and of a spend its sums; undefined where it is left out. */
export interface Figure {
  readonly people: number | undefined;
  readonly spend?: bigint | undefined;
  readonly paid?: bigint | undefined;
}

export interface ReportGroup extends Partial<Figure> {
  readonly code: string;
  readonly system: 'measure-group' | 'directory-category';
  /** By code of management-model. */
  readonly strata?: readonly (Figure & { readonly code: string })[];
}

const CATEGORIES = ['equipment', 'treatment', 'therapy', 'personal-care', 'service', 'activity'];

export function peopleGroups(counted: MeasuredPeople, suppress: boolean): readonly ReportGroup[] {
  const { total, adults, cyp, chc, unassigned } = counted;
  const models = [['notional', counted.notional], ['third-party', counted.thirdParty], ['direct-payment', counted.directPayment]] as const;
  const all = suppress && isSmall(total);
  const ages = hiddenParts([{ key: 'adults', count: adults }, { key: 'cyp', count: cyp }, { key: 'age not known', count: total - adults - cyp }]);
  const byModel = hiddenParts([...models.map(([key, count]) => ({ key, count })), { key: 'unassigned', count: unassigned }]);
  const told = (count: number, hidden: boolean): Figure => ({ people: suppress && count > 0 && (all || hidden) ? undefined : count });
  return [
    { code: 'total', system: 'measure-group', ...told(total, false) },
    { code: 'by-model', system: 'measure-group', strata: models.map(([code, count]) => ({ code, ...told(count, byModel.has(code) || isHiddenPart(count, total)) })) },
    { code: 'adults', system: 'measure-group', ...told(adults, ages.has('adults')) },
    { code: 'cyp', system: 'measure-group', ...told(cyp, ages.has('cyp')) },
    { code: 'nhs-chc', system: 'measure-group', ...told(chc, isHiddenPart(chc, total)) },
  ];
}

/** `exposed`: what is left out beyond small numbers; undefined where all is told. */
export function spendGroups({ total, categories }: SpendReport, exposed: Exposed | undefined): readonly ReportGroup[] {
  const codes = [...CATEGORIES, undefined];
  const of = (category: string | undefined): MeasuredSpend => categories.find((one) => one.category === category) ?? { category, people: 0, spend: 0n, paid: 0n };
  const all = exposed !== undefined && (isSmall(total.people) || exposed.total);
  const hidden = hiddenParts(codes.map((code) => ({ key: code ?? '', count: of(code).people, exposed: exposed?.categories.has(code) === true })));
  const told = ({ people, spend, paid }: MeasuredSpend, left: boolean): Figure =>
    exposed && people > 0 && (all || left) ? { people: undefined, spend: undefined, paid: undefined } : { people, spend, paid };
  return [
    { code: 'total', system: 'measure-group', ...told(total, false) },
    ...codes.map((code): ReportGroup => ({ code: code ?? 'uncategorised', system: code === undefined ? 'measure-group' : 'directory-category', ...told(of(code), hidden.has(code ?? '')) })),
  ];
}

const MASKED = { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'masked' }] };
const PAID = extensionUrl('paid-sum');
const CURRENCY = { unit: 'GBP', system: 'urn:iso:std:iso:4217', code: 'GBP' };
const PEOPLE = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/measure-population', code: 'initial-population' }] };

/** MeasureReport.group. */
export function groupElement({ code, system, strata, ...figure }: ReportGroup): object {
  return {
    ...('spend' in figure && figure.paid !== undefined && { extension: [{ url: PAID, valueMoney: moneyOf(figure.paid) }] }),
    code: { coding: [{ system: `${BASE}/CodeSystem/${system}`, code }] },
    ...('people' in figure && { population: [population(figure.people)] }),
    ...('spend' in figure && { measureScore: figure.spend === undefined ? MASKED : { value: exactNumber(poundsText(figure.spend)), ...CURRENCY } }),
    ...(strata && { stratifier: [{ code: [{ text: 'management model' }], stratum: strata.map(stratumElement) }] }),
  };
}

const population = (people: number | undefined): object => ({ code: PEOPLE, ...(people === undefined ? { _count: MASKED } : { count: people }) });
const stratumElement = ({ code, people }: Figure & { readonly code: string }): object => ({ value: { coding: [{ system: `${BASE}/CodeSystem/management-model`, code }] }, population: [population(people)] });

/** Was anything left out? */
export const isMasked = (groups: readonly ReportGroup[]): boolean =>
  groups.some((group) => ('people' in group && group.people === undefined) || group.strata?.some(({ people }) => people === undefined));
