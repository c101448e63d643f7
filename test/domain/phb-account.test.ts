// C32E1: a budget is opened, seen and amended, with its money exact from the first penny (domain.md 2.1, rulings 2, 3, 11, 15, 17, 43, 52).
import { errorCode, patientBody } from './people.js';
import { allocation, budgetBody, gbp, linesOf, made, open, organization, organizationBody, person } from './budgets.js';
import { startServer, type TestServer } from '../server.js';

let server: TestServer;
let icb: string;
let council: string;
beforeAll(async () => {
  server = await startServer();
  icb = await organization(server, 'QWE');
  council = await organization(server, 'LA1', 'local-authority');
});
afterAll(() => server.close());

async function opened(rest: object = {}): Promise<any> {
  const { status, body, text } = await open(server, budgetBody({ patient: await person(server), owner: icb, ...rest }));
  if (status !== 201) throw new Error(`Account: ${status} ${text}`);
  return body;
}

const issue = (answer: any): any => answer.body.issue[0];

describe('opening a budget', () => {
  it('answers 201 with the first version, its line named and its funding as a Coverage', async () => {
    const patient = await person(server);
    const sent = JSON.stringify(budgetBody({ patient, owner: icb })).replace('12000', '12000.00');
    const answer = await server.send('POST', 'Account', { token: server.tokens.admin, body: sent });
    expect(answer.status).toBe(201);
    expect(answer.headers['etag']).toBe('W/"1"');
    expect(answer.text).toContain('{"value":12000.00,"currency":"GBP"}');
    const [line] = linesOf(answer.body);
    expect(line?.lineId).toMatch(/^[A-Za-z0-9.-]{1,64}$/);
    const coverage = await server.send('GET', answer.body.coverage[0].coverage.reference, { token: server.tokens.admin });
    expect(coverage.body).toMatchObject({ status: 'active', beneficiary: { reference: `Patient/${patient}` }, payor: [{ reference: `Organization/${icb}` }] });
    const { rows } = await server.database.query({ text: 'select kind, amount, number, available_after from fhir.ledger where account = $1', values: [answer.body.id] });
    expect(rows).toEqual([{ kind: 'allocation', amount: 1200000, number: 1, available_after: 1200000 }]);
  });

  it('works in a transaction that makes the patient and the owner too, under an id of the client\'s', async () => {
    const entry = (method: string, url: string, resource: object, fullUrl?: string): object => ({ ...(fullUrl && { fullUrl }), request: { method, url }, resource });
    const [patient, owner] = ['urn:uuid:8c1f4b54-34a4-4f0c-8f0b-9d6a0f2a6f01', 'urn:uuid:8c1f4b54-34a4-4f0c-8f0b-9d6a0f2a6f02'];
    const account = JSON.parse(JSON.stringify(budgetBody({ patient: '', owner: '' })).replaceAll('"Organization/"', `"${owner}"`).replaceAll('"Patient/"', `"${patient}"`));
    const body = {
      resourceType: 'Bundle', type: 'transaction',
      entry: [entry('PUT', 'Account/my-budget', { ...account, id: 'my-budget' }), entry('POST', 'Patient', patientBody('9990000050'), patient), entry('POST', 'Organization', organizationBody('QXX', 'icb'), owner)],
    };
    const answer = await server.send('POST', '', { token: server.tokens.admin, body });
    expect([answer.status, answer.body.entry.map(({ response }: any) => response.status.slice(0, 3))]).toEqual([200, ['201', '201', '201']]);
    const { body: balance } = await server.send('GET', 'Account/my-budget/$balance', { token: server.tokens.admin });
    expect(balance.parameter[0]).toEqual({ name: 'allocated', valueMoney: gbp(12000) });
  });

  it('is found by how its lines are managed and on what basis it was granted', async () => {
    const patient = await person(server);
    const isf = await organization(server, 'ISF9', 'third-party');
    const third = { model: 'third-party', amount: gbp(500), holder: `Organization/${isf}` };
    const opening = async (rest: object): Promise<string> => (await open(server, budgetBody({ patient, owner: icb, ...rest }))).body.id;
    const [plain, mixed] = [await opening({}), await opening({ basis: 'wheelchair', lines: [{ amount: gbp(1000) }, third] })];
    const found = async (query: string, token = server.tokens.admin): Promise<string[]> => {
      const { body } = await server.send('GET', `Account?patient=${patient}&${query}`, { token, headers: { prefer: 'handling=strict' } });
      return (body.entry ?? []).map(({ resource }: any) => resource.id).sort();
    };
    expect(await found('allocation-model=notional')).toEqual([plain, mixed].sort());
    expect(await found('allocation-model=third-party')).toEqual([mixed]);
    expect(await found('allocation-model=third-party&allocation-model=notional')).toEqual([mixed]);
    expect(await found('allocation-model=direct-payment')).toEqual([]);
    expect(await found('allocation-model:not=third-party')).toEqual([plain]);
    expect(await found('eligibility-basis=nhs-chc')).toEqual([plain]);
    expect(await found('eligibility-basis=nhs-chc,wheelchair')).toEqual([plain, mixed].sort());
    for (const query of ['allocation-model=notional', 'eligibility-basis=wheelchair']) {
      expect((await server.send('GET', `Account?${query}`, { token: await server.token('third-party', { organization: 'ISF9' }) })).status).toBe(403);
    }
  });

  const refused: readonly [string, (patient: string) => object, string | undefined, string][] = [
    ['without a line', (patient) => budgetBody({ patient, owner: icb, lines: [] }), undefined, 'required'],
    ['with an amount that is no whole penny', (patient) => budgetBody({ patient, owner: icb, lines: [{ amount: gbp(30.005) }] }), undefined, 'invalid'],
    ['with an amount of nothing', (patient) => budgetBody({ patient, owner: icb, lines: [{ amount: gbp(0) }] }), undefined, 'business-rule'],
    ['in dollars', (patient) => budgetBody({ patient, owner: icb, lines: [{ amount: { value: 1, currency: 'USD' } }] }), 'CURRENCY_MISMATCH', 'business-rule'],
    ['that no integrated care board owns', (patient) => budgetBody({ patient, owner: council }), undefined, 'business-rule'],
    ['decided tomorrow', (patient) => budgetBody({ patient, owner: icb, decidedOn: '2126-01-01' }), 'NOT_ELIGIBLE', 'business-rule'],
    ['on an exceptional basis without saying so', (patient) => budgetBody({ patient, owner: icb, basis: 'other' }), 'NOT_ELIGIBLE', 'business-rule'],
    ['by direct payment without a holder', (patient) => budgetBody({ patient, owner: icb, lines: [{ model: 'direct-payment' }] }), undefined, 'required'],
    ['for nobody', () => budgetBody({ patient: 'no-such-patient', owner: icb }), undefined, 'not-found'],
    ['that is suspended', (patient) => ({ ...budgetBody({ patient, owner: icb }), status: 'on-hold' }), undefined, 'business-rule'],
    ['with a basis nobody knows', (patient) => budgetBody({ patient, owner: icb, basis: 'guesswork' }), undefined, 'code-invalid'],
    ['with a Coverage of its own', (patient) => ({ ...budgetBody({ patient, owner: icb }), coverage: [{ coverage: { reference: 'Coverage/1' } }] }), 'FORBIDDEN_UPDATE', 'business-rule'],
  ];
  it.each(refused)('refuses one %s', async (_words, body, code, type) => {
    const answer = await open(server, body(await person(server)));
    expect([answer.status, issue(answer).code]).toEqual([422, type]);
    if (code !== undefined) expect(errorCode(answer)).toBe(code);
  });

  it.each([['nhs-chc', '2009-11-02', 422], ['nhs-chc', '2008-11-01', 201], ['cyp-continuing-care', '2008-11-01', 422], ['cyp-continuing-care', '2008-11-02', 201], ['nhs-chc', '2009', 422], ['nhs-chc', '2008', 201]])(
    'on the basis %s for someone born %s: %i', async (basis, birthDate, status) => {
      const answer = await open(server, budgetBody({ patient: await person(server, { birthDate }), owner: icb, basis, start: '2026-11-01' }));
      expect(answer.status).toBe(status);
    });

  it('opens one of two at the same moment, and another only for another period, basis or source', async () => {
    const patient = await person(server);
    const both = await Promise.all([open(server, budgetBody({ patient, owner: icb })), open(server, budgetBody({ patient, owner: icb }))]);
    expect(both.map(({ status }) => status).sort()).toEqual([201, 422]);
    expect(errorCode(both.find(({ status }) => status === 422)!)).toBe('DUPLICATE_BUDGET');
    expect((await open(server, budgetBody({ patient, owner: icb, start: '2025-11-01', end: '2026-10-31' }))).status).toBe(201);
    expect((await open(server, budgetBody({ patient, owner: icb, basis: 'wheelchair' }))).status).toBe(201);
    expect((await open(server, budgetBody({ patient, owner: council, funding: 'social-care' }))).status).toBe(201);
    expect((await open(server, budgetBody({ patient, owner: icb, exceptional: true }))).status).toBe(201);
  });
});

