// References by criteria (`Patient?identifier=…`). R4 asks for them in transactions; here every write resolves them: one that was stored as it
// is would lead nowhere. https://hl7.org/fhir/R4/http.html#trules
import { fail } from '../fhir/errors.js';
import type { JsonDocument } from '../fhir/json-text.js';
import type { Context } from './context.js';
import { matchOne } from './match.js';
import { conditionalReferences, resolveReferences } from './references.js';

/** What the reference is stored as; undefined where its criteria match nothing that the caller sees. 412 where they match several. */
export async function targetByCriteria(reference: string, context: Context): Promise<string | undefined> {
  const type = reference.slice(0, reference.indexOf('?'));
  if (!context.parts.definitions.resourceTypes.includes(type)) throw fail('unknown-type', { text: `There is no resource type ${type}` });
  const found = await matchOne(type, reference, context);
  return found && `${type}/${found.id}`;
}

/** The text is looked at first: hardly any write has one. */
const CONDITIONAL = /"reference"\s*:\s*"[A-Z][A-Za-z]+\?/;

/** As that, or with an escape that may hide one. */
const MAY_BE_CONDITIONAL = /"reference"\s*:\s*"[A-Z][A-Za-z]+\?|\\u/;

/** False where no reference of the document can be one by criteria. */
export const mayNameByCriteria = (document: JsonDocument | undefined): boolean =>
  document !== undefined && MAY_BE_CONDITIONAL.test(document.text.slice(document.start, document.end));

type WithTargets<T> = T & { readonly resolved: Resolved };
type Resolved = ReturnType<typeof resolveReferences>;

/** A write as asked for; an entry of a transaction names its place there, and has its references resolved already. */
interface Sent {
  readonly document?: JsonDocument;
  readonly within?: string;
}

export const isUnresolved = ({ document, within }: Sent): boolean =>
  document !== undefined && within === undefined && CONDITIONAL.test(document.text.slice(document.start, document.end));

/** The writes with their conditional references resolved. 412 where one matches nothing, or several. */
export async function withTargets<T extends Sent>(asked: readonly T[], context: Context): Promise<readonly (T | WithTargets<T>)[]> {
  const done: (T | WithTargets<T>)[] = [];
  for (const one of asked) done.push(isUnresolved(one) && one.document ? { ...one, resolved: await resolvedIn(one.document, context) } : one);
  return done;
}

async function resolvedIn(document: JsonDocument, context: Context): Promise<Resolved> {
  const targets = new Map<string, string>();
  for (const reference of conditionalReferences(document.value)) {
    const target = await targetByCriteria(reference, context);
    if (target === undefined) throw fail('no-match', { text: `The conditional reference ${reference.slice(0, reference.indexOf('?'))}?… matches nothing` });
    targets.set(reference, target);
  }
  return resolveReferences(document, (link) => targets.get(link));
}
