// The search parameters that were switched on, as the database knows them: every server on it learns them from here.
// A write names the generation it indexes by and is refused under another (row-columns.ts); a search that leaned on one asks afterwards whether
// it is still there. So no server answers in part, however late it learns.
import type { Database, Queryable } from '../db/database.js';
import { learntParameter } from '../definitions/added-search.js';
import type { LiveDefinitions } from '../definitions/live.js';
import type { Definitions } from '../definitions/model.js';
import { fail } from '../fhir/errors.js';
import type { Resource } from '../fhir/resource.js';

export interface AddedRow {
  readonly key: string;
  /** Of the SearchParameter. */
  readonly id: string;
  readonly url: string;
  readonly state: 'indexing' | 'active';
  /** The SearchParameter as it was when it was switched on. */
  readonly definition: string;
  readonly job: string;
}

interface VersionRow {
  readonly generation: number;
  readonly revision: number;
}

type Known = VersionRow & { readonly [member in keyof AddedRow]: AddedRow[member] | null };

/** One snapshot of all there is. */
const ALL = {
  name: 'added-all',
  text: 'select g.generation, g.revision, p.key, p.id, p.url, p.state, p.definition, p.job from fhir.search_generation g left join fhir.search_parameter p on true order by p.key',
};
const READY = { name: 'added-ready', text: 'select count(*) as count from fhir.search_parameter where key = any ($1) and state = \'active\'' };
const HOLD = { name: 'added-hold', text: 'select generation, revision from fhir.search_generation for update' };
const NEXT = { name: 'added-next', text: 'update fhir.search_generation set generation = generation + 1, revision = revision + 1 returning generation, revision' };
const SEEN = { name: 'added-seen', text: 'update fhir.search_generation set revision = revision + 1' };
const ADD = { name: 'added-add', text: 'insert into fhir.search_parameter (key, id, url, state, definition, job) values ($1, $2, $3, \'indexing\', $4, $5)' };
const ACTIVE = { name: 'added-active', text: 'update fhir.search_parameter set state = \'active\' where key = $1' };
const REMOVE = { name: 'added-remove', text: 'delete from fhir.search_parameter where key = $1' };
const OF_ID = { name: 'added-of-id', text: 'select key, id, url, state, definition, job from fhir.search_parameter where id = $1' };

export class AddedParameters {
  constructor(
    private readonly database: Database,
    private readonly live: LiveDefinitions,
  ) {}

  get definitions(): Definitions {
    return this.live.definitions;
  }

  /** Learns what has changed, if anything has. */
  async refresh(): Promise<void> {
    const { rows } = await this.database.beside.query<Known>({ ...ALL, values: [] });
    const [first] = rows;
    if (!first) throw new Error('fhir.search_generation has no row');
    if (first.revision <= this.definitions.searchVersion().revision) return;
    const { generation, revision } = first;
    this.live.learn({ generation, revision }, rows.flatMap((row) => (row.key === null ? [] : [this.learnt(row as AddedRow)])));
  }

  /** Throws where one of them was switched off: what was found by it meanwhile may be less than there is. */
  async stillReady(db: Queryable, keys: ReadonlySet<string>): Promise<void> {
    const { rows } = await db.query<{ count: number }>({ ...READY, values: [[...keys]] });
    if (rows[0]?.count === keys.size) return;
    await this.refresh();
    throw fail('unknown-parameter', { text: 'A search parameter that this search asks by was switched off a moment ago' });
  }

  private learnt({ key, state, job, definition }: AddedRow) {
    return learntParameter(JSON.parse(definition) as Resource, { key, ready: state === 'active', job }, this.definitions);
  }
}

/** Only one at a time is switched on or off; until the transaction ends, what is known is what there is. */
export async function holdParameters(db: Queryable): Promise<void> {
  await db.query({ ...HOLD, values: [] });
}

/** From the commit on every write indexes by it. Gives its generation. */
export async function nextGeneration(db: Queryable): Promise<number> {
  const { rows } = await db.query<VersionRow>({ ...NEXT, values: [] });
  return rows[0]?.generation ?? 0;
}

export async function addParameter(db: Queryable, { key, id, url, definition, job }: Omit<AddedRow, 'state'>): Promise<void> {
  await db.query({ ...ADD, values: [key, id, url, definition, job] });
}

/** From the commit on it is searched by. False where it is not there any more. */
export async function makeActive(db: Queryable, key: string): Promise<boolean> {
  const { count } = await db.query({ ...ACTIVE, values: [key] });
  await db.query({ ...SEEN, values: [] });
  return count === 1;
}

/** From the commit on nobody indexes or searches by it. */
export async function removeParameter(db: Queryable, key: string): Promise<void> {
  await db.query({ ...REMOVE, values: [key] });
  await nextGeneration(db);
}

/** What a SearchParameter of this id has switched on. */
export async function parameterOfId(db: Queryable, id: string): Promise<AddedRow | undefined> {
  const { rows } = await db.query<AddedRow>({ ...OF_ID, values: [id] });
  return rows[0];
}
