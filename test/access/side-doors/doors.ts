// What the side doors lead to: the world, its rows, and lists of people that nobody but an administrator sees. Whatever leads to a row must lead to
// no hidden one, and tell none from one that never was; each door is asked as a caller who may not see, and beside it as one who may.
import { planBody, makeWorld, purchaseBody, type World } from '../../domain/world.js';
import { startServer, type Answer, type TestServer } from '../../server.js';
import { rowsOf } from '../rows.js';

export let server: TestServer;
export let world: World;
export type Bearer = keyof World['tokens'] | 'ovm' | 'supplier' | 'homeOffice';
/** What is open besides, whatever fails. */
export const closing: (() => Promise<void>)[] = [];

async function open(): Promise<void> {
  server = await startServer();
  world = await makeWorld(server);
  const { ada, bob } = world.patients;
  await server.seed([
    ...rowsOf(world),
    // Lists of people that nobody but an administrator sees.
    { resourceType: 'List', id: 'secret', status: 'current', mode: 'working', entry: [{ item: { reference: `Patient/${ada}` } }, { item: { reference: 'Account/ada' } }] },
    { resourceType: 'Composition', id: 'of-ada', status: 'final', type: { text: 'x' }, subject: { reference: `Patient/${ada}` }, date: '2026-11-20', author: [{ reference: `Organization/${world.organizations.icb}` }], title: 'x', section: [{ title: 'x', entry: [{ reference: 'Observation/lab' }] }] },
    { resourceType: 'GraphDefinition', id: 'around', url: 'urn:around', status: 'active', name: 'Around', start: 'Patient', link: [{ target: [{ type: 'Observation', params: 'patient={ref}' }] }] },
    { resourceType: 'Claim', id: 'gone-bob', ...purchaseBody({ patient: bob, budget: 'bob', provider: world.organizations.provider, recordedBy: `Patient/${bob}` }) },
    { resourceType: 'CarePlan', id: 'gone-bob', ...planBody(bob) }, { resourceType: 'CarePlan', id: 'gone-ada', ...planBody(ada) },
  ]);
  for (const plan of ['gone-bob', 'gone-ada']) expect((await as('admin', 'DELETE', `CarePlan/${plan}`)).status).toBe(204);
}

/** For the tests of one file. */
export function openDoors(): void {
  beforeAll(open);
  afterAll(async () => {
    await Promise.all(closing.map((close) => close()));
    await server.close();
  });
}

export const tokenOf = (bearer: Bearer): string => (bearer in world.tokens ? world.tokens[bearer as keyof World['tokens']] : server.tokens[bearer as 'ovm']);
export const as = (bearer: Bearer, method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> => server.send(method, path, { token: tokenOf(bearer), body, headers });
export const get = (bearer: Bearer, path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> => as(bearer, 'GET', path, undefined, headers);
export const idsOf = ({ body }: Answer): string[] => (body.entry ?? []).filter(({ search }: any) => search?.mode !== 'outcome').map(({ resource }: any) => `${resource.resourceType}/${resource.id}`);
export const bundle = (type: 'batch' | 'transaction', ...entry: object[]): object => ({ resourceType: 'Bundle', type, entry });
export const entry = (method: string, url: string, resource?: object): object => ({ ...(resource && { resource }), request: { method, url } });

/** What an answer says, without what differs between any two answers; `at` is the name that was asked for. */
const SAID = ['etag', 'last-modified', 'location', 'content-location', 'allow', 'retry-after', 'www-authenticate', 'content-type'];
export function said({ status, headers, text, body }: Answer, at: string): string {
  const words = body?.resourceType === 'OperationOutcome' ? JSON.stringify(body.issue) : text.replace(/"id":"[0-9a-f-]{36}"/g, '"id":""').replace(/"meta":\{"lastUpdated":"[^"]*"\}/g, '');
  return JSON.stringify([status, SAID.map((name) => headers[name]), words]).replaceAll(at, 'NAME');
}

/** The answers for a hidden name and for one that never was are one and the same; gives the status. */
export async function alike(bearer: Bearer, hidden: string, ask: (name: string) => Promise<Answer>, never = 'never'): Promise<number> {
  const [of, none] = [await ask(hidden), await ask(never)];
  expect([bearer, said(of, hidden)]).toEqual([bearer, said(none, never)]);
  return of.status;
}

/** Is what was found on another road read by the same caller? Asked once of each. */
const reads = new Map<string, Promise<number>>();
function isRead(bearer: Bearer, path: string): Promise<number> {
  const key = `${bearer} ${path}`;
  let status = reads.get(key);
  if (!status) reads.set(key, (status = as(bearer, 'HEAD', path).then((answer) => answer.status)));
  return status;
}
export async function expectAllRead(bearer: Bearer, road: string, found: readonly string[]): Promise<void> {
  for (const one of new Set(found)) expect([bearer, road, one, await isRead(bearer, one)]).toEqual([bearer, road, one, 200]);
}
