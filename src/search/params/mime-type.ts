// MIME types: `contenttype:below=text/xml` finds text/xml with whatever parameters stand behind it, `:below=image` all images.
// https://hl7.org/fhir/R4/search.html#mimetype
import { unescape } from '../escape.js';
import type { TokenHasher } from '../token-hash.js';

/** The value set that elements which hold a MIME type are bound to. */
export const MIME_TYPES = 'http://hl7.org/fhir/ValueSet/mimetypes';

/** Keeps these tokens apart from all others of a parameter. */
const KIND = 'mime-type';

const WHOLE = /^([a-z0-9!#$&^_.+-]+)\/([a-z0-9!#$&^_.+-]+)[ \t]*(?:;|$)/;

/** What a value of a resource is below: `text/xml` and `text` for `text/xml; charset=UTF-8`. */
export function mimeTokens(hasher: TokenHasher, value: string): readonly bigint[] {
  const [, family, subtype] = WHOLE.exec(value.trim().toLowerCase()) ?? [];
  return family === undefined || subtype === undefined ? [] : [hasher.ofType('', KIND, family), hasher.ofType('', KIND, `${family}/${subtype}`)];
}

/** What `:below` asks for: a type, or all of a family (`image`, `image/`, `image/*`); and the very text, which is all that older rows have. */
export function mimeTokensAsked(hasher: TokenHasher, text: string): readonly bigint[] {
  const asked = unescape(text);
  return [hasher.ofType('', KIND, asked.trim().toLowerCase().replace(/\/\*?$/, '')), hasher.anySystem(asked)];
}
