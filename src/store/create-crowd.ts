// New resources of one type that come in a crowd are stored by one statement, as those of a transaction are: with 32 clients a create costs the
// database half as much. Only what can't refuse another goes together: one new resource each, and the record of who made it.
import { isRetried } from '../db/failure.js';
import { Crowd, eachAlone, type Waiting } from '../db/crowd.js';
import type { Beside } from './store.js';
import type { Group } from './write.js';

/** One write that is a statement by itself. */
export interface AloneWrite {
  readonly group: Group;
  readonly besides: readonly Beside[];
}

const MOST_TOGETHER = 50;
/** Characters of resources in one statement: what is longer gains nothing. */
const LONGEST_TOGETHER = 500_000;

/** Stores as `run` does, a crowd together. */
export function createCrowds(run: (write: AloneWrite) => Promise<void>): (write: AloneWrite) => Promise<void> {
  const crowds = new Map<string, Crowd<AloneWrite, void>>();
  return (write) => {
    if (!isJoinable(write)) return run(write);
    const { type } = write.group;
    let crowd = crowds.get(type);
    if (!crowd) crowds.set(type, (crowd = new Crowd({ alone: run, together: (some) => storeSome(some, run), most: MOST_TOGETHER })));
    return crowd.ask(write);
  };
}

const isJoinable = ({ group: { kind, changes }, besides }: AloneWrite): boolean =>
  kind === 'create' && changes.length === 1 && (changes[0]?.text?.length ?? 0) < LONGEST_TOGETHER / MOST_TOGETHER && besides.every(({ several }) => several);

async function storeSome(some: readonly Waiting<AloneWrite, void>[], run: (write: AloneWrite) => Promise<void>): Promise<void> {
  const [first] = some;
  if (!first || some.length === 1) return eachAlone(some, run);
  try {
    await run({ group: { ...first.asked.group, changes: some.flatMap(({ asked }) => asked.group.changes) }, besides: joined(some.flatMap(({ asked }) => asked.besides)) });
    for (const { resolve } of some) resolve();
  } catch (error) {
    // It was tried again already, and whether it is stored is not known: no more of one than of all.
    if (isRetried(error)) for (const { reject } of some) reject(error);
    else await eachAlone(some, run);
  }
}

/** Those of one name as one. */
function joined(besides: readonly Beside[]): Beside[] {
  const byName = new Map<string, Beside[]>();
  for (const beside of besides) byName.set(beside.name, [...(byName.get(beside.name) ?? []), beside]);
  return [...byName.values()].flatMap((same) => same[0]?.several?.of(same.flatMap(({ several }) => several?.held ?? [])) ?? []);
}
