// npm run bench -- race: the race for budgets of test/process/budget-race.test.ts, longer than the suite has it, with all that is asserted there.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const jest = join(dirname(createRequire(import.meta.url).resolve('jest/package.json')), 'bin/jest.js');

/** Gives the exit code: 0 where every sum agrees. */
export async function benchRace({ requests = '10000' }) {
  const started = Date.now();
  const child = spawn(process.execPath, [jest, '--globals', JSON.stringify({ raceRequests: Number(requests) }), 'test/process/budget-race.test.ts'], { cwd: fileURLToPath(new URL('..', import.meta.url)), stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  console.log(`${requests} requests and what is asserted of them took ${((Date.now() - started) / 1000).toFixed(0)} s`);
  return code ?? 1;
}
