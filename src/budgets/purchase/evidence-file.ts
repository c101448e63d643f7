// A file that proves a purchase: what it says it is must be allowed, be what its first bytes are, and not be too large (domain.md ruling 54).
import { createHash } from 'node:crypto';
import { fail, type FhirError } from '../../fhir/errors.js';
import type { JsonObject } from '../../fhir/resource.js';

const MOST_BYTES = 10 * 1024 * 1024;
/** How much of a text is looked at. */
const LOOKED_AT = 65_536;

const startsWith = (...bytes: readonly number[]) => (head: Buffer): boolean => head.subarray(0, bytes.length).equals(Buffer.from(bytes));
const HEIC = new Set(['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'mif1', 'msf1']);
const isHeic = (head: Buffer): boolean => head.toString('latin1', 4, 8) === 'ftyp' && HEIC.has(head.toString('latin1', 8, 12));
/** Text has no byte that is nothing; its characters may be of any encoding. */
const isText = (head: Buffer): boolean => !head.includes(0);

const TYPES: Readonly<Record<string, (head: Buffer) => boolean>> = {
  'application/pdf': startsWith(0x25, 0x50, 0x44, 0x46, 0x2d),
  'image/jpeg': startsWith(0xff, 0xd8, 0xff),
  'image/png': startsWith(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
  'image/heic': isHeic,
  'text/csv': isText,
  'text/plain': isText,
};

/** `data` is base64. Throws 422 for another type, or bytes of another type; 413 for too many. `path` names the element, for the caller. */
export function checkEvidenceFile(contentType: string | undefined, data: string, path: string): void {
  const [type = ''] = (contentType ?? '').toLowerCase().split(';');
  const matches = TYPES[type.trim()];
  if (!matches) throw wrong(`Evidence is a file of type ${Object.keys(TYPES).join(', ')}: send contentType, and one of these`, `${path}.contentType`);
  if (bytesIn(data) > MOST_BYTES) throw fail('body-too-long', { text: `Evidence is at most 10 MiB, and this is ${bytesIn(data)} bytes: send it smaller`, expression: `${path}.data` });
  if (data === '') throw wrong('The file is empty', `${path}.data`);
  if (!matches(Buffer.from(data.slice(0, Math.ceil(LOOKED_AT / 3) * 4), 'base64'))) throw wrong(`The file is not what contentType says: ${type.trim()}`, `${path}.data`);
}

/** Throws 422 where an attachment describes another file than the one that it holds or names: by its type, size or hash (SHA-1). */
export function checkDescribed(attachment: JsonObject, file: JsonObject, path: string): void {
  const typeOf = ({ contentType }: JsonObject): string => (typeof contentType === 'string' ? contentType : '').toLowerCase().split(';')[0]?.trim() ?? '';
  const { size, hash, contentType } = attachment;
  const data = typeof file['data'] === 'string' ? file['data'] : '';
  if (contentType !== undefined && typeOf(attachment) !== typeOf(file)) throw wrong(`The file is ${typeOf(file)}: say so in contentType`, `${path}.contentType`);
  if (size !== undefined && size !== bytesIn(data)) throw wrong(`The file has ${bytesIn(data)} bytes: say so in size, or leave it out`, `${path}.size`);
  if (hash !== undefined && hash !== createHash('sha1').update(data, 'base64').digest('base64')) throw wrong('The file is not the one that hash, its SHA-1, was made of', `${path}.hash`);
}

/** Bytes that base64 text stands for; white space counts for nothing. */
function bytesIn(data: string): number {
  const text = /\s/.test(data) ? data.replace(/\s/g, '') : data;
  return Math.floor((text.length * 3) / 4) - (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0);
}

const wrong = (text: string, expression: string): FhirError => fail('invalid', { text, expression });
