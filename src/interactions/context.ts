// What every interaction is handed: the parts of the server, and what is true of this one request.
import type { Access, Trail } from '../audit/trail.js';
import type { Queryable } from '../db/database.js';
import type { Definitions } from '../definitions/model.js';
import type { Caller } from '../fhir/caller.js';
import type { FhirError } from '../fhir/errors.js';
import { repeatedIds } from '../fhir/id.js';
import type { Issue } from '../fhir/issue.js';
import type { JsonDocument } from '../fhir/json-text.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import type { Resource } from '../fhir/resource.js';
import type { Grant } from '../search/grant.js';
import type { IndexRows } from '../search/index-rows.js';
import type { SearchLimits } from '../search/limits.js';
import type { Shifter } from '../search/shift.js';
import type { AnswerContext, Answerer } from '../store/answerer.js';
import type { WriteRule } from '../store/rule.js';
import type { Store, Transaction } from '../store/store.js';
import type { Terminology } from '../terminology/terminology.js';
import type { ProfileChecker } from '../validation/profile-checker.js';

/** What is known of a request that may have been refused before it was read whole. */
export type RefusedRequest = Pick<FhirRequest, 'method' | 'interaction' | 'type' | 'query' | 'headers'>;

/** Made once by main and handed down; nothing below looks anything up elsewhere. */
export interface Parts {
  readonly definitions: Definitions;
  readonly store: Store;
  readonly db: Queryable;
  readonly permit: (caller: Caller, request: FhirRequest) => Grant;
  /** Undefined where a caller's permission can't have been withdrawn since its token was made; else rejects with 403 where it has. */
  readonly standing: (caller: Caller) => Promise<void> | undefined;
  readonly validate: (resource: Resource) => readonly Issue[];
  readonly profiles: Pick<ProfileChecker, 'check'>;
  readonly extract: (resource: Resource, document?: JsonDocument) => IndexRows;
  /** Looks up the codes that a search names by a value set or a hierarchy. */
  readonly terminology: Pick<Terminology, 'expand' | 'lookup' | 'valueSet'>;
  readonly shift: Shifter;
  readonly rules: readonly WriteRule[];
  readonly answerers: readonly Answerer[];
  readonly audit: Trail;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly newId: () => string;
  /** How many resources a conditional delete may delete at once. */
  readonly mostDeleted: number;
  /** How much one search may ask for. */
  readonly limits: SearchLimits;
  /** Seals page links. */
  readonly pageSecret: string;
  /** A refusal in the words of the surface that the request came to; the caller is undefined until known. */
  readonly wordRefusal: (refusal: FhirError, request: RefusedRequest, caller: Caller | undefined) => FhirError;
  /** What a search of these types has to say, where not all of their rows are there yet. */
  readonly incomplete: (types: readonly string[]) => Issue | undefined;
  /** Told of what should never happen: a failure that is the server's own. */
  readonly onFailure: (error: unknown, request: RefusedRequest) => void;
}

export interface Context extends AnswerContext {
  readonly parts: Parts;
  /** What the record of this request will say. */
  readonly access: Access;
  /** Set while the request is an entry of a transaction: everything happens in it. */
  readonly tx?: Transaction;
  /** The operation whose writes these are (WriteContext.act); never set by what a client sends. */
  readonly act?: string;
}

/** One interaction or operation: a request in, a response out; refusals are thrown as FhirError. */
export type Handler = (request: FhirRequest, context: Context) => Promise<FhirResponse>;

/**
 * The context of work that must be in one transaction: the one that is open, or a new one. A new one may be run again, even after its COMMIT
 * worked and only the answer was lost: it is then given the same ids, so that it meets its own rows instead of making others.
 */
export function inTransaction<T>(context: Context, work: (inside: Context & { tx: Transaction }) => Promise<T>): Promise<T> {
  const { tx, parts } = context;
  if (tx) return work({ ...context, tx });
  const ids = repeatedIds(parts.newId);
  return parts.store.transaction((opened) => work({ ...context, parts: { ...parts, newId: ids() }, tx: opened, store: opened, db: opened.db }));
}
