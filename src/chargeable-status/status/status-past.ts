// What was believed of a patient, and when: with each change of what is asserted all that counted is kept, and never rewritten. So an answer
// of the past can be given again, whatever was withdrawn, corrected, matched or merged since.
import type { Queryable } from '../../db/database.js';
import { readAssertions, type Assertion } from './assertion.js';

/** What was believed from a moment on, until the next. */
export interface Belief {
  /** Milliseconds since the epoch. */
  readonly knownFrom: number;
  /** How often the answer had changed by then, and when last. */
  readonly changes: number;
  readonly changed: number;
  readonly assertions: readonly Assertion[];
}

/** Members of an update of fhir.chargeable_status, whose alias is s; `now` is a parameter. The moment never goes back, whoever waited for whom. */
export const nextStep = (now: string): string => `steps = s.steps + 1, known = greatest(s.known, ${now}::bigint)`;

/** An update of fhir.chargeable_status that returns its columns and `counted`, which is kept. Gives summary and patient. */
export function withPast(update: string): string {
  return `with saved as (${update}), kept as (
      insert into fhir.chargeable_status_past (patient, step, known_from, changes, changed, assertions)
      select patient, steps, known, changes, changed, counted from saved)
    select summary, patient from saved`;
}

const AT = {
  name: 'chargeable-status-believed-at',
  text: 'select known_from, changes, changed, assertions from fhir.chargeable_status_past where patient = $1 and known_from <= $2 order by step desc limit 1',
};
const ALL = { name: 'chargeable-status-believed', text: 'select known_from, changes, changed, assertions from fhir.chargeable_status_past where patient = $1 order by step' };

interface PastRow {
  readonly known_from: number;
  readonly changes: number;
  readonly changed: number;
  readonly assertions: string;
}

/** All that had been received by then and counted: what had been withdrawn by then is marked so. */
export async function knownAt(db: Queryable, patient: string, moment: number): Promise<readonly Assertion[]> {
  const { rows } = await db.query<PastRow>({ ...AT, values: [patient, moment] });
  return rows[0] ? beliefOf(rows[0]).assertions : [];
}

/** Oldest first. */
export async function beliefsOf(db: Queryable, patient: string): Promise<Belief[]> {
  const { rows } = await db.query<PastRow>({ ...ALL, values: [patient] });
  return rows.map(beliefOf);
}

function beliefOf({ known_from: knownFrom, changes, changed, assertions }: PastRow): Belief {
  return { knownFrom, changes, changed, assertions: readAssertions(assertions) };
}
