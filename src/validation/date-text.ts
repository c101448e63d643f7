// Whether a text is a FHIR date, dateTime, instant or time, with the real calendar; by character, since this runs on every write.
// https://hl7.org/fhir/R4/datatypes.html#dateTime

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;
const DASH = 45;
const COLON = 58;
const DOT = 46;

/** YYYY, YYYY-MM or YYYY-MM-DD. */
export function isDate(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0 && dateEnd(value) === value.length;
}

/** A date, or a full date with seconds and time zone. */
export function isDateTime(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  const end = dateEnd(value);
  return end > 0 && (end === value.length || (end === 10 && isZonedTime(value)));
}

/** A full date with seconds and time zone. */
export function isInstant(value: unknown): boolean {
  return typeof value === 'string' && dateEnd(value) === 10 && isZonedTime(value);
}

/** hh:mm:ss, with fractions, without zone. */
export function isTime(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0 && timeEnd(value, 0) === value.length;
}

/** Where the date at the start of the text ends: 4, 7 or 10; 0 where it is none. */
function dateEnd(text: string): number {
  const century = twoDigits(text, 0);
  const rest = twoDigits(text, 2);
  const year = century * 100 + rest;
  if (century < 0 || rest < 0 || year === 0) return 0;
  if (text.charCodeAt(4) !== DASH) return 4;
  const month = twoDigits(text, 5);
  if (month < 1 || month > 12) return 0;
  if (text.charCodeAt(7) !== DASH) return 7;
  const day = twoDigits(text, 8);
  if (day < 1 || day > (DAYS[month - 1] ?? 0) || (month === 2 && day === 29 && !isLeap(year))) return 0;
  return 10;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** `T10:30:00.5+01:00` from position 10 to the end. */
function isZonedTime(text: string): boolean {
  if (text.charCodeAt(10) !== 84) return false;
  const end = timeEnd(text, 11);
  if (end === 0) return false;
  const sign = text.charCodeAt(end);
  if (sign === 90) return end + 1 === text.length;
  return (sign === 43 || sign === DASH) && end + 6 === text.length && isOffset(text, end + 1);
}

/** 00:00 to 14:00, the largest there is. */
function isOffset(text: string, at: number): boolean {
  const hours = twoDigits(text, at);
  const minutes = twoDigits(text, at + 3);
  if (hours < 0 || minutes < 0 || text.charCodeAt(at + 2) !== COLON) return false;
  return hours < 14 ? minutes < 60 : hours === 14 && minutes === 0;
}

/** Where the time that starts at `at` ends; 0 where it is none. Second 60 is a leap second, which FHIR allows. */
function timeEnd(text: string, at: number): number {
  const hours = twoDigits(text, at);
  const minutes = twoDigits(text, at + 3);
  const seconds = twoDigits(text, at + 6);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 60) return 0;
  if (text.charCodeAt(at + 2) !== COLON || text.charCodeAt(at + 5) !== COLON) return 0;
  return text.charCodeAt(at + 8) === DOT ? digitsEnd(text, at + 9) : at + 8;
}

/** Where the digits that start at `at` end; 0 where there is none. */
function digitsEnd(text: string, at: number): number {
  let end = at;
  while (isDigit(text.charCodeAt(end))) end++;
  return end === at ? 0 : end;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** 0 to 99; -1 where there are no two digits. Past the end charCodeAt gives NaN, which is no digit. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at);
  const ones = text.charCodeAt(at + 1);
  return isDigit(tens) && isDigit(ones) ? (tens - 48) * 10 + ones - 48 : -1;
}
