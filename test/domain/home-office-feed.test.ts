// Files of Home Office statements: taken in as single statements are, refused line by line, and silent about who is known
// (domain.md 2.2 P1, 3.6, 6.1, 6.2, 6.9, ruling 5).
import { startServer, type TestServer } from '../server.js';
import { COLUMNS, csv, finished, ingest, jobPath, NDJSON, reportOf, row, send } from './feed-files.js';
import { assessed, codeOf, deliver, FEED, newKey, numbers, register, shownBy, state, statementBody, statusOf, vmObservation, withdraw } from './people.js';

let server: TestServer;
const newNumber = numbers(999_400_000);
beforeAll(async () => {
  server = await startServer({ FILE_LIMIT_BYTES: '1000000' });
});
afterAll(() => server.close());

const tasks = async (code: string, focus: string, status = 'requested'): Promise<any[]> =>
  ((await server.send('GET', `Task?code=${code}&status=${status}&focus=Observation/${focus}`, { token: server.tokens.admin })).body.entry ?? []).map(({ resource }: any) => resource);
const statementOf = async (key: string): Promise<any> => (await server.send('GET', `Observation?identifier=${FEED}|${key}`, { token: server.tokens.admin })).body.entry?.[0]?.resource;
const DATE = '2026-04-01T00:00:00Z';

describe('a CSV file', () => {
  test('sets the three statuses exactly, each with its date', async () => {
    const people = [newNumber(), newNumber(), newNumber()] as const;
    for (const number of people) await register(server, number);
    const { counts, lines } = await ingest(server, csv(row(newKey(), 'paid-or-exempt', DATE, people[0]), row(newKey(), 'likely-chargeable', DATE, people[1]), row(newKey(), 'british-citizen', DATE, people[2])));
    expect(counts).toMatchObject({ source: 'HO', mode: 'delta', received: 3, accepted: 3, matched: 3, quarantined: 0, unchanged: 0, refused: 0 });
    expect(lines).toEqual({});
    const answers = await Promise.all(people.map((number) => statusOf(server, number)));
    expect(answers.map((answer) => [codeOf(answer['basic']), codeOf(answer['category']), answer['lastUpdated']])).toEqual([['N', 'B', DATE], ['Y', undefined, DATE], ['N', undefined, DATE]]);
  });

  test('again is without effect: no version, no date', async () => {
    const number = newNumber();
    const id = await register(server, number);
    const file = csv(row(newKey(), 'likely-chargeable', DATE, number));
    await ingest(server, file);
    const before = [await vmObservation(server, number), await shownBy(server, id)];
    const { counts } = await ingest(server, file);
    expect(counts).toMatchObject({ received: 1, accepted: 0, unchanged: 1, refused: 0 });
    expect([await vmObservation(server, number), await shownBy(server, id)]).toEqual(before);
  });

  test('with a bad line loses that line alone, which is told by number and in words', async () => {
    const number = newNumber();
    await register(server, number);
    const file = csv(
      row(newKey(), 'rich', DATE, number),
      row(newKey(), 'likely-chargeable', DATE, '9990000019'),
      row(newKey(), 'likely-chargeable', new Date(Date.now() + 7 * 60_000).toISOString(), number),
      row('', 'likely-chargeable', DATE, number),
      'too,short',
      row(newKey(), 'likely-chargeable', '2026-13-01', number),
      `${newKey()},likely-chargeable,${DATE},"${number}`,
    );
    const { counts, lines } = await ingest(server, `${file}"",,,,,,\n${row(newKey(), 'likely-chargeable', DATE, number)}\n`.replace('""', '"'));
    expect(counts).toMatchObject({ received: 8, accepted: 2, refused: 6 });
    expect(Object.keys(lines).map(Number)).toEqual([2, 3, 4, 5, 6, 7]);
    expect(lines[2]).toContain('rich');
    expect(lines[3]).toMatch(/NHS number is not valid/);
    expect(lines[4]).toMatch(/future/);
    expect(lines[5]).toMatch(/one key/);
    expect(lines[6]).toMatch(/2 cells/);
    expect(codeOf((await statusOf(server, number))['basic'])).toBe('Y');
  });

  test('may begin with a byte order mark, end its lines as Windows does, order its columns as it likes and quote its cells', async () => {
    const number = newNumber();
    await register(server, number);
    const key = `HO,"${newKey()}"`;
    const { counts } = await ingest(server, `\uFEFFstatus,key,nhsNumber,statusDate\r\nlikely-chargeable,"${key.replaceAll('"', '""')}",${number},${DATE}\r\n\r\n`);
    expect(counts).toMatchObject({ received: 1, accepted: 1, refused: 0 });
    expect((await statementOf(encodeURIComponent(key).replaceAll('%2C', '\\,')))?.subject.identifier.value).toBe(number);
  });

  test.each([['that names an unknown column', 'key,status,statusDate,name\n'], ['without a key column', 'status,statusDate\n'], ['of nothing', '\n'], ['with a column twice', 'key,status,statusDate,key\n']])('%s is 422 at once', async (_name, body) => {
    const answer = await send(server, body);
    expect([answer.status, answer.text]).toEqual([422, expect.stringContaining(COLUMNS)]);
  });

  test('longer than the limit is 413, and nothing of it stays', async () => {
    const { status } = await send(server, csv(...Array.from({ length: 12_000 }, () => row(newKey(), 'likely-chargeable', DATE, '9990000018'))).padEnd(1_100_000, '\n'));
    expect(status).toBe(413);
    expect((await server.database.query({ text: 'select 1 from fhir.job where status = \'receiving\'', values: [] })).count).toBe(0);
  });
});

