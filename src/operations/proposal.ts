// A role that may only propose gets 202 with a Task; a manager or commissioner carries it out by the same operation with `proposal` = that
// Task (domain.md ruling 28). Nothing else changes until then.
import { mayOnlyPropose } from '../access/operations.js';
import { TASK_CODE } from '../budgets/codes.js';
import { referred } from '../budgets/referred.js';
import { asObject, asObjects, asText, codesOf } from '../fhir/elements.js';
import { fail } from '../fhir/errors.js';
import { instantText } from '../fhir/date-time.js';
import { exactJson, exactValue } from '../fhir/exact-json.js';
import { readJson } from '../fhir/json-text.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import type { JsonValue } from '../fhir/resource.js';
import type { Context } from '../interactions/context.js';
import { writeAll } from '../interactions/write.js';
import { added, changed, currentOf, type Current, type Inside } from './act.js';
import { AT } from './input.js';
import { actOn, type Operation } from './operation.js';

export const onlyProposes = (code: string, { grant }: Pick<Inside, 'grant'>): boolean => mayOnlyPropose(grant.caller.role, code);

/** An operation that some roles may only propose. A call that sends `proposal` and nothing beside it is of what was proposed. */
export const proposable = (type: string, code: string, handle: Operation['handle']): Operation =>
  actOn(type, code, async (request, context) => handle(await asProposed(request, context), context));

/** The request with the Parameters of the proposal that it names alone. Whether that is an open one of this operation is judged where it is settled. */
async function asProposed(request: FhirRequest, { store, grant }: Pick<Context, 'store' | 'grant'>): Promise<FhirRequest> {
  const [only, ...others] = asObjects(request.body?.value['parameter']);
  if (!only || others.length > 0 || only['name'] !== 'proposal') return request;
  const [type, id = ''] = asText(asObject(only['valueReference'])?.['reference'])?.split('/') ?? [];
  const found = type === 'Task' ? await store.read(grant, type, id) : undefined;
  const proposed = found?.text == null ? undefined : asObjects(exactValue(readJson(found.text))['contained']).find((one) => one['resourceType'] === 'Parameters');
  if (!proposed) return request;
  return { ...request, body: readJson(exactJson({ resourceType: 'Parameters', parameter: [...asObjects(proposed['parameter']), only] })) };
}

/** 202 with the Task that asks for the operation on this resource; its input is the Parameters as sent. `patient` is a reference. */
export async function propose(code: string, { type, id }: Current, patient: JsonValue | undefined, request: FhirRequest, inside: Inside): Promise<FhirResponse> {
  const { body } = request;
  if (!body) throw fail('required', { text: 'Send the Parameters of what is proposed' });
  const { practitionerRole } = inside.grant.caller;
  const taskId = inside.parts.newId();
  const task = {
    resourceType: 'Task',
    contained: [{ ...exactValue(body), id: 'parameters' }],
    status: 'requested',
    intent: 'proposal',
    code: { coding: [{ system: TASK_CODE, code: 'budget-request' }], text: code },
    focus: { reference: `${type}/${id}` },
    for: patient,
    authoredOn: instantText(inside.now),
    ...(practitionerRole !== undefined && { requester: { reference: `PractitionerRole/${practitionerRole}` } }),
    input: [{ type: { text: code }, valueReference: { reference: '#parameters' } }],
  };
  const [written] = await writeAll([added(task, taskId)], inside);
  if (written?.text == null) throw new Error('a create always writes');
  const location = `${request.base}/Task/${taskId}`;
  return { status: 202, body: written.text, version: String(written.version), updated: written.updated, headers: { 'content-location': location } };
}

/** The proposal that this call carries out, marked completed; throws 422 where it is none of this operation on this resource. */
export async function settleProposal(reference: string | undefined, code: string, { type, id }: Current, inside: Inside): Promise<void> {
  if (reference === undefined) return;
  const task = await referred(reference, ['Task'], AT, { tx: inside.tx, grant: inside.grant, caller: inside.grant.caller });
  const asks = codesOf(task['code'], TASK_CODE).includes('budget-request') && asText(asObject(task['code'])?.['text']) === code && asText(asObject(task['focus'])?.['reference']) === `${type}/${id}`;
  if (!asks || task['status'] !== 'requested') throw fail('business-rule', { text: `${reference} is no open proposal of $${code} for this ${type}`, expression: AT });
  const current = await currentOf('Task', { id: task.id, ifMatch: undefined }, inside, 'optional');
  await writeAll([changed(current, { status: 'completed' })], inside);
}
