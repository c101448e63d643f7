// Whose file is it, until something cites it? A Binary has no author, so its securityContext says; both are filled from the token where absent (domain.md ruling 22).
import type { Definitions } from '../definitions/model.js';
import { asObject, asObjects, asText } from '../fhir/elements.js';
import { fail } from '../fhir/errors.js';
import type { WriteContext, WriteRule } from '../store/rule.js';
import { ownReferences } from './own-references.js';
import { SENDER, subscriberCode } from './subscriber.js';

/** Whose rows hang on who they are. */
const ownsFiles = ({ grant, caller }: WriteContext): boolean => grant.judges || caller.role === 'ovm';

export function createFileRule(definitions: Definitions): WriteRule {
  return {
    concerns: ({ type, kind }) => type === 'Binary' && kind === 'create',
    async complete({ after }, context) {
      if (after?.['securityContext'] !== undefined) return undefined;
      // A feed is nobody around a budget, and no resource stands for it.
      if (context.grant.receiptsOnly) return { securityContext: { identifier: { system: SENDER, value: subscriberCode(context.caller) } } };
      const [reference] = ownsFiles(context) ? await ownReferences(definitions, context) : [];
      return reference === undefined ? undefined : { securityContext: { reference } };
    },
  };
}

const FILE = /^Binary\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/.+)?$/;

/** What sees a document sees its files: so it may name only such as its author sees. Of a third party the patient is not known here, so it says itself who wrote what. */
export function createDocumentRule(definitions: Definitions): WriteRule {
  return {
    concerns: ({ type, kind }) => type === 'DocumentReference' && kind !== 'delete',
    async complete({ after }, context) {
      if (after?.['author'] !== undefined || !ownsFiles(context) || context.caller.role === 'third-party') return undefined;
      const [reference] = await ownReferences(definitions, context);
      return reference === undefined ? undefined : { author: [{ reference }] };
    },
    async check({ after }, { grant, tx }) {
      for (const [index, content] of asObjects(after?.['content']).entries()) {
        const [, id] = FILE.exec(asText(asObject(content['attachment'])?.['url']) ?? '') ?? [];
        if (id === undefined || (await tx.read(grant, 'Binary', id))) continue;
        throw fail('reference-not-found', { text: `There is no Binary/${id}`, expression: `DocumentReference.content[${index}].attachment.url` });
      }
    },
  };
}
