// entitle-fhir directory: what budgets can buy, taken in from a CSV file and written to one, by the server's own front door.
import { createWriteStream, statSync } from 'node:fs';
import { once } from 'node:events';
import type { Config } from './config.js';
import { ODS_CODE } from './fhir/ods-code.js';
import { codeOf, COLUMNS, ENTRY_CODE, providerText, readEntries, readHead, rowsOf, serviceOf, type CsvEntry, type LineFault } from './budgets/directory/directory-csv.js';
import { asObject, asObjects, asText } from './fhir/elements.js';
import { csvLine } from './fhir/csv.js';
import { exactJson } from './fhir/exact-json.js';
import type { JsonObject, Resource } from './fhir/resource.js';
import { onServer, send, type Server, type ServerOptions } from './own-server.js';
import { startProgress } from './progress.js';
import { csvLines, type CsvRow } from './terminology/load/text-rows.js';

export interface DirectoryOptions extends ServerOptions {
  readonly file: string;
  /** `List/1`. */
  readonly directory: string;
}

export interface ImportOptions extends DirectoryOptions {
  /** All rows or none, in one transaction; else each entry for itself. */
  readonly allOrNothing?: boolean;
}

const ENTRIES = 100;
const PAGE = 500;
const JSON_TYPE = 'application/fhir+json';

/** Prints counts and the lines that were refused; throws where there is one. Entries that are as the file says are left alone. */
export async function importDirectory(config: Config, options: ImportOptions, print: (line: string) => void): Promise<void> {
  const { entries, faults } = await readFile(options.file);
  await onServer(config, options, async (server) => {
    await read(server, options.directory);
    const { changes, unchanged, refused } = await changesOf(server, entries, faults, options.directory);
    const wrong = [...faults, ...refused];
    const stopped = options.allOrNothing === true && wrong.length > 0;
    const made = stopped ? NOTHING : await sendAll(server, changes, options.allOrNothing === true);
    wrong.push(...made.faults);
    print(`created   ${made.created}\nchanged   ${made.changed}\nunchanged ${unchanged}\nrefused   ${new Set(wrong.map(({ line }) => line)).size}`);
    for (const { line, text } of wrong.sort((a, b) => a.line - b.line)) print(`line ${line}: ${text}`);
    if (wrong.length > 0) throw new Error(options.allOrNothing === true ? 'Nothing was imported: correct the lines above.' : 'Some lines were refused: correct them, and import the file again.');
  });
}

async function readFile(file: string): Promise<ReturnType<typeof readEntries>> {
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) throw new Error(`There is no file ${file}`);
  const rows: CsvRow[] = [];
  for await (const row of csvLines(file, { onBytes: () => undefined })) rows.push(row);
  const [head, ...rest] = rows;
  if (!head) throw new Error(`${file} is empty: its first row names the columns ${COLUMNS.join(',')}`);
  return readEntries(readHead(head.cells), rest);
}

interface Change {
  readonly line: number;
  readonly resource: Resource;
  readonly request: Readonly<Record<string, string>>;
}

/** What the file changes of the directory as it is. Entries with a fault are left out. */
async function changesOf(server: Server, entries: readonly CsvEntry[], faults: readonly LineFault[], directory: string): Promise<{ changes: Change[]; unchanged: number; refused: LineFault[] }> {
  const wrong = new Set(faults.map(({ line }) => line));
  const known = new Map((await entriesOf(server, directory)).map((service) => [codeOf(service), service]));
  const providers = new Map<string, string | undefined>();
  const changes: Change[] = [];
  const refused: LineFault[] = [];
  let unchanged = 0;
  for (const entry of entries.filter(({ line, prices = [] }) => !wrong.has(line) && !prices.some((price) => wrong.has(price.line)))) {
    const { line, code, cells: { provider = '' } } = entry;
    if (!providers.has(provider)) providers.set(provider, await findProvider(server, provider));
    const reference = providers.get(provider);
    const before = known.get(code);
    if (reference === undefined) refused.push({ line, text: `No one Organization has the ODS code ${provider}` });
    else if (!before && code.startsWith('HealthcareService/')) refused.push({ line, text: `There is no ${code} in ${directory}` });
    else {
      const resource = serviceOf(entry, directory, reference, before);
      if (before && exactJson(before) === exactJson(resource)) unchanged += 1;
      else changes.push({ line, resource, request: requestFor(code, before, directory) });
    }
  }
  return { changes, unchanged, refused };
}

function requestFor(code: string, before: Resource | undefined, directory: string): Readonly<Record<string, string>> {
  const version = asText(asObject(before?.['meta'])?.['versionId']);
  if (before && version !== undefined) return { method: 'PUT', url: `HealthcareService/${before.id}`, ifMatch: `W/"${version}"` };
  return { method: 'POST', url: 'HealthcareService', ifNoneExist: `directory=${directory}&identifier=${encodeURIComponent(`${ENTRY_CODE}|${code}`)}` };
}

