// A row of a CSV file as the Observation it stands for: from then on it is judged and stored like one that was sent as such (ruling 5).
import type { JsonObject, Resource } from '../../fhir/resource.js';
import { HOME_OFFICE_PERSON, NHS_NUMBER, STATUS_ASSERTION } from '../codes.js';
import type { StatementSource } from './statement-source.js';

export const STATEMENT_COLUMNS = ['key', 'status', 'statusDate', 'nhsNumber', 'family', 'given', 'birthDate', 'gender', 'postcode', 'personRef'] as const;
export const NEEDED_COLUMNS: readonly StatementColumn[] = ['key', 'status', 'statusDate'];
export type StatementColumn = (typeof STATEMENT_COLUMNS)[number];
export type StatementRow = Readonly<Partial<Record<StatementColumn, string>>>;

/** Cells that are empty are as if absent; what is missing then is told by the same words as of an Observation. */
export function statementOfRow(row: StatementRow, { mark, keySystem, statusSystem, name }: StatementSource): Resource {
  const person = personOfRow(row);
  const identifier = row.nhsNumber ? { system: NHS_NUMBER, value: row.nhsNumber } : undefined;
  return {
    resourceType: 'Observation',
    ...(person && { contained: [person] }),
    ...(row.key && { identifier: [{ system: keySystem, value: row.key }] }),
    status: 'final',
    code: { coding: [{ system: STATUS_ASSERTION, code: mark }] },
    ...((person ?? identifier) && { subject: { ...(person && { reference: '#person' }), type: 'Patient', ...(identifier && { identifier }) } }),
    ...(row.statusDate && { effectiveDateTime: row.statusDate }),
    performer: [{ display: name }],
    ...(row.status && { valueCodeableConcept: { coding: [{ system: statusSystem, code: row.status }] } }),
  };
}

function personOfRow({ family, given, birthDate, gender, postcode, personRef }: StatementRow): JsonObject | undefined {
  if (!family && !given && !birthDate && !gender && !postcode && !personRef) return undefined;
  return {
    resourceType: 'Patient',
    id: 'person',
    ...(personRef && { identifier: [{ system: HOME_OFFICE_PERSON, value: personRef }] }),
    ...((family ?? given) && { name: [{ ...(family && { family }), ...(given && { given: [given] }) }] }),
    ...(gender && { gender }),
    ...(birthDate && { birthDate }),
    ...(postcode && { address: [{ postalCode: postcode }] }),
  };
}
