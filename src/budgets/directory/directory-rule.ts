// What every write of a directory and of its entries meets, by POST, PUT, PATCH, DELETE or in a transaction (domain.md 2.1 E8, rulings 2, 15, 58).
import type { Definitions } from '../../definitions/model.js';
import { asText } from '../../fhir/elements.js';
import { fail } from '../../fhir/errors.js';
import { fault, refuse } from '../../fhir/faults.js';
import type { Issue } from '../../fhir/issue.js';
import type { JsonDocument } from '../../fhir/json-text.js';
import type { Resource } from '../../fhir/resource.js';
import type { WriteContext, WriteRule } from '../../store/rule.js';
import { directoriesOf, isDirectory, isEntry, keeperOf, namesKeeper, pricesOf, providerOf } from './directory.js';
import { readPence } from '../ledger/money.js';
import { referred, speaksFor } from '../referred.js';
import { referring } from '../referring.js';
import { forbiddenUpdate } from '../forbidden-update.js';

/** A List of code phb-directory. It goes only when it lists nothing. */
export function createDirectoryRule(definitions: Definitions): WriteRule {
  return {
    concerns: ({ before, after }) => isDirectory(before) || isDirectory(after),
    async check({ before, after, id }, context) {
      if (after && !isDirectory(after)) throw forbiddenUpdate('A directory stays one: keep its code phb-directory', 'List.code');
      if (namesKeeper(after) && (!before || keeperOf(after) !== keeperOf(before))) await referred(`Organization/${keeperOf(after)}`, ['Organization'], 'List.extension', context);
      if (!after && (await referring('HealthcareService', [['directory', `List/${id}`]], { definitions, reader: context.tx }, 1)).length > 0) {
        throw fail('still-needed', { text: 'The directory has entries: delete those first, or set its status to retired', expression: 'List' });
      }
    },
  };
}

/** A HealthcareService that names a directory. Purchases keep what they need of it, so it may go at any time. */
export function createEntryRule(): WriteRule {
  return {
    concerns: ({ before, after }) => isEntry(before) || isEntry(after),
    async check({ before, after, document, ifMatch }, context) {
      if (!after || !document) return;
      if (isEntry(before) && !isEntry(after)) throw forbiddenUpdate('An entry stays in a directory: delete it, or keep its ext-directory', 'HealthcareService.extension');
      if (before && context.act === undefined && (ifMatch === undefined || ifMatch === '*')) throw fail('if-match-required');
      await checkEntry(before, after, document, context);
    },
  };
}

/** Throws 422 with all that keeps this from being an entry. */
export async function checkEntry(before: Resource | undefined, after: Resource, document: JsonDocument, context: Pick<WriteContext, 'tx' | 'grant' | 'caller'>): Promise<void> {
  refuse(priceFaults(after, document));
  // One that is left out is the profile's to refuse; one that only has a display leads nowhere.
  if (after['providedBy'] !== undefined && (!before || providerOf(after) !== providerOf(before))) await referred(`Organization/${providerOf(after)}`, ['Organization'], 'HealthcareService.providedBy', context);
  const known = directoriesOf(before).map(({ reference }) => reference);
  for (const { reference, path } of directoriesOf(after).filter((one) => !known.includes(one.reference))) {
    const list = await referred(reference, ['List'], path, context);
    if (!isDirectory(list)) throw fail('business-rule', { text: `${reference} is no directory: its code is not phb-directory`, expression: path });
    if (list['status'] !== 'current') throw fail('business-rule', { text: `The directory ${reference} takes no more entries: it is ${asText(list['status'])}`, expression: path });
  }
}

function priceFaults(after: Resource, document: JsonDocument): Issue[] {
  const seen = new Set<string>();
  return pricesOf(after).flatMap(({ amount, path, unit, start }) => {
    const expression = `HealthcareService.${path}`;
    const faults: Issue[] = [];
    if (amount && readPence(document, amount, path) < 0n) faults.push(fault('business-rule', 'A price is not below zero', `${expression}.value`));
    if (seen.has(`${unit} ${start ?? ''}`)) faults.push(fault('business-rule', `Two prices by the ${unit} begin on the same day: keep one of them`, expression));
    seen.add(`${unit} ${start ?? ''}`);
    return faults;
  });
}

type Judged = Pick<WriteContext, 'tx' | 'grant' | 'caller'>;

/** Throws 403 unless this is an entry of the caller's own organisation, and stays one. */
export async function checkOwnEntry(before: Resource, after: Resource, judged: Judged): Promise<void> {
  const own = isEntry(before) && speaksFor(await referred(`Organization/${providerOf(before)}`, ['Organization'], 'HealthcareService.providedBy', judged), judged);
  if (!own || providerOf(after) !== providerOf(before)) throw fail('forbidden', { text: 'A provider proposes changes of its own entries in the directory, and of no others' });
  if (!isEntry(after)) throw forbiddenUpdate('An entry stays in a directory: keep its ext-directory', 'HealthcareService.extension');
}

/** Logical id of the Organization that keeps the first directory of the entry. */
export async function keeperOfEntry(entry: Resource, { tx, grant }: Judged): Promise<string | undefined> {
  const [, id = ''] = directoriesOf(entry)[0]?.reference?.split('/') ?? [];
  const found = await tx.read(grant, 'List', id);
  return found?.text == null ? undefined : keeperOf(JSON.parse(found.text) as Resource);
}