describe('statements also come', () => {
  test('as NDJSON', async () => {
    const number = newNumber();
    await register(server, number);
    const lines = [statementBody(number, 'likely-chargeable', DATE), { resourceType: 'Patient' }, statementBody(number, 'paid-or-exempt', '2026-04-02')].map((one) => JSON.stringify(one));
    const report = await ingest(server, `${lines.join('\n')}\n{"resourceType":\n`, { headers: NDJSON });
    expect(report.counts).toMatchObject({ received: 4, accepted: 2, refused: 2 });
    expect(Object.keys(report.lines)).toEqual(['2', '4']);
    expect(codeOf((await statusOf(server, number))['category'])).toBe('B');
  });

  test('as a Bundle, by itself or in Parameters', async () => {
    const bundle = () => ({ resourceType: 'Bundle', type: 'collection', entry: [{ resource: statementBody(newNumber(), 'likely-chargeable', DATE) }, { resource: { resourceType: 'Basic', code: { text: 'x' } } }] });
    for (const body of [bundle(), { resourceType: 'Parameters', parameter: [{ name: 'source', valueCode: 'HO' }, { name: 'mode', valueCode: 'delta' }, { name: 'bundle', resource: bundle() }] }, { resourceType: 'Parameters', parameter: [{ name: 'file', resource: bundle() }] }]) {
      const report = await ingest(server, body, { headers: {} });
      expect([report.counts['received'], report.counts['accepted'], Object.keys(report.lines)]).toEqual([2, 1, ['2']]);
    }
  });

  test('never as a Binary that somebody else has posted: it is not there', async () => {
    const data = Buffer.from(csv('')).toString('base64');
    const posted = async (token: string): Promise<string> => /Binary\/([^/]+)/.exec((await server.send('POST', 'Binary', { token, body: { resourceType: 'Binary', contentType: 'text/csv', data } })).headers['location'] ?? '')?.[1] ?? '';
    const asked = async (id: string): Promise<string> => {
      const { status, text } = await send(server, { resourceType: 'Parameters', parameter: [{ name: 'url', valueUrl: `Binary/${id}` }] }, { headers: {} });
      return `${status} ${text.replace(/"id":"[^"]*"/, '').replaceAll(id, 'X')}`;
    };
    const never = await asked('nowhere');
    expect(never).toMatch(/^422/);
    expect(await asked(await posted(server.tokens.admin))).toBe(never);
    expect(await asked(await posted(await server.token('feed', { client: 'another-feed' })))).toBe(never);
    const another = await server.send('POST', 'Binary', { token: server.tokens.homeOffice, body: { resourceType: 'Binary', contentType: 'text/csv', data, securityContext: { identifier: { system: 'https://fhir.entitle.example/Id/sender', value: 'another-feed/x' } } } });
    expect(another.status).toBe(403);
  });

  test('as a Binary that the sender has posted', async () => {
    const data = Buffer.from(csv(row(newKey(), 'likely-chargeable', DATE, newNumber()))).toString('base64');
    const posted = await server.send('POST', 'Binary', { token: server.tokens.homeOffice, body: { resourceType: 'Binary', contentType: 'text/csv', data } });
    const id = /Binary\/([^/]+)/.exec(posted.headers['location'] ?? '')?.[1] ?? '';
    const body = { resourceType: 'Parameters', parameter: [{ name: 'url', valueUrl: `Binary/${id}` }] };
    expect((await ingest(server, body, { headers: {} })).counts).toMatchObject({ received: 1, accepted: 1 });
    expect((await send(server, { ...body, parameter: [{ name: 'url', valueUrl: 'Binary/nowhere' }] }, { headers: {} })).status).toBe(422);
    expect((await server.send('GET', `Binary/${id}`, { token: server.tokens.homeOffice })).status).toBe(403);
  });

  test.each<[string, unknown, object, string, number]>([
    ['a batch', { resourceType: 'Bundle', type: 'batch' }, {}, '', 422],
    ['nothing', undefined, {}, '', 422],
    ['a parameter bundle that holds none', { resourceType: 'Parameters', parameter: [{ name: 'bundle', valueString: 'x' }] }, {}, '', 400],
    ['two bundles', { resourceType: 'Parameters', parameter: ['bundle', 'file'].map((name) => ({ name, resource: { resourceType: 'Bundle', type: 'collection', entry: [] } })) }, {}, '', 400],
    ['an unknown parameter', csv(), { 'content-type': 'text/csv' }, '?x=1', 400],
    ['an unknown mode', csv(), { 'content-type': 'text/csv' }, '?mode=half', 422],
    ['plain text', 'x', { 'content-type': 'text/plain' }, '', 415],
  ])('but not as %s', async (_name, body, headers, query, status) => {
    expect((await send(server, body, { headers: headers as Record<string, string>, query })).status).toBe(status);
  });

  test('a file is no body of anything else', async () => {
    for (const path of ['Observation', '']) expect((await server.send('POST', path, { token: server.tokens.homeOffice, body: 'a,b', headers: { 'content-type': 'text/csv' } })).status).toBe(415);
  });
});

