// P4: further feeds: each a row of data with its own clients, statuses and rank, speaking for itself alone (domain.md 2.2 P4), and the worklist
// of statements that no machine could place (rulings 4, 5).
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer, type Answer, type TestServer } from '../server.js';
import { csv, finished, ingest, NDJSON, reportOf, row, send } from './feed-files.js';
import { assessed, BASE, codeOf, numbers, NHS, patientBody, register, shownBy, state, statusOf } from './people.js';

let server: TestServer;
let dwp: string;
let stranger: string;
const newNumber = numbers(999_500_000);
const AT = '2026-04-01T00:00:00Z';

beforeAll(async () => {
  server = await startServer({ MATCH_EVERY_MS: '100' });
  dwp = await server.token('feed', { client: 'dwp-client' });
  stranger = await server.token('feed', { client: 'nobody' });
  expect((await define(definition())).status).toBe(201);
  expect((await define(definition({ code: 'late', name: 'A later feed', rank: 9, client: 'late-client' }))).status).toBe(201);
});
afterAll(() => server.close());

interface Definition {
  readonly code?: string;
  readonly name?: string;
  readonly rank?: number;
  readonly client?: string;
  readonly mapping?: readonly (readonly [string, object])[];
}

const MAPPING = [['s1-holder', { name: 'category', valueCode: 'C' }], ['no-cover', { name: 'basic', valueCode: 'Y' }], ['unsure', { name: 'category', valueCode: 'DECISION_PENDING' }]] as const;

function definition({ code = 'dwp-s1', name = 'Department for Work and Pensions', rank = 1, client = 'dwp-client', mapping = MAPPING }: Definition = {}): object {
  return {
    resourceType: 'Parameters',
    parameter: [
      { name: 'code', valueCode: code }, { name: 'name', valueString: name }, { name: 'rank', valuePositiveInt: rank }, { name: 'organization', valueString: 'XDW' }, { name: 'client', valueString: client },
      ...mapping.map(([status, meaning]) => ({ name: 'mapping', part: [{ name: 'status', valueCode: status }, meaning] })),
    ],
  };
}

const define = (body: object, token = server.tokens.admin): Promise<Answer> => server.send('POST', '$define-feed', { token, body });

let keys = 0;
const newKey = (): string => `FEED-${keys++}`;

const feedStatement = (number: string, status: string, rest: any = {}, feed = 'dwp-s1', key = newKey()): any => ({
  resourceType: 'Observation',
  identifier: [{ system: `${BASE}/Id/status-feed/${feed}`, value: key }],
  status: 'final',
  code: { coding: [{ system: `${BASE}/CodeSystem/status-assertion`, code: 'feed-status' }] },
  subject: { identifier: { system: NHS, value: number }, type: 'Patient' },
  effectiveDateTime: AT,
  valueCodeableConcept: { coding: [{ system: `${BASE}/CodeSystem/status-feed/${feed}`, code: status }] },
  ...rest,
});
const post = (statement: any, token = dwp): Promise<Answer> =>
  server.send('POST', 'Observation', { token, body: statement, headers: { 'if-none-exist': `identifier=${statement.identifier[0].system}|${statement.identifier[0].value}` } });
const idOf = (answer: Answer): string => /Observation\/([^/]+)/.exec(answer.headers['location'] ?? '')?.[1] ?? '';

