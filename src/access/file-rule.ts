// Whose file is it, until something cites it? A Binary has no author, so its securityContext says: filled from the token where absent (domain.md ruling 22).
import type { Caller } from '../fhir/caller.js';
import { asObject, asObjects, asText } from '../fhir/elements.js';
import { fail } from '../fhir/errors.js';
import type { WriteRule } from '../store/rule.js';
import { SENDER, subscriberCode } from './subscriber.js';

function owner({ patient, relatedPerson, practitionerRole, role }: Caller): string | undefined {
  if (role === 'patient') return patient && `Patient/${patient}`;
  if (role === 'nominee') return relatedPerson && `RelatedPerson/${relatedPerson}`;
  return practitionerRole && `PractitionerRole/${practitionerRole}`;
}

export const fileRule: WriteRule = {
  concerns: ({ type, kind }) => type === 'Binary' && kind === 'create',
  complete({ after }, { caller, grant }) {
    // A feed is nobody around a budget, and no resource stands for it.
    if (grant.receiptsOnly && after?.['securityContext'] === undefined) return Promise.resolve({ securityContext: { identifier: { system: SENDER, value: subscriberCode(caller) } } });
    const reference = (grant.judges || caller.role === 'ovm') && after?.['securityContext'] === undefined ? owner(caller) : undefined;
    return Promise.resolve(reference === undefined ? undefined : { securityContext: { reference } });
  },
};

const FILE = /^Binary\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/.+)?$/;

/** What sees a document sees its files: so it may name only such as its author sees. A document of an Overseas Visitors Manager who names no author is theirs. */
export const documentRule: WriteRule = {
  concerns: ({ type, kind }) => type === 'DocumentReference' && kind !== 'delete',
  complete({ after }, { caller }) {
    const reference = caller.role === 'ovm' && after?.['author'] === undefined ? owner(caller) : undefined;
    return Promise.resolve(reference === undefined ? undefined : { author: [{ reference }] });
  },
  async check({ after }, { grant, tx }) {
    for (const [index, content] of asObjects(after?.['content']).entries()) {
      const [, id] = FILE.exec(asText(asObject(content['attachment'])?.['url']) ?? '') ?? [];
      if (id === undefined || (await tx.read(grant, 'Binary', id))) continue;
      throw fail('reference-not-found', { text: `There is no Binary/${id}`, expression: `DocumentReference.content[${index}].attachment.url` });
    }
  },
};
