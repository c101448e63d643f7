// The records of a job's file, some at a time from any place: lines of NDJSON, or rows of CSV, whose quoted cells may hold line breaks.
// https://github.com/ndjson/ndjson-spec · https://www.rfc-editor.org/rfc/rfc4180
import { JobFault } from './job-runner.js';

export type FileFormat = 'csv' | 'ndjson';

export interface FileRecord {
  /** Of its first line, from 1. */
  readonly line: number;
  readonly text: string;
}

export interface RecordPage {
  /** Without those that are blank. */
  readonly records: readonly FileRecord[];
  /** Where the next page begins: place in the file and line. */
  readonly end: number;
  readonly line: number;
}

/** Gives the bytes from a place on, as many as are at hand; undefined behind the end. */
export type ReadBytes = (position: number) => Promise<Buffer | undefined>;

const LONGEST_RECORD = 1024 * 1024;
/** Bytes, about. */
const LARGEST_PAGE = 2 * 1024 * 1024;
const NEWLINE = 10;
const QUOTE = 34;

/** At most `most` records; undefined behind the end of the file. */
export async function readRecords(read: ReadBytes, format: FileFormat, from: { readonly position: number; readonly line: number }, most: number): Promise<RecordPage | undefined> {
  let bytes = await read(from.position);
  if (!bytes) return undefined;
  const records: FileRecord[] = [];
  let { line } = from;
  let start = 0;
  /** The first at or behind `start`; -1 where there is none. */
  let quote = firstQuote(bytes, 0, format);
  for (let seen = 0; seen < most; ) {
    if (quote >= 0 && quote < start) quote = bytes.indexOf(QUOTE, start);
    let stop = endOfRecord(bytes, start, quote);
    if (stop < 0) {
      if (start > LARGEST_PAGE) break;
      const more: Buffer | undefined = await read(from.position + bytes.length);
      if (more) {
        if (bytes.length - start > LONGEST_RECORD) throw new JobFault(`The record at line ${line} is longer than ${LONGEST_RECORD} bytes: is a quote left open?`);
        bytes = Buffer.concat([bytes, more]);
        quote = firstQuote(bytes, start, format);
        continue;
      }
      if (start >= bytes.length) break;
      stop = bytes.length;
    }
    const text = bytes.toString('utf8', start, stop);
    if (text.trim() !== '') records.push({ line, text });
    line += 1 + (format === 'csv' ? count(text, '\n') : 0);
    start = Math.min(stop + 1, bytes.length);
    seen += 1;
  }
  return start === 0 ? undefined : { records, end: from.position + start, line };
}

const firstQuote = (bytes: Buffer, start: number, format: FileFormat): number => (format === 'csv' ? bytes.indexOf(QUOTE, start) : -1);

/** The newline that ends the record, not one within quotes; -1 where it is not among these bytes. */
function endOfRecord(bytes: Buffer, start: number, firstQuoteAt: number): number {
  let newline = bytes.indexOf(NEWLINE, start);
  if (firstQuoteAt < 0) return newline;
  let quotes = 0;
  for (let quote = firstQuoteAt; newline >= 0; newline = bytes.indexOf(NEWLINE, newline + 1)) {
    for (; quote >= 0 && quote < newline; quote = bytes.indexOf(QUOTE, quote + 1)) quotes += 1;
    if (quotes % 2 === 0) return newline;
  }
  return -1;
}

const count = (text: string, sign: string): number => text.split(sign).length - 1;

/** The cells of one row, without blanks around them. Undefined where a quote is left open. */
export function cellsOf(row: string): string[] | undefined {
  const text = row.endsWith('\r') ? row.slice(0, -1) : row;
  if (!text.includes('"')) return text.split(',').map((cell) => cell.trim());
  const cells: string[] = [];
  for (let at = 0; at <= text.length; ) {
    const quoted = /^\s*"((?:[^"]|"")*)"\s*(?:,|$)/.exec(text.slice(at));
    const plain = quoted ?? /^([^",]*)(?:,|$)/.exec(text.slice(at));
    if (!plain) return undefined;
    cells.push(quoted ? (quoted[1] ?? '').replaceAll('""', '"') : (plain[1] ?? '').trim());
    at += plain[0].length;
    if (!plain[0].endsWith(',') && at >= text.length) break;
  }
  return cells;
}
