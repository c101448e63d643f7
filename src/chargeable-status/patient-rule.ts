// What every write of a Patient meets: its NHS numbers are checked and claimed, and its status stays the server's.
import { fail } from '../fhir/errors.js';
import type { JsonObject, Resource } from '../fhir/resource.js';
import type { Write, WriteContext, WriteRule } from '../store/rule.js';
import type { NonePolicy } from './status/effective-status.js';
import { nhsNumbersOf } from './number/nhs-numbers.js';
import { point } from './status/merge.js';
import { isNhsNumber } from '../fhir/nhs-number.js';
import { claimNumbers, forwardNumbers, markWaiting, releaseNumbers } from './number/number-keys.js';
import { completeStatus, refreshStatus } from './status/patient-status.js';
import { spineError } from './vm/spine-error.js';
import { settleTask } from './feed/quarantine-task.js';
import { assertionOf, claimOf } from './feed/statement.js';
import { attachStatements, detachStatements } from './feed/statement-register.js';
import { HOME_OFFICE } from './feed/statement-source.js';
import { sameStanding, standingOf, type Standing } from './number/standing.js';
import { extensionsShowing, refuseForeignStatus, shownStatus } from './status/status-extension.js';
import type { Assertion } from './status/assertion.js';

const DELETED = { name: 'chargeable-status-deleted', text: 'update fhir.chargeable_status set deleted = true, number = null, held = false where patient = $1' };
const SHOW_UNHELD = { name: 'chargeable-status-number', text: 'update fhir.chargeable_status set number = $2, held = false where patient = $1' };

export function createPatientRule(nonePolicy: NonePolicy): WriteRule {
  return {
    concerns: (write) => write.type === 'Patient' && (write.kind === 'delete' || matters(write.before) || matters(write.after)),
    async complete(write, context) {
      if (!write.after) {
        await forget(write, context, nonePolicy);
        return undefined;
      }
      refuseBadNumbers(write.after);
      refuseForeignStatus(write.before, write.after);
      const status = await statusFor(write, context, nonePolicy);
      const shown = shownStatus(write.after);
      if (JSON.stringify(shown) === JSON.stringify(status)) return undefined;
      return { extension: extensionsShowing(write.after, status) };
    },
    async after(write, context) {
      const before = standingOf(write.before).survivor;
      const { survivor } = standingOf(write.after);
      if (before === survivor || !write.after) return;
      if (before !== undefined) await refreshStatus(before, context, nonePolicy);
      if (survivor === undefined || (await refreshStatus(survivor, context, nonePolicy))) return;
      throw fail('reference-not-found', { text: 'The Patient that replaces this one is not there', expression: 'Patient.link' });
    },
  };
}

/** Has this version an NHS number, a status or a survivor? Other Patients cost nothing. */
function matters(patient: Resource | undefined): boolean {
  return patient !== undefined && (nhsNumbersOf(patient).length > 0 || shownStatus(patient) !== undefined || standingOf(patient).survivor !== undefined);
}

function refuseBadNumbers(patient: Resource): void {
  const bad = nhsNumbersOf(patient).find(({ value }) => value === undefined || !isNhsNumber(value));
  if (!bad) return;
  throw spineError('INVALID_NHS_NUMBER', 'An NHS number is ten digits without spaces, of which the last is its check digit: check it with the patient or PDS', {
    expression: `Patient.identifier[${bad.index}].value`,
    status: 422,
  });
}

/** The status that this version of the Patient is to show. Without a change of numbers or links it is the one shown before. */
async function statusFor(write: Write, context: WriteContext, nonePolicy: NonePolicy): Promise<JsonObject | undefined> {
  const before = standingOf(write.before);
  const after = standingOf(write.after);
  if (write.before && sameStanding(before, after)) return shownStatus(write.before);
  const { db } = context.tx;
  if (before.survivor !== after.survivor) await point(db, write.id, before.survivor, after.survivor, context.newId);
  const lost = await loseNumbers(write.id, before, after, context);
  if (after.mode !== 'held') return keepWithout(write.id, after, lost, context, nonePolicy);
  const claimed = await claimNumbers(db, write.id, after.numbers, after.shown, context.newId);
  refuseHeldByAnother(write.after, claimed.numbers);
  const gained = await gainStatements(write.id, claimed.waiting, context);
  if (!claimed.known && gained.length === 0) return undefined;
  return completeStatus(write.id, (list) => [...list.filter((one) => !lost.has(one.id)), ...gained], context, nonePolicy);
}

/** An inactive or replaced Patient: its numbers were given up, its assertions stay. */
async function keepWithout(patient: string, after: Standing, lost: ReadonlySet<string>, context: WriteContext, nonePolicy: NonePolicy): Promise<JsonObject | undefined> {
  if (after.mode === 'forwarded') await forwardNumbers(context.tx.db, patient, after.numbers);
  const status = await completeStatus(patient, (list) => list.filter((one) => !lost.has(one.id)), context, nonePolicy);
  await context.tx.db.query({ ...SHOW_UNHELD, values: [patient, after.shown ?? null] });
  return status;
}

/** Frees the numbers this version does not hold any more; the statements that came by them wait for whoever has the number. */
async function loseNumbers(patient: string, before: Standing, after: Standing, context: WriteContext): Promise<Set<string>> {
  const numbers = after.mode === 'free' ? before.numbers : before.numbers.filter((number) => !after.numbers.includes(number));
  if (numbers.length === 0 || before.mode === 'free') return new Set();
  const { db } = context.tx;
  await releaseNumbers(db, patient, numbers);
  const statements = await detachStatements(db, patient, numbers);
  if (statements.length > 0) await markWaiting(db, statements.map(({ number }) => number), true);
  for (const { id } of statements) await settleTask(id, 'requested', 'The patient it was matched to has given the NHS number up', context);
  return new Set(statements.map(({ id }) => id));
}

/** The statements that waited for these numbers, as assertions; their Tasks are done. */
async function gainStatements(patient: string, numbers: readonly string[], context: WriteContext): Promise<Assertion[]> {
  if (numbers.length === 0) return [];
  const statements = await attachStatements(context.tx.db, patient, numbers);
  await markWaiting(context.tx.db, numbers, false);
  const gained: Assertion[] = [];
  for (const { id, received, claim } of statements) {
    const stored = await context.tx.lock('Observation', id);
    if (stored?.text == null) continue;
    const statement = JSON.parse(stored.text) as Resource;
    gained.push(assertionOf(statement, claim ?? claimOf(statement, HOME_OFFICE), received));
    await settleTask(id, 'completed', 'A patient with this NHS number has come', context);
  }
  return gained;
}

function refuseHeldByAnother(patient: Resource | undefined, claimed: readonly string[]): void {
  const held = nhsNumbersOf(patient).find(({ value }) => value !== undefined && !claimed.includes(value));
  if (!held) return;
  throw fail('duplicate', {
    text: 'Another patient record holds this NHS number: use that record, or have it marked as inactive or replaced first',
    expression: `Patient.identifier[${held.index}].value`,
  });
}

/** A deleted Patient gives its numbers up; one that was replaced goes on leading to its survivor. */
async function forget(write: Write, context: WriteContext, nonePolicy: NonePolicy): Promise<void> {
  const before = standingOf(write.before);
  if (before.survivor === undefined) {
    const lost = await loseNumbers(write.id, before, standingOf(undefined), context);
    if (lost.size > 0) await completeStatus(write.id, (list) => list.filter((one) => !lost.has(one.id)), context, nonePolicy);
  }
  await context.tx.db.query({ ...DELETED, values: [write.id] });
}
