// Many statements of one source at once: the rules of a single write, asked of a whole batch in a few statements.
import type { Queryable } from '../../db/database.js';
import { inOneGo } from '../../db/in-one-go.js';
import type { FhirError } from '../../fhir/errors.js';
import type { Issue } from '../../fhir/issue.js';
import type { JsonDocument } from '../../fhir/json-text.js';
import type { Resource } from '../../fhir/resource.js';
import { codesOf } from '../../fhir/elements.js';
import type { Change } from '../../store/store.js';
import { withAssertion, type Assertion } from '../status/assertion.js';
import { STATUS_ASSERTION } from '../codes.js';
import type { NonePolicy } from '../status/effective-status.js';
import { foresee, holdPatients, Outdated, type Foreseen, type Foreseeing } from './foreseen.js';
import { addToMany, mergedAmong, saveMany, type ManyContext } from '../status/many-patients.js';
import { changeAssertions } from '../status/patient-status.js';
import { placeAll, type Placed } from './placing.js';
import { conflictId, conflictTask, quarantineTask } from './quarantine.js';
import { assertionOf, claimOf, saysTheSame, statementFaults, statementKey, statementNumber } from './statement.js';
import { keepConflicts, registerStatements, statementsOfKeys, takeFreeKeys } from './statement-register.js';
import type { Claim, StatementSource } from './statement-source.js';

/** One record of a file, read. */
export interface ReadStatement {
  /** Where it stands in the file, from 1. */
  readonly line: number;
  readonly document: JsonDocument;
}

export interface Refused {
  readonly line: number;
  /** What is wrong, in words that say nothing about who is known here. */
  readonly text: string;
}

interface Fresh {
  readonly statement: Resource;
  readonly key: string;
  readonly claim: Claim;
  readonly change: Change;
  /** The NHS number it gives. */
  readonly number: string | undefined;
  /** Undefined where what follows from it is found out under a lock. */
  readonly foreseen?: Foreseen | undefined;
}

/** A batch, judged: what is to be stored of it, and what is not. */
export interface JudgedBatch {
  readonly fresh: readonly Fresh[];
  readonly unchanged: number;
  readonly refused: readonly Refused[];
  readonly conflicts: readonly { readonly line: number; readonly key: string; readonly statement: string; readonly text: string }[];
  readonly keys: readonly string[];
}

export interface JudgeParts extends Foreseeing {
  readonly source: StatementSource;
  readonly newId: () => string;
  /** Is it FHIR, and does it meet its profile? */
  readonly validate: (resource: Resource) => readonly Issue[];
  readonly profiles: (resource: Resource) => readonly Issue[] | Promise<readonly Issue[]>;
  /** The change that stores a new resource as it was sent. */
  readonly first: (statement: Resource, document: JsonDocument) => Change;
}

/** In the order of the file: of two with one key the first is stored. */
export async function judgeBatch(records: readonly ReadStatement[], parts: JudgeParts): Promise<JudgedBatch> {
  const { source } = parts;
  const keyed = records.map((record) => ({ ...record, key: statementKey(record.document.value as Resource, source.keySystem) }));
  const keys = keyed.flatMap(({ key }) => key ?? []);
  const known = await statementsKnown(parts.db, source, keys);
  const fresh: Fresh[] = [];
  const refused: Refused[] = [];
  const conflicts: JudgedBatch['conflicts'][number][] = [];
  let unchanged = 0;
  for (const [index, { line, document, key }] of keyed.entries()) {
    if (index % AT_ONCE === 0) await parts.breathe();
    const existing = key === undefined ? undefined : known.get(key);
    if (key !== undefined && existing) {
      if (saysTheSame(existing, document.value as Resource)) unchanged += 1;
      else conflicts.push({ line, key, statement: existing.id ?? '', text: document.text.slice(document.start, document.end) });
      continue;
    }
    const statement: Resource = { ...document.value, resourceType: 'Observation', id: parts.newId() };
    const [issue] = await issuesOf(document.value, statement, parts);
    if (issue || key === undefined) {
      refused.push({ line, text: issue ? wordsOf(issue) : '' });
      continue;
    }
    fresh.push({ statement, key, claim: claimOf(statement, source), change: parts.first(statement, document), number: statementNumber(statement) });
    known.set(key, statement);
  }
  return { fresh: await withForeseen(fresh, parts), unchanged, refused, conflicts, keys };
}

