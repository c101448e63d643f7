// A release of a code system in the tables: it takes the place of one of the same version, in one step.
import type { Queryable } from '../../db/database.js';

export interface Release {
  readonly system: string;
  readonly version: string;
  readonly name: string;
}

const TABLES = ['fhir.concept', 'fhir.concept_parent', 'fhir.concept_property'];

/** Rows of the load are in; those that it replaces go. Returns the number of concepts. Throws where the load has none. */
export async function publishRelease(tx: Queryable, release: Release, load: number): Promise<number> {
  const { system, version, name } = release;
  const { rows: [counted] } = await tx.query<{ count: number }>({ text: 'select count(*)::integer as count from fhir.concept where load = $1', values: [load] });
  const concepts = counted?.count ?? 0;
  if (concepts === 0) throw new Error('There are no active concepts in what was to be loaded; nothing was changed');
  const { rows: old } = await tx.query<{ load: number }>({ text: 'delete from fhir.code_system_release where system = $1 and version = $2 returning load', values: [system, version] });
  for (const table of TABLES) {
    for (const row of old) await tx.query({ text: `delete from ${table} where load = $1`, values: [row.load] });
    await tx.query({ text: `analyze ${table}`, values: [] });
  }
  await tx.query({ text: 'insert into fhir.code_system_release (load, loaded, concepts, system, version, name) values ($1, $1, $2, $3, $4, $5)', values: [load, concepts, system, version, name] });
  return concepts;
}
