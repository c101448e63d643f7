// Evidence ends by the clock, with no write: this shows the ends that have passed on the Patients concerned (ruling 8).
import type { SweepParts } from '../../store/sweep.js';
import type { NonePolicy } from './effective-status.js';
import { refreshStatus } from './patient-status.js';

export interface LapseParts extends SweepParts {
  readonly nonePolicy: NonePolicy;
}

const DUE = {
  name: 'chargeable-status-due',
  text: `select patient from fhir.chargeable_status
    where lapses_at <= $1 and not lapse_shown and survivor is null and not deleted order by lapses_at, patient limit $2`,
};
const AT_ONCE = 200;

/** Shows at most `limit` lapses, each in a transaction of its own, and says how many. main calls it at least once a minute. */
export async function writeLapses(parts: LapseParts, limit = AT_ONCE): Promise<number> {
  const { db, store, now, newId, put, nonePolicy } = parts;
  const { rows } = await db.query<{ patient: string }>({ ...DUE, values: [now, limit] });
  for (const { patient } of rows) {
    await store.transaction((tx) => refreshStatus(patient, { tx, now, newId, put: (resource) => put(tx, resource) }, nonePolicy));
  }
  return rows.length;
}
