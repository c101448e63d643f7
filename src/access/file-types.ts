// Which files does this server keep? All, unless BINARY_TYPES says which media types; whatever road a Binary comes by.
import { asText } from '../fhir/elements.js';
import { fail } from '../fhir/errors.js';
import type { WriteRule } from '../store/rule.js';

/** `types`: media types in lower case, of which `image/*` stands for all of its kind. */
export function createFileTypesRule(types: readonly string[]): WriteRule {
  return {
    concerns: ({ type, kind }) => type === 'Binary' && kind !== 'delete',
    check({ after }) {
      const type = (asText(after?.['contentType']) ?? '').toLowerCase().split(';', 1)[0]?.trim() ?? '';
      if (types.includes(type) || types.includes(type.replace(/\/.*/, '/*'))) return Promise.resolve();
      return Promise.reject(fail('unsupported-media-type', { text: `Files of type ${type.slice(0, 80)} are not kept here: send ${types.join(', ')}`, expression: 'Binary.contentType' }));
    },
  };
}
