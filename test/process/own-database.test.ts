// DATABASE_URL: the server uses that database, and starts none of its own.
import { cloneDatabase } from '../database.js';
import { build, databaseRuns, startServer, temporaryFolder, tokenFor } from './server-process.js';

jest.setTimeout(120_000);

test('a server on a database of yours starts no other, and two of them on one database see the same', async () => {
  await build();
  const [data, clone] = await Promise.all([temporaryFolder(), cloneDatabase()]);
  const environment = { DATABASE_URL: clone.url };
  const servers = [await startServer({ dataDir: data.path, environment }), await startServer({ dataDir: data.path, environment })];
  expect(servers[0]?.output()).toContain('the one of DATABASE_URL');
  expect(databaseRuns(data.path)).toBe(false);
  const headers = { authorization: `Bearer ${await tokenFor('admin', data.path)}`, 'content-type': 'application/fhir+json' };
  const [first, second] = servers.map(({ base }) => base);
  const created = await fetch(`${first}/Basic/shared`, { method: 'PUT', headers, body: JSON.stringify({ resourceType: 'Basic', id: 'shared', code: { text: 'x' } }) });
  expect(created.status).toBe(201);
  expect((await fetch(`${second}/Basic/shared`, { headers })).status).toBe(200);
  for (const { child, exited } of servers) {
    child.kill('SIGTERM');
    expect(await exited()).toBe(0);
  }
  await clone.drop();
  await data.remove();
});
