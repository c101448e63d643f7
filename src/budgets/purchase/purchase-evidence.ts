// The documents behind a purchase: within the Claim, as Binary, or as DocumentReference; looked at when they come, and kept once money was
// paid on them (domain.md 2.1 E2, ruling 54).
import type { Definitions } from '../../definitions/model.js';
import { asObject, asObjects, asText, referenceId } from '../../fhir/elements.js';
import { fail } from '../../fhir/errors.js';
import type { JsonObject, Resource } from '../../fhir/resource.js';
import type { Write, WriteContext, WriteRule } from '../../store/rule.js';
import { checkDescribed, checkEvidenceFile } from './evidence-file.js';
import { holdingsOf } from '../ledger/holdings.js';
import { claimant, isPurchase } from './purchase.js';
import { referred } from '../referred.js';
import { referring } from '../referring.js';

/** A document that a purchase cites: the element that names it, or holds it. */
interface Cited {
  readonly value: JsonObject;
  readonly path: string;
  readonly attachment: boolean;
}

const EVIDENCE_TYPES = /(^|\/)(DocumentReference|Binary)\//;

function citedIn(claim: Resource | undefined): Cited[] {
  return asObjects(claim?.['supportingInfo']).flatMap((info, index): Cited[] => {
    const path = `Claim.supportingInfo[${index}].value`;
    const attachment = asObject(info['valueAttachment']);
    if (attachment) return [{ value: attachment, path, attachment: true }];
    const reference = asObject(info['valueReference']);
    const target = asText(reference?.['reference']) ?? '';
    return reference && (target.startsWith('#') || EVIDENCE_TYPES.test(target)) ? [{ value: reference, path, attachment: false }] : [];
  });
}

/** Where documents are found, and the patient (logical id) whom they may be about. */
interface Looking {
  readonly claim: Resource;
  readonly patient: string | undefined;
  readonly seen: Pick<WriteContext, 'tx' | 'grant' | 'caller'>;
}

/** Throws 422 or 413 for a document that the version before has not, and that is none, not to be seen, or not allowed. */
export async function checkEvidence(before: Resource | undefined, after: Resource, context: WriteContext): Promise<void> {
  const looking = { claim: after, patient: claimant(after), seen: context };
  const known = new Set(citedIn(before).map(({ value }) => JSON.stringify(value)));
  const same = JSON.stringify(before?.['contained']) === JSON.stringify(after['contained']);
  for (const { value, path, attachment } of citedIn(after)) {
    if (known.has(JSON.stringify(value)) && same) continue;
    if (attachment) await checkAttachment(value, path, looking);
    else await checkReferred(asText(value['reference']) ?? '', path, looking);
  }
}

async function checkAttachment(attachment: JsonObject, path: string, looking: Looking): Promise<void> {
  const url = asText(attachment['url']);
  const file = attachment['data'] !== undefined ? attachment : url?.startsWith('Binary/') === true ? await found(url, path, looking) : undefined;
  if (!file) throw fail('required', { text: 'Evidence is held here: send data, or POST a Binary first and send its url, Binary/[id]', expression: path });
  checkEvidenceFile(asText(file['contentType']), asText(file['data']) ?? '', path);
  checkDescribed(attachment, file, path);
}

async function checkReferred(reference: string, path: string, looking: Looking): Promise<void> {
  if (reference.includes(':')) throw fail('required', { text: 'Evidence is held here: name it as DocumentReference/[id] or Binary/[id]', expression: path });
  await checkDocument(await found(reference, path, looking), path, looking);
}

async function found(reference: string, path: string, { claim, seen }: Looking): Promise<Resource> {
  if (!reference.startsWith('#')) return referred(reference, [reference.startsWith('Binary/') ? 'Binary' : 'DocumentReference'], path, seen);
  const contained = asObjects(claim['contained']).find(({ id }) => `#${asText(id) ?? ''}` === reference);
  return { ...contained, resourceType: asText(contained?.['resourceType']) ?? '' };
}

/** Anything else that a Claim contains is no document. */
async function checkDocument(document: Resource, path: string, looking: Looking): Promise<void> {
  if (document.resourceType === 'Binary') checkEvidenceFile(asText(document['contentType']), asText(document['data']) ?? '', path);
  if (document.resourceType !== 'DocumentReference') return;
  const about = referenceId(document['subject'], 'Patient');
  if (about !== undefined && about !== looking.patient) throw fail('business-rule', { text: 'The document is about another patient: evidence of a purchase is about whom it was made for', expression: path });
  // One that holds nothing tells of a document on paper.
  for (const content of asObjects(document['content'])) {
    const attachment = asObject(content['attachment']);
    if (attachment && (attachment['data'] !== undefined || attachment['url'] !== undefined)) await checkAttachment(attachment, path, looking);
  }
}

/** Throws 409 where a purchase on which money was paid would lose a document. */
export function checkEvidenceKept(before: Resource, after: Resource): void {
  const kept = new Set(citedIn(after).map(({ value }) => JSON.stringify(value)));
  const lost = citedIn(before).find(({ value }) => !kept.has(JSON.stringify(value)));
  if (lost) throw fail('still-needed', { text: 'Money was paid on this evidence, so it stays: add to it', expression: 'Claim.supportingInfo' });
}

/** Keeps the documents themselves: none that a paid purchase cites is deleted, or changed in what it holds; none that any cites becomes what may not be cited. */
export function createEvidenceRule(definitions: Definitions): WriteRule {
  return {
    concerns: ({ type, before, after }) => before !== undefined && (type === 'DocumentReference' || type === 'Binary') && contentOf(before) !== contentOf(after),
    async check({ type, id, after }: Write, context) {
      for (const claim of await citing(`${type}/${id}`, definitions, context.tx)) {
        const held = await holdingsOf(context.tx.db, claim.id ?? '');
        if (held.some(({ paid }) => paid > 0n)) throw fail('still-needed', { text: 'Money was paid on this evidence, so it stays as it is', expression: type });
        if (after) await checkDocument(after, type, { claim, patient: claimant(claim), seen: context });
      }
    },
  };
}

const contentOf = (document: Resource | undefined): string => JSON.stringify([document?.['content'], document?.['contentType'], document?.['data'], document?.['subject'], document?.['status'] === 'entered-in-error']);

/** The purchases that cite a document, outright or through a DocumentReference. */
async function citing(reference: string, definitions: Definitions, reader: WriteContext['tx']): Promise<readonly Resource[]> {
  const ask = { definitions, reader };
  const claims = await referring('Claim', [['evidence', reference]], ask);
  const documents = reference.startsWith('Binary/') ? await referring('DocumentReference', [['content', reference]], ask) : [];
  for (const { id } of documents) claims.push(...(await referring('Claim', [['evidence', `DocumentReference/${id}`]], ask)));
  return claims.filter(isPurchase);
}
