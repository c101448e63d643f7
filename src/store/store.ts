// The machine under every road: versions and index rows in PostgreSQL. No function here is without a Grant,
// except the writes, whose resources access/ has already judged (Grant.refuseWrite).
import type { Queryable } from '../db/database.js';
import type { Grant } from '../search/grant.js';
import type { IndexRows } from '../search/index-rows.js';
import type { Cursor, Query } from '../search/query.js';
import type { Scan } from '../search/scan.js';
import type { Explained } from './explain.js';
import type { RowShift } from '../search/shift.js';
import type { MetaLabels } from './meta-in-use.js';
import type { News } from './news.js';
import type { ScannedIds } from './scan.js';

export interface StoredVersion {
  readonly type: string;
  readonly id: string;
  readonly version: number;
  /** meta.lastUpdated, milliseconds since the epoch. */
  readonly updated: number;
  /** The exact JSON text that reads return; null where this version is a deletion. */
  readonly text: string | null;
}

export interface HistoryVersion extends StoredVersion {
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
}

/** A version's place in the order of time, type, id and version. */
export interface HistoryPlace {
  readonly updated: number;
  readonly type: string;
  readonly id: string;
  readonly version: number;
}

/** All times are milliseconds since the epoch. */
export interface HistoryQuery {
  readonly types: readonly string[];
  /** Only this resource of each. */
  readonly id?: string;
  readonly count: number;
  /** Inclusive. */
  readonly since?: number;
  /** Versions that were current at some moment from `lo`, and before `hi`. */
  readonly at?: { readonly lo: number; readonly hi: number };
  /** Oldest first. */
  readonly ascending?: boolean;
  /** The last version seen. */
  readonly after?: HistoryPlace;
}

/** A resource as a search finds it. */
export interface Found {
  readonly type: string;
  readonly id: string;
  /** The exact JSON text that reads return. */
  readonly text: string;
}

export interface SearchPage {
  readonly matches: readonly Found[];
  readonly includes: readonly Found[];
  /** Of each match, where the query asks for it. */
  readonly places?: readonly Cursor[];
  /** Undefined on the last page. */
  readonly next?: Cursor;
  readonly total?: number;
  /** There is more to include than was. */
  readonly cut?: boolean;
}

/** A contained resource that a search finds, and what contains it. */
export interface ContainedMatch extends Found {
  /** Its place in the order of such matches. */
  readonly key: string;
  /** Its id within the container. */
  readonly local: string;
  /** Its own text, cut from the container's. */
  readonly inner: string;
}

export interface ContainedPage {
  readonly matches: readonly ContainedMatch[];
  readonly next?: Cursor;
  /** Of a count of 0. */
  readonly total?: number;
}

/** One resource's change, ready to be stored. */
export interface Change {
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly updated: number;
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Null deletes. */
  readonly text: string | null;
  /** The version this change was made from; undefined where the resource is new. A row at another version, or one already there, makes the write a VersionConflict. */
  readonly before?: number | undefined;
  /** Undefined for a deletion. */
  readonly rows?: IndexRows | undefined;
  /** In place of `rows`: how they differ from those of the version `before`. */
  readonly shift?: RowShift | undefined;
  /** The text says what R4 keeps outside versions (tags, profiles and labels): `version` is the one that is there, and stays. https://hl7.org/fhir/R4/resource-operation-meta-add.html */
  readonly restates?: boolean;
}

/** Rows of another room's table that are stored in the same stroke as changes: with them, or not at all. */
export interface Beside {
  /** Names the statement it becomes part of: where it is the same, the text is. */
  readonly name: string;
  /** An INSERT whose parameters begin with `$first`. */
  text(first: number): string;
  /** Parts of WITH that it builds on, `name as (…)`, with the same parameters. */
  parts?(first: number): readonly string[];
  readonly values: readonly unknown[];
  /** Where it may be stored with those of other writes: what it holds, and the same of all that several hold. */
  readonly several?: { readonly held: readonly unknown[]; of(held: readonly unknown[]): Beside };
}