const AT_ONCE = 25;

async function withForeseen(fresh: readonly Fresh[], parts: JudgeParts): Promise<readonly Fresh[]> {
  const foreseen = await foresee(fresh.map(({ number, statement, claim }) => ({ number, assertion: () => assertionOf(statement, claim, parts.now) })), parts);
  return foreseen.size === 0 ? fresh : fresh.map((one) => ({ ...one, foreseen: one.number === undefined ? undefined : foreseen.get(one.number) }));
}

/** As a single write asks: is it FHIR, is it a good statement, does it meet its profile? */
async function issuesOf(sent: JsonDocument['value'], statement: Resource, { source, now, validate, profiles }: JudgeParts): Promise<readonly Issue[]> {
  const marks = codesOf(sent['code'], STATUS_ASSERTION);
  if (sent['resourceType'] !== 'Observation' || marks.length !== 1 || marks[0] !== source.mark)
    return [{ severity: 'error', code: 'business-rule', text: `A file of ${source.name} holds Observations with code ${source.mark} of ${STATUS_ASSERTION}, and nothing else` }];
  const wrong = faultsIn(validate(statement));
  if (wrong.length > 0) return wrong;
  const faults = statementFaults(statement, source, now);
  return faults.length > 0 ? faults : faultsIn(await profiles(statement));
}

const faultsIn = (issues: readonly Issue[]): readonly Issue[] => issues.filter(({ severity }) => severity === 'error' || severity === 'fatal');

export const wordsOf = ({ text, expression }: Issue): string => (expression === undefined ? text : `${expression}: ${text}`);

/** The words for a record that could not even be read. */
export const wordsOfError = (error: FhirError): string => error.issues.map(wordsOf).join('; ');

async function statementsKnown(db: Queryable, source: StatementSource, keys: readonly string[]): Promise<Map<string, Resource>> {
  const ids = keys.length > 0 ? await statementsOfKeys(db, source.code, keys) : new Map<string, string>();
  if (ids.size === 0) return new Map();
  const { rows } = await db.query<{ id: string; res: string }>({ ...TEXTS, values: [[...ids.values()]] });
  const texts = new Map(rows.map(({ id, res }) => [id, res]));
  return new Map([...ids].map(([key, id]) => [key, JSON.parse(texts.get(id) ?? '{}') as Resource]));
}

const TEXTS = { name: 'statement-texts', text: 'select id, res from fhir."Observation" where id = any((select $1::text[])::text[])' };

export interface StoredCounts {
  readonly accepted: number;
  readonly matched: number;
  readonly quarantined: number;
}

export interface StoreBatchContext extends ManyContext {
  /** The change that stores a resource the server made. */
  made(resource: Resource): Change;
  /** Stores the record of accesses: each stored statement with its patient. */
  record(written: readonly { readonly id: string; readonly patient: string | undefined }[]): Promise<void>;
}

/**
 * In one transaction: keys, patients, statuses, Tasks and statements. Throws KeyTaken or Outdated where another was quicker; the transaction
 * must then be left. What was foreseen is sent at once, without waiting for answers.
 */
export async function storeBatch(judged: JudgedBatch, source: StatementSource, context: StoreBatchContext, nonePolicy: NonePolicy): Promise<StoredCounts> {
  const { fresh, conflicts } = judged;
  const tasks = await conflictTasks(conflicts, source, context);
  if (fresh.length === 0) {
    await context.tx.write(tasks);
    return { accepted: 0, matched: 0, quarantined: 0 };
  }
  const rows = await placeFresh(fresh, context);
  for (const { id, why } of rows) if (why) tasks.push(context.made(quarantineTask(id, why, context.now)));
  await storeForeseen(fresh, rows, tasks, source, context);
  await addRest(fresh, rows, context, nonePolicy);
  const matched = rows.filter(({ patient }) => patient !== undefined).length;
  return { accepted: fresh.length, matched, quarantined: fresh.length - matched };
}

type PlacedRow = Placed & { readonly id: string; readonly claim: Claim };

