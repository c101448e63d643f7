// The rows of contained resources, in a table and under ids of their own: a write that contains nothing pays nothing for them.
// https://hl7.org/fhir/R4/references.html#contained
import type { Queryable } from '../db/database.js';
import type { IndexRows } from '../search/index-rows.js';
import { numberArray, textArray } from './array-text.js';
import { SIDE_TABLES, sideIds } from './side-tables.js';
import type { Change } from './store.js';

/** A contained resource as a change of its own, for what reads the rows of changes: `MedicationRequest/1#m1`. */
export interface ContainedChange extends Change {
  readonly rows: IndexRows;
  readonly container: Change;
  readonly local: string;
}

export const containsAny = ({ rows }: Change): boolean => rows?.contained !== undefined;

export function containedChanges(changes: readonly Change[]): readonly ContainedChange[] {
  return changes.flatMap((container) => (container.rows?.contained ?? []).map(({ type, local, rows }) => ({
    ...container, type, local, rows, container, id: `${container.type}/${container.id}#${local}`,
  })));
}

/** Puts the rows of what these changes contain in the place of what their resources contained before. Inside the transaction of the changes. */
export async function storeContained(db: Queryable, containers: readonly Change[]): Promise<void> {
  await forget(db, containers);
  const changes = containedChanges(containers);
  if (changes.length === 0) return;
  const columns = [
    changes.map(({ id }) => id), changes.map(({ container }) => container.type), changes.map(({ container }) => container.id), changes.map(({ type }) => type),
    changes.map(({ local }) => local), changes.map(({ rows }) => rows.present), changes.map(({ rows }) => rows.subject),
    changes.map(({ rows }) => numberArray(rows.tokens)), changes.map(({ rows }) => textArray(rows.refs)),
  ].map(textArray);
  const numbers = [changes.map(({ version }) => version), changes.map(({ updated }) => updated), changes.map(({ rows }) => rows.dateLo), changes.map(({ rows }) => rows.dateHi)].map(numberArray);
  await db.query({ name: 'contained add', text: ADD, values: [...columns, ...numbers] });
  for (const side of SIDE_TABLES) {
    if (!changes.some((change) => side.rowCount(change) > 0)) continue;
    const cells = side.arrays.map((type, index) => `$${index + 1}::${type}`).join(', ');
    await db.query({
      name: `contained ${side.name}`,
      text: `insert into fhir.${side.name} (${side.columns}, id) select * from unnest(${cells}, $${side.arrays.length + 1}::text[])`,
      values: [...side.values(changes), sideIds(side, changes)],
    });
  }
}

const ADD = `insert into fhir.contained (id, container_type, container, type, local, present, subject, tokens, refs, version, updated, date_lo, date_hi)
  select id, container_type, container, type, local, present, subject, tokens::bigint[], refs::text[], version, updated, date_lo, date_hi
  from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[])
    as given (id, container_type, container, type, local, present, subject, tokens, refs, version, updated, date_lo, date_hi)`;

const FORGET = `with gone as (delete from fhir.contained c using unnest($1::text[], $2::text[]) as given (type, id) where c.container = given.id and c.container_type = given.type returning c.id)
  ${SIDE_TABLES.map(({ name }) => `, ${name}_gone as (delete from fhir.${name} s using gone where s.id = gone.id)`).join('')}
  select from gone`;

async function forget(db: Queryable, containers: readonly { readonly type: string; readonly id: string }[]): Promise<void> {
  await db.query({ name: 'contained forget', text: FORGET, values: [textArray(containers.map(({ type }) => type)), textArray(containers.map(({ id }) => id))] });
}

/** Ends the rows of what a resource contained in versions that are not the current one: they are found by nobody. */
export async function forgetContained(db: Queryable, table: string, type: string, id: string): Promise<void> {
  const { rows } = await db.query<{ stale: boolean }>({
    name: `contained stale ${type}`,
    text: `select not exists (select from ${table} t where t.id = $1 and t.res is not null and t.version = c.version) as stale from fhir.contained c where c.container = $1 and c.container_type = $2 limit 1`,
    values: [id, type],
  });
  if (rows[0]?.stale === true) await forget(db, [{ type, id }]);
}
