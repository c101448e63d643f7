// The command line: what it prints, where, and with which exit code.
import { readdir } from 'node:fs/promises';
import { developmentKeys } from '../../src/identity/development-keys.js';
import { developmentIssuer } from '../../src/identity/trusted-issuer.js';
import { createTokenVerifier } from '../../src/identity/verify-token.js';
import { build, databaseRuns, runCommand, runFile, temporaryFolder } from './server-process.js';

// Starting is slow where many tests share two cores.
jest.setTimeout(120_000);

let data: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  await build();
  data = await temporaryFolder();
}, 300_000);
afterAll(() => data.remove());

const callerOf = async (token: string, now = Date.now()) =>
  createTokenVerifier({ issuers: [developmentIssuer(await developmentKeys(data.path))], clock: () => now })(`Bearer ${token}`);

test('token prints one token and nothing else, with all that was asked for', async () => {
  const options = ['--role', 'nominee', '--patient', 'p-1', '--related-person', 'r.1', '--organization', 'RR8', '--practitioner-role', 'pr1', '--scope', 'patient/*.rs launch', '--client', 'app'];
  const { code, stdout, stderr } = await runCommand(['token', ...options], { DATA_DIR: data.path });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  expect(await callerOf(stdout.trim())).toEqual({ role: 'nominee', client: 'app', subject: 'app/nominee', scopes: ['patient/*.rs', 'launch'], patient: 'p-1', relatedPerson: 'r.1', organization: 'RR8', practitionerRole: 'pr1' });
});

test('npm run -s token adds nothing', async () => {
  const { stdout, stderr } = await runFile('npm', ['run', '-s', 'token', '--', '--role', 'supplier'], { environment: { DATA_DIR: data.path } });
  expect(stderr.split('\n').filter((line) => line !== '' && !line.startsWith('npm warn'))).toEqual([]);
  expect((await callerOf(stdout.trim())).role).toBe('supplier');
});

test('tokens come from the clock that the server has', async () => {
  const day = 24 * 3600 * 1000;
  const { stdout } = await runCommand(['token', '--role', 'ovm', '--expires-in', '60'], { DATA_DIR: data.path, CLOCK_OFFSET_MS: String(-day) });
  expect((await callerOf(stdout.trim(), Date.now() - day)).role).toBe('ovm');
  await expect(callerOf(stdout.trim())).rejects.toMatchObject({ status: 401 });
});

// Against a start of node that does nothing, beside it: a slow or busy machine slows both.
test('a token is there in a few times what node itself takes to start', async () => {
  const timed = async (run: () => Promise<{ code: number }>): Promise<number> => {
    const started = performance.now();
    expect((await run()).code).toBe(0);
    return performance.now() - started;
  };
  const [bare, tokens]: [number[], number[]] = [[], []];
  for (let i = 0; i < 5; i += 1) {
    bare.push(await timed(() => runFile(process.execPath, ['-e', '0'])));
    tokens.push(await timed(() => runCommand(['token', '--role', 'admin'], { DATA_DIR: data.path })));
  }
  expect(Math.min(...tokens) / Math.min(...bare)).toBeLessThan(8);
});

test.each([
  [['token', '--role', 'boss'], /Allowed choices are admin, .*home-office/],
  [['token'], /--role <role>/],
  [['token', '--role', 'ovm', '--patient', 'a b'], /An id is 1 to 64 characters/],
  [['token', '--role', 'ovm', '--expires-in', 'soon'], /whole number of seconds/],
  [['token', '--role', 'ovm', '--colour', 'red'], /unknown option '--colour'/],
  [['feed-the-cat'], /error/],
])('%j is misuse: exit 2, and the words on stderr', async (args, words) => {
  const { code, stdout, stderr } = await runCommand(args, { DATA_DIR: data.path });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(words);
});

test.each([['token', '--role', 'ovm'], ['serve'], ['migrate']])('a bad setting stops %s before anything is done', async (...args) => {
  const { code, stdout, stderr } = await runCommand(args, { DATA_DIR: `${data.path}-untouched`, PORT: 'eighty' });
  expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: 'PORT must be a whole number from 0 to 65535; it is "eighty"\n' });
  await expect(readdir(`${data.path}-untouched`)).rejects.toThrow('ENOENT');
});

test('no development token is issued where an external issuer is trusted', async () => {
  const external = { AUTH_ISSUER: 'https://issuer.example', AUTH_JWKS_URL: 'https://issuer.example/jwks', AUTH_AUDIENCE: 'entitle' };
  const { code, stdout, stderr } = await runCommand(['token', '--role', 'ovm'], { DATA_DIR: data.path, ...external });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain('only the tokens of https://issuer.example');
});

test('migrate makes a database, says so, and leaves nothing running', async () => {
  const { code, stdout, stderr } = await runCommand(['migrate'], { DATA_DIR: data.path });
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'The database is up to date.\n', stderr: '' });
  expect(await readdir(data.path)).toContain('pg18');
  expect(databaseRuns(data.path)).toBe(false);
});

test('doctor says whether the money adds up, and names the budget where it does not', async () => {
  const well = await runCommand(['doctor'], { DATA_DIR: data.path });
  expect(well).toMatchObject({ code: 0, stdout: 'The ledger agrees with every total: 0 budgets.\n', stderr: '' });
});

test('client registers, lists and switches off, and says what is wrong with a registration', async () => {
  const client = (...args: string[]) => runCommand(['client', ...args], { DATA_DIR: data.path });
  expect(await client('add', 'sup', '--role', 'supplier')).toMatchObject({ code: 2, stdout: '', stderr: 'asid is missing: a supplier is accredited by its ASID\n' });
  expect(await client('add', 'sup', '--role', 'supplier', '--asid', '200000000115', '--interaction', '*', '--rate', '50')).toMatchObject({ code: 0, stdout: 'The client sup is registered.\n' });
  expect(await client('disable', 'sup')).toMatchObject({ code: 0, stdout: 'The client sup is switched off.\n' });
  const { stdout } = await client('list');
  expect(JSON.parse(stdout)).toEqual([{ id: 'sup', issuer: 'sup', name: 'sup', roles: ['supplier'], asid: '200000000115', interactions: ['*'], rate: 50, active: false }]);
  expect(await client('disable', 'nobody')).toMatchObject({ code: 1, stderr: 'No client nobody has been registered\n' });
});
