// How an operation changes resources and money: as one act, in one transaction, by the same road as a client's own write.
//
//   handle: (request, context) => act('suspend', context, async (inside) => {
//     const account = await currentOf('Account', request, inside);                 // locked, seen under the Grant, If-Match judged
//     const [written] = await writeAll([changed(account, { status: 'on-hold' })], inside);   // rules, validation, history, audit
//     await post([...], ledgerOf(inside));                                          // money, after the resources
//     return writtenResponse(written, request, inside);
//   })
//
// X-Request-ID is dealt with before the handler is called (interactions/once.ts); what is thrown rolls everything back.
import type { PostContext } from '../budgets/ledger/ledger.js';
import { exactJson } from '../fhir/exact-json.js';
import { fail } from '../fhir/errors.js';
import { readJson, type JsonDocument } from '../fhir/json-text.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import type { Resource } from '../fhir/resource.js';
import { storedText } from '../fhir/stored-text.js';
import type { Asked } from '../interactions/asked.js';
import { inTransaction, type Context } from '../interactions/context.js';
import { checkPreconditions } from '../interactions/preconditions.js';
import { writtenResponse } from '../interactions/written-response.js';
import type { Grant } from '../search/grant.js';
import type { Change, Transaction } from '../store/store.js';

/** A context within the transaction of an act. */
export type Inside = Context & { readonly tx: Transaction };

/**
 * Runs the work of the operation `code` in one transaction (that of the bundle, where it is an entry of one). Its writes carry the code as
 * WriteContext.act, so that rules let it change what is its own (budgets/acts.ts). Who may call the operation has been judged already: the
 * writes that belong to it are not judged again by the rights to their types and rows. What the operation is told to use (a review, a plan, a
 * holder) it must look for under the Grant itself: `referred` in budgets/referred.ts.
 */
export function act<T>(code: string, context: Context, work: (inside: Inside) => Promise<T>): Promise<T> {
  const grant: Grant = { ...context.grant, judges: false, ownIds: () => false, scoped: () => undefined, refuseWrite: () => undefined };
  return inTransaction({ ...context, grant, act: code }, work);
}

/** A resource as it is, locked until the end of the act. */
export interface Current {
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly resource: Resource;
  /** Its text: amounts are read from here. */
  readonly document: JsonDocument;
}

/**
 * The resource that the request's URL names, locked; 404 and 410 as for a read. If-Match must name its version (412), as on every operation
 * that returns an Account (ruling 15), unless `ifMatch` is `optional`: then one that is sent must still be right.
 */
export async function currentOf(type: string, request: Pick<FhirRequest, 'id' | 'ifMatch'>, inside: Inside, ifMatch: 'required' | 'optional' = 'required'): Promise<Current> {
  const { id = '' } = request;
  const locked = await inside.tx.lock(type, id);
  const found = locked && (await inside.tx.read(inside.grant, type, id));
  if (!found) throw inside.grant.absent(type, id);
  // The text is the locked row's: what the Grant shows of it may be less.
  const { text } = locked;
  if (text === null) throw fail('gone', { text: `${type}/${id} was deleted in version ${found.version}` });
  if (ifMatch === 'required' && (request.ifMatch === undefined || request.ifMatch === '*')) throw fail('if-match-required');
  checkPreconditions({ ifMatch: request.ifMatch }, found);
  const document = readJson(text);
  return { type, id, version: found.version, resource: document.value as Resource, document };
}

/** A resource that the act itself is about to settle, locked, whoever may see it; undefined where there is none. */
export async function lockedOf(type: string, id: string, { tx }: Inside): Promise<Current | undefined> {
  const locked = await tx.lock(type, id);
  if (locked?.text == null) return undefined;
  const document = readJson(locked.text);
  return { type, id, version: locked.version, resource: document.value as Resource, document };
}

/** The write of a next version, with these members set, or dropped (undefined). Objects that stay as they are keep their digits; new amounts are moneyOf(pence). */
export function changed({ type, id, version, document }: Current, set: Readonly<Record<string, unknown>>): Asked {
  const text = storedText(document, { id, versionId: version, lastUpdated: 0, edits: { set } });
  return { kind: 'update', method: 'POST', type, id, document: readJson(text) };
}

/** 200 with the resource as it is: what was asked for is so already. */
export async function unchanged({ type, id }: Current, request: FhirRequest, { tx, grant }: Inside): Promise<FhirResponse> {
  const found = await tx.read(grant, type, id);
  if (!found) throw grant.absent(type, id);
  return writtenResponse({ ...found, created: false }, request, { grant });
}

/** The write of a new resource; amounts are moneyOf(pence). */
export function added(resource: Resource, id: string): Asked {
  return { kind: 'create', method: 'POST', type: resource.resourceType, id, fresh: true, document: readJson(exactJson(resource)) };
}

/** The server's own new version of a resource, for tx.write: no rule is asked, and the caller must see to it that none would object. */
export function amendment({ type, id, version: before, document }: Current, set: Readonly<Record<string, unknown>>, { parts, now }: Inside): Change {
  const version = before + 1;
  const text = storedText(document, { id, versionId: version, lastUpdated: now, edits: { set } });
  const next = readJson(text);
  return { type, id, version, updated: now, method: 'POST', text, before, rows: parts.extract(next.value as Resource, next) };
}

/** What post is told of this act. */
export const ledgerOf = ({ tx, grant, now }: Inside): PostContext => ({ db: tx.db, caller: grant.caller, now });
