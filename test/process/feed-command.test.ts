// entitle-fhir feed: a file taken in without a server, and a feed defined, into the database of the settings.
import { writeFileSync } from 'node:fs';
import { openDatabase } from '../../src/db/pool.js';
import { cloneDatabase, type TestDatabase } from '../database.js';
import { build, runCommand, temporaryFolder } from './server-process.js';

jest.setTimeout(240_000);

let clone: TestDatabase;
let folder: { path: string; remove(): Promise<void> };
beforeAll(async () => {
  await build();
  clone = await cloneDatabase();
  folder = await temporaryFolder();
});
afterAll(async () => {
  await clone.drop();
  await folder.remove();
});

const run = (...args: string[]) => runCommand(['feed', ...args], { DATABASE_URL: clone.url, DATA_DIR: folder.path });

test('defines a feed, takes in its file, and prints the counts and the refused lines', async () => {
  const definition = `${folder.path}.json`;
  const file = `${folder.path}.csv`;
  const parameter = [
    { name: 'code', valueCode: 'dwp-s1' }, { name: 'name', valueString: 'DWP' }, { name: 'rank', valuePositiveInt: 1 }, { name: 'client', valueString: 'dwp' },
    { name: 'mapping', part: [{ name: 'status', valueCode: 's1' }, { name: 'category', valueCode: 'C' }] },
  ];
  writeFileSync(definition, JSON.stringify({ resourceType: 'Parameters', parameter }));
  writeFileSync(file, 'key,status,statusDate,nhsNumber\nA,s1,2026-01-01,9990000018\nB,other,2026-01-01,9990000026\n');
  expect(await run('define', '--file', definition)).toMatchObject({ code: 0, stdout: 'The feed is defined.\n' });
  const { code, stdout, stderr } = await run('--file', file, '--source', 'dwp-s1');
  expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('100 of 100') });
  expect(stdout).toMatch(/^Job \S+\nreceived {5}2\nrefused {6}1\n[^]*accepted {5}1\n[^]*line 3: .*dwp-s1.*other/);
  const database = openDatabase({ url: clone.url, size: 1, prepared: false });
  expect((await database.query({ text: 'select 1 from fhir.home_office_key where source = \'dwp-s1\'', values: [] })).count).toBe(1);
  await database.close();
});

test('says what is wrong: no file, a file that is not there, a feed that is not', async () => {
  expect(await run()).toMatchObject({ code: 1, stderr: expect.stringContaining('--file') });
  expect(await run('--file', '/nowhere.csv')).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no file') });
  expect(await run('--url', 'http://127.0.0.1:1')).toMatchObject({ code: 1, stderr: expect.stringContaining('go together') });
});
