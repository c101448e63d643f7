// What the README tells a newcomer to type, typed: the five steps of the tour, which begins with the demonstration, and that by itself.
import { build, PACKAGE, runCommand, runFile, startServer, temporaryFolder, tokenFor, type ServerProcess } from './server-process.js';

jest.setTimeout(120_000);

let data: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
beforeAll(async () => {
  await build();
  data = await temporaryFolder();
  server = await startServer({ dataDir: data.path });
}, 300_000);
afterAll(async () => {
  server.child.kill('SIGTERM');
  await server.exited();
  await data.remove();
});

test('the tour answers at every step', async () => {
  const environment = { DATA_DIR: data.path, PORT: new URL(server.base).port, TOUR_BASE: server.base, TOUR_PEOPLE: '20' };
  const { code, stderr } = await runFile(process.execPath, ['scripts/tour.mjs', '--check'], { folder: PACKAGE, environment });
  expect({ code, stderr: stderr.replace(/^npm warn.*\n/gm, '') }).toEqual({ code: 0, stderr: '' });
});

test('the demonstration fills a running server, and a second time leaves the same people', async () => {
  const environment = { DATA_DIR: data.path, PORT: new URL(server.base).port };
  for (let run = 0; run < 2; run += 1) {
    const { code, stderr } = await runCommand(['demo', '--patients', '120'], environment);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/patients: 125 of 125[\s\S]*statements: 72 of 72[\s\S]*assessments: 12 of 12[\s\S]*budgets: 114 of 114[\s\S]*purchases: 456 of 456/) });
  }
  const headers = { authorization: `Bearer ${await tokenFor('admin', data.path)}` };
  const total = async (search: string): Promise<number> => ((await (await fetch(`${server.base}/${search}&_total=accurate&_count=0`, { headers })).json()) as { total: number }).total;
  expect(await total('Patient?address-postalcode=ZZ')).toBe(120);
  expect(await total('Observation?code=ovm-assessment,ho-status&identifier=https://fhir.entitle.example/Id/home-office-feed|,https://fhir.entitle.example/Id/demo-assessment|')).toBe(72 + 12);
  expect(await total('Account?type=phb')).toBe(114);
  expect(await total('Claim?identifier=https://fhir.entitle.example/Id/demo-purchase|')).toBe(456);
  expect(await total('Claim?outstanding=true')).toBeLessThan(60);
  const share = async (model: string): Promise<number> => Math.round((await total(`Account?allocation-model=${model}`)) / 1.14);
  expect([await share('notional'), await share('direct-payment'), await share('third-party')]).toEqual([expect.closeTo(75, -1), expect.closeTo(18, -1), expect.closeTo(6, -1)]);
  expect(await total('Account?allocation-model=notional&allocation-model=direct-payment')).toBeGreaterThan(0);
  expect(await total('HealthcareService?directory:missing=false')).toBe(6);
  const sold = (await (await fetch(`${server.base}/Organization/demo-provider/$purchases?groupBy=service`, { headers })).json()) as { parameter: { part: { name: string; valueInteger?: number }[] }[] };
  expect(sold.parameter.flatMap(({ part }) => part.flatMap(({ valueInteger }) => valueInteger ?? [])).reduce((sum, count) => sum + count, 0)).toBe(456);
  // Whoever buys with cash was given it before.
  const holders = (await (await fetch(`${server.base}/Account?allocation-model=direct-payment&_count=100`, { headers })).json()) as { entry: { resource: { id: string } }[] };
  for (const { resource } of holders.entry) {
    const { parameter } = (await (await fetch(`${server.base}/Account/${resource.id}/$balance`, { headers })).json()) as { parameter: { name: string; valueMoney?: { value: number } }[] };
    expect(parameter.find(({ name }) => name === 'heldByHolder')?.valueMoney?.value).toBeGreaterThanOrEqual(0);
  }
});

test('without a server the demonstration says how to start one', async () => {
  const { code, stderr } = await runCommand(['demo'], { DATA_DIR: data.path, PORT: '1' });
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('start it with npm start') });
});
