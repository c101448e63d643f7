// A directory as a CSV file: one row for each entry, and one more for each further price of it. What the file says nothing of stays as it is.
import { poundsText, toPence } from '../../fhir/decimal.js';
import { isDate } from '../../fhir/date-time.js';
import { asObject, asObjects, asText, identifierOf } from '../../fhir/elements.js';
import type { JsonObject, Resource } from '../../fhir/resource.js';
import { ODS_CODE } from '../../fhir/ods-code.js';
import { BASE, DIRECTORY, PRICE } from '../codes.js';
import { pricesOf, providerOf } from './directory.js';
import { moneyOf } from '../ledger/money.js';

/**
 * code: what the directory calls the entry, kept as its identifier; HealthcareService/[id] for one that has none. category: a code of
 * directory-category. type: words or system|code, several with `;`. provider: ODS code, or Organization/[id]. active: true or false.
 * location, area: Location/[id], several with `;`. price: pounds, for each unit, from and until: FHIR dates.
 */
export const COLUMNS = ['code', 'name', 'category', 'type', 'provider', 'active', 'comment', 'location', 'area', 'price', 'unit', 'from', 'until'] as const;
type Column = (typeof COLUMNS)[number];
const NEEDED: readonly Column[] = ['code', 'name', 'category', 'provider'];
const OF_PRICE: ReadonlySet<Column> = new Set(['price', 'unit', 'from', 'until']);

export const ENTRY_CODE = `${BASE}/Id/directory-entry`;
const CATEGORY = `${BASE}/CodeSystem/directory-category`;

export type Cells = Readonly<Partial<Record<Column, string>>>;

/** An entry as the file has it; cells by column, those of columns that the file has not left out. */
export interface CsvEntry {
  readonly line: number;
  readonly code: string;
  readonly cells: Cells;
  /** Rows of prices, with their lines; undefined where the file has no column price. */
  readonly prices: readonly { readonly line: number; readonly cells: Cells }[] | undefined;
}

export interface LineFault {
  readonly line: number;
  readonly text: string;
}

/** The columns of a file by its first row; throws words about those that are unknown, twice there, or missing. */
export function readHead(head: readonly string[]): readonly Column[] {
  const names = head.map((name) => name.trim().toLowerCase());
  const unknown = names.find((name) => !COLUMNS.some((column) => column === name));
  if (unknown !== undefined) throw new Error(`There is no column "${unknown}": the columns are ${COLUMNS.join(',')}`);
  const missing = NEEDED.filter((column) => !names.includes(column));
  if (missing.length > 0) throw new Error(`The file has no column ${missing.join(' and no column ')}: its first row names the columns`);
  if (new Set(names).size < names.length) throw new Error('A column is there twice');
  return names as Column[];
}

/** Rows to entries: a further row of the same code adds a price. */
export function readEntries(columns: readonly Column[], rows: readonly { readonly line: number; readonly cells: readonly string[] }[]): { readonly entries: readonly CsvEntry[]; readonly faults: readonly LineFault[] } {
  const entries: CsvEntry[] = [];
  const faults: LineFault[] = [];
  const lines = new Map<string, number>();
  const priced = columns.includes('price');
  for (const { line, cells: texts } of rows) {
    if (texts.length !== columns.length) {
      faults.push({ line, text: `The row has ${texts.length} cells, and the first row ${columns.length}` });
      continue;
    }
    const cells: Cells = Object.fromEntries(columns.map((column, index) => [column, shown(texts[index] ?? '')]));
    const code = cells.code ?? '';
    const last = entries.at(-1);
    if (code === '') faults.push({ line, text: 'code is empty' });
    else if (last?.code === code && addsPrice(cells, last)) entries[entries.length - 1] = { ...last, prices: [...(last.prices ?? []), { line, cells }] };
    else if (lines.has(code)) faults.push({ line, text: `The code ${code} is on line ${lines.get(code)} too` });
    else {
      lines.set(code, line);
      entries.push({ line, code, cells, prices: priced ? (cells.price === '' ? [] : [{ line, cells }]) : undefined });
    }
  }
  for (const entry of entries) faults.push(...faultsOf(entry));
  return { entries, faults };
}

