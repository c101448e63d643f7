// Every change of every resource, whatever road it came by: lock, complete, judge, validate, check, store, follow up.
// One write or a whole transaction bundle is the same list here.
import { isRefusedRow } from '../db/failure.js';
import type { Issue } from '../fhir/issue.js';
import type { Write, WriteRule } from '../store/rule.js';
import { lookOnly, NeedsTransaction } from '../store/look-only.js';
import { VersionConflict, type Beside, type Change, type StoredVersion, type Transaction } from '../store/store.js';
import { located, within, type Asked } from './asked.js';
import { describe, merge, toChange } from './change.js';
import { isUnresolved, withTargets } from './conditional-reference.js';
import { inTransaction, type Context, type Parts } from './context.js';
import { checkProfiles, judgeContent } from './judge-content.js';
import { judgeAfter, judgeBefore, judgeId, judgeScopeAfter, judgeScopeBefore } from './judge-rows.js';
import { lockAsked } from './lock-asked.js';
import { checkPreconditions } from './preconditions.js';
import { ruleContext } from './rule-context.js';
import { isUnchanged } from './unchanged.js';
import { noteWritten, patientsOf, recordOf, storeRecord } from './write-record.js';

export interface Written extends StoredVersion {
  readonly created: boolean;
  /** The update says what is there already: no version was made, and this is the current one. */
  readonly unchanged?: boolean;
  /** What rules had to say of it, though it was carried out. */
  readonly warnings?: readonly Issue[];
}

interface Prepared {
  readonly asked: Asked;
  readonly write: Write;
  readonly rules: readonly WriteRule[];
  readonly change: Change;
  /** The current version, where the change would say the same again. */
  readonly same?: StoredVersion | undefined;
  /** Ids, for the record: of what was there and of what is there now, and those that rules name. */
  readonly patients: Set<string>;
  /** Filled by the rules as they go. */
  readonly warnings: Issue[];
}

/** Stores all or nothing, with the record of who wrote. Answers in the order asked; a deletion of what is not there is left out (undefined). */
export async function writeAll(sent: readonly Asked[], context: Context): Promise<(Written | undefined)[]> {
  const asked = sent.some(isUnresolved) ? await withTargets(sent, context) : sent;
  // Once for each caller: its row must be there before those that name it.
  const introduced = context.parts.audit.introduce(context.access);
  if (introduced) await introduced;
  if (context.tx) return writeIn(asked, context, context.tx);
  const [only] = asked;
  if (only?.fresh && asked.length === 1) {
    const due = dueAt(only, undefined, 0, context);
    // A new resource of whose rules none needs a transaction is stored with all that belongs to it: one statement, one round trip.
    if (!context.grant.judges && !context.grant.scoped?.(only.type, 'C') && due.every(({ rules }) => rules.every(({ alone }) => alone))) {
      const [written] = await Promise.all(due.map((one) => createAlone(one, context)));
      if (written) return [written];
    }
  }
  return inTransaction(context, (inside) => writeIn(asked, inside, inside.tx));
}

/** Undefined where it needs a transaction after all, and nothing was stored. */
async function createAlone(due: Due, context: Context): Promise<Written | undefined> {
  const { store, db } = context.parts;
  try {
    const tx = due.rules.length === 0 ? undefined : lookOnly(store, db);
    const prepared = tx ? await prepareAlone(due, context, tx) : judged(due, {}, undefined, context);
    await checkProfilesAt(prepared, context);
    const besides = tx ? await besidesOf([prepared], context, tx) : [];
    await store.write([prepared.change], [recordOf([prepared], context), ...besides]);
    noteWritten([prepared], context);
    return writtenOf(prepared);
  } catch (error) {
    if (due.rules.length > 0 && (error instanceof NeedsTransaction || error instanceof VersionConflict || isRefusedRow(error))) return undefined;
    throw error;
  }
}

