// A transaction: all entries or none, in the order DELETE, POST, PUT, GET, with references between them resolved.
// https://hl7.org/fhir/R4/http.html#trules
import type { Access } from '../audit/trail.js';
import { fail } from '../fhir/errors.js';
import { withOwnReferences } from '../fhir/own-references.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import type { Asked } from '../interactions/asked.js';
import { inTransaction, type Context } from '../interactions/context.js';
import { deletedResponse } from '../interactions/delete.js';
import { answer } from '../interactions/perform.js';
import { writeAll, type Written } from '../interactions/write.js';
import { writtenResponse } from '../interactions/written-response.js';
import { ConditionalReferences } from './conditional-references.js';
import { asAsked, readEntry, requireMethod, type Entry } from './entry.js';
import { placed } from './entry-place.js';
import { fullUrls, placeOf, planDeletes, planWrites, type Inside, type Planned } from './plan-writes.js';
import { resolverOf, resolveReferences } from '../interactions/references.js';
import type { Router } from './router.js';

/** Answers by index of the entry. */
interface Answered {
  readonly responses: Map<number, FhirResponse>;
  /** Entries that wrote nothing: what was written is on record already. */
  readonly unrecorded: Map<Entry, Access>;
}

export async function runTransaction(outer: FhirRequest, raw: readonly unknown[], context: Context, route: Router): Promise<FhirResponse[]> {
  const entries = raw.map((one, index) => readEntry(outer, one, index, route));
  for (const entry of entries) requireMethod(entry, context.grant);
  checkEntries(entries);
  // Ids are made here, outside what is retried, so that a retry writes the same resources.
  const ids = entries.map(() => context.parts.newId());
  const answered = await inTransaction(context, (inside) => runEntries(entries, ids, inside));
  const responses = entries.map((entry) => answered.responses.get(entry.index) ?? { status: 500 });
  context.access.entries = [...answered.unrecorded].map(([entry, access]) => ({ access, response: responses[entry.index] ?? { status: 500 } }));
  return responses;
}

async function runEntries(entries: readonly Entry[], ids: readonly string[], inside: Inside): Promise<Answered> {
  const answered: Answered = { responses: new Map(), unrecorded: new Map() };
  const deletes = await runDeletes(of(entries, 'delete'), inside, answered);
  await runWrites(await planWrites(of(entries, 'create', 'update', 'patch'), ids, deletes, inside), inside, answered);
  for (const entry of entries) if (!answered.responses.has(entry.index)) await run(entry, inside, answered);
  return answered;
}

const of = (entries: readonly Entry[], ...interactions: string[]): Entry[] => entries.filter((entry) => interactions.includes(entry.request.interaction));

async function run(entry: Entry, { grant: { caller }, parts, tx }: Inside, { responses, unrecorded }: Answered): Promise<void> {
  const access = parts.audit.open(caller, entry.request);
  unrecorded.set(entry, access);
  const response = await placed(placeOf(entry), () => answer(entry.routed.handler, entry.request, { caller, parts, access, tx }));
  responses.set(entry.index, asAsked(entry, response));
}

function leaveUnrecorded(entry: Entry, { grant, parts }: Inside, { unrecorded }: Answered): void {
  unrecorded.set(entry, parts.audit.open(grant.caller, entry.request));
}

function checkEntries(entries: readonly Entry[]): void {
  const seen = new Set<string>();
  for (const { index, fullUrl, request } of entries) {
    if (request.interaction === 'batch') throw fail('bad-request', { text: 'A Bundle can not be an entry of a transaction', expression: `Bundle.entry[${index}].request` });
    if (request.interaction === 'delete-history') throw fail('bad-request', { text: 'Old versions are purged for good: send each DELETE of a _history by itself', expression: `Bundle.entry[${index}].request` });
    if (fullUrl === undefined || (request.interaction !== 'create' && request.interaction !== 'update')) continue;
    if (seen.has(fullUrl)) throw fail('bad-request', { text: `Two entries have the fullUrl ${fullUrl.slice(0, 80)}`, expression: `Bundle.entry[${index}].fullUrl` });
    seen.add(fullUrl);
  }
}

async function runDeletes(entries: readonly Entry[], inside: Inside, answered: Answered): Promise<Planned[]> {
  const planned = await planDeletes(entries, inside);
  const written = await write(planned, inside);
  // Criteria may name several: one entry, several writes.
  const byEntry = new Map<Entry, (Written | undefined)[]>(entries.map((entry) => [entry, []]));
  for (const one of planned) byEntry.get(one.entry)?.push(written.get(one));
  for (const [entry, results] of byEntry) {
    answered.responses.set(entry.index, deletedResponse(results, entry.request));
    if (!results.some((one) => one !== undefined)) leaveUnrecorded(entry, inside, answered);
  }
  return planned;
}

/**
 * Criteria in references may name what was there or what this transaction makes: resources whose references lead somewhere
 * are stored, then those that waited for them. Without such references all are stored at once.
 */
async function runWrites(planned: readonly Planned[], inside: Inside, answered: Answered): Promise<void> {
  const references = new ConditionalReferences(fullUrls(planned), inside);
  const written = new Map<Planned, Written | undefined>();
  let waiting = planned.filter(({ asked }) => asked);
  while (waiting.length > 0) {
    const { ready, stuck } = await references.sort(waiting);
    for (const [one, result] of await write(ready, inside, references.targets)) written.set(one, result);
    waiting = stuck;
  }
  for (const one of planned) {
    const result = resultOf(one, written);
    answered.responses.set(one.entry.index, writtenResponse(result, one.entry.request, inside));
    if (!one.asked || result?.unchanged) leaveUnrecorded(one.entry, inside, answered);
  }
}

function resultOf(planned: Planned, written: ReadonlyMap<Planned, Written | undefined>): Written | undefined {
  const { existing, twin } = planned;
  if (existing) return { ...existing, created: false };
  const result = written.get(twin ?? planned);
  return twin && result ? { ...result, created: false } : result;
}

async function write(planned: readonly Planned[], inside: Inside, targets?: ReadonlyMap<string, string>): Promise<Map<Planned, Written | undefined>> {
  const due = planned.flatMap((one) => (one.asked ? [{ one, asked: withReferences(one.asked, one.entry, targets) }] : []));
  const results = await writeAll(due.map(({ asked }) => asked), inside);
  return new Map(due.map(({ one }, index) => [one, results[index]]));
}

function withReferences(asked: Asked, { fullUrl, request }: Entry, targets: ReadonlyMap<string, string> | undefined): Asked {
  if (!asked.document || !targets) return asked;
  const document = withOwnReferences(asked.document, request.base, (url) => targets.has(url));
  const named = document === asked.document ? asked : { ...asked, document };
  if (targets.size === 0) return named;
  const resolved = resolveReferences(document, resolverOf(targets, fullUrl));
  return resolved.strings.size === 0 ? named : { ...named, resolved };
}
