// Code systems in tables: a SNOMED CT release and a CSV file, loaded, asked, and loaded again.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ValueSet, ValueSetComposeIncludeFilter } from '@medplum/fhirtypes';
import type { Database } from '../../src/db/database.js';
import { openDatabase } from '../../src/db/pool.js';
import { FhirError } from '../../src/fhir/errors.js';
import type { ExpandOptions } from '../../src/terminology/expand.js';
import { loadTerminology, type LoadOptions } from '../../src/terminology/load/load-terminology.js';
import { createTerminology, type Terminology } from '../../src/terminology/terminology.js';
import { cloneDatabase, type TestDatabase } from '../database.js';
import { CONCEPTS, makeRelease, REFSET } from './rf2-release.js';

const SCT = 'http://snomed.info/sct';
const VERSION = `${SCT}/900000000000207008/version/20240101`;
const STAMP = { now: 0, identifier: 'urn:uuid:x' };
let clone: TestDatabase;
let database: Database;
let terminology: Terminology;
let scratch: string;
beforeAll(async () => {
  clone = await cloneDatabase();
  database = openDatabase({ url: clone.url, size: 2, prepared: true });
  terminology = createTerminology({ own: [], findStored: () => Promise.resolve([]), db: database });
  scratch = mkdtempSync(join(tmpdir(), 'csv-'));
  const release = makeRelease('20240101');
  await load({ path: release.folder });
  release.remove();
});
afterAll(async () => {
  await database.close();
  await clone.drop();
  rmSync(scratch, { recursive: true });
});

const load = (options: LoadOptions, onStart = (_bytes: number) => {}, onBytes = (_count: number) => {}) => loadTerminology(options, { database, now: Date.now(), onStart, onBytes });
const csv = (text: string, name = 'drugs.csv'): string => {
  writeFileSync(join(scratch, name), text);
  return join(scratch, name);
};
const snomed = (filter: ValueSetComposeIncludeFilter[], more: Partial<ValueSet> = {}): ValueSet =>
  ({ resourceType: 'ValueSet', status: 'active', compose: { include: [{ system: SCT, ...(filter.length > 0 && { filter }) }] }, ...more });
const by = (property: string, op: ValueSetComposeIncludeFilter['op'], value: string): ValueSet => snomed([{ property, op, value }]);
const codes = async (set: ValueSet, options: ExpandOptions = {}) => (await terminology.expand(set, options, STAMP)).expansion?.contains?.map(({ code }) => code) ?? [];
const refusal = async (asked: Promise<unknown>) => asked.then(() => undefined, (error: unknown) => (error instanceof FhirError ? [error.status, error.issues[0]?.code, error.message] : error));

test('active concepts are loaded, with their preferred British terms', async () => {
  expect((await codes(snomed([]))).sort()).toEqual(CONCEPTS.filter(({ active }) => active !== false).map(({ id }) => id).sort());
  expect((await terminology.lookup({ system: SCT, code: '271737000', properties: [] })).display).toBe('Anaemia');
  expect((await terminology.lookup({ system: SCT, code: '138875005', properties: [] })).display).toBe('SNOMED CT Concept (SNOMED RT+CTV3)');
});

test('lookup tells names, parents, children and properties', async () => {
  const found = await terminology.lookup({ system: SCT, code: '73211009', properties: [] });
  expect(found).toMatchObject({ name: 'SNOMED CT', version: VERSION, display: 'Diabetes mellitus' });
  expect(found.designations.map(({ value, use }) => [value, use?.display])).toEqual([
    ['Diabetes mellitus (disorder)', 'Fully specified name'], ['DM - Diabetes mellitus', 'Synonym'], ['Sugar diabetes', 'Synonym'], ['Diabetes mellitus', 'Synonym'],
  ]);
  expect(found.properties).toEqual(expect.arrayContaining([
    { code: 'inactive', valueBoolean: false }, { code: 'parent', valueCode: '362969004' }, { code: 'child', valueCode: '44054006' }, { code: 'child', valueCode: '46635009' },
    { code: 'sufficientlyDefined', valueBoolean: true }, { code: 'moduleId', valueCode: '900000000000207008' },
  ]));
  expect(await refusal(terminology.lookup({ system: SCT, code: '111111111', properties: [] }))).toEqual([404, 'not-found', expect.stringMatching(/111111111/)]);
});

