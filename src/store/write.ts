// Storing changes: creates as one statement per resource type, updates and deletions as another.
import type { Definitions } from '../definitions/model.js';
import type { Queryable, Statement } from '../db/database.js';
import { isDividedByZero, isUniqueViolation } from '../db/failure.js';
import { readJson } from '../fhir/json-text.js';
import type { Resource } from '../fhir/resource.js';
import { createExtractor } from '../search/extract.js';
import type { CodeText, IndexRows } from '../search/index-rows.js';
import { textValues, type KnownTexts } from './code-texts.js';
import { containedChanges, containsAny, storeContained } from './contained.js';
import type { ShiftedMember } from '../search/shift.js';
import { givenValues, shiftValues } from './row-columns.js';
import { DATES, paramsOf, sideIds, sideTablesOf } from './side-tables.js';
import { StaleParameters, VersionConflict, type Beside, type Change } from './store.js';
import { resourceTable } from './tables.js';
import { changeText, createText, shiftText } from './write-statements.js';

/** Changes of one kind to one type, by id. Never empty. */
export interface Group {
  readonly type: string;
  readonly kind: 'create' | 'change' | 'shift' | 'restate';
  readonly changes: readonly Change[];
}

/** In the one order in which all writes take their locks: by type, new before old, by id. */
export function groupsOf(changes: readonly Change[]): readonly Group[] {
  const [only] = changes;
  if (only && changes.length === 1) return [{ type: only.type, kind: kindOf(only), changes }];
  const groups = new Map<string, { type: string; kind: Group['kind']; changes: Change[] }>();
  for (const change of changes) {
    const kind = kindOf(change);
    const key = `${change.type} ${PLACES[kind]} ${change.shift?.member.name ?? ''}`;
    const group = groups.get(key) ?? { type: change.type, kind, changes: [] };
    groups.set(key, group);
    group.changes.push(change);
  }
  const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
  for (const group of sorted) group.changes.sort((a, b) => (a.id < b.id ? -1 : 1));
  return sorted;
}

const PLACES = { create: '1', change: '2', shift: '3', restate: '4' } as const;
const kindOf = ({ before, shift, restates }: Change): Group['kind'] => (before === undefined ? 'create' : shift ? 'shift' : restates ? 'restate' : 'change');

/**
 * Is one statement, by itself, all or nothing? Many changes of rows already there can find only some of them at their version,
 * and one change that finds none stores what is beside it all the same.
 */
export function standsAlone(groups: readonly Group[], besides: readonly Beside[]): boolean {
  const [only, another] = groups;
  return only !== undefined && another === undefined && !only.changes.some(containsAny) && (only.kind === 'create' || (only.changes.length === 1 && besides.length === 0));
}

export class Writer {
  private readonly statements = new Map<string, string>();
  private readonly extract: (resource: Resource) => IndexRows;

  constructor(
    private readonly definitions: Definitions,
    private readonly known: KnownTexts,
  ) {
    this.extract = createExtractor(definitions);
  }

  /**
   * Throws VersionConflict: in a transaction, which the caller must then leave, other rows of the group may have been written.
   * Puts into `added` what it has added to the dictionary, to be known once that is committed. `besides` are stored even where
   * a change is not: the transaction is then left. Throws StaleParameters where the database has others.
   */
  async write(db: Queryable, group: Group, added: CodeText[], besides: readonly Beside[] = []): Promise<void> {
    const { generation } = this.definitions.searchVersion();
    const current = this.upToDate(group, generation);
    const containers = current.changes.filter(containsAny);
    const texts = this.known.missing(containers.length === 0 ? current.changes : [...current.changes, ...containedChanges(containers)]);
    const statement = this.statement(current, texts, besides, generation);
    added.push(...texts);
    const { rows, count } = await db.query<{ id: string }>(statement).catch((error: unknown) => {
      if (isDividedByZero(error)) throw new StaleParameters();
      throw takenId(error, group) ?? error;
    });
    if (count === group.changes.length) return containers.length === 0 ? undefined : storeContained(db, containers);
    const changed = new Set(rows.map(({ id }) => id));
    const missed = group.changes.find(({ id }) => !changed.has(id));
    throw new VersionConflict(group.type, missed?.id ?? '');
  }

