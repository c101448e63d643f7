// The writes of a transaction as they will be made: ids are known, criteria have found what they name, nothing is stored yet.
// https://hl7.org/fhir/R4/http.html#trules
import { fail } from '../fhir/errors.js';
import type { FhirRequest } from '../fhir/request.js';
import { requireBody, type Asked } from '../interactions/asked.js';
import type { Context } from '../interactions/context.js';
import { matchForCreate } from '../interactions/create.js';
import { criteriaKey, criteriaText } from '../interactions/match.js';
import { askedDelete, matchDeletes } from '../interactions/delete.js';
import { askedPatch, readPatch } from '../interactions/patch.js';
import { askedUpdate, matchUpdate } from '../interactions/update.js';
import type { StoredVersion, Transaction } from '../store/store.js';
import type { Entry } from './entry.js';
import { placed } from './entry-place.js';

export type Inside = Context & { tx: Transaction };

/** What an entry comes to: a write, a resource that was there already (conditional create), or nothing (a deletion that matches none). */
export interface Planned {
  readonly entry: Entry;
  readonly asked?: Asked;
  readonly existing?: StoredVersion;
  /** An earlier entry that is made under the same If-None-Exist: for this one it is there already. */
  readonly twin?: Planned;
}

export const placeOf = (entry: Entry): string => `Bundle.entry[${entry.index}]`;

export async function planDeletes(entries: readonly Entry[], inside: Inside): Promise<Planned[]> {
  const planned: Planned[] = [];
  for (const entry of entries) planned.push(...(await placed(placeOf(entry), () => planDelete(entry, inside))));
  checkOverlap(planned);
  return planned;
}

async function planDelete(entry: Entry, inside: Inside): Promise<Planned[]> {
  const { request } = entry;
  permitted(entry, inside);
  const ids = request.id === undefined ? await matchDeletes(request, inside) : [request.id];
  if (ids.length === 0) return [{ entry }];
  return ids.map((id) => ({ entry, asked: { ...askedDelete(request, id), within: placeOf(entry) } }));
}

/** Creates, updates and patches, in the order sent. `ids` are those of new resources, by index of the entry; `deletes` were made before. */
export async function planWrites(entries: readonly Entry[], ids: readonly string[], deletes: readonly Planned[], inside: Inside): Promise<Planned[]> {
  const planned: Planned[] = [];
  const byCriteria = new Map<string, Planned>();
  for (const entry of entries) {
    // Most are known at once, and are not waited for.
    const one = placed(placeOf(entry), () => planWrite(entry, ids[entry.index] ?? '', byCriteria, inside));
    planned.push(one instanceof Promise ? await one : one);
  }
  checkOverlap([...deletes, ...planned]);
  return planned;
}

function planWrite(entry: Entry, id: string, byCriteria: Map<string, Planned>, inside: Inside): Planned | Promise<Planned> {
  const criteria = criteriaOf(entry.request);
  return criteria === undefined ? planNamed(entry, { id, criteria }, inside) : planByCriteria(entry, { id, criteria }, byCriteria, inside);
}

async function planByCriteria(entry: Entry, naming: Naming & { readonly criteria: string }, byCriteria: Map<string, Planned>, inside: Inside): Promise<Planned> {
  const { request } = entry;
  const key = criteriaKey(request.type ?? '', naming.criteria);
  const twin = byCriteria.get(key);
  if (twin && request.interaction === 'create') return { entry, twin };
  if (twin) throw fail('bad-request', { text: `This entry and entry ${twin.entry.index} write what the same criteria name: make one of them`, expression: placeOf(entry) });
  const planned = await planNamed(entry, naming, inside);
  if (!planned.existing) byCriteria.set(key, planned);
  return planned;
}

function planNamed(entry: Entry, naming: Naming, inside: Inside): Planned | Promise<Planned> {
  return PLANS[entry.request.interaction as keyof typeof PLANS](entry, naming, permitted(entry, inside));
}

const criteriaOf = (request: FhirRequest): string | undefined =>
  request.interaction === 'create' ? request.ifNoneExist : request.id === undefined ? criteriaText(request) : undefined;

interface Naming {
  /** For a resource that is new. */
  readonly id: string;
  readonly criteria: string | undefined;
}

const PLANS = { create: planCreate, update: planUpdate, patch: planPatch } as const;

async function planUpdate(entry: Entry, { id, criteria }: Naming, inside: Inside): Promise<Planned> {
  const { request } = entry;
  const document = requireBody(request.type ?? '', request.body);
  const asked = criteria === undefined ? askedUpdate(request, document, request.id ?? '') : await matchUpdate(request, document, criteria, inside, id);
  return { entry, asked: { ...asked, within: `${placeOf(entry)}.resource` } };
}

/** Of the resource as it was before this transaction's other writes: no other entry may write it. */
async function planPatch(entry: Entry, _naming: Naming, inside: Inside): Promise<Planned> {
  const asked = await askedPatch(entry.request, inside, readPatch(entry.request, inside.parts.definitions));
  return { entry, asked: { ...asked, within: `${placeOf(entry)}.resource` } };
}

function planCreate(entry: Entry, { id, criteria }: Naming, inside: Inside): Planned | Promise<Planned> {
  const { request } = entry;
  const { type = '' } = request;
  const document = requireBody(type, request.body);
  const created: Planned = { entry, asked: { kind: 'create', method: 'POST', type, id, fresh: true, document, within: `${placeOf(entry)}.resource` } };
  return criteria === undefined ? created : matchForCreate(request, criteria, inside).then((existing) => (existing ? { entry, existing } : created));
}

/** Each entry is judged as if it came alone. */
function permitted(entry: Entry, inside: Inside): Inside {
  inside.parts.permit(inside.grant.caller, entry.request);
  return inside;
}

/** No resource may be written by two entries. */
function checkOverlap(planned: readonly Planned[]): void {
  const seen = new Set<string>();
  for (const { entry, asked } of planned) {
    if (!asked) continue;
    const key = `${asked.type}/${asked.id}`;
    if (seen.has(key)) throw fail('bad-request', { text: `Two entries write ${key}: send one of them`, expression: placeOf(entry) });
    seen.add(key);
  }
}

/** What a reference to each entry's fullUrl becomes, and one to the version that the entry says it is. */
export function fullUrls(planned: readonly Planned[]): Map<string, string> {
  const targets = new Map<string, string>();
  for (const one of planned) {
    const resource = one.asked ?? one.existing ?? one.twin?.asked;
    const { fullUrl } = one.entry;
    if (fullUrl === undefined || !resource) continue;
    const target = `${resource.type}/${resource.id}`;
    targets.set(fullUrl, target);
    const version = versionHere(one);
    targets.set(`${fullUrl}/_history/${versionSent(one.entry)}`, version === undefined ? target : `${target}/_history/${version}`);
  }
  return targets;
}

/** https://hl7.org/fhir/R4/bundle.html#references: a version is that of the entry's meta; what says none is new. */
function versionSent({ request }: Entry): string {
  const meta = request.body?.value['meta'];
  const version = typeof meta === 'object' && meta !== null && !Array.isArray(meta) ? meta['versionId'] : undefined;
  return typeof version === 'string' ? version : '1';
}

/** The version that it becomes here; undefined for an update, whose number is given when it is made. */
function versionHere({ asked, existing, twin }: Planned): number | undefined {
  if (existing) return existing.version;
  return (asked ?? twin?.asked)?.kind === 'create' ? 1 : undefined;
}
