// Which patients is a text about? Found in the text itself, so that no road can forget to say.

const WORD = 'Patient';
/** `"resourceType":"Patient","id":"…"`: what stands after the word, as stored texts have it. */
const RESOURCE = '","id":"';
const LONGEST_ID = 64;

/** Adds the ids of `Patient/…` references and of Patients in JSON text. */
export function addPatients(text: string, found: Set<string>): void {
  // JSON may escape a slash, and what is stored keeps it as it was written.
  const plain = text.includes('\\/') ? text.replaceAll('\\/', '/') : text;
  let last = '';
  for (let at = plain.indexOf(WORD); at >= 0; at = plain.indexOf(WORD, at + WORD.length)) {
    const start = idStart(plain, at + WORD.length);
    const before = plain.charCodeAt(at - 1);
    // A quote or a slash before it: else it is the end of another word, or prose.
    if (start < 0 || (before !== 0x22 && before !== 0x2f && at > 0)) continue;
    // Most pages are about one patient.
    if (last !== '' && plain.startsWith(last, start) && !isIdCode(plain.charCodeAt(start + last.length))) continue;
    const end = idEnd(plain, start);
    if (end === start || end - start > LONGEST_ID) continue;
    last = plain.slice(start, end);
    if (!found.has(last)) found.add(apart(last));
  }
}

/** A slice holds on to the text that it was cut from, and ids wait for a while to be stored: of 500 pages 13 MB, of a day without the database all of memory. */
export const apart = (id: string): string => Buffer.from(id, 'latin1').toString('latin1');

/** The same as a list. */
export function patientsIn(text: string): string[] {
  const found = new Set<string>();
  addPatients(text, found);
  return [...found];
}

function idStart(text: string, after: number): number {
  if (text.charCodeAt(after) === 0x2f) return after + 1;
  return text.startsWith(RESOURCE, after) ? after + RESOURCE.length : -1;
}

function idEnd(text: string, start: number): number {
  let end = start;
  while (isIdCode(text.charCodeAt(end))) end += 1;
  return end;
}

/** A-Z, a-z, 0-9, - and .; NaN beyond the end. */
function isIdCode(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || code === 0x2d || code === 0x2e;
}

/** Those that search criteria name: `subject=Patient/1`, `patient=1`, `subject:Patient=1`. */
export function addPatientsOfQuery(query: readonly (readonly [name: string, value: string])[], found: Set<string>): void {
  for (const [name, value] of query) {
    if (value.includes(WORD)) addPatients(value, found);
    if (name === 'patient' || name.endsWith(':Patient')) {
      for (const id of value.split(',')) if (/^[A-Za-z0-9.-]{1,64}$/.test(id)) found.add(id);
    }
  }
}
