// Every change of every resource, whatever road it came by: lock, complete, judge, validate, check, store, follow up.
// One write or a whole transaction bundle is the same list here.
import { fail, failWith, FhirError } from '../fhir/errors.js';
import type { Issue } from '../fhir/issue.js';
import { positionOf, type JsonDocument } from '../fhir/json-text.js';
import type { JsonObject, Resource } from '../fhir/resource.js';
import { storedText } from '../fhir/stored-text.js';
import type { Write, WriteContext, WriteRule } from '../store/rule.js';
import type { Beside, Change, StoredVersion, Transaction } from '../store/store.js';
import { add, amend } from './amend.js';
import { inTransaction, type Context, type Parts } from './context.js';
import { judgeAfter, judgeBefore, judgeScopeAfter, judgeScopeBefore } from './judge-rows.js';
import { checkPreconditions } from './preconditions.js';
import { isUnchanged } from './unchanged.js';
import { noteWritten, patientsOf, recordOf, storeRecord } from './write-record.js';

/** A write as asked for: its id is known and its references are resolved. */
export interface Asked {
  readonly kind: 'create' | 'update' | 'delete';
  readonly method: Change['method'];
  readonly type: string;
  readonly id: string;
  /** The server has just made the id: no row can be there. */
  readonly fresh?: boolean;
  /** Undefined for a deletion. */
  readonly document?: JsonDocument;
  /** The value of `document` with its references resolved, and the strings of its text to replace for that. */
  readonly resolved?: { readonly value: JsonObject; readonly strings: ReadonlyMap<string, string> };
  readonly ifMatch?: string;
  readonly ifNoneMatch?: string;
  /** Came in X-Provenance with a write that was permitted: it goes with that. */
  readonly attached?: boolean;
  /** Where the resource stands in what the caller sent, for errors: `Bundle.entry[3].resource`. */
  readonly within?: string;
}

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
export async function writeAll(asked: readonly Asked[], context: Context): Promise<(Written | undefined)[]> {
  // Once for each caller: its row must be there before those that name it.
  const introduced = context.parts.audit.introduce(context.access);
  if (introduced) await introduced;
  if (context.tx) return writeIn(asked, context, context.tx);
  const [only] = asked;
  if (only?.fresh && asked.length === 1) {
    const write = describe(only, undefined);
    // A new resource that no rule concerns touches nothing but its own rows: one statement, one round trip.
    if (!context.grant.judges && !context.grant.scoped?.(only.type, 'C') && rulesFor(write, context.parts).length === 0) return [await createAlone(only, write, context)];
  }
  return inTransaction(context, (inside) => writeIn(asked, inside, inside.tx));
}

async function createAlone(asked: Asked, write: Write, context: Context): Promise<Written> {
  checkFirst(asked, write, undefined, context);
  judge(asked, write, context);
  await checkProfiles(asked, write, context);
  const change = toChange(asked, write, {}, undefined, context);
  const one = { asked, write, rules: [], change, patients: patientsOf(change, undefined) };
  await context.parts.store.write([change], [recordOf([one], context)]);
  noteWritten([one], context);
  return { ...change, created: true };
}

async function writeIn(asked: readonly Asked[], context: Context, tx: Transaction): Promise<(Written | undefined)[]> {
  const current = await lockAll(asked, tx);
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
  for (const one of group) prepared.push(await prepareAt(one, context, tx));
  const ruled = prepared.filter((one) => one.rules.length > 0);
  for (const one of ruled) await located(one.asked, () => each(one, 'check', context, tx));
  for (const one of prepared) await checkProfilesAt(one, context);
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
  if (!grant.judges) return;
  const made = new Set(asked.flatMap(({ kind, type, id }) => (kind === 'create' ? [`${type}/${id}`] : [])));
  for (const one of asked) {
    if (one.attached) continue;
    const { type, id, fresh } = one;
    await located(one, () => judgeBefore({ type, id, fresh, after: describe(one, undefined).after }, made, grant, tx));
  }
}

/** Rows are locked in one order for all, so that two requests can't wait for each other; those of a type at once. */
async function lockAll(asked: readonly Asked[], tx: Transaction): Promise<(StoredVersion | undefined)[]> {
  const standing = asked.filter((one) => !one.fresh);
  const [only] = standing;
  if (only && standing.length === 1) {
    const current = await tx.lock(only.type, only.id);
    return asked.map((one) => (one === only ? current : undefined));
  }
  const current = new Map<string, ReadonlyMap<string, StoredVersion>>();
  for (const type of [...new Set(standing.map((one) => one.type))].sort()) {
    current.set(type, await tx.lockAll(type, standing.filter((one) => one.type === type).map((one) => one.id)));
  }
  return asked.map((one) => (one.fresh ? undefined : current.get(one.type)?.get(one.id)));
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
  judge(asked, write, context);
  const change = toChange(asked, write, set, current, context);
  for (const patient of patientsOf(change, current)) patients.add(patient);
  return { ...one, change, same: context.act === undefined ? sameVersion(change, current) : undefined };
}

/** Of what clients write: an operation's write stands for an act, with rows of its own. */
const sameVersion = ({ text }: Change, current: StoredVersion | undefined): StoredVersion | undefined =>
  (current?.text != null && text !== null && isUnchanged(current.text, text) ? current : undefined);

function describe(asked: Asked, current: StoredVersion | undefined): Write {
  const before = current?.text == null ? undefined : (JSON.parse(current.text) as Resource);
  const value = asked.resolved?.value ?? asked.document?.value;
  return {
    type: asked.type,
    id: asked.id,
    kind: asked.kind === 'delete' ? 'delete' : before ? 'update' : 'create',
    before,
    after: value && { ...value, resourceType: asked.type, id: asked.id },
    document: asked.document,
    ifMatch: asked.ifMatch,
  };
}

