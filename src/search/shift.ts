// What a change of one member of a resource changes in its index rows: where all else stays, only that is read and written.
import type { Definitions } from '../definitions/model.js';
import type { JsonValue } from '../fhir/resource.js';
import { membersOf } from './element-path.js';
import type { IndexRows } from './index-rows.js';
import { RowCollector } from './row-collector.js';
import { slotsOf, type Slot, type SlotTable } from './slots.js';
import { compileSlots, isVisited, type Visit } from './visit.js';

/** What the rows of a member of a type are, whatever its value. */
export interface ShiftedMember {
  readonly name: string;
  /** Of the parameters that read it in `present`, from 1. */
  readonly places: readonly number[];
  /** Those of the date index. */
  readonly dateParams: readonly number[];
}

/** How the rows of one version differ from those of the version before it. */
export interface RowShift {
  /** Of the search parameters, as in IndexRows. */
  readonly generation: number;
  readonly member: ShiftedMember;
  readonly gone: readonly bigint[];
  readonly come: readonly bigint[];
  /** `0` or `1` for each of the member's places. */
  readonly present: string;
  /** In place of all that the member's parameters had. */
  readonly dates: IndexRows['dates'];
  readonly texts: IndexRows['texts'];
}

/** A member of a type, `before` and `after`; undefined where not all that follows from it can be said in a shift: then the whole is extracted anew. */
export type Shifter = (type: string, member: string, before: JsonValue | undefined, after: JsonValue | undefined) => RowShift | undefined;

export function createShifter(definitions: Definitions): Shifter {
  const known = new WeakMap<SlotTable, Map<string, Reading | undefined>>();
  return (type, member, before, after) => {
    const { generation } = definitions.searchVersion();
    const slots = slotsOf(definitions, type);
    let readings = known.get(slots);
    if (!readings) known.set(slots, (readings = new Map<string, Reading | undefined>()));
    if (!readings.has(member)) readings.set(member, readingOf(definitions, slots, type, member));
    const reading = readings.get(member);
    if (!reading) return undefined;
    const old = run(reading.visit, type, member, before);
    const now = run(reading.visit, type, member, after);
    return isShifting(old) && isShifting(now) ? { ...shiftOf(reading.member, old, now), generation } : undefined;
  };
}

interface Reading {
  readonly visit: Visit;
  readonly member: ShiftedMember;
}

/** The parameters that read the member; undefined where what they find depends on others, or is answered from a column or by other parameters' rows. */
function readingOf(definitions: Definitions, { byCode, subjectPath, datePath }: SlotTable, type: string, member: string): Reading | undefined {
  const all = [...byCode.values()];
  const mayRead = new RegExp(`\\b(?:${member}|children|descendants)\\b`);
  const read: Slot[] = [];
  for (const slot of all.filter(isVisited)) {
    const { expression = '' } = slot.parameter;
    const members = membersOf(definitions, type, expression);
    if (members ? !members.includes(member) : !mayRead.test(expression)) continue;
    // What may be read among other things can't be told by the member alone.
    if (!members || slot.column !== undefined || slot.presence !== undefined) return undefined;
    read.push(slot);
  }
  const isShared = all.some((slot) => answeredBy(slot).some((other) => other !== slot && read.includes(other)));
  if (isShared || [subjectPath, datePath].includes(`${type}.${member}`)) return undefined;
  const dateParams = read.filter(({ parameter }) => parameter.type === 'date').map(({ key }) => key);
  return { visit: compileSlots(definitions, type, read), member: { name: member, places: read.map(({ position }) => position), dateParams } };
}

const answeredBy = (slot: Slot): readonly Slot[] => (slot.both ? (slot.parts ?? []).flatMap((part) => part.slot.readers) : slot.readers);

function run(visit: Visit, type: string, member: string, value: JsonValue | undefined): IndexRows {
  const rows = new RowCollector();
  visit(value === undefined ? { resourceType: type } : { resourceType: type, [member]: value }, rows);
  return rows.finish(0n, 0);
}

/** Has it tokens and dates alone? */
const isShifting = ({ strings, quantities, refs }: IndexRows): boolean => strings.length === 0 && quantities.length === 0 && refs.length === 0;

function shiftOf(member: ShiftedMember, before: IndexRows, after: IndexRows): Omit<RowShift, 'generation'> {
  const were = new Set(before.tokens);
  const are = new Set(after.tokens);
  return {
    member,
    gone: before.tokens.filter((token) => !are.has(token)),
    come: after.tokens.filter((token) => !were.has(token)),
    present: after.present,
    dates: after.dates,
    texts: after.texts,
  };
}
