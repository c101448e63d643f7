// Where a statement belongs: the Patient who holds its NHS number, or the one and only Patient of its demographics.
// Many are placed as one is: by the same two questions, asked of many at once.
import type { Queryable } from '../../db/database.js';
import { paramKey } from '../../definitions/param-key.js';
import { dateRange } from '../../fhir/date-time.js';
import type { Resource } from '../../fhir/resource.js';
import { patientsOfNumbers } from '../number/number-keys.js';
import { personKeysOf, personOf, type Person } from './person-key.js';
import { containedPatient, statementNumber } from './statement.js';

/** Why nobody could be found by machine. */
export type Unplaced = 'no-number' | 'no-person' | 'several' | 'incomplete';

export interface Placed {
  readonly number: string | undefined;
  readonly person: string | undefined;
  readonly patient: string | undefined;
  /** Set where `patient` is not. */
  readonly why?: Unplaced;
}

/** Patients in whose current row an address has the postal code; its main date is the day of birth. */
const CANDIDATES = {
  name: 'person-candidates',
  text: `select distinct p.id, p.res from unnest($2::text[], $3::bigint[]) as wanted (postal, born)
    join fhir.string_index s on s.param = $1 and s.value = wanted.postal
    join fhir."Patient" p on p.id = s.id and p.date_lo = wanted.born and p.res is not null`,
};
const POSTAL_CODE = paramKey('Patient', 'address-postalcode');

/** Places statements in the order given. Numbers are held until the end of the transaction, and waited for where nobody has them. */
export async function placeAll(db: Queryable, statements: readonly Resource[]): Promise<Placed[]> {
  const asked = statements.map((statement) => ({ number: statementNumber(statement), person: personOf(containedPatient(statement)) }));
  const numbers = asked.flatMap(({ number }) => number ?? []);
  const persons = asked.flatMap(({ number, person }) => (number === undefined && person ? [person] : []));
  const byNumber = numbers.length > 0 ? await patientsOfNumbers(db, numbers) : undefined;
  const byPerson = persons.length > 0 ? await patientsOfPersons(db, persons) : undefined;
  return asked.map(({ number, person }) => {
    if (number !== undefined) return { number, person: undefined, ...found(byNumber?.get(number), 'no-number') };
    if (!person) return { number, person: undefined, patient: undefined, why: 'incomplete' };
    const patients = byPerson?.get(person.key) ?? [];
    return { number, person: person.key, ...(patients.length > 1 ? { patient: undefined, why: 'several' as const } : found(patients[0], 'no-person')) };
  });
}

const found = (patient: string | undefined, why: Unplaced): Pick<Placed, 'patient' | 'why'> => (patient === undefined ? { patient, why } : { patient });

/** The Patients of each person, by key; several mean that nobody can tell which. */
export async function patientsOfPersons(db: Queryable, persons: readonly Person[]): Promise<Map<string, string[]>> {
  const wanted = new Set(persons.map(({ key }) => key));
  const pairs = persons.flatMap(({ postalCodes, birthDate }) => postalCodes.map((postal) => ({ postal, born: dateRange(birthDate)?.lo ?? null })));
  const { rows } = await db.query<{ id: string; res: string }>({ ...CANDIDATES, values: [POSTAL_CODE, pairs.map(({ postal }) => postal), pairs.map(({ born }) => born)] });
  const patients = new Map<string, string[]>();
  for (const { id, res } of rows) {
    for (const key of new Set(personKeysOf(JSON.parse(res) as Resource))) if (wanted.has(key)) patients.set(key, [...(patients.get(key) ?? []), id]);
  }
  return patients;
}
