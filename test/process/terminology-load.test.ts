// The command that loads a code system: what it prints, and what a server then answers.
import { cloneDatabase, type TestDatabase } from '../database.js';
import { makeRelease } from '../terminology/rf2-release.js';
import { build, runCommand, temporaryFolder } from './server-process.js';

jest.setTimeout(120_000);

let clone: TestDatabase;
let data: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  await build();
  [clone, data] = await Promise.all([cloneDatabase(), temporaryFolder()]);
}, 300_000);
afterAll(async () => {
  await clone.drop();
  await data.remove();
});

test('terminology load shows its progress and ends by saying what is loaded', async () => {
  const release = makeRelease('20240101');
  try {
    const { code, stdout, stderr } = await runCommand(['terminology', 'load', release.folder], { DATA_DIR: data.path, DATABASE_URL: clone.url });
    expect({ code, stdout }).toEqual({ code: 0, stdout: '11 concepts of http://snomed.info/sct, version http://snomed.info/sct/900000000000207008/version/20240101, are loaded.\n' });
    expect(stderr).toMatch(/^bytes read: (\d+) of \1, /m);
  } finally {
    release.remove();
  }
});

test('a path where nothing is ends with words and 1', async () => {
  const { code, stdout, stderr } = await runCommand(['terminology', 'load', '/no/such/release'], { DATA_DIR: data.path, DATABASE_URL: clone.url });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/nothing at \/no\/such\/release/);
});
