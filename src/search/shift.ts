// What a change of one member of a resource changes in its index rows: where all else stays, only that is read and written.
import type { Definitions } from '../definitions/model.js';
import type { JsonValue, Resource } from '../fhir/resource.js';
import { makePlan, type IndexedStep, type Plan } from './extract.js';
import type { IndexRows } from './index-rows.js';
import { RowCollector } from './row-collector.js';
import { slotsOf, type SlotTable } from './slots.js';

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
    const old = run(reading.steps, type, member, before);
    const now = run(reading.steps, type, member, after);
    return isShifting(old) && isShifting(now) ? { ...shiftOf(reading.member, old, now), generation } : undefined;
  };
}

interface Reading {
  readonly steps: readonly IndexedStep[];
  readonly member: ShiftedMember;
}

/** The steps that read the member; undefined where what they find depends on others, or is answered from a column or by other parameters' rows. */
function readingOf(definitions: Definitions, slots: SlotTable, type: string, member: string): Reading | undefined {
  const { byMember, always, combined }: Plan = makePlan(definitions, [...slots.byCode.values()]);
  const steps = byMember.get(member) ?? [];
  const mayRead = new RegExp(`\\b(?:${member}|children|descendants)\\b`);
  const places = new Set(steps.map(({ index }) => index));
  const isShared = combined.some(({ parts }) => parts.some((any) => any.some((part) => places.has(part))));
  const { subjectPath, datePath } = slots;
  const isColumn = [subjectPath, datePath].includes(`${type}.${member}`);
  const isElsewhere = always.some(({ slot }) => mayRead.test(slot.parameter.expression ?? ''));
  const isOwn = steps.every(({ slot }) => slot.readers[0] === slot && slot.column === undefined && slot.presence === undefined);
  if (isShared || isColumn || isElsewhere || !isOwn) return undefined;
  const dateParams = steps.filter(({ slot }) => slot.parameter.type === 'date').map(({ slot }) => slot.key);
  return { steps, member: { name: member, places: steps.map(({ index }) => index + 1), dateParams } };
}

interface Run {
  readonly rows: IndexRows;
  readonly present: string;
}

function run(steps: readonly IndexedStep[], type: string, member: string, value: JsonValue | undefined): Run {
  const collector = new RowCollector();
  let present = '';
  const resource: Resource | undefined = value === undefined ? undefined : { resourceType: type, [member]: value };
  for (const { step } of steps) {
    const before = collector.count;
    if (resource) step(resource, collector);
    present += collector.count > before ? '1' : '0';
  }
  return { rows: collector.finish('', 0n, 0), present };
}

/** Has it tokens and dates alone? */
const isShifting = ({ rows: { strings, quantities, refs } }: Run): boolean => strings.length === 0 && quantities.length === 0 && refs.length === 0;

function shiftOf(member: ShiftedMember, before: Run, after: Run): Omit<RowShift, 'generation'> {
  const were = new Set(before.rows.tokens);
  const are = new Set(after.rows.tokens);
  return {
    member,
    gone: before.rows.tokens.filter((token) => !are.has(token)),
    come: after.rows.tokens.filter((token) => !were.has(token)),
    present: after.present,
    dates: after.rows.dates,
    texts: after.rows.texts,
  };
}
