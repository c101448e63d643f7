// Which profiles, tags and security labels there are among the resources of some types. https://hl7.org/fhir/R4/resource-operation-meta.html
import { clauseSql } from '../search/clause-sql.js';
import type { Grant } from '../search/grant.js';
import { presenceText } from '../search/presence.js';
import { slotsOf } from '../search/slots.js';
import { resourceTable } from './tables.js';
import type { Ground } from './visible-rows.js';

/** As JSON has them. */
export interface MetaLabels {
  readonly profile?: readonly string[];
  readonly security?: readonly object[];
  readonly tag?: readonly object[];
}

const CODES = ['_profile', '_security', '_tag'];

/** The labels of resources, each combination of them once. Reads every resource that has any: on many rows it takes the time it is given. */
export async function metaInUse({ db, definitions }: Ground, grant: Grant, types: readonly string[]): Promise<readonly MetaLabels[]> {
  const values: unknown[] = [];
  const branches = types.flatMap((type) => {
    const clause = grant.rows(type);
    if (clause.kind === 'none') return [];
    const { byCode } = slotsOf(definitions, type);
    const labelled = CODES.flatMap((code) => byCode.get(code) ?? []).map((slot) => presenceText('t', slot, true)).join(' or ');
    const granted = clause.kind === 'all' ? '' : ` and (${clauseSql(definitions, type, clause, 't', values)})`;
    return [`select distinct (t.res::jsonb -> 'meta') - array['versionId', 'lastUpdated', 'source', 'id', 'extension'] as meta from ${resourceTable(type)} t where t.res is not null and (${labelled})${granted}`];
  });
  if (branches.length === 0) return [];
  const { rows } = await db.query<{ meta: string }>({ text: `select meta::text as meta from (${branches.join(' union ')}) m`, values });
  return rows.map(({ meta }) => JSON.parse(meta) as MetaLabels);
}