/** May this caller write this at all? Asked before the preconditions: those tell which version is there. */
function checkFirst(asked: Asked, write: Write, current: StoredVersion | undefined, context: Context): void {
  const refusal = asked.attached ? undefined : context.grant.refuseWrite(write.type, write.before, write.after);
  if (refusal) throw refusal;
  checkPreconditions(asked, current);
}

const rulesFor = (write: Write, parts: Parts): WriteRule[] => parts.rules.filter((rule) => rule.concerns(write));

function merge(resource: Resource, set: Readonly<Record<string, unknown>>): Resource {
  const merged = { ...resource, ...set } as Resource;
  for (const [member, value] of Object.entries(set)) if (value === undefined) Reflect.deleteProperty(merged, member);
  return merged;
}

/** Is it FHIR? */
function judge(asked: Asked, write: Write, context: Context): void {
  if (!write.after) return;
  const faults = context.parts.validate(write.after).filter((issue) => issue.severity === 'error' || issue.severity === 'fatal');
  if (faults.length === 0) return;
  // A patch that would make it invalid: https://www.rfc-editor.org/rfc/rfc5789#section-2.2. Its text was never the caller's: no line or column.
  if (asked.method === 'PATCH') throw failWith(422, faults);
  // 400 for what base FHIR does not allow; 422 is for profiles and the rules of the service. https://hl7.org/fhir/R4/http.html#create
  throw failWith(400, asked.document ? placed(faults, asked.document) : faults);
}

/** Does it meet the profiles it claims and its content demands? Asked after the rules of the domain, whose words say more. */
function checkProfiles(asked: Asked, { after }: Write, context: Context): void | Promise<void> {
  if (!after) return;
  const found = context.parts.profiles.check(after);
  if (found instanceof Promise) return found.then((issues) => { refuseFaults(issues, asked); });
  refuseFaults(found, asked);
}

function checkProfilesAt({ asked, write }: Prepared, context: Context): void | Promise<void> {
  try {
    const pending = checkProfiles(asked, write, context);
    return pending && located(asked, () => pending);
  } catch (error) {
    throw within(error, asked);
  }
}

function refuseFaults(issues: readonly Issue[], { method, document }: Asked): void {
  const faults = issues.filter(({ severity }) => severity === 'error');
  if (faults.length > 0) throw failWith(422, document && method !== 'PATCH' ? placed(faults, document) : faults);
}

/** Faults with the line and column where the caller can find them. */
function placed(faults: readonly Issue[], document: JsonDocument): Issue[] {
  return faults.map((issue) => ({ ...issue, ...(issue.expression === undefined ? {} : positionOf(document, issue.expression)) }));
}

function toChange(asked: Asked, write: Write, set: Readonly<Record<string, unknown>>, current: StoredVersion | undefined, context: Context): Change {
  const { type, id, method, document, resolved } = asked;
  const version = (current?.version ?? 0) + 1;
  const before = current?.version;
  if (!write.after || !document) return { type, id, version, updated: context.now, method, text: null, before, rows: undefined };
  const edits = resolved ? { set, strings: resolved.strings } : { set };
  const text = storedText(document, { id, versionId: version, lastUpdated: context.now, edits });
  return { type, id, version, updated: context.now, method, text, before, rows: context.parts.extract(write.after, document) };
}

async function each(prepared: Prepared, step: 'check' | 'after', context: Context, tx: Transaction): Promise<void> {
  for (const rule of prepared.rules) await rule[step]?.(prepared.write, ruleContext(context, tx, prepared));
}

/** What rules say of a write as they go. */
interface Said {
  /** Ids of whom it is about. */
  readonly patients: Set<string>;
  readonly warnings: Issue[];
}

/** What a rule is handed; `said` takes what it says: by itself, of the request. */
export function ruleContext(context: Context, tx: Transaction, { patients, warnings }: Said = { patients: context.access.about, warnings: [] }): WriteContext {
  return {
    about: (patient) => { patients.add(patient); },
    caller: context.grant.caller,
    grant: context.grant,
    tx,
    now: context.now,
    act: context.act,
    newId: context.parts.newId,
    put: (resource) => amend(resource, { tx, now: context.now, extract: context.parts.extract }),
    add: (resource) => add(resource, { tx, now: context.now, extract: context.parts.extract }),
    warn: (issue) => { warnings.push(issue); },
  };
}

/** Runs one entry's step; its faults are told where they stand in the bundle. */
async function located<T>(asked: Asked, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw within(error, asked);
  }
}

function within(error: unknown, { within: place, type }: Asked): unknown {
  if (place === undefined || !(error instanceof FhirError)) return error;
  const issues = error.issues.map((issue) => ({ ...issue, expression: placeOf(issue.expression, place, type) }));
  return new FhirError(error.status, issues, error.headers);
}

function placeOf(expression: string | undefined, place: string, type: string): string {
  return expression?.startsWith(`${type}.`) ? `${place}${expression.slice(type.length)}` : place;
}

/** The body of a create or update: a resource of the type in the URL. */
export function requireBody(type: string, document: JsonDocument | undefined): JsonDocument {
  if (!document) throw fail('not-a-resource', { text: `Send a ${type} as the body` });
  const found = document.value['resourceType'];
  if (typeof found !== 'string') throw fail('not-a-resource');
  if (found !== type) throw fail('wrong-resource-type', { text: `The URL says ${type}; the body is a ${found}`, expression: 'resourceType' });
  return document;
}
