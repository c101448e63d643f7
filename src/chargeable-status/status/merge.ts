// One Patient replaced by another: what was asserted of the first counts for the survivor (domain.md 6.5).
import type { Queryable } from '../../db/database.js';
import { fail } from '../../fhir/errors.js';
import { VM_OBSERVATION_ID } from '../codes.js';

const FOLLOW = { name: 'chargeable-status-follow', text: 'select survivor from fhir.chargeable_status where patient = $1' };
const POINT = {
  name: 'chargeable-status-point',
  text: `insert into fhir.chargeable_status (patient, observation, survivor) values ($1, $2, $3)
    on conflict (patient) do update set survivor = excluded.survivor`,
};
const JOIN = {
  name: 'chargeable-status-join',
  text: `insert into fhir.chargeable_status (patient, observation, joined) values ($1, $2, array[$3])
    on conflict (patient) do update set joined = array_append(array_remove(fhir.chargeable_status.joined, $3), $3)`,
};
const LEAVE = { name: 'chargeable-status-leave', text: 'update fhir.chargeable_status set joined = array_remove(joined, $2) where patient = $1' };

/** Lets `patient` lead to `survivor`, or to itself again where that is undefined. `before` is where it led. 422 where it would lead back to itself. */
export async function point(db: Queryable, patient: string, before: string | undefined, survivor: string | undefined, newId: () => string): Promise<void> {
  if (survivor !== undefined) await refuseLoop(db, patient, survivor);
  await db.query({ ...POINT, values: [patient, VM_OBSERVATION_ID + newId(), survivor ?? null] });
  if (before !== undefined) await db.query({ ...LEAVE, values: [before, patient] });
  if (survivor !== undefined) await db.query({ ...JOIN, values: [survivor, VM_OBSERVATION_ID + newId(), patient] });
}

async function refuseLoop(db: Queryable, patient: string, survivor: string): Promise<void> {
  const passed = new Set([patient]);
  for (let next: string | undefined = survivor; next !== undefined; ) {
    if (passed.has(next)) throw fail('business-rule', { text: 'This Patient would be replaced by itself: follow the links and name the record that stays', expression: 'Patient.link' });
    passed.add(next);
    const { rows }: { rows: readonly { survivor: string | null }[] } = await db.query<{ survivor: string | null }>({ ...FOLLOW, values: [next] });
    next = rows[0]?.survivor ?? undefined;
  }
}
