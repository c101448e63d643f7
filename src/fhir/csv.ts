// Tables as CSV text, safe to open in a spreadsheet. https://www.rfc-editor.org/rfc/rfc4180

/** A number as written, which needs no quotes and may begin with a minus. */
export interface CsvNumber {
  readonly written: string;
}

export type CsvCell = string | CsvNumber | undefined;

/** One line, with its end. */
export const csvLine = (cells: readonly CsvCell[]): string => `${cells.map(cellText).join(',')}\r\n`;

/** A spreadsheet would carry out a text that begins with one of these. */
const FORMULA = /^[=+\-@\t\r]/;
const NEEDS_QUOTES = /[",\r\n]/;

function cellText(cell: CsvCell): string {
  if (cell === undefined) return '';
  if (typeof cell !== 'string') return cell.written;
  const text = FORMULA.test(cell) ? `'${cell}` : cell;
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
