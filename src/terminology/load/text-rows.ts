// The rows of a text file, one after another: tab-separated as RF2 has them, or CSV with quotes. https://www.rfc-editor.org/rfc/rfc4180
import { createReadStream } from 'node:fs';

export interface RowsOptions {
  /** Told how many bytes more have been read. */
  readonly onBytes: (count: number) => void;
}

/** RF2: no quotes, no escapes, lines end in CR LF. */
export async function* tabRows(file: string, options: RowsOptions): AsyncGenerator<readonly string[]> {
  let rest = '';
  for await (const chunk of chunks(file, options)) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield cells(line);
  }
  if (rest !== '') yield cells(rest);
}

const cells = (line: string): string[] => (line.endsWith('\r') ? line.slice(0, -1) : line).split('\t');

export interface CsvRow {
  /** Of the file, from 1: where the row begins. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** A quoted cell may hold commas, quotes written twice, and line breaks. Empty lines are left out. Throws for a quote that nothing ends. */
export async function* csvRows(file: string, options: RowsOptions): AsyncGenerator<readonly string[]> {
  for await (const { cells } of csvLines(file, options)) yield cells;
}

/** The same, with the line that each row begins on. */
export async function* csvLines(file: string, options: RowsOptions): AsyncGenerator<CsvRow> {
  const reader = csvReader();
  for await (const chunk of chunks(file, options)) yield* reader.take(chunk);
  yield* reader.end();
}

async function* chunks(file: string, { onBytes }: RowsOptions): AsyncGenerator<string> {
  const stream = createReadStream(file, { encoding: 'utf8', highWaterMark: 1 << 18 });
  let read = 0;
  for await (const chunk of stream) {
    const text = chunk as string;
    onBytes(stream.bytesRead - read);
    yield read === 0 && text.startsWith('\uFEFF') ? text.slice(1) : text;
    read = stream.bytesRead;
  }
}

interface CsvReader {
  take(text: string): readonly CsvRow[];
  end(): readonly CsvRow[];
}

function csvReader(): CsvReader {
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  /** A quote inside quotes: it ends them, or is the first of two. */
  let pending = false;
  let line = 1;
  let begun = 1;
  const endCell = (): void => {
    row.push(cell);
    cell = '';
  };
  const endRow = (into: CsvRow[]): void => {
    endCell();
    if (row.length > 1 || row[0] !== '') into.push({ line: begun, cells: row });
    row = [];
    begun = line;
  };
  const take = (text: string): readonly CsvRow[] => {
    const rows: CsvRow[] = [];
    for (const sign of text) {
      if (sign === '\n') line += 1;
      if (pending) {
        pending = false;
        if (sign === '"') {
          cell += sign;
          continue;
        }
        quoted = false;
      }
      if (quoted) {
        if (sign === '"') pending = true;
        else cell += sign;
      } else if (sign === '"' && cell === '') quoted = true;
      else if (sign === ',') endCell();
      else if (sign === '\n') endRow(rows);
      else if (sign !== '\r') cell += sign;
    }
    return rows;
  };
  return {
    take,
    end: () => {
      if (quoted && !pending) throw new Error('The file ends within quotes: one of them is never closed');
      const rows: CsvRow[] = [];
      if (cell !== '' || row.length > 0) endRow(rows);
      return rows;
    },
  };
}