async function prepareAlone(due: Due, context: Context, tx: Transaction): Promise<Prepared> {
  const prepared = await completeAndJudge(due, context, tx);
  await each(prepared, 'check', context, tx);
  return prepared;
}

async function writeIn(asked: readonly Asked[], context: Context, tx: Transaction): Promise<(Written | undefined)[]> {
  const current = await lockAsked(asked, tx);
  await judgeAllBefore(asked, current, context, tx);
  const due = asked.flatMap((one, index) => dueAt(one, current[index], index, context));
  const written: (Written | undefined)[] = asked.map(() => undefined);
  for (const group of inTurn(due, context.parts.rules)) {
    for (const [index, one] of await writeGroup(group, context, tx)) written[index] = one;
  }
  const { grant } = context;
  if (grant.judges) for (const { asked: one, write } of due) if (!one.attached) await located(one, () => judgeAfter(write, grant, tx));
  if (grant.scoped) for (const { asked: one, write } of due) if (!one.attached) await located(one, () => judgeScopeAfter(write, write.before !== undefined, grant, tx));
  return written;
}

/** A write that is due: described, and allowed by its preconditions. */
interface Due extends Unjudged {
  /** Its place in what was asked for. */
  readonly index: number;
  readonly current: StoredVersion | undefined;
}

function dueAt(asked: Asked, current: StoredVersion | undefined, index: number, context: Context): Due[] {
  try {
    const write = describe(asked, current);
    checkFirst(asked, write, current, context);
    if (write.kind === 'delete' && !write.before) return [];
    return [{ asked, write, rules: rulesFor(write, context.parts), patients: new Set(), warnings: [], index, current }];
  } catch (error) {
    throw within(error, asked);
  }
}

/**
 * Resources of a transaction may build on each other: those that no rule concerns are stored first, then the rest in the order of the
 * rules, so that a purchase finds the budget that came with it.
 */
function inTurn(due: readonly Due[], rules: readonly WriteRule[]): (readonly Due[])[] {
  if (due.length < 2) return due.length === 0 ? [] : [due];
  const groups = new Map<number, Due[]>();
  for (const one of due) {
    const turn = one.rules[0] ? rules.indexOf(one.rules[0]) : -1;
    const group = groups.get(turn);
    if (group) group.push(one);
    else groups.set(turn, [one]);
  }
  return [...groups].sort(([a], [b]) => a - b).map(([, group]) => group);
}

async function writeGroup(group: readonly Due[], context: Context, tx: Transaction): Promise<[number, Written][]> {
  const prepared: Prepared[] = [];
  for (const one of group) {
    const made = prepareAt(one, context, tx);
    prepared.push(made instanceof Promise ? await made : made);
  }
  const ruled = prepared.filter((one) => one.rules.length > 0);
  for (const one of ruled) await located(one.asked, () => each(one, 'check', context, tx));
  for (const one of prepared) {
    const pending = checkProfilesAt(one, context);
    if (pending) await pending;
  }
  const due = prepared.filter((one) => !one.same);
  if (due.length > 0) await store(due, context, tx);
  return prepared.map((one, place) => [group[place]?.index ?? 0, writtenOf(one)]);
}

async function store(due: readonly Prepared[], context: Context, tx: Transaction): Promise<void> {
  const ruled = due.filter((one) => one.rules.length > 0);
  // Where rules may yet say whom a write is about, its record follows them.
  const recordsLater = ruled.some(({ rules }) => rules.some(({ aboutInAfter }) => aboutInAfter));
  const besides = await besidesOf(ruled, context, tx);
  await tx.write(due.map((one) => one.change), recordsLater ? besides : [recordOf(due, context), ...besides]);
  for (const one of ruled) await located(one.asked, () => each(one, 'after', context, tx));
  if (recordsLater) await storeRecord(recordOf(due, context), tx);
  noteWritten(due, context);
}

