// Every operation that the server has, with its parameters, by every role, on rows that it sees and on rows that it does not: each cell of
// expected-operations.ts is an HTTP request. https://hl7.org/fhir/R4/operations.html
import { budgetBody, makeWorld, managerEntry, put, type World } from '../domain/world.js';
import { rowCounts } from '../api/row-counts.js';
import { startServer, type Answer, type TestServer } from '../server.js';
import { lettersOf, seesRow, typeOf } from './cells.js';
import { ELSEWHERE, EVERYBODYS, MAY_CALL, ON_ROWS, type Called } from './expected-operations.js';
import { rowsOf } from './rows.js';

let server: TestServer;
let world: World;
beforeAll(async () => {
  server = await startServer();
  world = await makeWorld(server);
  await server.seed(rowsOf(world));
  const { organizations: of, patients, related } = world;
  const line = { model: 'third-party', amount: 100, holder: `Organization/${of.isf}` };
  await put(server, budgetBody({ patient: patients.ada, owner: of.icb, lines: [{ model: 'notional', amount: 100 }, line], rest: { id: 'live-ada' } }));
  const { body: live } = await server.send('GET', 'Account/live-ada', { token: server.tokens.admin });
  await server.seed([{ ...live, extension: [...live.extension, managerEntry(`RelatedPerson/${related.nominee}`, 'approved')] }]);
  await put(server, budgetBody({ patient: patients.bob, owner: of.otherIcb, rest: { id: 'live-bob' } }));
});
afterAll(() => server.close());

const BEARERS = Object.keys(MAY_CALL);
const COORDINATORS = ['coordinator', 'stranger', 'broker'];
const NO_PATIENT = ['Group'];
const tokenOf = (bearer: string): string => ({ ...server.tokens, ...world.tokens } as Record<string, string>)[bearer] ?? '';
const pathOf = (row: string): string => (row.startsWith('Patient/') ? `Patient/${world.patients[row.slice('Patient/'.length) as 'ada']}` : row);
const missOf = (bearer: string, type: string): number => (COORDINATORS.includes(bearer) && !NO_PATIENT.includes(type) ? 403 : 404);

function call(bearer: string, path: string, { code, parameter }: Pick<Called, 'code' | 'parameter'>): Promise<Answer> {
  return server.send('POST', `${path}/$${code}`, { token: tokenOf(bearer), body: { resourceType: 'Parameters', ...(parameter && { parameter }) } });
}

const inBundle = (kind: string, url: string, { parameter }: Pick<Called, 'parameter'>): object =>
  ({ resourceType: 'Bundle', type: kind, entry: [{ resource: { resourceType: 'Parameters', ...(parameter && { parameter }) }, request: { method: 'POST', url } }] });

/** Whoever asks for a status by number sees no Patient; a nominee has an own way to a budget where it is not approved yet. */
const sees = (bearer: string, row: string, code: string): boolean => {
  if (code === 'chargeable-status') return ['ovm', 'supplier'].includes(bearer);
  // Its purchases are paid by who pays; a nominee records what was paid of a direct payment, of which there is none.
  if (bearer === 'nominee' && code === 'pay') return false;
  return seesRow(bearer, row.replace('live-', '')) && lettersOf(bearer, typeOf(row)).includes('R');
};

test('no operation of the CapabilityStatement is left out', async () => {
  const { body } = await server.send('GET', 'metadata', { token: server.tokens.admin });
  const named = [...(body.rest[0].operation ?? []), ...body.rest[0].resource.flatMap(({ operation = [] }: any) => operation)].map(({ name }: any) => name);
  const known = new Set([...ON_ROWS.map(({ code }) => code), ...Object.keys(ELSEWHERE), ...EVERYBODYS]);
  expect([...new Set<string>(named)].filter((name) => !known.has(name))).toEqual([]);
});

