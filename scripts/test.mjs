// The whole test: types, lint, then jest (shape, unit, API, process). The last line counts everything: `N passed, N failed`.
// Arguments go to jest: `npm test -- test/api`.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);

function run(script, args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [script, ...args], { cwd: ROOT, stdio: 'inherit' });
    child.on('exit', (code) => resolve(code === 0));
  });
}

/** A file of a package that its exports do not name. */
function within(name, file) {
  return join(dirname(require.resolve(`${name}/package.json`)), file);
}

/** A check that passes or fails as a whole counts as one. */
async function check(name, script, args) {
  const started = Date.now();
  const passed = await run(script, args);
  console.log(`${name}: ${passed ? 'passed' : 'FAILED'} in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return { passed: passed ? 1 : 0, failed: passed ? 0 : 1 };
}

/** Counts from jest's own report. A file that could not run counts as one failure, and so does a jest that made no report. */
async function jest() {
  const folder = mkdtempSync(join(tmpdir(), 'entitle-test-'));
  const report = join(folder, 'jest.json');
  const ended = await run(within('jest', 'bin/jest.js'), ['--json', '--outputFile', report, ...process.argv.slice(2)]);
  try {
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites, numPendingTests } = JSON.parse(readFileSync(report, 'utf8'));
    if (numPendingTests > 0) console.log(`${numPendingTests} skipped`);
    const failed = numFailedTests + numRuntimeErrorTestSuites;
    return { passed: numPassedTests, failed: failed === 0 && !ended ? 1 : failed };
  } catch {
    return { passed: 0, failed: 1 };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const results = await Promise.all([
  check('types', within('typescript', 'lib/tsc.js'), ['-p', 'tsconfig.json']),
  check('lint', within('eslint', 'bin/eslint.js'), ['.']),
]);
results.push(await jest());

const passed = results.reduce((sum, result) => sum + result.passed, 0);
const failed = results.reduce((sum, result) => sum + result.failed, 0);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
