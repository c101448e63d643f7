// Versions as entity tags: `W/"3"`. https://hl7.org/fhir/R4/http.html#versioning

export function etag(version: number | string): string {
  return `W/"${version}"`;
}

const TAG = /^(?:(?:W\/)?"([1-9][0-9]{0,14})"|([1-9][0-9]{0,14}))$/;

/** The version that an If-Match names: `W/"3"`, `"3"` or `3`. Undefined for anything else. */
export function versionOf(header: string): number | undefined {
  const match = TAG.exec(header.trim());
  const digits = match?.[1] ?? match?.[2];
  return digits === undefined ? undefined : Number(digits);
}

const ONE = '(?:(?:W/)?"[\\x21\\x23-\\x7e\\x80-\\xff]*"|[1-9][0-9]{0,14})';
const LIST = new RegExp(`^[ \\t]*(?:\\*|${ONE}(?:[ \\t]*,[ \\t]*${ONE})*)[ \\t]*$`);

/** Is it a list of entity tags, a bare version, or `*`? Tags that no version has are tags, too. https://www.rfc-editor.org/rfc/rfc9110#name-etag */
export function areTags(header: string): boolean {
  return LIST.test(header);
}

/** Does a list of tags, or `*`, name this version? Tags of another form name none. */
export function namesVersion(header: string, version: number): boolean {
  if (header === etag(version)) return true;
  return header.trim() === '*' || header.split(',').some((tag) => versionOf(tag) === version);
}

/** Does a list of tags, or `*`, name one of another form than versions have? Compared weakly, as If-None-Match is. */
export function namesTag(header: string, tag: string): boolean {
  return header.trim() === '*' || header.split(',').some((one) => one.trim().replace(/^W\//, '') === `"${tag}"`);
}
