// Builds if need be, then becomes the command line, in one process: a signal to `npm start` reaches the server itself.
import './build.mjs';

if (process.exitCode === 0) await import('../dist/cli.js');