/** `Organization/1`; undefined where there is none, or several. */
async function findProvider(server: Server, provider: string): Promise<string | undefined> {
  if (/^Organization\/[A-Za-z0-9.-]{1,64}$/.test(provider)) return provider;
  const found = asObjects((await read(server, `Organization?identifier=${encodeURIComponent(`${ODS_CODE}|${provider}`)}&_count=2`))['entry']);
  return found.length === 1 ? `Organization/${asText(asObject(found[0]?.['resource'])?.['id'])}` : undefined;
}

interface Made {
  readonly created: number;
  readonly changed: number;
  readonly faults: readonly LineFault[];
}
const NOTHING: Made = { created: 0, changed: 0, faults: [] };

async function sendAll(server: Server, changes: readonly Change[], together: boolean): Promise<Made> {
  const progress = startProgress('entries', changes.length);
  let made = NOTHING;
  const size = together ? Math.max(changes.length, 1) : ENTRIES;
  for (let start = 0; start < changes.length; start += size) {
    const some = changes.slice(start, start + size);
    const { created, changed, faults } = await sendBundle(server, some, together ? 'transaction' : 'batch');
    made = { created: made.created + created, changed: made.changed + changed, faults: [...made.faults, ...faults] };
    progress.add(some.length);
  }
  progress.end();
  return made;
}

async function sendBundle(server: Server, changes: readonly Change[], type: 'batch' | 'transaction'): Promise<Made> {
  const body = exactJson({ resourceType: 'Bundle', type, entry: changes.map(({ resource, request }) => ({ resource, request })) });
  const response = await send(server, 'POST', '', { type: JSON_TYPE, body });
  const answer = (await response.json()) as Resource;
  if (!response.ok) return { created: 0, changed: 0, faults: asObjects(answer['issue']).map((issue) => ({ line: lineIn(issue, changes), text: wordsOf(issue) })) };
  const responses = asObjects(answer['entry']).map((entry) => asObject(entry['response']) ?? {});
  const status = (one: JsonObject): string => asText(one['status'])?.slice(0, 3) ?? '';
  const refused = responses.flatMap((one, index) => (status(one).startsWith('2') ? [] : [{ line: changes[index]?.line ?? 0, text: asObjects(asObject(one['outcome'])?.['issue']).map(wordsOf).join('; ') || status(one) }]));
  const created = responses.filter((one) => status(one) === '201').length;
  return { created, changed: responses.length - refused.length - created, faults: refused };
}

const wordsOf = (issue: JsonObject): string => asText(asObject(issue['details'])?.['text']) ?? asText(issue['diagnostics']) ?? 'refused';

/** The refusal of a transaction names the entry: `Bundle.entry[3].resource`. */
function lineIn(issue: JsonObject, changes: readonly Change[]): number {
  const [place] = Array.isArray(issue['expression']) ? issue['expression'] : [];
  const index = /^Bundle\.entry\[(\d+)\]/.exec(asText(place) ?? '')?.[1];
  return changes[Number(index ?? 0)]?.line ?? 0;
}

/** Writes the whole directory, sorted by name; prints how many entries there are. */
export async function exportDirectory(config: Config, { file, directory, ...options }: DirectoryOptions, print: (line: string) => void): Promise<void> {
  await onServer(config, options, async (server) => {
    await read(server, directory);
    const services = await entriesOf(server, directory, '&_sort=name');
    const progress = startProgress('entries', services.length);
    const providers = new Map<string, string>();
    const out = createWriteStream(file);
    out.write(csvLine(COLUMNS));
    for (const service of services) {
      const reference = asText(asObject(service['providedBy'])?.['reference']) ?? '';
      if (!providers.has(reference)) providers.set(reference, providerText(await read(server, reference)));
      const text = rowsOf(service, providers.get(reference) ?? reference).map(csvLine).join('');
      if (!out.write(text)) await once(out, 'drain');
      progress.add(1);
    }
    out.end();
    await once(out, 'finish');
    progress.end();
    print(`${services.length} entries of ${directory} are in ${file}.`);
  });
}

async function entriesOf(server: Server, directory: string, more = ''): Promise<Resource[]> {
  const found: Resource[] = [];
  let path: string | undefined = `HealthcareService?directory=${directory}&_count=${PAGE}${more}`;
  while (path !== undefined) {
    const page = await read(server, path);
    found.push(...asObjects(page['entry']).flatMap((entry) => (asObject(entry['resource']) as Resource | undefined) ?? []));
    const next = asText(asObjects(page['link']).find(({ relation }) => relation === 'next')?.['url']);
    // Behind a proxy the server's own name of itself may not be the one that it was called by.
    path = next === undefined ? undefined : next.slice(next.lastIndexOf('/', next.indexOf('?')) + 1);
  }
  return found;
}

async function read(server: Server, path: string): Promise<Resource> {
  const response = await send(server, 'GET', path);
  const resource = (await response.json()) as Resource;
  if (!response.ok) throw new Error(`${path}: ${asObjects(resource['issue']).map(wordsOf).join('; ')}`);
  return resource;
}
