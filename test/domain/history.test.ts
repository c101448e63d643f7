// "What did we believe on date D, and what was true on date D": asOf and knownAt of $chargeable-status, and the versions of the status
// observation and of the Patient (domain.md 1.4, rulings 5, 6, 8).
import fc from 'fast-check';
import { startServer, type Answer, type TestServer } from '../server.js';
import {
  assess, assessed, assessmentBody, codeOf, coverageBody, covered, deliver, errorCode, evidence, numbers, parametersOf, patientBody, register, state, statementBody, vmObservation, withdraw,
} from './people.js';

let server: TestServer;
const newNumber = numbers(999_440_000);
beforeAll(async () => { server = await startServer(); });
afterAll(() => server.close());

const AT = '2026-05-10T09:00:00+01:00';
const NEVER_MET = { determined: false, basic: expect.objectContaining({ code: 'U' }) as unknown };
const ask = (id: string, moments: Record<string, string>, token = server.tokens.ovm): Promise<Answer> =>
  server.send('GET', `Patient/${id}/$chargeable-status?${new URLSearchParams(moments).toString()}`, { token });
async function answered(id: string, moments: Record<string, string> = {}): Promise<Record<string, any>> {
  const { status, text } = await ask(id, moments);
  if (status !== 200) throw new Error(`${status} ${text}`);
  const { patient: _same, ...rest } = parametersOf(JSON.parse(text));
  return rest;
}
const put = (body: any, headers: Record<string, string> = {}, token = server.tokens.ovm): Promise<Answer> => server.send('PUT', `${body.resourceType}/${body.id}`, { token, body, headers });
const retract = (made: any): Promise<Answer> => put({ ...made, status: 'entered-in-error' }, { 'if-match': `W/"${made.meta.versionId}"` });
/** A moment between the act before and the act after. */
async function pause(): Promise<string> {
  await new Promise((done) => { setTimeout(done, 5); });
  const moment = new Date().toISOString();
  await new Promise((done) => { setTimeout(done, 5); });
  return moment;
}