/** The row was not at `before` (or a new id was taken): nothing of the write was stored. Thrown within a transaction, the transaction must be left. */
export class VersionConflict extends Error {
  constructor(readonly type: string, readonly id: string) {
    super(`${type}/${id} was changed by another request`);
  }
}

/** The write was made for other search parameters than there are now: nothing of it was stored. The store itself makes it anew; who meets this has met it too often. */
export class StaleParameters extends Error {
  constructor() {
    super('The search parameters changed while this was written');
  }
}

/** The roads that only read: the same inside a transaction and outside one. */
export interface Reader {
  /** The current version; a deleted one has text null. Undefined where there is none or the Grant hides it. */
  read(grant: Grant, type: string, id: string): Promise<StoredVersion | undefined>;
  /** A version, current or superseded, of a resource whose current row the Grant shows. */
  vread(grant: Grant, type: string, id: string, version: number): Promise<StoredVersion | undefined>;
  /** Newest first. `before` is the version to continue below; `since` in milliseconds, inclusive. */
  history(grant: Grant, type: string, id: string, page: { count: number; before?: number; since?: number }): Promise<{ versions: readonly HistoryVersion[]; total: number }>;
  /** The versions of all resources of some types, by time. */
  historyOfTypes(grant: Grant, query: HistoryQuery): Promise<readonly HistoryVersion[]>;
  search(grant: Grant, query: Query): Promise<SearchPage>;
  /** The same criteria asked of what resources contain; sort and includes are left out. */
  searchContained(grant: Grant, query: Query): Promise<ContainedPage>;
  /** The profiles, tags and labels of all resources of some types, each combination once. */
  metaInUse(grant: Grant, types: readonly string[]): Promise<readonly MetaLabels[]>;
  /** The ids of all that a search finds, a great many at a time. */
  scan(grant: Grant, scan: Scan): Promise<ScannedIds>;
  /** The resources as they were at a moment (milliseconds since the epoch), each a line. */
  linesAsOf(grant: Grant, type: string, ids: readonly string[], at: number): Promise<readonly string[]>;
  /** The ids of what was deleted. */
  deleted(grant: Grant, scan: Omit<Scan, 'where'>): Promise<ScannedIds>;
  /** How `search` would be answered; nothing of it is cut to the Grant's views, so that it is for administrators alone. */
  explain(grant: Grant, query: Query): Promise<Explained>;
}

export interface Store extends Reader {
  /** Stores changes that need nothing else, durably: one statement per resource type; in one transaction where there are several. `besides` add no round trip. */
  write(changes: readonly Change[], besides?: readonly Beside[]): Promise<void>;
  /** Runs `work` in one transaction; retried as a whole on 40001, 40P01 and lost connections. A thrown error rolls back. */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
}

/** The same roads inside a transaction, and what only makes sense there. */
export interface Transaction extends Omit<Store, 'transaction'> {
  /** It is none: it locks and changes nothing, and what would throws NeedsTransaction (look-only.ts). */
  readonly looksOnly?: true;
  /** For the tables of the rooms that own some (chargeable-status, budgets, audit). */
  readonly db: Queryable;
  /** As read, and locks the row until the end. No Grant: the caller is about to be judged by refuseWrite with what it finds. */
  lock(type: string, id: string): Promise<StoredVersion | undefined>;
  /** The same for many of a type, locked in the order of their ids; those that are not there are missing. */
  lockAll(type: string, ids: readonly string[]): Promise<ReadonlyMap<string, StoredVersion>>;
  /** Ends superseded versions for good, all or one of them, and what is indexed of them; of a resource that is locked. Gives how many there were. */
  purgeHistory(type: string, id: string, version?: number): Promise<number>;
  /** Serialises all who hold the same key (conditional create, identifiers): taken until the end of the transaction. */
  lockKey(key: string): Promise<void>;
  /** Tells those who subscribe of what is in no resource table: delivered once this transaction is committed, and never else. */
  announce(news: readonly News[]): Promise<void>;
}
