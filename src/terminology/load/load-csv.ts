// A code system in a CSV file: code, display, and what more there is, one column each; parents and synonyms with | between.
import { basename } from 'node:path';
import type { Queryable } from '../../db/database.js';
import { isUniqueViolation } from '../../db/failure.js';
import { foldTerm, wordsIn } from '../text-filter.js';
import { intoTable } from './batches.js';
import { csvRows } from './text-rows.js';

const KNOWN = ['code', 'display', 'definition', 'parent', 'synonym', 'active'];
const NO = new Set(['0', 'false', 'no', 'n', 'inactive']);

type Line = Readonly<Record<string, string>>;

/** Columns that are not known are properties. Throws, naming the line, where a row is short or has no code, and where a code comes twice. */
export async function loadCsv(tx: Queryable, file: string, load: number, onBytes: (count: number) => void): Promise<void> {
  const concepts = intoTable(tx, 'fhir.concept', ['load bigint', 'active boolean', 'code text', 'display text', 'folded text', 'words tsvector', 'more text']);
  const parents = intoTable(tx, 'fhir.concept_parent', ['load bigint', 'child text', 'parent text'], 'on conflict do nothing');
  const properties = intoTable(tx, 'fhir.concept_property', ['load bigint', 'code text', 'property text', 'value text'], 'on conflict do nothing');
  try {
    for await (const line of linesOf(file, onBytes)) {
      const { code = '' } = line;
      await concepts.add(conceptRow(line, load));
      for (const parent of listIn(line['parent'])) await parents.add([load, code, parent]);
      for (const [property, value] of propertiesOf(line)) await properties.add([load, code, property, value]);
    }
    for (const batches of [concepts, parents, properties]) await batches.end();
  } catch (error) {
    if (isUniqueViolation(error)) throw new Error(`A code comes twice in ${basename(file)}; nothing was changed`, { cause: error });
    throw error;
  }
}

async function* linesOf(file: string, onBytes: (count: number) => void): AsyncGenerator<Line> {
  let header: readonly string[] | undefined;
  let number = 0;
  for await (const cells of csvRows(file, { onBytes })) {
    number += 1;
    if (!header) {
      header = cells.map((cell) => cell.trim());
      if (!header.includes('code') || !header.includes('display')) throw new Error(`The first line of ${basename(file)} must name the columns, code and display among them`);
      continue;
    }
    if (cells.length !== header.length) throw new Error(`Row ${number} of ${basename(file)} has ${cells.length} cells, the first has ${header.length}; nothing was changed`);
    const line = Object.fromEntries(header.map((name, index) => [name, cells[index]?.trim() ?? '']));
    if (line['code'] === '') throw new Error(`Row ${number} of ${basename(file)} has no code; nothing was changed`);
    yield line;
  }
}

function conceptRow(line: Line, load: number) {
  const { code = '', display = '', definition = '', active = '' } = line;
  const synonyms = listIn(line['synonym']);
  const folded = [display, ...synonyms].map(foldTerm).join(' | ');
  const property = propertiesOf(line).map(([name, valueString]) => ({ code: name, valueString }));
  const more = {
    ...(definition !== '' && { definition }),
    ...(synonyms.length > 0 && { designation: synonyms.map((value) => ({ value })) }),
    ...(property.length > 0 && { property }),
  };
  return [load, !NO.has(active.toLowerCase()), code, display === '' ? code : display, folded, wordsIn(folded).join(' '), Object.keys(more).length > 0 ? JSON.stringify(more) : null];
}

const propertiesOf = (line: Line): readonly (readonly [string, string])[] => Object.entries(line).filter(([name, value]) => !KNOWN.includes(name) && value !== '');

const listIn = (cell: string | undefined): string[] => (cell ?? '').split('|').map((one) => one.trim()).filter((one) => one !== '');