describe('a feed', () => {
  test.each([['s1-holder', 'N', 'C'], ['no-cover', 'Y', undefined], ['unsure', 'U', 'DECISION_PENDING']])('says %s, which means %s and category %s', async (said, basic, category) => {
    const number = newNumber();
    const id = await register(server, number);
    const answer = await post(feedStatement(number, said));
    expect([answer.status, answer.text]).toEqual([201, '']);
    const told = await statusOf(server, number, server.tokens.ovm);
    expect([codeOf(told['basic']), codeOf(told['category']), told['lastUpdated'], told['source'], told['feed']]).toEqual([basic, category, AT, 'FEED', 'dwp-s1']);
    expect((await shownBy(server, id))?.['source']).toBe('FEED');
    expect(Object.keys(await statusOf(server, number))).not.toContain('feed');
  });

  test('with a status that its mapping does not have is refused by name: single and by line', async () => {
    const number = newNumber();
    const answer = await post(feedStatement(number, 'rich'));
    expect([answer.status, answer.body.issue[0].code, answer.body.issue[0].expression]).toEqual([422, 'code-invalid', ['Observation.value']]);
    expect(answer.body.issue[0].details.text).toMatch(/dwp-s1.*rich/);
    const { lines } = await ingest(server, csv(row(newKey(), 'rich', AT, number)), { token: dwp });
    expect(lines[2]).toMatch(/dwp-s1.*rich/);
  });

  test('can not speak under another\'s name: not the Home Office\'s, nor another feed\'s, nor without being registered', async () => {
    const number = newNumber();
    const home = { ...feedStatement(number, 's1-holder'), code: { coding: [{ system: `${BASE}/CodeSystem/status-assertion`, code: 'ho-status' }] } };
    const refused: [any, string][] = [[feedStatement(number, 's1-holder', {}, 'late'), dwp], [feedStatement(number, 's1-holder'), stranger], [home, dwp], [feedStatement(number, 's1-holder'), server.tokens.homeOffice]];
    for (const [statement, token] of refused) expect((await post(statement, token)).status).toBe(403);
    expect((await send(server, csv(), { token: dwp, query: '?source=late' })).status).toBe(403);
    expect((await send(server, csv(), { token: dwp, query: '?source=HO' })).status).toBe(403);
    expect((await send(server, csv(), { token: stranger })).status).toBe(403);
    const foreign = await ingest(server, JSON.stringify(feedStatement(number, 's1-holder', {}, 'late')), { token: dwp, headers: NDJSON });
    expect(foreign.counts).toMatchObject({ accepted: 0, refused: 1 });
  });

  test('reads nothing back, and its keys are its own', async () => {
    const number = newNumber();
    await register(server, number);
    const key = newKey();
    const answer = await post(feedStatement(number, 's1-holder', {}, 'dwp-s1', key));
    for (const path of [`Observation/${idOf(answer)}`, `Patient?identifier=${NHS}|${number}`, `Patient/$chargeable-status?identifier=${NHS}|${number}`]) expect((await server.send('GET', path, { token: dwp })).status).toBe(403);
    const late = await server.token('feed', { client: 'late-client' });
    expect((await post(feedStatement(number, 's1-holder', {}, 'late', key), late)).status).toBe(201);
    expect((await post(feedStatement(number, 's1-holder', {}, 'dwp-s1', key))).status).toBe(200);
  });

  test('loses a tie to an Overseas Visitors Manager and to the Home Office; among feeds the rank decides', async () => {
    const late = await server.token('feed', { client: 'late-client' });
    const [one, two, three] = [newNumber(), newNumber(), newNumber()];
    const id = await register(server, one);
    for (const number of [two, three]) await register(server, number);
    for (const number of [one, two, three]) {
      await post(feedStatement(number, 'no-cover'));
      await post(feedStatement(number, 's1-holder', {}, 'late'), late);
    }
    await assessed(server, id, 'A', AT);
    await state(server, two, 'paid-or-exempt', AT);
    const told = await Promise.all([one, two, three].map((number) => statusOf(server, number, server.tokens.ovm)));
    expect(told.map((answer) => [answer['source'], answer['feed']])).toEqual([['OVM', undefined], ['HO', undefined], ['FEED', 'dwp-s1']]);
  });

  test('withdraws its own statement, and nobody else\'s', async () => {
    const number = newNumber();
    await register(server, number);
    const statement = feedStatement(number, 'no-cover');
    await post(statement);
    const withdrawal = (token: string) => server.send('PUT', `Observation?identifier=${statement.identifier[0].system}|${statement.identifier[0].value}`, { token, body: { ...statement, status: 'entered-in-error' } });
    expect((await withdrawal(await server.token('feed', { client: 'late-client' }))).status).toBe(403);
    expect((await withdrawal(dwp)).status).toBe(200);
    expect((await statusOf(server, number))['determined']).toBe(false);
  });

  test('is told the counts of its file, and the refused lines', async () => {
    const path = await finished(server, await send(server, csv(row(newKey(), 's1-holder', AT, newNumber()), 'x'), { token: dwp }), dwp);
    const { counts, lines } = await reportOf(server, path, dwp);
    expect(counts).toEqual({ source: 'dwp-s1', mode: 'delta', received: 2, refused: 1, conflicting: 0 });
    expect(Object.keys(lines)).toEqual(['3']);
  });

  test('keeps what it said when its mapping changes or it is stopped', async () => {
    const number = newNumber();
    const feed = { code: 'short', client: 'short-client' };
    await define(definition(feed));
    const token = await server.token('feed', { client: 'short-client' });
    await post(feedStatement(number, 's1-holder', {}, 'short'), token);
    const changed: any = definition({ ...feed, mapping: [['s1-holder', { name: 'basic', valueCode: 'Y' }]] });
    expect((await define({ ...changed, parameter: [...changed.parameter, { name: 'active', valueBoolean: false }] })).status).toBe(200);
    expect((await post(feedStatement(number, 's1-holder', {}, 'short'), token)).status).toBe(403);
    await register(server, number);
    expect(codeOf((await statusOf(server, number))['category'])).toBe('C');
  });
});