describe('the answer', () => {
  test('is 202 with the URL of the job, which tells how far it is and then the counts', async () => {
    const accepted = await send(server, csv(row(newKey(), 'likely-chargeable', DATE, newNumber())));
    expect([accepted.status, accepted.text]).toEqual([202, '']);
    expect(accepted.headers['content-location']).toMatch(/\/fhir\/R4\/_jobs\/[0-9a-f-]{36}$/);
    const path = await finished(server, accepted);
    expect((await reportOf(server, path, server.tokens.homeOffice)).counts).toEqual({ source: 'HO', mode: 'delta', received: 1, refused: 0, conflicting: 0 });
  });

  test('is the same whether people are known or not', async () => {
    const known = newNumber();
    await register(server, known);
    const told = await Promise.all([known, newNumber()].map(async (number) => {
      const path = await finished(server, await send(server, csv(row(newKey(), 'likely-chargeable', DATE, number), 'x')));
      return (await server.send('GET', path, { token: server.tokens.homeOffice })).text;
    }));
    expect(told[0]).toBe(told[1]);
  });

  test('is its client\'s alone', async () => {
    const accepted = await send(server, csv(row(newKey(), 'likely-chargeable', DATE, newNumber())));
    const path = await finished(server, accepted);
    for (const token of [await server.token('home-office', { client: 'another' }), server.tokens.ovm, await server.token('feed', { client: 'x' })])
      for (const method of ['GET', 'DELETE']) expect((await server.send(method, path, { token })).status).toBe(404);
    expect((await server.send('GET', '_jobs/none', { token: server.tokens.homeOffice })).status).toBe(404);
    expect((await server.send('GET', path)).status).toBe(401);
  });

  test('can be thrown away', async () => {
    const path = await finished(server, await send(server, csv(row(newKey(), 'likely-chargeable', DATE, newNumber()))));
    expect((await server.send('DELETE', path, { token: server.tokens.homeOffice })).status).toBe(202);
    expect((await server.send('GET', path, { token: server.tokens.homeOffice })).status).toBe(404);
  });

  test('of a job that was called off is 404, and its file is gone', async () => {
    const path = jobPath(server, await send(server, csv(...Array.from({ length: 5000 }, () => row(newKey(), 'likely-chargeable', DATE, newNumber())))));
    expect((await server.send('DELETE', path, { token: server.tokens.homeOffice })).status).toBe(202);
    expect((await server.send('GET', path, { token: server.tokens.homeOffice })).status).toBe(404);
    expect((await server.database.query({ text: 'select 1 from fhir.job_file where job = $1', values: [path.slice('_jobs/'.length)] })).count).toBe(0);
  });

  test.each(['ovm', 'supplier'] as const)('to the role %s is 403', async (role) => {
    expect((await send(server, csv(), { token: server.tokens[role] })).status).toBe(403);
  });

  test('to a sender that names another source is 403; an administrator must name one that is there', async () => {
    expect((await send(server, csv(), { query: '?source=dwp' })).status).toBe(403);
    expect((await send(server, csv(), { token: server.tokens.admin })).status).toBe(422);
    expect((await send(server, csv(), { token: server.tokens.admin, query: '?source=dwp' })).status).toBe(422);
    expect((await ingest(server, csv(row(newKey(), 'likely-chargeable', DATE, newNumber())), { token: server.tokens.admin, query: '?source=HO' })).counts).toMatchObject({ accepted: 1 });
  });
});

