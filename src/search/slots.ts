// Everything that stays true of a search parameter of one type, worked out once: where its values lie in the tables, and how they are hashed.
import type { AddedParameter, Definitions, SearchParameter } from '../definitions/model.js';
import { paramKey } from '../definitions/param-key.js';
import { isBothParts } from './both-parts.js';
import { elementPaths } from './element-path.js';
import { MIME_TYPES } from './params/mime-type.js';
import { promotedOf } from './promoted.js';
import { referenceSalt, tokenHasher, type TokenHasher } from './token-hash.js';

/** The column of the resource's row that answers a parameter, where one does. */
export type Column = 'id' | 'updated' | 'date' | 'subject';

export interface Slot {
  readonly type: string;
  readonly code: string;
  readonly parameter: SearchParameter;
  /** `param` of the side tables. */
  readonly key: number;
  /** Place in `present`, from 1; 0 for one that was added, whose presence is a token: rows that were there before need not be touched for it. */
  readonly position: number;
  readonly presence?: bigint;
  /** Its name among `refs`. */
  readonly mark: string;
  readonly column?: Column;
  /** Reference parameters: the types a target may be of; empty means any. */
  readonly targets: readonly string[];
  readonly hasher: TokenHasher;
  readonly salt: bigint;
  /** Tokens of the reference's identifier, for `:identifier`. */
  readonly identifierHasher: TokenHasher;
  /** Token parameters whose values are all `code`, boolean and the like: one token each, no system. */
  readonly bare: boolean;
  /** Members as `system|code`, where the values are codes of a required value set: they have that system unsaid. */
  readonly bareCodes?: ReadonlySet<string>;
  /** Its values are MIME types, which stand in a hierarchy of their own. */
  readonly mime?: true;
  /**
   * The slots whose rows answer: the slot itself, unless others have the same. `combo-code` is answered by `code` and
   * `component-code`, `phonetic` by `name`; they have no rows of their own.
   */
  readonly readers: readonly Slot[];
  /** Composite parameters: the parts, a token first, or undefined where the index can't hold them together. */
  readonly parts?: readonly Part[];
  /** Queries write the parts the other way round: `relationship=DocumentReference/1$replaces`. */
  readonly turned?: boolean;
  /** Composite parameters that say no more than their parts together, and are answered by those: see both-parts.ts. */
  readonly both?: boolean;
}

/** One component of a composite parameter. */
export interface Part {
  readonly slot: Slot;
  readonly expression: string;
}

export interface SlotTable {
  readonly byCode: ReadonlyMap<string, Slot>;
  readonly subjectPath?: string;
  readonly datePath?: string;
}

const BARE_TYPES: ReadonlySet<string> = new Set(['code', 'boolean', 'id', 'string', 'uri']);
const COMPOSITES: ReadonlySet<string> = new Set(['token,token', 'token,quantity', 'token,date', 'token,string', 'token,reference', 'token,number,number']);

/** By the parameters of a type, which are others when one is added. */
const tables = new WeakMap<ReadonlyMap<string, SearchParameter>, SlotTable>();

/** No value of a resource holds NUL. */
const PRESENCE = '\0';

/** The slots of a resource type, in code order; made at the first call. */
export function slotsOf(definitions: Definitions, type: string): SlotTable {
  const parameters = definitions.searchParameters(type);
  const known = tables.get(parameters);
  if (known) return known;
  const table = makeTable(definitions, type, parameters);
  tables.set(parameters, table);
  return table;
}

function makeTable(definitions: Definitions, type: string, parameters: ReadonlyMap<string, SearchParameter>): SlotTable {
  const isAdded = (code: string): boolean => parameters.get(code)?.added !== undefined;
  const codes = [...parameters.keys()].filter((code) => !isAdded(code)).sort();
  const promoted = promotedOf(definitions, type);
  const byCode = new Map<string, Slot>();
  const make = (code: string): Slot | undefined => {
    const known = byCode.get(code);
    const parameter = parameters.get(code);
    if (known || !parameter) return known;
    const targets = promoted.subject.get(code)?.only;
    const slot = makeSlot(definitions, type, parameter, {
      position: codes.indexOf(code) + 1,
      column: columnOf(code, promoted.subject.has(code), promoted.date.has(code)),
      targets: targets === undefined ? anyAsNone(definitions, parameter.targets) : [targets],
      readers: combinedBy(code).flatMap((part) => make(part) ?? []),
    });
    byCode.set(code, slot);
    return slot;
  };
  codes.forEach(make);
  const inOrder = new Map(codes.flatMap((code) => [[code, byCode.get(code) as Slot] as const]));
  shareRows(definitions, [...inOrder.values()]);
  // Those that were added come last and have rows of their own, so that nothing of the others changes with them.
  for (const [code, parameter] of parameters) if (parameter.added) inOrder.set(code, addedSlot(definitions, type, parameter, parameter.added));
  addParts(definitions, inOrder);
  const { subjectPath, datePath } = promoted;
  return { byCode: inOrder, ...(subjectPath !== undefined && { subjectPath }), ...(datePath !== undefined && { datePath }) };
}

