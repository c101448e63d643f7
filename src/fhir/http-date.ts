// Dates in HTTP headers. https://www.rfc-editor.org/rfc/rfc9110#name-date-time-formats

let lastSecond = NaN;
let lastText = '';

/** `Sat, 21 Nov 2026 12:00:00 GMT`; milliseconds are cut off. The last second's text is kept. */
export function httpDate(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second !== lastSecond) {
    lastText = new Date(second * 1000).toUTCString();
    lastSecond = second;
  }
  return lastText;
}

const FORM = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT$/;
/** The two forms that a server must still understand: RFC 850's and asctime's. */
const OLD_FORMS = [
  /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, [0-9]{2}-[A-Z][a-z]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT$/,
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [0-9 ][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} [0-9]{4}$/,
] as const;

/** Milliseconds since the epoch; undefined for what is no HTTP date (such a header is to be ignored). */
export function parseHttpDate(text: string): number | undefined {
  if (!FORM.test(text) && !OLD_FORMS.some((form) => form.test(text))) return undefined;
  const ms = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isNaN(ms) ? undefined : ms;
}