describe('a definition', () => {
  test.each<[string, Definition]>([
    ['a bad code', { code: 'No Good' }], ['the code ho', { code: 'ho' }], ['no statuses', { code: 'x', mapping: [] }], ['an unknown category', { code: 'x', mapping: [['a', { name: 'category', valueCode: 'G' }]] }],
    ['an unknown basic status', { code: 'x', mapping: [['a', { name: 'basic', valueCode: 'X' }]] }], ['rank 0', { code: 'x', rank: 0 }],
  ])('with %s is refused', async (_name, given) => {
    expect([400, 422]).toContain((await define(definition({ client: 'x-client', ...given }))).status);
  });

  test('whose category and basic status disagree is refused', async () => {
    const body: any = definition({ code: 'x', client: 'x-client' });
    body.parameter.at(-1).part.push({ name: 'basic', valueCode: 'Y' });
    const answer = await define(body);
    expect([answer.status, answer.body.issue[0].details.text]).toEqual([422, expect.stringContaining('leave basic out')]);
  });

  test('of a client that another feed has is 409', async () => {
    expect((await define(definition({ code: 'thief' }))).status).toBe(409);
  });

  test('is an administrator\'s to make and to read, in the same form', async () => {
    for (const token of [dwp, server.tokens.ovm, server.tokens.homeOffice]) expect((await define(definition(), token)).status).toBe(403);
    const { body } = await server.send('GET', '$status-feeds', { token: server.tokens.admin });
    const listed = body.parameter.find(({ part }: any) => part[0].valueCode === 'dwp-s1').part;
    expect((await define({ resourceType: 'Parameters', parameter: listed })).status).toBe(200);
    expect((await server.send('GET', '$status-feeds', { token: dwp })).status).toBe(403);
  });
});

