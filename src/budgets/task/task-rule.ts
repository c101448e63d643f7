// What every write of a Task of the budgets' workflow meets: marked by its code, never by its profile. It goes to the patient's own
// practice, moves from state to state as agreed, and keeps what it is about (domain.md rulings 2, 31, 63; C32E12).
import type { Definitions } from '../../definitions/model.js';
import { asObject, asObjects, asText, codesOf, referenceId } from '../../fhir/elements.js';
import { fail } from '../../fhir/errors.js';
import type { Resource } from '../../fhir/resource.js';
import type { Write, WriteContext, WriteRule } from '../../store/rule.js';
import { patientOf } from '../account/account.js';
import { namedByCode } from '../by-ods-code.js';
import { BASE, TASK_CODE } from '../codes.js';
import { nameOf, referred, rolesOf } from '../referred.js';
import { FIRST_STATE, statesAfter } from './task-states.js';
import { forbiddenUpdate } from '../forbidden-update.js';

/** Tasks that the server makes, and the operation they come from. */
const MADE: Readonly<Record<string, string>> = {
  'budget-review': 'Account/$review',
  'budget-request': 'the operation that is proposed',
  overspend: 'the purchase that overspends',
};
/** Work for the practice; the others are for the commissioner. */
const FOR_PRACTICE: ReadonlySet<string> = new Set(['request-clinical-information', 'confirm-medical-history']);
/** What a Task is about stays: another matter is another Task. */
const FIXED = ['code', 'for', 'focus'] as const;
/** What a practice says: the rest belongs to who asked. */
const ANSWERED: ReadonlySet<string> = new Set(['status', 'statusReason', 'businessStatus', 'output', 'note', 'executionPeriod', 'lastModified', 'meta', 'text']);

export const taskCode = (task: Resource | undefined): string | undefined => codesOf(task?.['code'], TASK_CODE)[0];

export function createTaskRule(definitions: Pick<Definitions, 'codes' | 'searchParameters'>): WriteRule {
  return {
    concerns: ({ type, before, after }) => type === 'Task' && (taskCode(before) !== undefined || taskCode(after) !== undefined),
    async complete({ after }, context) {
      const owner = await namedByCode(after?.['owner'], definitions, context);
      return owner && { owner };
    },
    async check(write, context) {
      const { before, after } = write;
      if (!after) throw fail('business-rule', { text: 'A task of the workflow is never deleted: set its status to cancelled', expression: 'Task' });
      if (context.act !== undefined) return;
      if (before && taskCode(before) !== undefined) await checkUpdate(write, before, after, context);
      else await checkCreate(after, definitions, context);
    },
  };
}

async function checkCreate(task: Resource, definitions: Pick<Definitions, 'codes'>, context: WriteContext): Promise<void> {
  const code = taskCode(task) ?? '';
  if (definitions.codes(`${BASE}/ValueSet/task-code`)?.has(`|${code}`) === false) throw fail('code-invalid', { text: `${code} is no task of the budgets' workflow: use a code of ${TASK_CODE}`, expression: 'Task.code' });
  const maker = MADE[code];
  if (maker !== undefined) throw forbiddenUpdate(`A task ${code} is made by ${maker}`, 'Task.code');
  if (task['status'] !== FIRST_STATE) throw fail('business-rule', { text: `A task begins as ${FIRST_STATE}`, expression: 'Task.status' });
  await checkFocus(task, context);
  await checkOwner(task, code, context);
}

async function checkUpdate({ type }: Write, before: Resource, after: Resource, context: WriteContext): Promise<void> {
  for (const member of FIXED) {
    if (JSON.stringify(before[member]) !== JSON.stringify(after[member])) throw forbiddenUpdate(`Task.${member} stays as it is: make another task`, `${type}.${member}`);
  }
  checkTransition(before, after);
  if (context.caller.role === 'practice') refuseOther(before, after);
  if (JSON.stringify(before['owner']) !== JSON.stringify(after['owner'])) await checkOwner(after, taskCode(after) ?? '', context);
}

function checkTransition(before: Resource, after: Resource): void {
  const [from, to] = [asText(before['status']) ?? '', asText(after['status']) ?? ''];
  if (from === to) return;
  const next = statesAfter(from);
  if (next.includes(to) && !(taskCode(after) === 'budget-review' && to === 'completed')) return;
  const words = next.length === 0 ? `a task that is ${from} stays so` : next.includes(to) ? 'a review is completed by Account/$review' : `after ${from} comes ${next.join(', ')}`;
  throw fail('business-rule', { text: `The task can't go from ${from} to ${to}: ${words}`, expression: 'Task.status' });
}

/** A practice answers; it does not change what was asked. */
function refuseOther(before: Resource, after: Resource): void {
  const members = new Set([...Object.keys(before), ...Object.keys(after)]);
  const other = [...members].find((member) => !ANSWERED.has(member) && JSON.stringify(before[member]) !== JSON.stringify(after[member]));
  if (other !== undefined) throw forbiddenUpdate(`A practice answers a task by its status, output and notes: Task.${other} is not its to change`, `Task.${other}`);
}

async function checkFocus(task: Resource, context: WriteContext): Promise<void> {
  const reference = asText(asObject(task['focus'])?.['reference']);
  if (reference?.startsWith('Account/') !== true) return;
  const account = await referred(reference, ['Account'], 'Task.focus', context);
  if (patientOf(account) !== referenceId(task['for'], 'Patient')) throw fail('business-rule', { text: 'Task.focus is the budget of another patient than Task.for', expression: 'Task.focus' });
}

/** Clinical questions go to the practice where the patient is registered, the others to an organisation that pays. */
async function checkOwner(task: Resource, code: string, context: WriteContext): Promise<void> {
  const owner = await referred(asText(asObject(task['owner'])?.['reference']), ['Organization'], 'Task.owner', context);
  if (!FOR_PRACTICE.has(code)) {
    if (rolesOf(owner).some((role) => role === 'icb' || role === 'local-authority' || role === 'education')) return;
    throw fail('business-rule', { text: `${nameOf(owner)} decides on no budgets: Task.owner is the commissioner`, expression: 'Task.owner' });
  }
  const patient = await referred(asText(asObject(task['for'])?.['reference']), ['Patient'], 'Task.for', context);
  const practices = asObjects(patient['generalPractitioner']).map((practice) => referenceId(practice, 'Organization'));
  if (!practices.includes(owner.id)) throw fail('business-rule', { text: `${nameOf(owner)} is not the patient's practice: send the task to the Organization in Patient.generalPractitioner`, expression: 'Task.owner' });
}