test.each([
  ['404684003', '46635009', 'subsumes'], ['46635009', '64572001', 'subsumed-by'], ['73211009', '73211009', 'equivalent'], ['46635009', '44054006', 'not-subsumed'],
  // Stated and former relationships do not count.
  ['71388002', '404684003', 'not-subsumed'], ['362969004', '195967001', 'not-subsumed'],
])('%s and %s: %s', async (codeA, codeB, outcome) => {
  expect(await terminology.subsumes({ system: SCT, codeA, codeB })).toBe(outcome);
});

const diabetes = ['44054006', '46635009', '73211009'];
test.each([
  ['is-a', by('concept', 'is-a', '73211009'), diabetes],
  ['descendent-of', by('concept', 'descendent-of', '73211009'), ['44054006', '46635009']],
  ['is-not-a', by('concept', 'is-not-a', '404684003'), ['138875005', '71388002']],
  ['generalizes', by('concept', 'generalizes', '73211009'), ['138875005', '362969004', '404684003', '64572001', '73211009']],
  ['=', by('concept', '=', '73211009'), ['73211009']],
  ['in a list', by('concept', 'in', '73211009,195967001'), ['195967001', '73211009']],
  ['in a reference set', by('concept', 'in', REFSET), ['195967001', '73211009']],
  ['not in a reference set', snomed([{ property: 'concept', op: 'not-in', value: REFSET }, { property: 'concept', op: 'is-a', value: '73211009' }]), ['44054006', '46635009']],
  ['parent', by('parent', '=', '73211009'), ['44054006', '46635009']],
  ['child', by('child', '=', '73211009'), ['362969004']],
  ['no child', snomed([{ property: 'child', op: 'exists', value: 'false' }, { property: 'concept', op: 'is-a', value: '362969004' }]), ['44054006', '46635009']],
  ['regex of the whole code', by('code', 'regex', '7[0-9]+9'), ['73211009']],
  ['regex of the display', by('display', 'regex', 'Type [12] .*'), ['44054006', '46635009']],
  ['isa of SNOMED\'s own', { resourceType: 'ValueSet', status: 'active', compose: { include: [{ valueSet: [`${SCT}?fhir_vs=isa/73211009`] }] } } satisfies ValueSet, diabetes],
  ['refset of SNOMED\'s own', { resourceType: 'ValueSet', status: 'active', compose: { include: [{ valueSet: [`${SCT}?fhir_vs=refset/${REFSET}`] }] } } satisfies ValueSet, ['195967001', '73211009']],
] as [string, ValueSet, string[]][])('expands by %s, and validates just the same', async (_name, set, expected) => {
  expect((await codes(set)).sort()).toEqual(expected);
  for (const { id } of CONCEPTS) expect({ id, ...(await terminology.validateInSet(set, { system: SCT, code: id })) }).toMatchObject({ id, result: expected.includes(id) });
});

test('listed codes come in the order of the list, with its words; those that are not there do not', async () => {
  const set: ValueSet = { resourceType: 'ValueSet', status: 'active', compose: { include: [{ system: SCT, concept: [{ code: '195967001', display: 'Wheeze' }, { code: '111111111' }, { code: '73211009' }] }] } };
  expect((await terminology.expand(set, {}, STAMP)).expansion?.contains).toEqual([
    { system: SCT, version: VERSION, code: '195967001', display: 'Wheeze' }, { system: SCT, version: VERSION, code: '73211009', display: 'Diabetes mellitus' },
  ]);
});