describe('a full file', () => {
  test('with an unchanged status leaves a later decision and its date alone (edge case 1)', async () => {
    const number = newNumber();
    const id = await register(server, number);
    const file = csv(row(newKey(), 'paid-or-exempt', '2026-04-01T00:00:00Z', number));
    await ingest(server, file, { query: '?mode=full' });
    await assessed(server, id, 'F', '2026-05-10T09:00:00+01:00');
    const before = await vmObservation(server, number);
    await ingest(server, file, { query: '?mode=full' });
    expect(await vmObservation(server, number)).toEqual(before);
    expect((await statusOf(server, number))['lastUpdated']).toBe('2026-05-10T09:00:00+01:00');
  });

  test('that leaves statements out changes none of them, and says how many to administrators alone', async () => {
    const number = newNumber();
    await register(server, number);
    await state(server, number, 'likely-chargeable', DATE);
    const { count: known } = await server.database.query({ text: 'select 1 from fhir.home_office_key where source = \'HO\'', values: [] });
    const path = await finished(server, await send(server, csv(row(newKey(), 'paid-or-exempt', DATE, newNumber())), { query: '?mode=full' }));
    expect((await reportOf(server, path, server.tokens.admin)).counts).toMatchObject({ mode: 'full', accepted: 1, absent: known });
    expect((await reportOf(server, path, server.tokens.homeOffice)).counts).not.toHaveProperty('absent');
    expect(codeOf((await statusOf(server, number))['basic'])).toBe('Y');
    expect((await server.database.query({ text: 'select 1 from fhir.job_key', values: [] })).count).toBe(0);
  });
});

describe('order', () => {
  test('of arrival does not matter: the latest decision answers (edge case 2)', async () => {
    const number = newNumber();
    const id = await register(server, number);
    const late = statementBody(number, 'likely-chargeable', '2026-05-11');
    await ingest(server, `${JSON.stringify(late)}\n${JSON.stringify(statementBody(number, 'paid-or-exempt', '2026-05-01'))}`, { headers: NDJSON });
    await assessed(server, id, 'A', '2026-05-10T09:00:00+01:00');
    expect((await statusOf(server, number))['lastUpdated']).toBe('2026-05-11T00:00:00+01:00');
    const before = await vmObservation(server, number);
    await withdraw(server, late);
    const after = await vmObservation(server, number);
    expect([codeOf((await statusOf(server, number))['category']), Number(after.meta.versionId) > Number(before.meta.versionId)]).toEqual(['A', true]);
  });
});