interface Placing {
  readonly position: number;
  readonly column: Column | undefined;
  readonly targets: readonly string[];
  /** Of a combined parameter. */
  readonly readers: readonly Slot[];
}

function makeSlot(definitions: Definitions, type: string, parameter: SearchParameter, { position, column, targets, readers }: Placing, mark = parameter.code): Slot {
  const { code } = parameter;
  const paths = parameter.type === 'token' && parameter.expression !== undefined ? elementPaths(definitions, type, parameter.expression) : undefined;
  const bare = paths !== undefined && paths.length > 0 && paths.every(({ types }) => types.every((name) => BARE_TYPES.has(name)));
  const valueSet = bare && paths.length === 1 ? paths[0]?.valueSet : undefined;
  const bareCodes = valueSet === undefined ? undefined : definitions.codes(valueSet);
  const slot: Slot = {
    type, code, parameter, position, targets, bare, mark,
    key: paramKey(type, mark),
    hasher: tokenHasher(mark),
    salt: referenceSalt(mark),
    identifierHasher: tokenHasher(`${mark}:identifier`),
    ...(column !== undefined && { column }),
    ...(bareCodes && { bareCodes }),
    ...(valueSet?.split('|', 1)[0] === MIME_TYPES && { mime: true }),
    readers,
  };
  return readers.length > 1 ? slot : Object.assign(slot, { readers: [slot] });
}

function addedSlot(definitions: Definitions, type: string, parameter: SearchParameter, { key }: AddedParameter): Slot {
  const mark = addedMark(parameter.code, key);
  const slot = makeSlot(definitions, type, parameter, { position: 0, column: undefined, targets: anyAsNone(definitions, parameter.targets), readers: [] }, mark);
  return Object.assign(slot, { presence: slot.hasher.noSystem(PRESENCE) });
}

/** What stands for the code of an added parameter wherever rows are told apart by it. */
export const addedMark = (code: string, key: string): string => `${code}@${key}`;

/** `combo-x` looks at the resource and at its components; both have a parameter of their own. */
function combinedBy(code: string): string[] {
  const rest = /^combo-(.+)$/.exec(code)?.[1];
  return rest === undefined ? [] : [rest, `component-${rest}`];
}

function columnOf(code: string, subject: boolean, date: boolean): Column | undefined {
  if (code === '_id') return 'id';
  if (code === '_lastUpdated') return 'updated';
  if (subject) return 'subject';
  return date ? 'date' : undefined;
}

/** A parameter that may point at every type says no more than one that says nothing. */
function anyAsNone(definitions: Definitions, targets: readonly string[] = []): readonly string[] {
  return targets.length >= definitions.resourceTypes.length ? [] : targets.filter((type) => definitions.isResource(type));
}

/** Of two parameters with the same elements, the later is answered by the rows of the earlier. */
function shareRows(definitions: Definitions, slots: readonly Slot[]): void {
  const first = new Map<string, Slot>();
  for (const slot of slots) {
    const { type, expression } = slot.parameter;
    const paths = slot.column || slot.readers[0] !== slot || expression === undefined || !['string', 'token'].includes(type)
      ? undefined
      : elementPaths(definitions, slot.type, expression);
    if (!paths || paths.length === 0) continue;
    const elements = `${type} ${paths.map(({ path, types }) => `${path} ${types.join()}`).sort().join('|')}`;
    const earlier = first.get(elements);
    if (earlier) Object.assign(slot, { readers: [earlier] });
    else first.set(elements, slot);
  }
}

const kindsOf = (parts: readonly Part[]): string => parts.map((part) => part.slot.parameter.type).join(',');

/** Components name their parameters by URL; they may stand anywhere in the same type. */
function addParts(definitions: Definitions, byCode: Map<string, Slot>): void {
  const byUrl = new Map([...byCode.values()].map((slot) => [slot.parameter.url, slot]));
  for (const [code, slot] of byCode) {
    const { components } = slot.parameter;
    if (slot.parameter.type !== 'composite' || !components) continue;
    const parts = components.flatMap(({ definition, expression }) => {
      const part = byUrl.get(definition);
      return part ? [{ slot: part, expression }] : [];
    });
    if (parts.length !== components.length) continue;
    const turned = kindsOf(parts) === 'reference,token';
    // The one of R4 that begins with a reference also names the element of each part at the other one.
    const [first, second] = parts;
    const inOrder = turned && first && second ? [{ slot: second.slot, expression: first.expression }, { slot: first.slot, expression: second.expression }] : parts;
    if (COMPOSITES.has(kindsOf(inOrder))) Object.assign(slot, { parts: inOrder, turned, both: slot.presence === undefined && isBothParts(definitions, slot, inOrder) });
    byCode.set(code, slot);
  }
}
