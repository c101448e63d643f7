// How a fault shows what it found and what is allowed: shortened, so that no message carries a patient's data back at length.

const LONGEST_SHOWN = 40;
const MOST_LISTED = 12;

/** `'femail'`, `17`, `an array`: at most `longest` characters of content. */
export function shown(value: unknown, longest = LONGEST_SHOWN): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') return 'an object';
  return value === '' ? 'an empty text' : `'${shortened(value, longest)}'`;
}

/** Cut without leaving half a character; control characters become spaces. */
function shortened(value: string, longest: number): string {
  const cut = value.length <= longest ? value : value.slice(0, longest - 1).replace(/[\ud800-\udbff]$/, '') + '…';
  // a message must stay on one line of a log
  return cut.replace(/\p{Cc}/gu, ' ');
}

/** `male | female | other | unknown`, the first dozen. */
export function listed(values: Iterable<string>, separator: string): string {
  const all = [...values];
  const first = all.slice(0, MOST_LISTED).join(separator);
  return all.length > MOST_LISTED ? `${first}${separator}… (${all.length} in all)` : first;
}

/** The name that was probably meant: the same but for case, or one slip away. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const lower = name.toLowerCase();
  for (const candidate of candidates) {
    if (isOneSlip(lower, candidate.toLowerCase())) return candidate;
  }
  return undefined;
}

/** Equal, or equal but for one character put in, left out or changed, or two neighbours swapped. */
function isOneSlip(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  if (i === a.length && i === b.length) return true;
  if (a.slice(i) === b.slice(i + 1) || a.slice(i + 1) === b.slice(i) || a.slice(i + 1) === b.slice(i + 1)) return true;
  return a[i] === b[i + 1] && a[i + 1] === b[i] && a.slice(i + 2) === b.slice(i + 2);
}
