// Statements that wait for a person by demographics, tried again as Patients come and change (ruling 5). The Patients changed since the
// last run are looked through, some at a time; each statement that fits one is placed in a transaction of its own, as if it came now.
import type { Resource } from '../../fhir/resource.js';
import type { SweepParts } from '../../store/sweep.js';
import type { NonePolicy } from '../status/effective-status.js';
import { personKeysOf } from './person-key.js';
import { placeAll } from './placing.js';
import { settleTask } from './quarantine-task.js';
import { give } from './settle-statement.js';
import { isAnyWaiting, locateStatement, settleStatement, waitingFor } from './statement-register.js';

export interface PersonSweepParts extends SweepParts {
  readonly nonePolicy: NonePolicy;
}

/** A Patient's write may be committed so long after the moment it bears. */
const LATE_MS = 120_000;
const AT_ONCE = 500;

const READ = { name: 'person-sweep-read', text: 'select updated from fhir.person_sweep where name = \'patients\'' };
const SAVE = {
  name: 'person-sweep-save',
  text: `insert into fhir.person_sweep (name, updated) values ('patients', $1)
    on conflict (name) do update set updated = greatest(fhir.person_sweep.updated, excluded.updated)`,
};
const CHANGED = {
  name: 'person-sweep-changed',
  text: 'select id, updated, res from fhir."Patient" where (updated, id) > ($1, $2) and res is not null order by updated, id limit $3',
};

/** Places what can be placed, and says how many. */
export async function placeWaiting(parts: PersonSweepParts): Promise<number> {
  const { db, now } = parts;
  const { rows } = await db.query<{ updated: number }>({ ...READ, values: [] });
  let placed = 0;
  if (await isAnyWaiting(db)) {
    let after = { updated: rows[0]?.updated ?? 0, id: '' };
    for (;;) {
      const { rows: changed } = await db.query<{ id: string; updated: number; res: string }>({ ...CHANGED, values: [after.updated, after.id, AT_ONCE] });
      const persons = changed.flatMap(({ res }) => personKeysOf(JSON.parse(res) as Resource));
      for (const { id } of persons.length > 0 ? await waitingFor(db, [...new Set(persons)]) : []) if (await placeOne(id, parts)) placed += 1;
      const last = changed.at(-1);
      if (!last || changed.length < AT_ONCE) break;
      after = last;
    }
  }
  await db.query({ ...SAVE, values: [now - LATE_MS] });
  return placed;
}

/** Under a lock and asked anew: another process may have placed it, or there may be several of that person. */
async function placeOne(id: string, { store, now, newId, put, nonePolicy }: PersonSweepParts): Promise<boolean> {
  return store.transaction(async (tx) => {
    const waiting = await locateStatement(tx.db, id, { lock: true });
    if (!waiting || waiting.patient !== undefined || waiting.settled !== undefined) return false;
    const stored = await tx.lock('Observation', id);
    const [place] = stored?.text == null ? [] : await placeAll(tx.db, [JSON.parse(stored.text) as Resource]);
    const context = { tx, now, newId, put: (resource: Resource) => put(tx, resource) };
    if (place?.patient === undefined) {
      if (place?.why === 'several') await settleTask(id, 'requested', 'Several patients have this name, date of birth, gender and postal code: say which with Observation/[id]/$match-statement', context);
      return false;
    }
    await give(waiting, place.patient, context, nonePolicy);
    await settleStatement(tx.db, id, place.patient, undefined);
    await settleTask(id, 'completed', 'A patient with these demographics has come', context);
    return true;
  });
}