describe('of one day in the past', () => {
  test('what was true is told with what is known now, and what was believed with what was known then', async () => {
    const number = newNumber();
    const id = await register(server, number);
    await assessed(server, id, 'A', '2026-05-01T09:00:00+01:00');
    const before = await pause();
    // Learnt later: the Home Office had decided otherwise on the tenth.
    await state(server, number, 'likely-chargeable', '2026-05-10T00:00:00Z');
    expect(codeOf((await answered(id, { asOf: '2026-05-20' }))['basic'])).toBe('Y');
    expect(codeOf((await answered(id, { asOf: '2026-05-20', knownAt: before }))['basic'])).toBe('N');
    expect(codeOf((await answered(id, { asOf: '2026-05-05' }))['category'])).toBe('A');
    expect(await answered(id, { asOf: '2026-04-30' })).toEqual(NEVER_MET);
  });

  test('what was withdrawn since was believed all the same, and was never true', async () => {
    const id = await register(server, newNumber());
    const never = await pause();
    const made = await assessed(server, id, 'F', AT);
    const then = await answered(id);
    const moment = await pause();
    await retract(made);
    expect(await answered(id, { knownAt: moment })).toEqual(then);
    expect(await answered(id, { asOf: moment })).toEqual(NEVER_MET);
    expect(await answered(id, { knownAt: never })).toEqual(NEVER_MET);
    expect(await answered(id)).toEqual(NEVER_MET);
  });

  test('a statement that waited for its patient was not believed before the patient came', async () => {
    const number = newNumber();
    await state(server, number, 'likely-chargeable', '2026-04-01T00:00:00Z');
    const waiting = await pause();
    const id = await register(server, number);
    expect(await answered(id, { knownAt: waiting })).toEqual(NEVER_MET);
    expect(codeOf((await answered(id, { asOf: waiting }))['basic'])).toBe('Y');
  });

  test('evidence that was extended since had its former end', async () => {
    const id = await register(server, newNumber());
    const card = await covered(server, id, 'EHIC', '2026-08-31');
    await assessed(server, id, 'C', AT, { extension: [evidence(card)] });
    const before = await pause();
    await put({ ...coverageBody(id, 'EHIC', '2030-12-31'), id: card.slice('Coverage/'.length) });
    expect(codeOf((await answered(id, { asOf: '2026-09-01' }))['basic'])).toBe('N');
    expect(await answered(id, { asOf: '2026-09-01', knownAt: before })).toMatchObject({ expired: true, basic: { code: 'U' } });
    expect(codeOf((await answered(id, { asOf: '2026-08-31', knownAt: before }))['basic'])).toBe('N');
  });

  test('by POST as by GET, by number as by id', async () => {
    const number = newNumber();
    const id = await register(server, number);
    await assessed(server, id, 'F', AT);
    const moment = await pause();
    const parameter = [{ name: 'knownAt', valueDateTime: moment }, { name: 'asOf', valueDateTime: moment }];
    const byPost = await server.send('POST', `Patient/${id}/$chargeable-status`, { token: server.tokens.ovm, body: { resourceType: 'Parameters', parameter } });
    const byNumber = await server.send('GET', `Patient/$chargeable-status?identifier=https://fhir.nhs.uk/Id/nhs-number|${number}&knownAt=${moment}`, { token: server.tokens.ovm });
    expect([byPost.text, byNumber.text]).toEqual(Array(2).fill((await ask(id, { knownAt: moment })).text));
  });

  test('is refused to suppliers, and for a moment that is none or is yet to come', async () => {
    const id = await register(server, newNumber());
    const moment = new Date().toISOString();
    for (const name of ['asOf', 'knownAt']) expect((await ask(id, { [name]: moment }, server.tokens.supplier)).status).toBe(403);
    for (const bad of ['yesterday', '2026-05', new Date(Date.now() + 60_000).toISOString()]) {
      const answer = await ask(id, { knownAt: bad });
      expect([answer.status, errorCode(answer)]).toEqual([400, 'INVALID_PARAMETER']);
    }
    const twice = await server.send('GET', `Patient/${id}/$chargeable-status?knownAt=${moment}&knownAt=${moment}`, { token: server.tokens.ovm });
    expect(twice.status).toBe(400);
  });
});

describe('the versions of the status observation', () => {
  const history = (id: string, query = '', token = server.tokens.ovm): Promise<Answer> => server.send('GET', `Observation/${id}/_history${query}`, { token });

  test('tell each answer that was given, newest first, and what was taken back', async () => {
    const number = newNumber();
    const id = await register(server, number);
    const statement = statementBody(number, 'likely-chargeable', '2026-04-01T00:00:00Z');
    await deliver(server, statement);
    const first = await vmObservation(server, number);
    const made = await assessed(server, id, 'A', AT);
    const second = await vmObservation(server, number);
    await retract(made);
    const third = await vmObservation(server, number);
    await withdraw(server, statement);
    await assessed(server, id, 'F', AT);
    const last = await vmObservation(server, number);
    const { status, headers, body } = await history(first.id);
    expect([status, headers['cache-control'], body.type, body.total]).toEqual([200, 'no-store', 'history', 5]);
    expect(body.entry.map(({ resource, request, response }: any) => [resource, request.method, response.etag])).toEqual([
      [last, 'POST', 'W/"10"'], [undefined, 'DELETE', 'W/"8"'], [third, 'PUT', 'W/"6"'], [second, 'PUT', 'W/"4"'], [first, 'POST', 'W/"2"'],
    ]);
    const vread = (version: number | string, rest: Record<string, string> = {}): Promise<Answer> => server.send('GET', `Observation/${first.id}/_history/${version}`, { token: server.tokens.ovm, headers: rest });
    expect((await vread(4)).body).toEqual(second);
    expect([(await vread(8)).status, (await vread(3)).status, (await vread('x')).status]).toEqual([410, 404, 404]);
    expect((await vread(4, { 'if-none-match': 'W/"4"' })).status).toBe(304);
    const pages: string[] = [];
    for (let path: string | undefined = '?_count=2'; path !== undefined; ) {
      const page: Answer = await history(first.id, path);
      pages.push(page.body.entry.map(({ response }: any) => response.etag).join());
      path = page.body.link.find(({ relation }: any) => relation === 'next')?.url.split('_history')[1];
    }
    expect(pages).toEqual(['W/"10",W/"8"', 'W/"6",W/"4"', 'W/"2"']);
    expect((await history(first.id, `?_since=${encodeURIComponent(third.meta.lastUpdated)}`)).body.entry).toHaveLength(3);
    for (const bad of ['?_count=0', '?_since=x', '?foo=1']) expect((await history(first.id, bad)).status).toBe(400);
  });

  test('are no supplier\'s to see, and of one that is not there nobody\'s', async () => {
    const number = newNumber();
    await register(server, number);
    await state(server, number, 'british-citizen', '2026-04-01T00:00:00Z');
    const { id } = await vmObservation(server, number);
    for (const path of ['', '/2']) expect((await server.send('GET', `Observation/${id}/_history${path}`, { token: server.tokens.supplier })).status).toBe(403);
    expect((await history('chargeable-status-none')).status).toBe(404);
    expect((await history(id, '', await server.token('commissioner', { organization: 'QWE' }))).status).toBe(404);
  });
});