const addsPrice = (cells: Cells, { cells: first }: CsvEntry): boolean =>
  cells.price !== undefined && cells.price !== '' && COLUMNS.every((column) => OF_PRICE.has(column) || column === 'code' || (cells[column] ?? '') === '' || cells[column] === first[column]);

/** A text that a spreadsheet would take for a formula was written with a quote before it. */
const shown = (text: string): string => (/^'[=+\-@\t\r]/.test(text) ? text.slice(1) : text).trim();

function faultsOf({ line, cells, prices }: CsvEntry): LineFault[] {
  const faults = NEEDED.filter((column) => (cells[column] ?? '') === '').map((column) => ({ line, text: `${column} is empty` }));
  if (!['', 'true', 'false', undefined].includes(cells.active)) faults.push({ line, text: `active is true or false, not "${cells.active}"` });
  for (const column of ['location', 'area'] as const) {
    const wrong = listOf(cells[column]).find((text) => !/^Location\/[A-Za-z0-9.-]{1,64}$/.test(text));
    if (wrong !== undefined) faults.push({ line, text: `${column} is Location/[id], not "${wrong}"` });
  }
  for (const price of prices ?? []) {
    const pence = toPence(price.cells.price ?? '');
    if (pence === undefined || pence < 0n) faults.push({ line: price.line, text: `price is pounds such as 49.99, not "${price.cells.price}"` });
    if ((price.cells.unit ?? '') === '') faults.push({ line: price.line, text: 'A price has a unit: item, hour, session, day, week, month or year' });
    for (const column of ['from', 'until'] as const) {
      const text = price.cells[column] ?? '';
      if (text !== '' && !isDate(text)) faults.push({ line: price.line, text: `${column} is a date such as 2026-11-21, not "${text}"` });
    }
  }
  return faults;
}

const listOf = (cell: string | undefined): string[] => (cell ?? '').split(';').map((text) => text.trim()).filter((text) => text !== '');

/** The HealthcareService that the entry says, made of the one that is there where there is one. `provider` is a reference. */
export function serviceOf(entry: CsvEntry, directory: string, provider: string, known: Resource | undefined): Resource {
  const { cells, code } = entry;
  const before = known ? cellsOf(known) : undefined;
  // What reads the same is the same, whatever more of it is stored: a display, say.
  const member = (column: Column, name: string, value: unknown): Readonly<Record<string, unknown>> =>
    cells[column] === undefined || (before && before[column] === cells[column]) ? {} : { [name]: value };
  const references = (column: Column): unknown => orNothing(listOf(cells[column]).map((reference) => ({ reference })));
  // Members that are undefined are dropped when it is written.
  return {
    ...(known ?? { resourceType: 'HealthcareService', identifier: [{ system: ENTRY_CODE, value: code }], active: true }),
    ...member('name', 'name', cells.name),
    ...member('category', 'category', [{ coding: [{ system: CATEGORY, code: cells.category }] }]),
    ...member('type', 'type', orNothing(listOf(cells.type).map(conceptOf))),
    ...(known && `Organization/${providerOf(known)}` === provider ? {} : { providedBy: { reference: provider } }),
    ...(cells.active ? member('active', 'active', cells.active === 'true') : {}),
    ...member('comment', 'comment', cells.comment === '' ? undefined : cells.comment),
    ...member('location', 'location', references('location')),
    ...member('area', 'coverageArea', references('area')),
    extension: extensionsOf(entry, directory, known),
  } as unknown as Resource;
}

const orNothing = (list: readonly unknown[]): readonly unknown[] | undefined => (list.length === 0 ? undefined : list);

function conceptOf(text: string): object {
  const [system = '', code, ...rest] = text.split('|');
  return code === undefined || rest.length > 0 ? { text } : { coding: [{ ...(system !== '' && { system }), code }] };
}

function extensionsOf({ prices }: CsvEntry, directory: string, known: Resource | undefined): readonly unknown[] {
  const before = asObjects(known?.['extension']);
  const listed = before.some((one) => one['url'] === DIRECTORY && asObject(one['valueReference'])?.['reference'] === directory);
  const link = listed ? [] : [{ url: DIRECTORY, valueReference: { reference: directory } }];
  if (prices === undefined || (known && samePrices(prices.map(({ cells }) => cells), known))) return [...before, ...link];
  return [...before.filter(({ url }) => url !== PRICE), ...link, ...prices.map(({ cells }) => priceOf(cells))];
}

function priceOf({ price = '', unit, from = '', until = '' }: Cells): object {
  const period = { ...(from !== '' && { start: from }), ...(until !== '' && { end: until }) };
  return {
    url: PRICE,
    extension: [
      { url: 'amount', valueMoney: moneyOf(toPence(price) ?? 0n) }, { url: 'unit', valueCode: unit },
      ...(from === '' && until === '' ? [] : [{ url: 'effectivePeriod', valuePeriod: period }]),
    ],
  };
}

const priceText = ({ price = '', unit = '', from = '', until = '' }: Cells): string => `${toPence(price)} ${unit} ${from} ${until}`;
const samePrices = (prices: readonly Cells[], known: Resource): boolean => prices.map(priceText).join() === priceCells(known).map(priceText).join();

function priceCells(service: Resource): Cells[] {
  return pricesOf(service).map(({ amount, unit = '', start = '', end = '' }) => {
    const value = amount?.['value'];
    const pence = typeof value === 'number' ? toPence(String(value)) : undefined;
    return { price: pence === undefined ? '' : poundsText(pence), unit, from: start, until: end };
  });
}

/** An entry's own code; where it has none, HealthcareService/[id]. */
export const codeOf = (service: Resource): string =>
  asObjects(service['identifier']).map(identifierOf).find(({ system }) => system === ENTRY_CODE)?.value ?? `HealthcareService/${service.id}`;

/** The entry's cells without its provider and prices. */
function cellsOf(service: Resource): Cells {
  const concepts = (member: string): string => asObjects(service[member]).map(conceptText).filter((text) => text !== '').join(';');
  const references = (member: string): string => asObjects(service[member]).flatMap(({ reference }) => asText(reference) ?? []).join(';');
  const [category] = asObjects(service['category']);
  const codings = asObjects(category?.['coding']).filter(({ system }) => system === CATEGORY);
  return {
    code: codeOf(service), name: asText(service['name']) ?? '', category: asText(codings[0]?.['code']) ?? '', type: concepts('type'),
    active: String(service['active'] === true), comment: asText(service['comment']) ?? '', location: references('location'), area: references('coverageArea'),
  };
}

function conceptText(concept: JsonObject): string {
  const [coding] = asObjects(concept['coding']);
  return coding ? `${asText(coding['system']) ?? ''}|${asText(coding['code']) ?? ''}` : (asText(concept['text']) ?? '');
}

/** The rows of an entry, in the order of COLUMNS; `provider` as the file shall say it. */
export function rowsOf(service: Resource, provider: string): readonly (readonly string[])[] {
  const [first = {}, ...more] = priceCells(service);
  const whole: Cells = { ...cellsOf(service), provider, ...first };
  return [whole, ...more.map((cells) => ({ code: whole.code ?? '', ...cells }))].map((cells: Cells) => COLUMNS.map((column) => cells[column] ?? ''));
}

/** The ODS code of an Organization, or its reference where it has none. */
export const providerText = (organization: Resource): string =>
  asObjects(organization['identifier']).map(identifierOf).find(({ system }) => system === ODS_CODE)?.value ?? `Organization/${organization.id}`;