describe('a key', () => {
  test('used before with other content: the line is refused, once on the worklist, and counts for nothing', async () => {
    const number = newNumber();
    await register(server, number);
    const key = newKey();
    await state(server, number, 'paid-or-exempt', DATE, key);
    const before = await vmObservation(server, number);
    const file = csv(row(key, 'likely-chargeable', '2026-05-01', number));
    for (let times = 0; times < 2; times += 1) {
      const { counts, lines } = await ingest(server, file);
      expect([counts['refused'], counts['conflicting'], lines[2]]).toEqual([1, 1, expect.stringContaining('CONFLICTING_VALUES')]);
    }
    expect(await vmObservation(server, number)).toEqual(before);
    const open = await tasks('CONFLICTING_VALUES', (await statementOf(key)).id);
    expect(open).toHaveLength(1);
    expect(open[0].input[0].valueString).toContain(`"${key}"`);
  });

  test('twice in one file: the first is stored, the same again is nothing new, another is a conflict', async () => {
    const key = newKey();
    const number = newNumber();
    const { counts } = await ingest(server, csv(row(key, 'paid-or-exempt', DATE, number), row(key, 'paid-or-exempt', '2026-04-01T01:00:00+01:00', number), row(key, 'likely-chargeable', DATE, number)));
    expect(counts).toMatchObject({ accepted: 1, unchanged: 1, conflicting: 1 });
  });

  test('of a single statement is known to a file, and the other way round', async () => {
    const number = newNumber();
    const one: any = statementBody(number, 'paid-or-exempt', DATE);
    await deliver(server, one);
    expect((await ingest(server, csv(row(one.identifier[0].value, 'paid-or-exempt', DATE, number)))).counts).toMatchObject({ unchanged: 1 });
    const key = newKey();
    await ingest(server, csv(row(key, 'paid-or-exempt', DATE, number)));
    expect((await deliver(server, statementBody(number, 'paid-or-exempt', DATE, key))).status).toBe(200);
  });
});

test('a statement of a number that nobody holds is quarantined, and is the patient\'s who comes with it', async () => {
  const number = newNumber();
  const key = newKey();
  expect((await ingest(server, csv(row(key, 'likely-chargeable', DATE, number)))).counts).toMatchObject({ accepted: 1, matched: 0, quarantined: 1 });
  const { id } = await statementOf(key);
  expect(await tasks('status-quarantine', id)).toHaveLength(1);
  await register(server, number);
  expect(codeOf((await statusOf(server, number))['basic'])).toBe('Y');
  expect(await tasks('status-quarantine', id)).toHaveLength(0);
  expect(await tasks('status-quarantine', id, 'completed')).toHaveLength(1);
});

test('each statement that is stored is in the record of accesses, with its patient and its sender', async () => {
  const number = newNumber();
  const id = await register(server, number);
  const key = newKey();
  await ingest(server, csv(row(key, 'likely-chargeable', DATE, number), row(newKey(), 'rich', DATE, number)));
  const { body } = await server.send('GET', `AuditEvent?patient=Patient/${id}&_count=50`, { token: server.tokens.admin });
  const written = body.entry.map(({ resource }: any) => resource).filter(({ entity }: any) => entity?.some(({ what }: any) => what?.reference?.startsWith('Observation/')));
  expect(written).toHaveLength(1);
  expect([written[0].action, JSON.stringify(written[0].entity).includes((await statementOf(key)).id), JSON.stringify(written[0].agent).includes('home-office')]).toEqual(['C', true, true]);
});

test('nobody but an administrator sees the worklist', async () => {
  for (const token of [server.tokens.ovm, server.tokens.supplier, server.tokens.homeOffice]) expect((await server.send('GET', 'Task?code=status-quarantine', { token })).status).toBe(403);
});
