// How the domain joins the road of a write: rules that main hands to perform. A rule meets every write, whatever road it came by.
import type { Caller } from '../fhir/caller.js';
import type { JsonDocument } from '../fhir/json-text.js';
import type { Issue } from '../fhir/issue.js';
import type { Resource } from '../fhir/resource.js';
import type { Grant } from '../search/grant.js';
import type { Beside, Transaction } from './store.js';

/** One resource about to change. */
export interface Write {
  readonly type: string;
  readonly id: string;
  readonly kind: 'create' | 'update' | 'delete';
  readonly before?: Resource | undefined;
  /** Undefined for a deletion. References are resolved and id is set; meta.versionId and lastUpdated are not. */
  readonly after?: Resource | undefined;
  /** The text of `after`: amounts as written are read from here. */
  readonly document?: JsonDocument | undefined;
  /** The If-Match of the request, already found to name the current version; undefined where none was sent. */
  readonly ifMatch?: string | undefined;
}

export interface WriteContext {
  readonly caller: Caller;
  readonly grant: Grant;
  readonly tx: Transaction;
  /** Milliseconds since the epoch: the moment of this write, one for the whole request. */
  readonly now: number;
  /** The operation that makes this write (`close`, without the dollar); undefined where a client wrote the resource itself. Rules let each operation change what is its own. */
  readonly act?: string | undefined;
  /** A new resource id. */
  newId(): string;
  /** Says which patient a write is about where its text does not name one by reference: for the record of who did what. */
  about(patient: string): void;
  /** Writes a further resource in the same transaction (a new Patient version that shows a status, a Task for a person to settle); rules are not run on it. */
  put(resource: Resource): Promise<void>;
  /** Stores a new resource that the server itself makes, in the same transaction; rules are not run on it. Its id is set. */
  add(resource: Resource): Promise<void>;
  /** What the author should know of a write that is carried out: told in the answer where an OperationOutcome is asked for. */
  warn(issue: Issue): void;
}

export interface WriteRule {
  /** Cheap: decided by type and content of either version, never by meta.profile (domain.md ruling 2). */
  concerns(write: Write): boolean;
  /** Fills in what the server owns, before validation: the members to set (a value) or drop (undefined) at the top of the resource. */
  complete?(write: Write, context: WriteContext): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** In the transaction, before the resource is stored: throws a FhirError (422 and its kind) or returns. */
  check?(write: Write, context: WriteContext): Promise<void>;
  /** In the transaction: a conditional create found `existing`, so nothing is stored; the rule may keep what differs. */
  matched?(write: Write, existing: Resource, context: WriteContext): Promise<void>;
  /** Rows that are stored with the resource, by its own statement: for those that depend on nothing that storing it decides. */
  beside?(write: Write, context: WriteContext): Promise<Beside | undefined>;
  /**
   * A new resource that only such rules concern is stored by one statement, with no transaction around it, where it can be: `complete` and
   * `check` then only look (`tx.looksOnly`), and the rows of `check` and `after` come `beside`, made so that a constraint refuses the statement
   * where they can't be. What needs more, or is refused so, is done anew in a transaction, with `after`.
   */
  readonly alone?: boolean;
  /** It may say in `after` whom a write is about; other rules have said so by then. */
  readonly aboutInAfter?: boolean;
  /** In the transaction, after the resource is stored: rows that belong to it. */
  after?(write: Write, context: WriteContext): Promise<void>;
}
