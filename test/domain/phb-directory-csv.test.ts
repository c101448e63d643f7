// The directory as a file: entitle-fhir directory import and export. What is exported is imported without a change; a row that is refused is
// named by its line (issue: import and export as CSV).
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '../../src/config.js';
import { exportDirectory, importDirectory } from '../../src/directory-file.js';
import { scratchDirectory } from '../scratch.js';
import { startServer, type TestServer } from '../server.js';
import { organization } from './budgets.js';
import { directory, entry } from './directories.js';
import { coded, put } from './world.js';

let folder: string;
const HEAD = 'code,name,category,type,provider,active,comment,location,area,price,unit,from,until';

let server: TestServer;
let owner: string;
let list: string;
beforeAll(async () => {
  server = await startServer();
  folder = mkdtempSync(join(scratchDirectory(), 'entitle-directory-'));
  owner = await organization(server, 'QWE');
  await organization(server, 'SHOP1', 'provider');
});
beforeEach(async () => { list = await directory(server, owner); });
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

interface Run {
  readonly printed: string;
  readonly failure: string | undefined;
}
async function importing(lines: readonly string[], rest: object = {}): Promise<Run> {
  const file = `${folder}/in.csv`;
  writeFileSync(file, lines.join('\r\n'));
  const printed: string[] = [];
  const failure = await importDirectory(readConfig({}), { file, directory: `List/${list}`, url: server.base, token: server.tokens.admin, ...rest }, (line) => { printed.push(line); }).then(() => undefined, (error: unknown) => (error as Error).message);
  return { printed: printed.join('\n'), failure };
}
async function exporting(): Promise<string> {
  const file = `${folder}/out.csv`;
  await exportDirectory(readConfig({}), { file, directory: `List/${list}`, url: server.base, token: server.tokens.admin }, () => undefined);
  return readFileSync(file, 'utf8');
}
const counts = (created: number, changed: number, unchanged: number, refused: number): string => `created   ${created}\nchanged   ${changed}\nunchanged ${unchanged}\nrefused   ${refused}`;
const entries = async (): Promise<any[]> => ((await server.send('GET', `HealthcareService?directory=List/${list}&_sort=name&_count=500`, { token: server.tokens.admin })).body.entry ?? []).map(({ resource }: any) => resource);

const CHAIR = 'C1,Riser recliner chair,equipment,,SHOP1,true,"Stands up, ""gently""",,,649.99,item,2026-01-01,2026-06-30';
const ROWS = [HEAD, CHAIR, 'C1,,,,,,,,,699.00,item,2026-07-01,', 'C2,=SUM yoga,activity,Yoga;http://snomed.info/sct|229224000,SHOP1,,,,,12.5,session,,', 'C3,Walking frame,equipment,,SHOP1,false,,,,,,,'];

test('makes entries with their prices, and leaves them alone the second time', async () => {
  expect(await importing(ROWS)).toEqual({ printed: counts(3, 0, 0, 0), failure: undefined });
  const [yoga, chair, frame] = await entries();
  expect(chair).toMatchObject({ name: 'Riser recliner chair', active: true, comment: 'Stands up, "gently"', category: [{ coding: [{ code: 'equipment' }] }] });
  expect(chair.extension.filter(({ url }: any) => url.endsWith('ext-price')).map(({ extension: [amount] }: any) => amount.valueMoney)).toEqual([{ value: 649.99, currency: 'GBP' }, { value: 699, currency: 'GBP' }]);
  expect([yoga.name, yoga.type, frame.active]).toEqual(['=SUM yoga', [{ text: 'Yoga' }, { coding: [{ system: 'http://snomed.info/sct', code: '229224000' }] }], false]);
  expect(await importing(ROWS)).toEqual({ printed: counts(0, 0, 3, 0), failure: undefined });
  expect((await entries()).map(({ meta }) => meta.versionId)).toEqual(['1', '1', '1']);
});

test('what is exported is imported without a change, also what was made by other clients', async () => {
  const shop = (await server.send('GET', 'Organization?identifier=SHOP1', { token: server.tokens.admin })).body.entry[0].resource.id;
  const hall = await put(server, { resourceType: 'Location', name: 'Hall' });
  await entry(server, { directory: list, provider: shop, name: 'Tai chi, -1 to +1', category: 'activity', price: 7.1, unit: 'hour', rest: { type: [coded('http://snomed.info/sct', '229224000')], location: [{ reference: `Location/${hall}`, display: 'The hall' }], specialty: [{ text: 'Balance' }] } });
  await importing(ROWS);
  const text = await exporting();
  const lines = text.trim().split('\r\n');
  expect(lines[0]).toBe(HEAD);
  expect(lines).toContain(CHAIR);
  expect(lines.find((line) => line.startsWith('C2'))).toBe("C2,'=SUM yoga,activity,Yoga;http://snomed.info/sct|229224000,SHOP1,true,,,,12.50,session,,");
  expect(text).toContain(`"Tai chi, -1 to +1",activity,http://snomed.info/sct|229224000,SHOP1,true,,Location/${hall},,7.10,hour,,`);
  expect(await importing(lines)).toEqual({ printed: counts(0, 0, 4, 0), failure: undefined });
  expect(await importing(lines.map((line) => line.replace('7.10', '7.20')))).toEqual({ printed: counts(0, 1, 3, 0), failure: undefined });
  const changed = (await entries()).find(({ name }) => name.startsWith('Tai'));
  expect(changed).toMatchObject({ specialty: [{ text: 'Balance' }], location: [{ display: 'The hall' }], meta: { versionId: '2' } });
});