describe.each(BEARERS)('%s', (bearer) => {
  const may = (code: string): boolean => MAY_CALL[bearer]?.includes(code) ?? false;

  test('calls on rows what the role may, on those that it sees', async () => {
    const wrong: unknown[] = [];
    for (const called of ON_ROWS) {
      for (const row of called.on) {
        const { status, text } = await call(bearer, pathOf(row), called);
        const seen = sees(bearer, row, called.code);
        const isRight = !may(called.code) ? status === 403 : !seen ? status === missOf(bearer, typeOf(row)) : called.tells ? status === 200 : status < 500 && status !== 403 && !text.includes(`There is no ${pathOf(row)}`);
        if (!isRight) wrong.push([called.code, row, may(called.code), seen, status, text.slice(0, 300)]);
        if (!seen && row.endsWith('bob') && !seesRow(bearer, 'Patient/bob') && text.includes(world.nhsNumbers.bob)) wrong.push([called.code, row, 'tells of bob']);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('is told of a hidden row in the words for one that never was, alone and in a Bundle', async () => {
    const words = ({ status, body }: Answer, at: string): string => JSON.stringify([status, body?.issue ?? body?.entry?.map(({ response }: any) => [response.status, response.outcome?.issue])]).replaceAll(at, 'X');
    // Exports that were asked for elsewhere go on meanwhile.
    const counts = async (): Promise<object> => ({ ...(await rowCounts(server)), job: 0, export_page: 0 });
    const before = await counts();
    for (const called of ON_ROWS.filter(({ code }) => may(code))) {
      for (const row of called.on.filter((one) => !sees(bearer, one, called.code))) {
        const [path, never] = [pathOf(row), `${typeOf(row)}/never`];
        expect([called.code, words(await call(bearer, path, called), path)]).toEqual([called.code, words(await call(bearer, never, called), never)]);
        for (const kind of ['batch', 'transaction']) {
          const ask = (at: string): Promise<Answer> => server.send('POST', '', { token: tokenOf(bearer), body: inBundle(kind, `${at}/$${called.code}`, called) });
          expect([called.code, kind, words(await ask(path), path)]).toEqual([called.code, kind, words(await ask(never), never)]);
        }
      }
    }
    expect(await counts()).toEqual(before);
  });

  test('calls elsewhere what the role may', async () => {
    const wrong: unknown[] = [];
    for (const [code, path] of Object.entries(ELSEWHERE)) {
      const { status, text } = await server.send('POST', path, { token: tokenOf(bearer), body: { resourceType: 'Parameters' }, headers: { prefer: 'respond-async' } });
      if (may(code) === (status === 403) || status >= 500) wrong.push([code, may(code), status, text.slice(0, 200)]);
    }
    expect(wrong).toEqual([]);
  });
});

describe('a parameter that names a hidden row', () => {
  const refers = (name: string, reference: string): object => ({ name, valueReference: { reference } });
  const text = (name: string, valueString: string): object => ({ name, valueString });
  const opening = (patient: string): readonly object[] => [
    refers('patient', patient), refers('owner', `Organization/${world.organizations.icb}`), { name: 'allocation', valueMoney: { value: 100, currency: 'GBP' } }, { name: 'period', valuePeriod: { start: '2026-11-01' } },
    { name: 'eligibility', part: [{ name: 'basis', valueCode: 'nhs-chc' }, refers('decidedBy', `Organization/${world.organizations.icb}`), { name: 'decidedOn', valueDate: '2026-10-01' }] }, { name: 'fundingSource', valueCode: 'nhs' },
  ];
  const cells: readonly (readonly [bearer: string, path: string, code: string, hidden: string, parameter: (reference: string) => readonly object[]])[] = [
    ['ada', 'Account/ada', 'link-careplan', 'CarePlan/bob', (one) => [refers('carePlan', one)]], ['manager', 'Account/ada', 'link-careplan', 'CarePlan/bob', (one) => [refers('carePlan', one)]],
    ['nominee', 'Account/ada', 'link-careplan', 'CarePlan/unlinked', (one) => [refers('carePlan', one)]], ['ada', 'Account/ada', 'nominate', 'RelatedPerson/bob', (one) => [refers('party', one), { name: 'role', valueCode: 'friend' }]],
    ['manager', 'Account/ada', 'adjust-allocation', 'Task/bob', (one) => [{ name: 'delta', valueMoney: { value: 1, currency: 'GBP' } }, text('reason', 'x'), refers('review', one)]],
    ['manager', 'Account/ada', 'close', 'Task/bob', (one) => [{ name: 'reason', valueCode: 'death' }, refers('review', one)]],
    ['manager', 'Account/ada', 'review', 'CarePlan/bob', (one) => [{ name: 'outcome', valueCode: 'continue' }, refers('carePlan', one)]],
    ['manager', 'Account/ada', 'assign-allocation', 'Consent/bob', (one) => [{ name: 'line', part: [{ name: 'model', valueCode: 'direct-payment' }, { name: 'amount', valueMoney: { value: 1, currency: 'GBP' } }, refers('consent', one)] }]],
    ['manager', 'Account/ada', 'join', 'Account/bob', (one) => [refers('account', one), refers('consent', 'Consent/ada'), text('reason', 'x')]], ['ada', 'Claim/own', 'link-activity', 'CarePlan/bob', (one) => [{ name: 'item', valuePositiveInt: 1 }, text('activityId', 'a1'), refers('carePlan', one)]],
    ['commissioner', 'Patient', 'phb-candidates', 'Group/criteria-bob', (one) => [refers('criteria', one)]], ['commissioner', 'Patient/ada', 'phb-eligibility', 'Group/criteria-bob', (one) => [refers('criteria', one)]],
    ['commissioner', 'Account', 'open-budget', 'Patient/bob', opening], ['stranger', 'Account', 'open-budget', 'Patient/bob', opening],
  ];

  test.each(cells)('%s, %s/$%s with %s: as one that never was', async (bearer, path, code, hidden, parameter) => {
    const version = path.includes('/') && !path.startsWith('Patient') ? (await server.send('GET', path, { token: server.tokens.admin })).headers['etag'] : undefined;
    const ask = (reference: string): Promise<Answer> => server.send('POST', `${pathOf(path)}/$${code}`, { token: tokenOf(bearer), body: { resourceType: 'Parameters', parameter: parameter(reference) }, headers: { ...(version !== undefined && { 'if-match': version }) } });
    const at = pathOf(hidden);
    const never = `${typeOf(hidden)}/never`;
    const words = ({ status, body }: Answer, reference: string): string => JSON.stringify([status, body.issue]).replaceAll(reference, 'X');
    const [of, none] = [await ask(at), await ask(never)];
    expect(words(of, at)).toBe(words(none, never));
    expect([of.status >= 400, of.status < 500]).toEqual([true, true]);
  });

  test('a care coordinator opens no budget for a patient without a relationship, by the operation as by POST', async () => {
    const answer = await server.send('POST', 'Account/$open-budget', { token: world.tokens.stranger, body: { resourceType: 'Parameters', parameter: opening(pathOf('Patient/bob')) } });
    expect([answer.status, answer.body.issue[0].details.coding[0].code]).toEqual([403, 'NO_RELATIONSHIP']);
  });

  test('a commissioner reports on its own organisation alone', async () => {
    const ask = (reporter: string): Promise<Answer> => server.send('GET', `Measure/phb-people/$evaluate-measure?periodStart=2026-01-01&periodEnd=2026-12-31&reporter=Organization/${reporter}`, { token: world.tokens.commissioner });
    expect((await ask(world.organizations.icb)).status).toBe(200);
    const [of, none] = [await ask(world.organizations.otherIcb), await ask('never')];
    expect([of.status, of.body.issue]).toEqual([403, none.body.issue]);
  });
});
