// The record of a write, stored in its own transaction: who wrote what, and which patients it was about.
import { storeBeside } from '../audit/audit-row.js';
import { addPatients } from '../audit/patients.js';
import type { Write } from '../store/rule.js';
import type { Beside, Change, StoredVersion, Transaction } from '../store/store.js';
import type { Context } from './context.js';

interface Recorded {
  readonly write: Pick<Write, 'kind'>;
  readonly change: Change;
  /** Ids. */
  readonly patients: ReadonlySet<string>;
}

const NAMES = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' } as const;
const STATUS = { create: 201, update: 200, delete: 204 } as const;

const placeIn = ({ type, id, version }: Change): string => `${type}/${id}/_history/${version}`;

/** The rows of the record, to be stored with the changes. */
export function recordOf(written: readonly Recorded[], { parts, access }: Context): Beside {
  return parts.audit.besideWrite(access, written.map(({ write: { kind }, change, patients }) => (
    { interaction: NAMES[change.method], status: STATUS[kind], what: placeIn(change), patients }
  )), parts.newId);
}

/** By itself, where the changes went before. */
export const storeRecord = (record: Beside, { db }: Transaction): Promise<void> => storeBeside(db, record);

/** Remembers for the end of the request that it is on record. */
export function noteWritten(written: readonly Recorded[], { access }: Context): void {
  for (const { change } of written) access.written.push(placeIn(change));
}

/** Those that the new version and the one before it name. */
export function patientsOf(change: Change, current: StoredVersion | undefined): Set<string> {
  const found = new Set<string>();
  if (change.text !== null) addPatients(change.text, found);
  if (current?.text != null) addPatients(current.text, found);
  return found;
}
