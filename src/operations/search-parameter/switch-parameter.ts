// SearchParameter/$activate and $deactivate: the administrator's switch of a posted search parameter. What was stored before is gone through
// by a job; until it is done a search by the parameter is refused, never answered in part.
import type { Definitions } from '../../definitions/model.js';
import { paramKey } from '../../definitions/param-key.js';
import type { Caller } from '../../fhir/caller.js';
import { fail, failWith } from '../../fhir/errors.js';
import type { FhirRequest, FhirResponse } from '../../fhir/request.js';
import type { Resource } from '../../fhir/resource.js';
import { jobUrl } from '../../jobs/job-door.js';
import { cancelJob, makeJob, queueJob } from '../../jobs/job-table.js';
import { paramsOf, REINDEX, type ReindexRequest } from '../../jobs/reindex.js';
import { inTransaction, type Context } from '../../interactions/context.js';
import { basesOf } from '../../definitions/added-search.js';
import { obstaclesTo } from '../../search/check-parameter.js';
import { addedMark } from '../../search/slots.js';
import { addParameter, holdParameters, nextGeneration, parameterOfId, removeParameter, type AddedParameters, type AddedRow } from '../../store/added-parameters.js';
import { roughCount } from '../../store/reindex.js';
import type { Transaction } from '../../store/store.js';
import { actOn, type Operation } from '../operation.js';

export interface SwitchParts {
  readonly added: Pick<AddedParameters, 'refresh' | 'definitions'>;
  /** URLs of HL7's parameters and ours: what is posted under one of them changes nothing that runs. */
  readonly fixedParameters: ReadonlySet<string>;
  readonly clock: () => number;
  readonly newId: () => string;
  /** Told when there is a job to be done. */
  readonly reindexQueued: () => void;
}

export function createActivateOperation(parts: SwitchParts): Operation {
  return actOn('SearchParameter', 'activate', (request, context) => switched(request, context, parts, async (tx, resource) => {
    const { url, status, id = '' } = resource;
    if (typeof url !== 'string') throw fail('required', { text: 'A SearchParameter is switched on under its url: give it one', expression: 'SearchParameter.url' });
    if (parts.fixedParameters.has(url)) throw fail('business-rule', { text: `${url} is a parameter of HL7's or of this service, which runs as it is: what is posted under its url is stored and served, and changes nothing. Use a url of your own`, expression: 'SearchParameter.url' });
    if (status !== 'active') throw fail('business-rule', { text: 'Only a SearchParameter whose status is active is switched on', expression: 'SearchParameter.status' });
    const known = await parameterOfId(tx.db, id);
    if (known) throw fail('duplicate', { text: `It is switched on already: see _jobs/${known.job}`, expression: 'SearchParameter' });
    const { definitions } = parts.added;
    const obstacles = obstaclesTo(resource, definitions);
    if (obstacles.length > 0) throw failWith(422, obstacles);
    return switchOn(tx, { ...resource, id, url }, context.grant.caller, parts);
  }));
}

export function createDeactivateOperation(parts: SwitchParts): Operation {
  return actOn('SearchParameter', 'deactivate', (request, context) => switched(request, context, parts, async (tx, { id = '' }) => {
    const known = await parameterOfId(tx.db, id);
    if (!known) throw fail('business-rule', { text: 'It is not switched on', expression: 'SearchParameter' });
    return switchOff(tx, known, context.grant.caller, parts);
  }));
}

/** One at a time: what this process has learnt before the work is what there is. Answers with the job. */
async function switched(request: FhirRequest, context: Context, parts: SwitchParts, work: (tx: Transaction, resource: Resource) => Promise<string>): Promise<FhirResponse> {
  const { id = '' } = request;
  const job = await inTransaction(context, async ({ tx, grant }) => {
    if (!(await tx.read(grant, 'SearchParameter', id))) throw grant.absent('SearchParameter', id);
    const stored = await tx.lock('SearchParameter', id);
    if (stored?.text == null) throw fail('gone', { text: `SearchParameter/${id} has been deleted` });
    await holdParameters(tx.db);
    await parts.added.refresh();
    return work(tx, JSON.parse(stored.text) as Resource);
  });
  // In a Bundle it is not committed yet: then it is learnt a moment later, as on other servers.
  await parts.added.refresh();
  parts.reindexQueued();
  return { status: 202, headers: { 'content-location': jobUrl(request.base, job) } };
}

async function switchOn(tx: Transaction, resource: Resource & { readonly id: string; readonly url: string }, caller: Caller, parts: SwitchParts): Promise<string> {
  const { definitions } = parts.added;
  const types = basesOf(resource, definitions);
  const key = freeKey(types, typeof resource.code === 'string' ? resource.code : '', await nextGeneration(tx.db), definitions);
  const size = await roughCount(tx.db, types);
  const job = await queue(tx, { kind: 'add', url: resource.url, key, types }, size, caller, parts);
  await addParameter(tx.db, { key, id: resource.id, url: resource.url, definition: JSON.stringify(resource), job });
  return job;
}

/** Parameters are told apart in the index tables by numbers that are made of their names: a name whose number is taken is not used. */
function freeKey(types: readonly string[], code: string, generation: number, definitions: Definitions): string {
  const taken = new Set(definitions.resourceTypes.flatMap((type) => [...definitions.searchParameters(type).values()].map((one) => paramKey(type, one.added ? addedMark(one.code, one.added.key) : one.code))));
  for (let tries = 0; ; tries += 1) {
    const key = tries === 0 ? String(generation) : `${generation}.${tries}`;
    if (types.every((type) => !taken.has(paramKey(type, addedMark(code, key))))) return key;
  }
}

/** Also for a SearchParameter that is retired or deleted. Gives the job that takes its rows away. */
export async function switchOff(tx: Transaction, known: AddedRow, caller: Caller, parts: Omit<SwitchParts, 'fixedParameters' | 'reindexQueued'>): Promise<string> {
  const { definitions } = parts.added;
  const params = paramsOf(definitions, basesOf(JSON.parse(known.definition) as Resource, definitions), known.key);
  await cancelJob(tx.db, known.job, parts.clock());
  await removeParameter(tx.db, known.key);
  return queue(tx, { kind: 'remove', url: known.url, params }, params.length, caller, parts);
}

async function queue({ db }: Transaction, request: ReindexRequest, size: number, { client, role }: Caller, { newId, clock }: Pick<SwitchParts, 'newId' | 'clock'>): Promise<string> {
  const id = newId();
  await makeJob(db, { id, type: REINDEX, client, role, request: JSON.stringify(request), progress: JSON.stringify({ seen: 0 }), now: clock() });
  await queueJob(db, id, size, clock());
  return id;
}