test('text finds beginnings of words and, in small systems, what is within', async () => {
  const find = (filter: string) => codes(by('concept', 'is-a', '64572001'), { filter });
  expect(await find('DIAB mel')).toEqual(['73211009', '44054006', '46635009']);
  expect(await find('sugar')).toEqual(['73211009']);
  expect(await find('meniere')).toEqual(['13445001']);
  expect(await find('MÉNIÈRE\'S')).toEqual(['13445001']);
  expect(await find('nemia')).toEqual(['271737000']);
  expect(await find('73211009')).toEqual(['73211009']);
  expect(await find('clinical')).toEqual([]);
  expect(await find('100%_\\\'"&|!:*')).toEqual([]);
});

test('pages follow each other without gaps', async () => {
  const set = by('concept', 'is-a', '64572001');
  const all = await codes(set);
  const pages: (string | undefined)[] = [];
  for (let offset = 0; offset < all.length; offset += 2) {
    const { expansion } = await terminology.expand(set, { offset, count: 2 }, STAMP);
    expect(expansion).toMatchObject({ total: all.length, offset });
    pages.push(...(expansion?.contains ?? []).map(({ code }) => code));
  }
  expect(pages).toEqual(all);
});

test('patterns that refer back, or are none, are refused', async () => {
  expect(await refusal(codes(by('code', 'regex', '(7)\\1')))).toEqual([422, 'not-supported', expect.any(String)]);
  expect(await refusal(codes(by('code', 'regex', '(')))).toEqual([422, 'not-supported', expect.any(String)]);
  expect(await refusal(codes(by('code', 'regex', '(?<a>7)')))).toEqual([422, 'not-supported', expect.any(String)]);
});

test('a display is checked against all names', async () => {
  const judge = (display: string) => terminology.validateCode({ system: SCT, code: '73211009', display, valueSet: `${SCT}?fhir_vs` });
  expect(await judge('sugar  diabetes')).toMatchObject({ result: true });
  expect(await judge('Asthma')).toMatchObject({ result: false, display: 'Diabetes mellitus' });
});

describe('another release', () => {
  afterAll(() => database.query({ text: `delete from fhir.code_system_release where version like '%2025%'`, values: [] }));

  test('stands beside the first, and the newest counts; the same version again takes its place', async () => {
    const release = makeRelease('20250101', [...CONCEPTS, { id: '222222222', name: 'New disease (disorder)', parents: ['64572001'] }]);
    const again = makeRelease('20250101', CONCEPTS.slice(0, 4));
    try {
      expect(await load({ path: release.folder })).toMatchObject({ version: `${SCT}/900000000000207008/version/20250101`, concepts: 12 });
      expect(await codes(by('concept', '=', '222222222'))).toEqual(['222222222']);
      const old: ValueSet = { resourceType: 'ValueSet', status: 'active', compose: { include: [{ system: SCT, version: VERSION }] } };
      expect(await codes(old)).toHaveLength(11);
      expect(await load({ path: again.folder })).toMatchObject({ concepts: 4 });
      expect(await codes(snomed([]))).toHaveLength(4);
      const { rows } = await database.query<{ loads: number }>({ text: 'select count(distinct load)::integer as loads from (select load from fhir.concept union select load from fhir.concept_parent union select load from fhir.concept_property) as all_loads', values: [] });
      expect(rows[0]?.loads).toBe(2);
    } finally {
      release.remove();
      again.remove();
    }
  });

  test('that is broken changes nothing', async () => {
    const release = makeRelease('20250606');
    const bad = join(release.folder, 'Snapshot', 'Terminology', 'sct2_Relationship_Snapshot_INT_20250606.txt');
    try {
      writeFileSync(bad, 'id\tactive\r\n');
      await expect(load({ path: release.folder })).rejects.toThrow(/sct2_Relationship_Snapshot_INT_20250606.txt has the columns id, active/);
      rmSync(bad);
      await expect(load({ path: release.folder })).rejects.toThrow(/no sct2_Relationship_Snapshot file/);
      expect((await database.query({ text: `select 1 from fhir.code_system_release where version like '%20250606'`, values: [] })).count).toBe(0);
    } finally {
      release.remove();
    }
  });
});

