// The documents behind a purchase: within the Claim, as Binary, or as DocumentReference; looked at when they come, and kept once money was
// paid on them (domain.md 2.1 E2, ruling 54).
import type { Definitions } from '../definitions/model.js';
import { asObject, asObjects, asText } from '../fhir/elements.js';
import { fail } from '../fhir/errors.js';
import type { JsonObject, Resource } from '../fhir/resource.js';
import type { Write, WriteContext, WriteRule } from '../store/rule.js';
import { checkEvidenceFile } from './evidence-file.js';
import { holdingsOf } from './holdings.js';
import { isPurchase } from './purchase.js';
import { referred } from './referred.js';
import { referring } from './referring.js';

/** A document that a purchase cites: the element that names it, or holds it. */
interface Cited {
  readonly value: JsonObject;
  readonly path: string;
  readonly attachment: boolean;
}

function citedIn(claim: Resource | undefined): Cited[] {
  return asObjects(claim?.['supportingInfo']).flatMap((info, index): Cited[] => {
    const path = `Claim.supportingInfo[${index}].value`;
    const attachment = asObject(info['valueAttachment']);
    if (attachment) return [{ value: attachment, path, attachment: true }];
    const reference = asObject(info['valueReference']);
    return reference && /^(DocumentReference|Binary)\//.test(asText(reference['reference']) ?? '') ? [{ value: reference, path, attachment: false }] : [];
  });
}

/** Throws 422 or 413 for a document that the version before has not, and that is none, not to be seen, or not allowed. */
export async function checkEvidence(before: Resource | undefined, after: Resource, context: WriteContext): Promise<void> {
  const known = new Set(citedIn(before).map(({ value }) => JSON.stringify(value)));
  for (const { value, path, attachment } of citedIn(after)) {
    if (known.has(JSON.stringify(value))) continue;
    if (attachment) await checkAttachment(value, path, context);
    else await checkReferred(asText(value['reference']) ?? '', path, context);
  }
}

async function checkAttachment(attachment: JsonObject, path: string, context: WriteContext): Promise<void> {
  const data = asText(attachment['data']);
  if (data !== undefined) {
    checkEvidenceFile(asText(attachment['contentType']), data, path);
    return;
  }
  const url = asText(attachment['url']);
  if (url?.startsWith('Binary/') !== true) throw fail('required', { text: 'Evidence is held here: send data, or POST a Binary first and send its url, Binary/[id]', expression: path });
  await checkReferred(url, path, context);
}

async function checkReferred(reference: string, path: string, context: WriteContext): Promise<void> {
  const found = await referred(reference, [reference.startsWith('Binary/') ? 'Binary' : 'DocumentReference'], path, context);
  if (found.resourceType === 'Binary') {
    checkEvidenceFile(asText(found['contentType']), asText(found['data']) ?? '', path);
    return;
  }
  // One that holds nothing tells of a document on paper.
  for (const content of asObjects(found['content'])) {
    const attachment = asObject(content['attachment']);
    if (attachment && (attachment['data'] !== undefined || attachment['url'] !== undefined)) await checkAttachment(attachment, path, context);
  }
}

/** Throws 409 where a purchase on which money was paid would lose a document. */
export function checkEvidenceKept(before: Resource, after: Resource): void {
  const kept = new Set(citedIn(after).map(({ value }) => JSON.stringify(value)));
  const lost = citedIn(before).find(({ value }) => !kept.has(JSON.stringify(value)));
  if (lost) throw fail('still-needed', { text: 'Money was paid on this evidence, so it stays: add to it', expression: 'Claim.supportingInfo' });
}

/** Keeps the documents themselves: none that a paid purchase cites is deleted, or changed in what it holds. */
export function createEvidenceRule(definitions: Definitions): WriteRule {
  return {
    concerns: ({ type, before, after }) => before !== undefined && (type === 'DocumentReference' || type === 'Binary') && contentOf(before) !== contentOf(after),
    async check({ type, id }: Write, { tx }) {
      for (const claim of await citing(`${type}/${id}`, definitions, tx)) {
        const held = await holdingsOf(tx.db, claim.id ?? '');
        if (held.some(({ paid }) => paid > 0n)) throw fail('still-needed', { text: 'Money was paid on this evidence, so it stays as it is', expression: type });
      }
    },
  };
}

const contentOf = (document: Resource | undefined): string => JSON.stringify([document?.['content'], document?.['contentType'], document?.['data']]);

/** The purchases that cite a document, outright or through a DocumentReference. */
async function citing(reference: string, definitions: Definitions, reader: WriteContext['tx']): Promise<readonly Resource[]> {
  const ask = { definitions, reader };
  const claims = await referring('Claim', [['evidence', reference]], ask);
  const documents = reference.startsWith('Binary/') ? await referring('DocumentReference', [['content', reference]], ask) : [];
  for (const { id } of documents) claims.push(...(await referring('Claim', [['evidence', `DocumentReference/${id}`]], ask)));
  return claims.filter(isPurchase);
}
