// The lines of a budget as its Account lists them: what each must have, whatever road it came by (domain.md 2.1 E5, rulings 11 and 18).
import { referenceId } from '../../fhir/elements.js';
import { fault } from '../../fhir/faults.js';
import type { Issue } from '../../fhir/issue.js';
import type { JsonDocument } from '../../fhir/json-text.js';
import type { JsonObject, Resource } from '../../fhir/resource.js';
import { allocationsOf, amountPath, patientOf, type Allocation } from './account.js';
import { consenterFault, heldPerson, isUnderage, OWN_CONSENT_AGE } from './capacity.js';
import { ALLOCATION } from '../codes.js';
import { consentFault } from './consent.js';
import { readPence } from '../ledger/money.js';
import { referred } from '../referred.js';
import type { WriteContext } from '../../store/rule.js';

/** The extensions of the Account with an id for every line: those of `before` for lines that kept their place, new ones else. Undefined where nothing is to be set. */
export function withLineIds(after: Resource, before: Resource | undefined, newId: () => string): JsonObject[] | undefined {
  const { extension } = after;
  if (!Array.isArray(extension)) return undefined;
  const earlier = allocationsOf(before);
  const kept = new Set(allocationsOf(after).flatMap(({ lineId }) => lineId ?? []));
  const missing = new Map<number, string>();
  for (const [place, { index, lineId, model }] of allocationsOf(after).entries()) {
    if (lineId !== undefined && before !== undefined) continue;
    const same = earlier[place];
    const own = same?.lineId !== undefined && same.model === model && !kept.has(same.lineId) ? same.lineId : newId();
    missing.set(index, own);
  }
  if (missing.size === 0) return undefined;
  return (extension as JsonObject[]).map((item, index) => {
    const lineId = missing.get(index);
    return lineId === undefined ? item : named(item, lineId);
  });
}

function named(item: JsonObject, lineId: string): JsonObject {
  const others = Array.isArray(item['extension']) ? (item['extension'] as JsonObject[]).filter((part) => part['url'] !== 'lineId') : [];
  return { ...item, extension: [{ url: 'lineId', valueId: lineId }, ...others] };
}

/** Pence granted on each line, in order; throws 422 for what is no amount. */
export function amountsOf(account: Resource, document: JsonDocument): Map<string, bigint> {
  return new Map(allocationsOf(account).map((line) => [line.lineId ?? '', readPence(document, line.amount, writtenPath(line, account, document))]));
}

/** The document has no lineId where the server added one: its amount then stands one place earlier among the parts. */
function writtenPath(line: Allocation, account: Resource, document: JsonDocument): string {
  const [written] = allocationsOf({ ...document.value, resourceType: account.resourceType }).filter(({ index }) => index === line.index);
  return amountPath(written ?? line);
}

/** Lines that are not as they were: who holds the others was judged when they became so, perhaps by someone who could see more. */
function newLines(account: Resource, before: Resource | undefined): Allocation[] {
  const kept = new Set(allocationsOf(before).map(lineText));
  return allocationsOf(account).filter((line) => !kept.has(lineText(line)));
}

/** What each new line lacks, as 422s: holder and consent of a direct payment, holder of a third party's. */
export async function lineFaults(account: Resource, before: Resource | undefined, context: WriteContext): Promise<Issue[]> {
  const faults: Issue[] = [];
  for (const line of newLines(account, before)) {
    const at = `Account.extension[${line.index}]`;
    if (line.model === 'third-party') faults.push(...holderFaults(line, ['Organization'], at));
    if (line.model !== 'direct-payment') continue;
    faults.push(...holderFaults(line, ['Patient', 'RelatedPerson', 'Organization', 'PractitionerRole'], at));
    const patient = await heldPerson('Patient', patientOf(account), context);
    if (await isOfAnother(line.holder, patientOf(account), context)) faults.push(fault('business-rule', 'A direct payment is held by the patient of the budget, by a RelatedPerson of that patient, by an Organization or a PractitionerRole: name one of them as holder', at));
    if (line.holder?.startsWith('Patient/') && isUnderage(patient, context.now)) faults.push(fault('business-rule', `A child under ${OWN_CONSENT_AGE} holds no direct payment: name who does so for the child as holder`, at));
    if (line.consent === undefined) faults.push(fault('required', 'A direct payment needs the consent to it: send the part consent, a Reference(Consent)', at));
    else faults.push(...(await consentFaults(line.consent, patient, at, context)));
  }
  return faults;
}

function holderFaults({ holder, model }: Allocation, types: readonly string[], at: string): Issue[] {
  if (holder === undefined) return [fault('required', `A line of model ${model} names who holds it: send the part holder`, at)];
  if (types.includes(holder.split('/')[0] ?? '')) return [];
  return [fault('invalid', `The holder of a line of model ${model} is a reference to ${types.join(', ')}`, at)];
}

/** Another patient, or somebody who is related to another one. */
async function isOfAnother(holder: string | undefined, patient: string | undefined, context: WriteContext): Promise<boolean> {
  const [type, id] = holder?.split('/') ?? [];
  if (type === 'Patient') return id !== patient;
  const person = type === 'RelatedPerson' ? await heldPerson('RelatedPerson', id, context) : undefined;
  return person !== undefined && referenceId(person['patient'], 'Patient') !== patient;
}

async function consentFaults(reference: string, patient: Resource | undefined, at: string, context: WriteContext): Promise<Issue[]> {
  const consent = await referred(reference, ['Consent'], at, context);
  const text = consentFault(consent, patient?.id, context.now) ?? (patient && (await consenterFault(consent, patient, context)));
  return text === undefined ? [] : [fault('business-rule', `The consent to a direct payment ${text}`, at)];
}

/** Holders of new lines that are to be seen; throws 422 for one that is not. */
export async function checkHolders(account: Resource, before: Resource | undefined, context: WriteContext): Promise<void> {
  for (const { index, holder } of newLines(account, before)) {
    if (holder !== undefined) await referred(holder, [holder.split('/')[0] ?? ''], `Account.extension[${index}]`, context);
  }
}

/** A line without its amount and what may be changed freely: two that read the same are the same line. */
export const lineText = ({ lineId, model, holder, consent }: Allocation): string => JSON.stringify([lineId, model, holder, consent]);

export const isAllocation = (extension: JsonObject): boolean => extension['url'] === ALLOCATION;
