// The list of the processes that use one embedded server.
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { enter } from '../../src/db/embedded/users.js';

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'users-'))));
afterEach(() => rmSync(directory, { recursive: true }));

test('only the last to leave stops the server', async () => {
  const [one, two] = [await enter(directory), await enter(directory)];
  const stops: string[] = [];
  await one.leave(async () => void stops.push('one'));
  expect(stops).toEqual([]);
  await two.leave(async () => void stops.push('two'));
  expect(stops).toEqual(['two']);
  expect(readdirSync(directory)).toEqual([]);
});

test('whoever comes while the last one stops the server waits until it has stopped', async () => {
  const last = await enter(directory);
  const order: string[] = [];
  let finish = (): void => undefined;
  const leaving = last.leave(async () => {
    await new Promise<void>((resolve) => (finish = resolve));
    order.push('stopped');
  });
  const entering = enter(directory).then(() => order.push('entered'));
  await sleep(100);
  expect(order).toEqual([]);
  finish();
  await Promise.all([leaving, entering]);
  expect(order).toEqual(['stopped', 'entered']);
});

test('processes that died without leaving do not count, even if their pid is in use again', async () => {
  const dead = join(directory, `${process.pid}.1.0`);
  writeFileSync(dead, '');
  writeFileSync(join(directory, '999999999.5.0.leaving'), '');
  const one = await enter(directory);
  let stops = 0;
  await one.leave(async () => void (stops += 1));
  expect(stops).toBe(1);
  expect(existsSync(dead)).toBe(false);
});
