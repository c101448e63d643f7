// Reading a joint budget: its coverage lists that of every budget joined into it, in the order in which they are drawn on
// (https://hl7.org/fhir/R4/account-definitions.html#Account.coverage; domain.md 3.2 joint-account). Pure.
import { asObject, asObjects, referenceId } from '../../fhir/elements.js';
import type { JsonObject, Resource } from '../../fhir/resource.js';

/** Logical id of the Coverage that stands for a budget in Claims. */
export const coverageOf = (budget: Resource | undefined): string | undefined => coveragesIn(budget)[0];

/** Logical ids, in the order of the Account. */
export const coveragesIn = (account: Resource | undefined): string[] => asObjects(account?.['coverage']).flatMap(({ coverage }) => referenceId(coverage, 'Coverage') ?? []);

/** The coverage of a joint budget with that of one more, drawn on after the others. */
export function withCoverage(joint: Resource, child: Resource): JsonObject[] {
  const before = asObjects(joint['coverage']);
  const coverage = asObject(asObjects(child['coverage'])[0]?.['coverage']);
  const last = before.reduce((most, one) => Math.max(most, priorityOf(one)), 0);
  return coverage === undefined ? before : [...before, { coverage, priority: last + 1 }];
}

/** Undefined where none is left: FHIR knows no empty lists. */
export function withoutCoverage(joint: Resource, child: Resource): JsonObject[] | undefined {
  const gone = coverageOf(child);
  const left = asObjects(joint['coverage']).filter(({ coverage }) => referenceId(coverage, 'Coverage') !== gone);
  return left.length === 0 ? undefined : left;
}

/** Place of each Coverage (logical id) in the order of drawing; the lower first. */
export const prioritiesOf = (joint: Resource): ReadonlyMap<string, number> =>
  new Map(asObjects(joint['coverage']).map((one) => [referenceId(one['coverage'], 'Coverage') ?? '', priorityOf(one)]));

const priorityOf = ({ priority }: JsonObject): number => (typeof priority === 'number' ? priority : 0);