describe('amending a budget', () => {
  const put = (account: any, version: string = account.meta.versionId): Promise<any> =>
    server.send('PUT', `Account/${account.id}`, { token: server.tokens.admin, body: account, headers: { 'if-match': `W/"${version}"` } });

  it('changes its words with If-Match, and keeps lines and coverage that are left as they are or out', async () => {
    const { coverage, ...account } = await opened();
    const answer = await put({ ...account, name: 'Another name' });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ name: 'Another name', coverage, meta: { versionId: '2' } });
    expect(linesOf(answer.body)).toEqual(linesOf(account));
  });

  it('refuses what has not seen it: 412', async () => {
    const account = await opened();
    expect((await server.send('PUT', `Account/${account.id}`, { token: server.tokens.admin, body: account })).status).toBe(412);
    expect((await put(account, '7')).status).toBe(412);
  });

  const changes: readonly [string, (account: any) => object, string][] = [
    ['an amount', (account) => ({ ...account, extension: [allocation({ lineId: linesOf(account)[0]!.lineId, amount: gbp(13000) }), ...account.extension.slice(1)] }), '$adjust-allocation'],
    ['a further line', (account) => ({ ...account, extension: [...account.extension, allocation({ amount: gbp(1) })] }), '$adjust-allocation'],
    ['the status', (account) => ({ ...account, status: 'inactive' }), '$close'],
    ['the patient', (account) => ({ ...account, subject: [{ reference: 'Patient/another' }] }), 'patient'],
    ['the mark', (account) => ({ ...account, type: { text: 'current account' } }), 'account-type'],
    ['the Coverage', (account) => ({ ...account, coverage: [{ coverage: { reference: 'Coverage/1' } }] }), 'server'],
    ['the joint budget', (account) => ({ ...account, partOf: { reference: 'Account/1' } }), '$join'],
  ];
  it.each(changes)('refuses a change of %s by hand, by PUT and by PATCH', async (_words, change, says) => {
    const account = await opened();
    const changed: any = change(account);
    const answer = await put(changed);
    expect([answer.status, errorCode(answer)]).toEqual([422, 'FORBIDDEN_UPDATE']);
    expect(issue(answer).details.text).toContain(says);
    const patch = Object.keys(changed).filter((name) => changed[name] !== account[name]).map((name) => ({ op: 'add', path: `/${name}`, value: changed[name] }));
    const patched = await server.send('PATCH', `Account/${account.id}`, {
      token: server.tokens.admin, body: patch, headers: { 'content-type': 'application/json-patch+json', 'if-match': 'W/"1"' },
    });
    expect([patched.status, errorCode(patched)]).toEqual([422, 'FORBIDDEN_UPDATE']);
  });

  it('is never deleted, and one that was an error holds nothing', async () => {
    const account = await opened();
    expect((await server.send('DELETE', `Account/${account.id}`, { token: server.tokens.admin })).status).toBe(422);
    expect((await put({ ...account, status: 'entered-in-error' })).status).toBe(200);
    const { rows } = await server.database.query({ text: 'select state, allocated from fhir.budget_account where account = $1', values: [account.id] });
    expect(rows).toEqual([{ state: 'entered-in-error', allocated: 0 }]);
  });

  it('leaves other Accounts alone', async () => {
    const plain = await made(server, { resourceType: 'Account', status: 'active', name: 'Hospital account' });
    expect((await server.send('PUT', `Account/${plain.id}`, { token: server.tokens.admin, body: { ...plain, status: 'inactive' } })).status).toBe(200);
    expect((await server.send('DELETE', `Account/${plain.id}`, { token: server.tokens.admin })).status).toBe(204);
  });
});