  /** With the rows of the parameters there are now, where their own were made before one was added. */
  private upToDate(group: Group, generation: number): Group {
    const isOld = ({ rows, shift }: Change): boolean => (rows ?? shift ?? { generation }).generation !== generation;
    if (!group.changes.some(isOld)) return group;
    const anew = (change: Change): Change => {
      const { shift: _, ...rest } = change;
      return change.text === null ? rest : { ...rest, rows: this.extract(readJson(change.text).value as Resource) };
    };
    return { ...group, kind: group.kind === 'shift' ? 'change' : group.kind, changes: group.changes.map(anew) };
  }

  /**
   * For a transaction that is run again: COMMIT may have worked the first time although its answer was lost. Returns the
   * changes that are still to be made: those whose very version is not already there.
   */
  async remaining(db: Queryable, group: Group): Promise<readonly Change[]> {
    const { type, changes } = group;
    const { rows } = await db.query<{ id: string; version: string | number; res: string | null }>({
      name: `again ${type}`,
      text: `select id, version, res from ${resourceTable(type)} where id = any ($1::text[])`,
      values: [changes.map(({ id }) => id)],
    });
    const current = new Map(rows.map((row) => [row.id, row]));
    return changes.filter(({ id, version, text }) => {
      const row = current.get(id);
      return Number(row?.version) !== version || row?.res !== text;
    });
  }

  private statement({ type, kind, changes }: Group, texts: readonly CodeText[], besides: readonly Beside[], generation: number): Statement {
    if (kind === 'shift') return this.shift(type, changes, texts, generation);
    const sides = sideTablesOf(changes);
    const many = changes.length > 1;
    const name = [kind, many ? 'many' : 'one', type, ...sides.map(({ letter }) => letter), ...(texts.length > 0 ? ['t'] : []), ...besides.map(({ name: own }) => own), ...(generation > 0 ? [`g${generation}`] : [])].join(' ');
    const values = givenValues(kind === 'create' ? kind : 'change', changes);
    for (const side of sides) values.push(...side.values(changes), ...(many ? [sideIds(side, changes)] : []));
    if (texts.length > 0) values.push(...textValues(texts));
    for (const beside of besides) values.push(...beside.values);
    let text = this.statements.get(name);
    if (text === undefined) {
      const filling = { generation, sides, texts: texts.length > 0, many, restates: kind === 'restate', besides };
      text = kind === 'create' ? createText(type, filling) : changeText(type, paramsOf(this.definitions, type), filling);
      this.statements.set(name, text);
    }
    return { name, text, values };
  }

  private shift(type: string, changes: readonly Change[], texts: readonly CodeText[], generation: number): Statement {
    const member = changes[0]?.shift?.member as ShiftedMember;
    const name = ['shift', type, member.name, ...(texts.length > 0 ? ['t'] : []), ...(generation > 0 ? [`g${generation}`] : [])].join(' ');
    const values = [...shiftValues(changes), ...DATES.values(changes), sideIds(DATES, changes), ...(texts.length > 0 ? textValues(texts) : [])];
    let text = this.statements.get(name);
    if (text === undefined) {
      text = shiftText(type, member, { texts: texts.length > 0, generation });
      this.statements.set(name, text);
    }
    return { name, text, values };
  }
}

/** The primary key of a resource table refused an id; PostgreSQL's words name it: `Key (id)=(x) already exists.` */
function takenId(error: unknown, { type, kind, changes }: Group): VersionConflict | undefined {
  if (kind !== 'create' || !isUniqueViolation(error)) return undefined;
  const detail = error instanceof Error && 'detail' in error ? String(error.detail) : '';
  const id = changes.length === 1 ? changes[0]?.id : /\(id\)=\((.*?)\)/.exec(detail)?.[1];
  return new VersionConflict(type, id ?? '');
}
