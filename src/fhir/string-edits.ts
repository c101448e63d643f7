// The strings of a transaction's resources that point at other entries: found in the text, to be written anew.
// https://hl7.org/fhir/R4/http.html#trules
import { closingQuote, hashOf, keyHash, loadBytes, skipBlank } from './json-bytes.js';
import { unquote } from './json-walk.js';

/** New text for a string, by old text or by member name and old text; undefined leaves it as it is. */
export type StringEdits = ReadonlyMap<string, string> | ((name: string, old: string) => string | undefined);

/**
 * Members whose strings may be links to another entry: of the types Reference, uri and url, but for those that name vocabularies
 * (`system`, `type`, `code` …) and those of type canonical, which stay as they are. So do those of type oid and uuid: `Patient/1` is neither.
 */
const LINK_NAMES: ReadonlySet<string> = new Set([
  'reference', 'url', 'uri', 'valueUri', 'valueUrl', 'instantiatesUri', 'definitionUri', 'derivedFromUri', 'eventUri', 'sourceUri',
  'targetUri', 'policy', 'location', 'endpoint', 'address', 'issuer', 'authority', 'onlineInformation', 'implicitRules', 'nameUrl', 'authorizationUrl', 'div',
]);

export const isLinkName = (name: string): boolean => LINK_NAMES.has(name);

/** Most strings stand under other names: keys are told by their hash, and no string is made of them. */
const LINK_HASHES: ReadonlySet<number> = new Set([...LINK_NAMES].map(hashOf));
const hashesByNames = new WeakMap<ReadonlySet<string>, ReadonlySet<number>>();

function hashesFor(names: ReadonlySet<string> | undefined): ReadonlySet<number> {
  if (!names) return LINK_HASHES;
  const known = hashesByNames.get(names);
  if (known) return known;
  const hashes = new Set([...LINK_HASHES, ...[...names].map(hashOf)]);
  hashesByNames.set(names, hashes);
  return hashes;
}

/** One token of the text to be replaced. */
export interface TokenEdit {
  readonly start: number;
  readonly end: number;
  /** JSON text. */
  readonly text: string;
}

/** What changes in text[start, end), in order. `names` are further member names whose strings may be links. In narratives, href and src attributes are. */
export function findStringEdits(text: string, start: number, end: number, edits: StringEdits, names?: ReadonlySet<string>): TokenEdit[] {
  const found: TokenEdit[] = [];
  for (const { name, open, after } of findLinks(text, start, end, names)) {
    const token = text.slice(open, after);
    const edited = name === 'div' ? editNarrative(token, edits) : editLink(token, name, edits);
    if (edited !== undefined) found.push({ start: open, end: after, text: edited });
  }
  return found;
}

interface Link {
  readonly name: string;
  readonly open: number;
  readonly after: number;
}

/** The strings under the wanted names. A string is a key if a colon follows it; items of an array keep the array's. */
function findLinks(text: string, start: number, end: number, names: ReadonlySet<string> | undefined): Link[] {
  const links: Link[] = [];
  const hashes = hashesFor(names);
  const { source, view, length } = loadBytes(text, start, end);
  let keyStart = 0;
  let keyEnd = 0;
  for (let pos = 0; ; ) {
    const char = view.getUint8(pos);
    if (char <= 32) pos = skipBlank(view, pos + 1);
    else if (char !== 0x22) pos++;
    else if (pos >= length) return links;
    else {
      const open = pos;
      const after = closingQuote(view, open) + 1;
      pos = skipBlank(view, after);
      if (view.getUint8(pos) === 0x3a) {
        keyStart = open;
        keyEnd = after;
        continue;
      }
      if (!hashes.has(keyHash(view, keyStart + 1, keyEnd - 1)) && !hasEscape(view, keyStart, keyEnd)) continue;
      const name = unquote(source.slice(keyStart, keyEnd));
      if (LINK_NAMES.has(name) || names?.has(name)) links.push({ name, open: start + open, after: start + after });
    }
  }
}

function hasEscape(view: DataView, start: number, end: number): boolean {
  for (let pos = start; pos < end; pos++) if (view.getUint8(pos) === 0x5c) return true;
  return false;
}

function editLink(token: string, name: string, edits: StringEdits): string | undefined {
  const link = editOf(edits, name, unquote(token));
  return link === undefined ? undefined : JSON.stringify(link);
}

function editOf(edits: StringEdits, name: string, old: string): string | undefined {
  return typeof edits === 'function' ? edits(name, old) : edits.get(old);
}

/** An attribute inside a JSON string: its quotes are escaped (`href=\"…\"`) or single. */
const LINK_ATTRIBUTE = /\b(href|src)(\s*=\s*)(\\"|\\u0022|'|\\u0027)(.*?)\3/gs;

/** The token of a narrative with its links written anew; undefined where none is to be. */
function editNarrative(token: string, edits: StringEdits): string | undefined {
  if (!token.includes('href') && !token.includes('src')) return undefined;
  const edited = token.replace(LINK_ATTRIBUTE, (whole: string, name: string, equals: string, quote: string, value: string) => {
    const link = editOf(edits, name, fromXml(unquote(`"${value}"`)));
    if (link === undefined) return whole;
    return `${name}${equals}${quote}${JSON.stringify(toXml(link)).slice(1, -1)}${quote}`;
  });
  return edited === token ? undefined : edited;
}

function fromXml(text: string): string {
  return text.includes('&') ? text.replaceAll('&quot;', '"').replaceAll('&apos;', "'").replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&') : text;
}

function toXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;');
}