async function besidesOf(ruled: readonly Prepared[], context: Context, tx: Transaction): Promise<readonly Beside[]> {
  const found: Beside[] = [];
  for (const one of ruled) {
    for (const rule of one.rules) {
      const beside = await rule.beside?.(one.write, ruleContext(context, tx, one));
      if (beside) found.push(beside);
    }
  }
  return found;
}

function writtenOf({ change, write, warnings, same }: Prepared): Written {
  if (same) return { ...same, created: false, unchanged: true };
  return { ...change, created: write.kind === 'create', ...(warnings.length > 0 && { warnings }) };
}

async function judgeAllBefore(asked: readonly Asked[], current: readonly (StoredVersion | undefined)[], { grant }: Context, tx: Transaction): Promise<void> {
  if (grant.scoped) {
    for (const [index, one] of asked.entries()) {
      if (!one.attached && current[index]?.text != null) await located(one, () => judgeScopeBefore(one, grant, tx));
    }
  }
  if (!grant.judges && !grant.ownIds) return;
  const made = new Set(asked.flatMap(({ kind, type, id }) => (kind === 'create' ? [`${type}/${id}`] : [])));
  for (const one of asked) {
    if (one.attached) continue;
    const { type, id, fresh } = one;
    if (!fresh) await located(one, () => judgeId(one, grant, tx));
    if (grant.judges) await located(one, () => judgeBefore({ type, id, fresh, after: describe(one, undefined).after }, made, grant, tx));
  }
}

/** Waits only where a rule has something to complete: in a bundle most resources concern no rule. */
function prepareAt(one: Due, context: Context, tx: Transaction): Prepared | Promise<Prepared> {
  try {
    if (one.rules.length > 0) return located(one.asked, () => completeAndJudge(one, context, tx));
    return judged(one, {}, one.current, context);
  } catch (error) {
    throw within(error, one.asked);
  }
}

type Unjudged = Omit<Prepared, 'change' | 'same'>;

async function completeAndJudge(one: Due, context: Context, tx: Transaction): Promise<Prepared> {
  const { write, rules } = one;
  const set: Record<string, unknown> = {};
  for (const rule of rules) Object.assign(set, await rule.complete?.(write, ruleContext(context, tx, one)));
  const completed = Object.keys(set).length === 0 || !write.after ? write : { ...write, after: merge(write.after, set) };
  return judged({ ...one, write: completed }, set, one.current, context);
}

function judged(one: Unjudged, set: Readonly<Record<string, unknown>>, current: StoredVersion | undefined, context: Context): Prepared {
  const { asked, write, patients } = one;
  judgeContent(asked, write, context);
  const change = toChange(asked, write, set, current, context);
  for (const patient of patientsOf(change, current)) patients.add(patient);
  return { ...one, change, same: context.act === undefined ? sameVersion(change, current) : undefined };
}

/** Of what clients write: an operation's write stands for an act, with rows of its own. */
const sameVersion = ({ text }: Change, current: StoredVersion | undefined): StoredVersion | undefined =>
  (current?.text != null && text !== null && isUnchanged(current.text, text) ? current : undefined);

/** May this caller write this at all? Asked before the preconditions: those tell which version is there. */
function checkFirst(asked: Asked, write: Write, current: StoredVersion | undefined, context: Context): void {
  const refusal = asked.attached ? undefined : context.grant.refuseWrite(write.type, write.before, write.after);
  if (refusal) throw refusal;
  checkPreconditions(asked, current);
}

const rulesFor = (write: Write, parts: Parts): WriteRule[] => parts.rules.filter((rule) => rule.concerns(write));

function checkProfilesAt({ asked, write }: Prepared, context: Context): void | Promise<void> {
  try {
    const pending = checkProfiles(asked, write, context);
    return pending && located(asked, () => pending);
  } catch (error) {
    throw within(error, asked);
  }
}

async function each(prepared: Prepared, step: 'check' | 'after', context: Context, tx: Transaction): Promise<void> {
  for (const rule of prepared.rules) await rule[step]?.(prepared.write, ruleContext(context, tx, prepared));
}