describe('a CSV file', () => {
  const DMD = 'https://dmd.nhs.uk';
  const asked = { system: DMD, version: '7' };
  const TEXT = '\uFEFFcode,display,parent,synonym,active,form\r\n1,"Paracetamol, 500 mg",,"PCM|""Para""",,tablet\n2,Paracetamol 250 mg soluble,1,,1,soluble\n\n3,Co-proxamol,1|2,,0,tablet\n4,"Two\nlines",,,,\n';

  test('is loaded with quotes, parents, synonyms and properties', async () => {
    let bytes = 0;
    let read = 0;
    expect(await load({ path: csv(TEXT), ...asked }, (count) => { bytes = count; }, (count) => { read += count; })).toEqual({ ...asked, name: 'drugs', concepts: 4 });
    expect(read).toBe(bytes);
    expect(bytes).toBe(Buffer.byteLength(TEXT));
    const found = await terminology.lookup({ system: DMD, code: '1', properties: [] });
    expect(found).toMatchObject({ display: 'Paracetamol, 500 mg', designations: [{ value: 'PCM' }, { value: '"Para"' }] });
    expect(found.properties).toContainEqual({ code: 'form', valueString: 'tablet' });
    expect(await terminology.subsumes({ system: DMD, codeA: '1', codeB: '3' })).toBe('subsumes');
    expect((await terminology.lookup({ system: DMD, code: '4', properties: [] })).display).toBe('Two\nlines');
  });

  test('is filtered by its properties, and by what is in use', async () => {
    const set = (filter: ValueSetComposeIncludeFilter): ValueSet => ({ resourceType: 'ValueSet', status: 'active', compose: { include: [{ system: DMD, filter: [filter] }] } });
    expect(await codes(set({ property: 'form', op: '=', value: 'tablet' }))).toEqual(['1', '3']);
    expect(await codes(set({ property: 'form', op: 'exists', value: 'false' }))).toEqual(['4']);
    expect(await codes(set({ property: 'form', op: 'not-in', value: 'tablet,soluble' }))).toEqual(['4']);
    expect(await codes(set({ property: 'inactive', op: '=', value: 'true' }))).toEqual(['3']);
    expect(await codes(set({ property: 'form', op: '=', value: 'tablet' }), { activeOnly: true })).toEqual(['1']);
    expect(await refusal(codes(set({ property: 'form', op: 'is-a', value: 'tablet' })))).toEqual([422, 'not-supported', expect.any(String)]);
    expect(await terminology.validateInSystem({ system: DMD, code: '3' })).toMatchObject({ result: true, message: expect.stringMatching(/no longer/) });
  });

  test.each([
    ['without code', 'kode,display\n1,a\n', /name the columns/],
    ['with a short row', 'code,display\n1\n', /Row 2 of bad.csv has 1 cells/],
    ['with a row without code', 'code,display\n1,a\n ,b\n', /Row 3 of bad.csv has no code/],
    ['with a code twice', 'code,display\n1,a\n1,b\n', /comes twice/],
    ['with a quote that never ends', 'code,display\n1,"a\n', /never closed/],
    ['with nothing in it', 'code,display\n', /no active concepts/],
  ])('%s is refused, and changes nothing', async (_name, text, words) => {
    await expect(load({ path: csv(text, 'bad.csv'), system: 'urn:bad', version: '1' })).rejects.toThrow(words);
    expect((await database.query({ text: `select 1 from fhir.code_system_release where system = 'urn:bad'`, values: [] })).count).toBe(0);
  });

  test('that nobody has named is refused, and a path where nothing is', async () => {
    await expect(load({ path: csv(TEXT) })).rejects.toThrow(/--system and --version/);
    await expect(load({ path: join(scratch, 'none') })).rejects.toThrow(/nothing at/);
  });
});
