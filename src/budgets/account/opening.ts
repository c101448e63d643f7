// What must be true before a budget opens (domain.md 2.1 E1, E5, E6; rulings 3, 11, 17, 52).
import { takingOn } from '../../search/grant.js';
import { asText } from '../../fhir/elements.js';
import { fail } from '../../fhir/errors.js';
import { fault, refuse } from '../../fhir/faults.js';
import type { Issue } from '../../fhir/issue.js';
import type { Resource } from '../../fhir/resource.js';
import type { Write, WriteContext } from '../../store/rule.js';
import { budgetKind, codeExtension, eligibilityOf, managersOf, ownerOf, parentOf, patientOf, plansOf, servicePeriodOf } from './account.js';
import { OPERATIONS } from './acts.js';
import { businessError, FUNDING_SOURCE } from '../codes.js';
import { eligibilityFaults } from './eligibility.js';
import { amountsOf, checkHolders, lineFaults } from './lines.js';
import { referred, rolesOf, speaksFor } from '../referred.js';
import { isDuplicate, periodOf } from './register.js';

/** Who may own a budget of a funding source; another source may be anyone's (acc-4). */
const OWNERS: Readonly<Record<string, readonly string[]>> = { nhs: ['icb'], 'social-care': ['local-authority'], education: ['education', 'local-authority'] };

/** Throws 422 with all that keeps this budget from being opened. */
export async function checkOpening(after: Resource, write: Write, context: WriteContext): Promise<void> {
  refuse(newFaults(after));
  const patient = await referred(`Patient/${patientOf(after)}`, ['Patient'], 'Account.subject', { ...context, grant: takingOn(context.grant) });
  if (budgetKind(after) === 'joint-budget') return;
  const { document } = write;
  const amounts = document ? amountsOf(after, document) : new Map<string, bigint>();
  if (amounts.size === 0) throw fail('required', { text: 'A budget has at least one line: send an ext-allocation with model and amount', expression: 'Account.extension' });
  if ([...amounts.values()].some((pence) => pence <= 0n)) throw fail('business-rule', { text: 'The amount of a line is above zero', expression: 'Account.extension' });
  const owner = await checkOwner(after, context);
  const facts = { birthDate: asText(patient['birthDate']), at: periodOf(after).lo, now: context.now, byOwner: speaksFor(owner, context) };
  refuse([...eligibilityFaults(eligibilityOf(after), facts), ...(await lineFaults(after, undefined, context))]);
  await checkHolders(after, undefined, context);
  await checkDuplicate(after, owner, context);
}

function newFaults(after: Resource): Issue[] {
  const faults: Issue[] = [];
  const must = (text: string, expression: string): void => { faults.push(fault('business-rule', text, expression)); };
  if (patientOf(after) === undefined) faults.push(fault('required', 'A budget is one patient\'s: subject is one reference, Patient/[id]', 'Account.subject'));
  if (after['status'] !== 'active') must('A budget opens active', 'Account.status');
  if (budgetKind(after) === 'phb' && servicePeriodOf(after).start === undefined) faults.push(fault('required', 'A budget says when it starts: servicePeriod.start', 'Account.servicePeriod'));
  if (managersOf(after).length > 0) must(`${OPERATIONS.managers}, once the budget is open`, 'Account.extension');
  if (plansOf(after).length > 0) must(`${OPERATIONS.plans}, once the budget is open`, 'Account.extension');
  if (parentOf(after) !== undefined) must(`${OPERATIONS.parent}, once the budget is open`, 'Account.partOf');
  if (budgetKind(after) === 'joint-budget' && after['coverage'] !== undefined) must(`${OPERATIONS.parts}, once the budget is open`, 'Account.coverage');
  return faults;
}

/** The owning organisation; throws 422 where it is none that may fund this. */
export async function checkOwner(after: Resource, context: WriteContext): Promise<Resource> {
  const owner = await referred(`Organization/${ownerOf(after)}`, ['Organization'], 'Account.owner', context);
  const funding = codeExtension(after, FUNDING_SOURCE) ?? '';
  const allowed = OWNERS[funding];
  if (!allowed || rolesOf(owner).some((role) => allowed.includes(role))) return owner;
  throw fail('business-rule', { text: `A budget with funding source ${funding} is owned by an Organization of type ${allowed.join(' or ')} (organization-role)`, expression: 'Account.owner' });
}

/** Throws 422 where the patient has such a budget already, unless the owner makes an exception (ruling 3). */
export async function checkDuplicate(after: Resource, owner: Resource, context: WriteContext): Promise<void> {
  const excepted = eligibilityOf(after)?.exceptional === true && speaksFor(owner, context);
  if (!(await isDuplicate(context.tx, after)) || excepted) return;
  throw fail('business-rule', {
    text: 'The patient has an active budget of this basis and funding source in the same period: amend that one, or let its owner open an exceptional one',
    expression: 'Account', coding: businessError('DUPLICATE_BUDGET'),
  });
}
