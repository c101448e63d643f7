// How names and words are made comparable: case, accents and the width of white space do not count.
// https://hl7.org/fhir/R4/search.html#string

/** Longest folded text that is indexed; a longer one is cut, in the index as in the query. */
const LONGEST = 256;

const PLAIN = /^[a-z0-9 .,'-]*$/;
const MARKS = /\p{M}+/gu;
const SPACES = /\s+/g;

/** NFD, marks stripped, lower case, white space collapsed, at most 256 characters. */
export function fold(text: string): string {
  const lower = text.toLowerCase();
  // Most text is plain and spaced as it should be: then there is nothing to replace.
  if (PLAIN.test(lower) && !lower.includes('  ')) return cut(lower.trim());
  return cut(lower.normalize('NFD').replace(MARKS, '').replace(SPACES, ' ').trim());
}

/** Not between the halves of a surrogate pair: PostgreSQL takes no half characters. */
function cut(text: string): string {
  if (text.length <= LONGEST) return text;
  const last = text.charCodeAt(LONGEST - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? LONGEST - 1 : LONGEST);
}
