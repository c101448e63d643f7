// Start, stop, signals, kill -9: what an operator does to the process.
import { once } from 'node:events';
import { connect } from 'node:net';
import { build, databaseRuns, type ServerProcess, startServer, temporaryFolder, tokenFor } from './server-process.js';

// Starting is slow where many tests share two cores.
jest.setTimeout(120_000);

let data: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess | undefined;
beforeAll(build, 120_000);
beforeEach(async () => {
  data = await temporaryFolder();
});
afterEach(async () => {
  server?.child.kill('SIGTERM');
  await server?.exited();
  server = undefined;
  await data.remove();
});

const fhir = async (path: string, init: RequestInit = {}) => {
  const token = await tokenFor('admin', data.path);
  return fetch(`${server?.base ?? ''}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' } });
};
/** npm is gone before the server is. */
async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 600 && !holds(); i += 1) await new Promise((resolve) => setTimeout(resolve, 100));
  expect(holds()).toBe(true);
}

const origin = (base: string) => new URL(base).origin;

test('npm start serves on a fresh directory: health and metadata for all, the rest for who has a token', async () => {
  server = await startServer({ dataDir: data.path, command: ['npm', 'start'] });
  expect(server.output()).toContain('npm run -s token -- --role');
  expect(server.output()).not.toMatch(/deprecat|warning/i);
  expect((await fetch(`${origin(server.base)}/readyz`)).status).toBe(200);
  expect(await (await fetch(`${server.base}/metadata`)).json()).toMatchObject({ resourceType: 'CapabilityStatement', fhirVersion: '4.0.1' });
  expect((await fetch(`${server.base}/Patient/nobody`)).status).toBe(401);
  expect((await fhir('/Patient/nobody')).status).toBe(404);
  server.child.kill('SIGTERM');
  await server.exited();
  await until(() => !databaseRuns(data.path));
  await expect(fetch(`${origin(server.base)}/healthz`)).rejects.toThrow('fetch failed');
});

test('Ctrl-C, which reaches npm and the server at once and the server again through npm, stops all in order', async () => {
  server = await startServer({ dataDir: data.path, command: ['npm', 'start'], spawn: { detached: true } });
  process.kill(-(server.child.pid ?? 0), 'SIGINT');
  await server.exited();
  await until(() => !databaseRuns(data.path));
  expect(server.output()).not.toMatch(/second SIGINT/);
});

test('SIGTERM lets a request under way finish, and ends with 0', async () => {
  server = await startServer({ dataDir: data.path });
  const token = await tokenFor('admin', data.path);
  const body = JSON.stringify({ resourceType: 'Basic', code: { text: 'late' } });
  const { port, pathname } = new URL(server.base);
  const socket = connect(Number(port), '127.0.0.1').setEncoding('utf8');
  let reply = '';
  socket.on('data', (text: string) => (reply += text));
  socket.write(`POST ${pathname}/Basic HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/fhir+json\r\ncontent-length: ${body.length}\r\n\r\n${body.slice(0, 10)}`);
  await new Promise((resolve) => setTimeout(resolve, 200));
  server.child.kill('SIGTERM');
  await new Promise((resolve) => setTimeout(resolve, 200));
  socket.write(body.slice(10));
  await once(socket, 'close');
  expect(reply).toMatch(/^HTTP\/1\.1 201 /);
  expect(await server.exited()).toBe(0);
});

test('what was acknowledged is there after kill -9', async () => {
  server = await startServer({ dataDir: data.path });
  const created = await fhir('/Basic', { method: 'POST', body: JSON.stringify({ resourceType: 'Basic', code: { text: 'kept' } }) });
  expect(created.status).toBe(201);
  const { id } = (await created.json()) as { id: string };
  server.child.kill('SIGKILL');
  expect(await server.exited()).toBe('SIGKILL');
  expect(databaseRuns(data.path)).toBe(true);
  server = await startServer({ dataDir: data.path });
  expect(await (await fhir(`/Basic/${id}`)).json()).toMatchObject({ id, code: { text: 'kept' } });
});

test('a port that is taken is said in words, and nothing is left running', async () => {
  server = await startServer({ dataDir: data.path });
  const other = await temporaryFolder();
  try {
    await expect(startServer({ dataDir: other.path, environment: { PORT: new URL(server.base).port } })).rejects.toThrow(/EADDRINUSE|in use/);
    expect(databaseRuns(other.path)).toBe(false);
  } finally {
    await other.remove();
  }
});

test('an ordinary user runs it from a folder that is not his to write', async () => {
  const nobody = process.getuid?.() === 0 ? 65_534 : undefined;
  const own = await temporaryFolder(nobody);
  try {
    server = await startServer({ dataDir: own.path, spawn: nobody === undefined ? {} : { uid: nobody, gid: nobody } });
    expect((await fetch(`${origin(server.base)}/readyz`)).status).toBe(200);
    server.child.kill('SIGTERM');
    expect(await server.exited()).toBe(0);
  } finally {
    await own.remove();
  }
});
