// The two commands of a new user, in a copy of the working tree: install, here without any install scripts, then start.
import { cp, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PACKAGE, runFile, startServer, temporaryFolder } from './server-process.js';

test('npm ci --ignore-scripts && npm start serves', async () => {
  const copy = await temporaryFolder();
  const listed = await runFile('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z']);
  for (const file of new Set(listed.stdout.split('\0').filter((name) => name !== ''))) {
    await mkdir(dirname(join(copy.path, file)), { recursive: true });
    await cp(join(PACKAGE, file), join(copy.path, file));
  }
  try {
    const installed = await runFile('npm', ['ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'], { folder: copy.path });
    expect(installed).toMatchObject({ code: 0 });
    const server = await startServer({ dataDir: join(copy.path, 'data'), folder: copy.path, command: ['npm', 'start'] });
    try {
      expect((await fetch(`${new URL(server.base).origin}/readyz`)).status).toBe(200);
      const token = await runFile('npm', ['run', '-s', 'token', '--', '--role', 'supplier'], { folder: copy.path });
      const found = await fetch(`${server.base}/Patient/$chargeable-status?identifier=https://fhir.nhs.uk/Id/nhs-number|9000000009`, { headers: { authorization: `Bearer ${token.stdout.trim()}` } });
      expect(found.headers.get('content-type')).toMatch(/^application\/fhir\+json/);
      expect(await found.json()).toMatchObject({ resourceType: 'OperationOutcome' });
    } finally {
      server.child.kill('SIGTERM');
      await server.exited();
    }
  } finally {
    await copy.remove();
  }
}, 300_000);