describe('a person without NHS number', () => {
  const ada = (n: number, rest: object = {}): object => ({ name: [{ family: `Łukasik-${n}`, given: ['Ada', 'Maria'] }], gender: 'female', birthDate: '1980-02-29', address: [{ postalCode: 'LS1 4AP' }], ...rest });
  const cells = (n: number): string => `,LUKASIK-${n},ada,1980-02-29,female,ls14ap`.replace('LUKASIK', 'łUKASIK');
  const line = (key: string, person: string): string => `${key},likely-chargeable,${AT},${person.slice(1)},`.replace(`${AT},`, `${AT},,`);
  const statementOf = async (key: string): Promise<string> => (await server.send('GET', `Observation?identifier=${BASE}/Id/home-office-feed|${key}`, { token: server.tokens.admin })).body.entry[0].resource.id;
  const taskOf = async (id: string): Promise<any> => (await server.send('GET', `Task/quarantine-${id}`, { token: server.tokens.admin })).body;
  const settle = (id: string, how: string, parameter: object, token = server.tokens.admin): Promise<Answer> =>
    server.send('POST', `Observation/${id}/$${how}-statement`, { token, body: { resourceType: 'Parameters', parameter: [parameter] } });
  const toPatient = (id: string): object => ({ name: 'patient', valueReference: { reference: `Patient/${id}` } });
  const because = { name: 'reason', valueString: 'It is somebody else' };

  test('is matched by name, date of birth, gender and postal code together', async () => {
    const number = newNumber();
    await register(server, number, ada(1));
    const { counts } = await ingest(server, csv(line(newKey(), cells(1))));
    expect(counts).toMatchObject({ accepted: 1, matched: 1 });
    expect(codeOf((await statusOf(server, number))['basic'])).toBe('Y');
  });

  test.each<[string, object]>([['gender', { gender: 'male' }], ['birth date', { birthDate: '1980-02-28' }], ['family name', { name: [{ family: 'Other', given: ['Ada'] }] }], ['given name', { name: [{ family: 'Łukasik-2', given: ['Eva'] }] }], ['postal code', { address: [{ postalCode: 'LS1 4AQ' }] }]])(
    'is not matched to one with another %s', async (_what, rest) => {
      await register(server, newNumber(), ada(2, rest));
      expect((await ingest(server, csv(line(newKey(), cells(2))))).counts).toMatchObject({ accepted: 1, matched: 0, quarantined: 1 });
    });

  test('of whom there are several waits for a person to say which; a wrong match is undone without a trace', async () => {
    const people = [newNumber(), newNumber()] as const;
    const one = await register(server, people[0], ada(3));
    const two = await register(server, people[1], ada(3));
    const key = newKey();
    await ingest(server, csv(line(key, cells(3))));
    const id = await statementOf(key);
    expect((await taskOf(id)).statusReason.text).toMatch(/Several/);
    expect((await settle(id, 'match', toPatient('nobody'))).status).toBe(422);
    expect((await settle(id, 'match', toPatient(one), server.tokens.ovm)).status).toBe(403);
    expect([(await settle(id, 'match', toPatient(one))).status, (await taskOf(id)).status]).toEqual([200, 'completed']);
    expect(codeOf((await statusOf(server, people[0]))['basic'])).toBe('Y');
    expect((await settle(id, 'match', toPatient(two))).status).toBe(422);
    expect([(await settle(id, 'unmatch', because)).status, (await taskOf(id)).status]).toEqual([200, 'requested']);
    expect([(await statusOf(server, people[0]))['determined'], await shownBy(server, one)]).toEqual([false, undefined]);
    expect((await settle(id, 'unmatch', because)).status).toBe(422);
    await settle(id, 'match', toPatient(two));
    expect(codeOf((await statusOf(server, people[1]))['basic'])).toBe('Y');
  });

  test('of whom too little is said waits, and can be given up', async () => {
    const key = newKey();
    await ingest(server, csv(`${key},likely-chargeable,${AT},,Solo,,,,,REF1`));
    const id = await statementOf(key);
    expect((await taskOf(id)).statusReason.text).toMatch(/some are missing/);
    expect([(await settle(id, 'reject', because)).status, (await taskOf(id)).status, (await taskOf(id)).statusReason.text]).toEqual([200, 'rejected', 'It is somebody else']);
    expect((await settle(id, 'reject', { name: 'why', valueString: 'x' })).status).toBe(400);
    expect((await settle(id, 'reject', { name: 'reason', valueString: ' ' })).status).toBe(422);
    expect((await settle('nothing', 'reject', because)).status).toBe(404);
  });

  test('who comes later is found by the job, as is one whose record is changed', async () => {
    const [first, second] = [newKey(), newKey()];
    await ingest(server, csv(line(first, cells(4)), line(second, cells(5))));
    const [comes, changes] = [newNumber(), newNumber()];
    const id = await register(server, changes, ada(5, { gender: 'male' }));
    await register(server, comes, ada(4));
    await server.send('PUT', `Patient/${id}`, { token: server.tokens.admin, body: { ...patientBody(changes, ada(5)), id } });
    for (const number of [comes, changes]) {
      for (let tries = 0; tries < 100 && (await statusOf(server, number))['determined'] !== true; tries += 1) await sleep(50);
      expect(codeOf((await statusOf(server, number))['basic'])).toBe('Y');
    }
    expect((await taskOf(await statementOf(first))).status).toBe('completed');
  });

  test('that a machine matched wrongly stays taken back', async () => {
    const number = newNumber();
    const patient = await register(server, number, ada(6));
    const key = newKey();
    await ingest(server, csv(line(key, cells(6))));
    await settle(await statementOf(key), 'unmatch', because);
    await server.send('PUT', `Patient/${patient}`, { token: server.tokens.admin, body: { ...patientBody(number, ada(6)), id: patient, active: true } });
    await sleep(400);
    expect((await statusOf(server, number))['determined']).toBe(false);
  });
});