test('no version of the Patient, by vread, history or search, shows an answer given after it', async () => {
  const number = newNumber();
  const id = await register(server, number);
  await assessed(server, id, 'F', AT);
  await state(server, number, 'paid-or-exempt', '2026-06-01T00:00:00Z');
  const shown = (patient: any): string | undefined => codeOf((patient.extension?.[0].extension ?? []).find(({ url }: any) => url === 'category')?.valueCodeableConcept);
  const { body } = await server.send('GET', `Patient/${id}/_history`, { token: server.tokens.ovm });
  expect(body.entry.map(({ resource }: any) => [resource.meta.versionId, shown(resource)])).toEqual([['3', 'B'], ['2', 'F'], ['1', undefined]]);
  for (const [version, category] of [['1', undefined], ['2', 'F'], ['3', 'B']] as const)
    expect(shown((await server.send('GET', `Patient/${id}/_history/${version}`, { token: server.tokens.ovm })).body)).toBe(category);
});

describe('with a clock of its own', () => {
  const DAY = 86_400_000;
  const start = Date.now();
  let now = start;
  let ticking: jest.SpyInstance;
  beforeAll(() => { ticking = jest.spyOn(Date, 'now').mockImplementation(() => now); });
  afterAll(() => { ticking.mockRestore(); });

  const day = (moment: number): string => new Date(moment).toISOString().slice(0, 10);
  const acts = fc.oneof(
    fc.record({ act: fc.constant('assess' as const), category: fc.constantFrom('A', 'B', 'C', 'D', 'F', 'NONE', 'DECISION_PENDING'), ago: fc.integer({ min: 0, max: 5 }), ends: fc.integer({ min: -2, max: 4 }) }),
    fc.record({ act: fc.constant('state' as const), status: fc.constantFrom('paid-or-exempt', 'likely-chargeable', 'british-citizen'), ago: fc.integer({ min: 0, max: 5 }), other: fc.boolean() }),
    fc.record({ act: fc.constantFrom('retract' as const, 'withdraw' as const), which: fc.nat() }),
    fc.record({ act: fc.constant('end' as const), which: fc.nat(), ends: fc.integer({ min: -1, max: 6 }) }),
    fc.record({ act: fc.constantFrom('merge' as const, 'part' as const) }),
  );
  type Act = typeof acts extends fc.Arbitrary<infer T> ? T : never;

  test('each answer that was ever given is given again by knownAt, and each version of the observation by its number', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(acts, fc.integer({ min: 1, max: DAY })), { minLength: 1, maxLength: 10 }), async (list) => {
        now = start + DAY;
        const [number, otherNumber] = [newNumber(), newNumber()];
        const [patient, other] = [await register(server, number), await register(server, otherNumber)];
        const told: { moment: string; text: string }[] = [];
        const versions = new Map<string, string>();
        const made: { assessments: any[]; statements: any[]; cards: any[] } = { assessments: [], statements: [], cards: [] };
        for (const [act, later] of list) {
          // Nothing else happens in the millisecond of an act.
          now += 1;
          await perform(act, { patient, number, other, otherNumber }, made);
          for (const pass of [0, later]) {
            now += pass;
            told.push({ moment: new Date(now).toISOString(), text: (await ask(patient, {})).text });
            await keepVersion(patient, versions);
          }
        }
        for (const { moment, text } of told) expect((await ask(patient, { knownAt: moment })).text).toBe(text);
        const observation = told.map(({ text }) => /Observation\/[^"]*/.exec(text)?.[0]).find((found) => found !== undefined);
        for (const [version, text] of versions) expect((await server.send('GET', `${observation ?? ''}/_history/${version}`, { token: server.tokens.ovm })).text).toBe(text);
        if (observation === undefined) return;
        const { body } = await server.send('GET', `${observation}/_history`, { token: server.tokens.ovm });
        const numbered = (body.entry ?? []).map(({ response }: any) => Number(/\d+/.exec(response.etag)?.[0]));
        expect(numbered).toEqual([...new Set<number>(numbered)].sort((a, b) => b - a));
      }),
      { numRuns: 40 },
    );
  }, 240_000);

  async function keepVersion(patient: string, versions: Map<string, string>): Promise<void> {
    const { observation } = await answered(patient);
    if (!observation) return;
    const { headers, text } = await server.send('GET', observation.reference, { token: server.tokens.ovm });
    versions.set(/\d+/.exec(headers['etag'] ?? '')?.[0] ?? '', text);
  }

  async function perform(act: Act, of: { patient: string; number: string; other: string; otherNumber: string }, made: { assessments: any[]; statements: any[]; cards: any[] }): Promise<void> {
    const { admin } = server.tokens;
    const one = <T>(items: T[], which: number): T | undefined => items[which % Math.max(1, items.length)];
    if (act.act === 'assess') {
      const cards = act.category === 'C' || act.category === 'B' ? [coverageBody(of.patient, act.category === 'C' ? 'EHIC' : 'VISA', day(now + act.ends * DAY))] : [];
      const ids = await Promise.all(cards.map(async (card) => (await server.send('POST', 'Coverage', { token: server.tokens.ovm, body: card })).body));
      made.cards.push(...ids);
      const { status, body } = await assess(server, assessmentBody(of.patient, act.category, new Date(now - act.ago * DAY).toISOString(), ids.length > 0 ? { extension: ids.map(({ id }) => evidence(`Coverage/${id}`)) } : {}));
      if (status === 201) made.assessments.push(body);
    } else if (act.act === 'state') {
      const statement = statementBody(act.other ? of.otherNumber : of.number, act.status, new Date(now - act.ago * DAY).toISOString());
      await deliver(server, statement);
      made.statements.push(statement);
    } else if (act.act === 'retract') {
      const found = one(made.assessments, act.which);
      if (found) await retract(found);
    } else if (act.act === 'withdraw') {
      const found = one(made.statements, act.which);
      if (found) await withdraw(server, found);
    } else if (act.act === 'end') {
      const found = one(made.cards, act.which);
      if (found) await put({ ...found, period: { ...found.period, end: day(now + act.ends * DAY) } });
    } else {
      const link = act.act === 'merge' ? { link: [{ type: 'replaced-by', other: { reference: `Patient/${of.patient}` } }] } : {};
      await server.send('PUT', `Patient/${of.other}`, { token: admin, body: { ...patientBody(of.otherNumber), ...link, id: of.other } });
    }
  }
});
