// A person settles whose a statement is: gives it to a patient, takes it back, or gives it up. Both patients' answers follow.
import { fail, type FhirError } from '../../fhir/errors.js';
import type { Resource } from '../../fhir/resource.js';
import { withAssertion } from '../status/assertion.js';
import type { NonePolicy } from '../status/effective-status.js';
import { changeAssertions, type StatusContext } from '../status/patient-status.js';
import { settleTask } from './quarantine-task.js';
import { assertionOf, claimOf } from './statement.js';
import { locateStatement, settleStatement, type RegisteredStatement } from './statement-register.js';
import { HOME_OFFICE } from './statement-source.js';

const PATIENT = 'Observation.subject';

/** 422 where it belongs to another patient, or there is no such Patient; to give it to the same again is nothing new. */
export async function matchStatement(id: string, patient: string, context: StatusContext, nonePolicy: NonePolicy): Promise<void> {
  const placed = await requireStatement(id, context);
  if (placed.patient === patient) return;
  if (placed.patient !== undefined) throw fail('business-rule', { text: 'The statement belongs to another patient: take it back with $unmatch-statement first', expression: PATIENT });
  await give(placed, patient, context, nonePolicy);
  await settleStatement(context.tx.db, id, patient, 'matched');
  await settleTask(id, 'completed', 'A person has said whose it is', context);
}

/** Undoes a match, made by a machine or a person: nothing of it is left in the patient's answer, and no machine makes it again. */
export async function unmatchStatement(id: string, reason: string, context: StatusContext, nonePolicy: NonePolicy): Promise<void> {
  const { patient } = await requireStatement(id, context);
  if (patient === undefined) throw fail('business-rule', { text: 'The statement belongs to no patient', expression: PATIENT });
  await changeAssertions(patient, (list) => list.filter((one) => one.id !== id), context, nonePolicy);
  await settleStatement(context.tx.db, id, undefined, 'detached');
  await settleTask(id, 'requested', reason, context);
}

/** Nobody can tell whose it is. */
export async function rejectStatement(id: string, reason: string, context: StatusContext): Promise<void> {
  const { patient } = await requireStatement(id, context);
  if (patient !== undefined) throw fail('business-rule', { text: 'The statement belongs to a patient: take it back with $unmatch-statement first', expression: PATIENT });
  await settleStatement(context.tx.db, id, undefined, 'rejected');
  await settleTask(id, 'rejected', reason, context);
}

/** Adds what a registered statement asserts to a patient's answer. */
export async function give({ id, received, claim }: RegisteredStatement, patient: string, context: StatusContext, nonePolicy: NonePolicy): Promise<void> {
  const stored = await context.tx.lock('Observation', id);
  if (stored?.text == null) throw noStatement();
  const statement = JSON.parse(stored.text) as Resource;
  const assertion = assertionOf(statement, claim ?? claimOf(statement, HOME_OFFICE), received);
  if (await changeAssertions(patient, (list) => withAssertion(list, assertion), context, nonePolicy)) return;
  throw fail('reference-not-found', { text: 'There is no such Patient', expression: 'Parameters.parameter' });
}

async function requireStatement(id: string, { tx }: StatusContext): Promise<RegisteredStatement> {
  const placed = await locateStatement(tx.db, id, { lock: true });
  if (!placed) throw noStatement();
  return placed;
}

const noStatement = (): FhirError => fail('not-found', { text: 'There is no statement of a feed with this id' });
