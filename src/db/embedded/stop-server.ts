// Stop a server: end its sessions, write a checkpoint, go. https://www.postgresql.org/docs/current/server-shutdown.html
import { spawnSync } from 'node:child_process';
import { join, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findPostmaster, isPostmaster } from './postmaster.js';

/** After this the server is told to drop everything; it then recovers at the next start. */
const PATIENCE_MS = 60_000;

export async function stopServer(directory: string, postgres: string): Promise<void> {
  const running = findPostmaster(directory);
  if (running === undefined) return;
  signal(running.pid, 'SIGINT', directory, postgres);
  const deadline = Date.now() + PATIENCE_MS;
  let urged = false;
  while (isPostmaster(running.pid, directory)) {
    if (!urged && Date.now() > deadline) {
      signal(running.pid, 'SIGQUIT', directory, postgres);
      urged = true;
    }
    await sleep(10);
  }
}

function signal(pid: number, name: 'SIGINT' | 'SIGQUIT', directory: string, postgres: string): void {
  if (process.platform === 'win32') {
    const mode = name === 'SIGINT' ? 'fast' : 'immediate';
    spawnSync(join(dirname(postgres), 'pg_ctl.exe'), ['stop', '--no-wait', '-m', mode, '-D', directory]);
    return;
  }
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
