// The next version of a resource from a role that may only propose one: 202 with a Task for who keeps the directory; nothing else changes
// (domain.md ruling 28; section 4, the provider's own entries).
import { checkEntry, checkOwnEntry, keeperOfEntry } from '../budgets/directory/directory-rule.js';
import { BASE } from '../budgets/codes.js';
import { instantText } from '../fhir/date-time.js';
import { exactJson, exactValue } from '../fhir/exact-json.js';
import { fail, failWith } from '../fhir/errors.js';
import { readJson } from '../fhir/json-text.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import type { Resource } from '../fhir/resource.js';
import type { Transaction } from '../store/store.js';
import type { Asked } from './asked.js';
import type { Context } from './context.js';
import { checkPreconditions } from './preconditions.js';
import { writeAll } from './write.js';

/** Throws what the write itself would be refused with, and 403 for what is not the caller's own. */
export async function propose({ type, id, document, ifMatch }: Asked, request: Pick<FhirRequest, 'base'>, context: Context & { readonly tx: Transaction }): Promise<FhirResponse> {
  const { tx, grant, parts } = context;
  const locked = await tx.lock(type, id);
  const seen = locked && (await tx.read(grant, type, id));
  if (!seen) throw grant.absent(type, id);
  if (seen.text === null) throw fail('gone', { text: `${type}/${id} was deleted in version ${seen.version}` });
  if (grant.scoped?.(type, 'U')) throw fail('forbidden', { text: `The scopes of this token reach some ${type} only: to propose a change it needs one without search arguments` });
  const [before, after] = [JSON.parse(seen.text) as Resource, document?.value as Resource | undefined];
  if (!document || !after) throw fail('not-a-resource');
  const judged = { tx, grant, caller: grant.caller };
  await checkOwnEntry(before, after, judged);
  if (ifMatch === undefined || ifMatch === '*') throw fail('if-match-required');
  checkPreconditions({ ifMatch }, seen);
  const faults = [...parts.validate(after), ...(await parts.profiles.check(after))].filter(({ severity }) => severity === 'error' || severity === 'fatal');
  if (faults.length > 0) throw failWith(422, faults);
  await checkEntry(before, after, document, judged);
  const task = { ...taskOf(before, exactValue(document), await keeperOfEntry(before, judged)), authoredOn: instantText(context.now) };
  // The Task is the server's; who proposed is in its requester and on record.
  const made: Context = { ...context, act: 'propose', grant: { ...grant, judges: false, ownIds: () => false, scoped: () => undefined, refuseWrite: () => undefined } };
  const taskId = parts.newId();
  const [written] = await writeAll([{ kind: 'create', method: 'POST', type: 'Task', id: taskId, fresh: true, document: readJson(exactJson(task)) }], made);
  if (written?.text == null) throw new Error('a create always writes');
  return { status: 202, body: written.text, version: String(written.version), updated: written.updated, headers: { 'content-location': `${request.base}/Task/${taskId}` } };
}

function taskOf({ id }: Resource, after: Readonly<Record<string, unknown>>, owner: string | undefined): object {
  const { meta: _meta, text: _text, ...proposed } = after;
  return {
    resourceType: 'Task',
    contained: [{ ...proposed, id: 'proposed' }],
    status: 'requested',
    intent: 'proposal',
    code: { coding: [{ system: `${BASE}/CodeSystem/task-code`, code: 'budget-request' }], text: 'amend-entry' },
    description: 'A provider proposes another version of its entry in the directory',
    focus: { reference: `HealthcareService/${id}` },
    requester: after['providedBy'],
    ...(owner !== undefined && { owner: { reference: `Organization/${owner}` } }),
    input: [{ type: { text: 'proposed version' }, valueReference: { reference: '#proposed' } }],
  };
}