test('columns that are left out, and what they stand for, are left alone', async () => {
  await importing(ROWS);
  expect(await importing(['code,provider,category,name', 'C1,SHOP1,equipment,Better chair'])).toEqual({ printed: counts(0, 1, 0, 0), failure: undefined });
  const chair = (await entries()).find(({ name }) => name === 'Better chair');
  expect([chair.comment, chair.extension.length]).toEqual(['Stands up, "gently"', 3]);
});

test('each row that is refused is named by its line; the others are taken in', async () => {
  const { printed, failure } = await importing([HEAD, 'A,Chair,equipment,,SHOP1,,"two', 'lines",,,,,,', 'B,Beer,alcohol,,SHOP1,,,,,1,item,,', 'C,,equipment,,SHOP1,,,,,,,,', 'D,Table,equipment,,NOBODY,,,,,,,,', 'E,Lamp,equipment,,SHOP1,,,,,-5,item,,',
    'A,Chair again,equipment,,SHOP1,,,,,,,,', 'F,Fan,equipment,,SHOP1,perhaps,,nowhere,,1.005,,soon,', 'G,short', '', 'HealthcareService/none,Ghost,equipment,,SHOP1,,,,,,,,', 'H,Bed,equipment,,Organization/none,,,,,,,,', 'I,Rail,equipment,,SHOP1,,,,,3,dozen,,']);
  expect(printed.split('\n').slice(0, 4).join('\n')).toBe(counts(1, 0, 0, 10));
  const lines = printed.split('\n').slice(4);
  expect([...new Set(lines.map((line) => Number(/^line (\d+): /.exec(line)?.[1])))]).toEqual([4, 5, 6, 7, 8, 9, 10, 12, 13, 14]);
  for (const words of ['line 5: name is empty', 'line 6: No one Organization has the ODS code NOBODY', 'line 7: price is pounds', 'line 8: The code A is on line 2 too', 'line 9: active is true or false', 'line 9: from is a date', 'line 10: The row has 2 cells']) expect(printed).toContain(words);
  expect(failure).toContain('refused');
  expect((await entries()).map(({ name }) => name)).toEqual(['Chair']);
});

test('all or nothing: one line that is refused keeps all out', async () => {
  for (const bad of ['B,Beer,alcohol,,SHOP1,,,,,1,item,,', 'B,,equipment,,SHOP1,,,,,,,,']) {
    const { printed, failure } = await importing([...ROWS, bad], { allOrNothing: true });
    expect(printed).toContain(counts(0, 0, 0, 1));
    expect(printed).toContain('line 6: ');
    expect(failure).toContain('Nothing was imported');
    expect(await entries()).toEqual([]);
  }
  expect(await importing(ROWS, { allOrNothing: true })).toEqual({ printed: counts(3, 0, 0, 0), failure: undefined });
});

test('says what is wrong with a file, a directory or a server', async () => {
  expect((await importing([])).failure).toContain('is empty');
  expect((await importing(['code,name'])).failure).toContain('no column category');
  expect((await importing([`${HEAD},colour`])).failure).toContain('no column "colour"');
  expect((await importing([HEAD.replace('area', 'code')])).failure).toContain('twice');
  expect((await importing([HEAD, 'A,"never closed'])).failure).toContain('quotes');
  expect((await importing(ROWS, { directory: 'List/nowhere' })).failure).toContain('List/nowhere');
  expect((await importing(ROWS, { file: '/nowhere.csv' })).failure).toContain('There is no file');
  expect((await importing(ROWS, { token: undefined })).failure).toContain('go together');
  expect((await importing(ROWS, { token: await server.token('patient', { patient: 'x' }) })).failure).toBeDefined();
  expect(await entries()).toEqual([]);
});

test('more entries than a page or a batch holds', async () => {
  const rows = Array.from({ length: 620 }, (_, index) => `N${index},Thing ${String(index).padStart(4, '0')},equipment,,SHOP1,,,,,${index}.01,item,,`);
  expect(await importing([HEAD, ...rows])).toEqual({ printed: counts(620, 0, 0, 0), failure: undefined });
  expect((await exporting()).trim().split('\r\n').length).toBe(621);
  expect(await importing([HEAD, ...rows])).toEqual({ printed: counts(0, 0, 620, 0), failure: undefined });
});

