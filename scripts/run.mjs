// Builds if need be, then becomes the command line, in one process.
import './build.mjs';

const PARENT_CHECK_MS = 200;

/** A SIGTERM to `npm start` ends npm and its shell, which does not pass it on: when they are gone, the server is to stop as well. */
function stopWithParent() {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, PARENT_CHECK_MS).unref();
}

if (process.exitCode === 0) {
  if (process.env.npm_lifecycle_event !== undefined) stopWithParent();
  await import('../dist/cli.js');
}