/** Where each belongs. All Patients that will be written are then locked, where some had to be looked for. */
async function placeFresh(fresh: readonly Fresh[], { tx: { db } }: StoreBatchContext): Promise<readonly PlacedRow[]> {
  const rest = fresh.filter(({ foreseen }) => !foreseen);
  const found = rest.length > 0 ? await placeAll(db, rest.map(({ statement }) => statement)) : [];
  const foreseen = fresh.flatMap((one) => one.foreseen ?? []);
  const known = new Set(foreseen.map(({ patient }) => patient));
  const others = [...new Set(found.flatMap(({ patient }) => patient ?? []))];
  if (others.some((patient) => known.has(patient))) throw new Outdated('a Patient is meant in two ways');
  if (others.length > 0 || foreseen.some(({ change }) => !change)) await holdPatients(db, foreseen, others);
  const places = found.values();
  return fresh.map(({ statement, claim, number, foreseen: one }) => {
    const place = one ? { number, person: undefined, patient: one.patient } : (places.next().value as Placed);
    return { ...place, id: statement.id ?? '', claim };
  });
}

/** All that needs no answer of the database, in one go. */
async function storeForeseen(fresh: readonly Fresh[], rows: readonly PlacedRow[], tasks: readonly Change[], source: StatementSource, context: StoreBatchContext): Promise<void> {
  const { tx, now, record } = context;
  const foreseen = fresh.flatMap((one) => one.foreseen ?? []).sort((a, b) => (a.patient < b.patient ? -1 : 1));
  const [, , saved] = await inOneGo([
    takeFreeKeys(tx.db, source.code, fresh.map(({ key, statement }) => ({ key, statement: statement.id ?? '' }))),
    tx.write([...fresh.map(({ change }) => change), ...foreseen.flatMap(({ change }) => change ?? []), ...tasks]),
    saveMany(foreseen.map(({ saving }) => saving), context),
    registerStatements(tx.db, source.code, rows, now),
    record(rows),
  ] as const);
  if (!saved) throw new Outdated('a status was changed by another');
}

async function addRest(fresh: readonly Fresh[], places: readonly Placed[], context: StoreBatchContext, nonePolicy: NonePolicy): Promise<void> {
  const rest = fresh.flatMap((one, index) => (one.foreseen ? [] : [{ ...one, patient: places[index]?.patient }]));
  if (rest.length === 0) return;
  const { rounds, merged } = await inOrder(rest, context);
  for (const round of rounds) await context.tx.write(await addToMany(round, context, nonePolicy));
  for (const { patient, assertion } of merged) await changeAssertions(patient, (list) => withAssertion(list, assertion), context, nonePolicy);
}

interface Additions {
  /** The first statement of each patient, then the second of those with two … */
  readonly rounds: readonly Map<string, Assertion>[];
  /** Those of patients who were merged with others, in the order of the file. */
  readonly merged: readonly { readonly patient: string; readonly assertion: Assertion }[];
}

/** The statements of one patient, and of those merged with it, come one after another, as single writes would: each makes its own version. */
async function inOrder(rest: readonly (Fresh & { readonly patient: string | undefined })[], context: StoreBatchContext): Promise<Additions> {
  const added = rest.flatMap(({ statement, claim, patient }) => (patient === undefined ? [] : [{ patient, assertion: assertionOf(statement, claim, context.now) }]));
  const families = await mergedAmong([...new Set(added.map(({ patient }) => patient))], context);
  const rounds: Map<string, Assertion>[] = [];
  const counts = new Map<string, number>();
  for (const { patient, assertion } of added) {
    if (families.has(patient)) continue;
    const round = counts.get(patient) ?? 0;
    counts.set(patient, round + 1);
    (rounds[round] ??= new Map()).set(patient, assertion);
  }
  return { rounds, merged: added.filter(({ patient }) => families.has(patient)) };
}

async function conflictTasks(conflicts: JudgedBatch['conflicts'], source: StatementSource, { tx, now, made }: StoreBatchContext): Promise<Change[]> {
  if (conflicts.length === 0) return [];
  const named = new Map(conflicts.map((conflict) => [conflictId(source.code, conflict.key, conflict.text), conflict]));
  const kept = await keepConflicts(tx.db, [...named].map(([id, { key, text }]) => ({ id, key, text })), now);
  return [...named].flatMap(([id, { statement, text }]) => (kept.has(id) ? [made(conflictTask(id, statement, text, now))] : []));
}
