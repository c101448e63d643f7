// C32E3 and C32E1 AC3: the trail of a budget, every movement with its evidence and what was then available (domain.md 2.1, rulings 16, 35, 50, 57).
import { BASE } from './people.js';
import { budgetBody, extension, gbp, linesOf, made, open, organization, person } from './budgets.js';
import { balanceOf, change, opened, parties, purchaseBody, recorded, type Opened } from './purchases.js';
import { startServer, type Answer, type TestServer } from '../server.js';

let server: TestServer;
let known: { owner: string; provider: string };
beforeAll(async () => {
  server = await startServer();
  known = await parties(server);
});
afterAll(() => server.close());

const statement = (account: string, query = '', token = server.tokens.admin, headers = {}): Promise<Answer> => server.send('GET', `Account/${account}/$statement${query}`, { token, headers });
const value = (entry: any, id: string): any => {
  const found = entry.extension.find(({ url }: any) => url === `${BASE}/StructureDefinition/ext-${id}`);
  return found && Object.entries(found).find(([name]) => name !== 'url')?.[1];
};
const matches = (bundle: any): any[] => (bundle.entry ?? []).filter(({ search }: any) => search.mode === 'match');
/** Kind, amount, balance, and the type of the resource of each row. */
const rows = (bundle: any): unknown[] => matches(bundle).map((entry) => [value(entry, 'ledger-kind'), value(entry, 'ledger-amount').value, value(entry, 'running-balance').value, entry.resource.resourceType]);

/** A budget of 1000.00 with a purchase of 30.00 and one of 12.50 that was cancelled. */
async function used(rest: object = {}): Promise<Opened & { readonly claims: readonly any[] }> {
  const budget = await opened(server, known, { lines: [{ amount: gbp(1000) }], ...rest });
  const first = await recorded(server, purchaseBody(budget));
  const second = await recorded(server, purchaseBody({ ...budget, amount: 12.5 }));
  const cancelled = await change(server, second, { status: 'cancelled' });
  expect(cancelled.status).toBe(200);
  return { ...budget, claims: [first, second] };
}

describe('the statement of a budget', () => {
  it('has one row per movement in time order, with its claim or the record of the act, and ends at the balance', async () => {
    const { account, claims } = await used();
    const answer = await statement(account);
    expect(answer.status).toBe(200);
    expect([answer.body.resourceType, answer.body.type, answer.body.total]).toEqual(['Bundle', 'searchset', 4]);
    expect(rows(answer.body)).toEqual([
      ['allocation', 1000, 1000, 'Provenance'], ['commit', 30, 970, 'Claim'], ['commit', 12.5, 957.5, 'Claim'], ['release', 12.5, 970, 'Claim'],
    ]);
    expect(matches(answer.body).slice(1).map(({ resource }) => resource.id)).toEqual([claims[0].id, claims[1].id, claims[1].id]);
    expect(value(matches(answer.body).at(-1), 'running-balance').value).toBe((await balanceOf(server, account))['available']);
    expect(answer.text).toContain('"valueMoney":{"value":957.50,"currency":"GBP"}');
  });

  it('is a Bundle as FHIR has it: no URL stands twice', async () => {
    const { account } = await used();
    const { body } = await statement(account);
    const urls = body.entry.map(({ fullUrl }: any) => fullUrl);
    expect(new Set(urls).size).toBe(urls.length);
    expect(urls[3]).toMatch(/^urn:uuid:/);
    const judged = await server.send('POST', 'Bundle/$validate', { token: server.tokens.admin, body });
    expect(judged.body.issue.filter(({ severity }: any) => severity === 'error')).toEqual([]);
  });

  it('shows the documents that its claims cite as includes', async () => {
    const budget = await opened(server, known);
    const document = await made(server, { resourceType: 'DocumentReference', status: 'current', subject: { reference: `Patient/${budget.patient}` }, content: [{ attachment: { contentType: 'application/pdf', title: 'receipt' } }] });
    const evidence = {
      supportingInfo: [{
        sequence: 1, category: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/claiminformationcategory', code: 'attachment' }] },
        code: { coding: [{ system: `${BASE}/CodeSystem/evidence-document`, code: 'receipt' }] }, valueReference: { reference: `DocumentReference/${document.id}` },
      }],
    };
    await recorded(server, purchaseBody({ ...budget, rest: evidence }));
    const { body } = await statement(budget.account);
    expect(body.entry.filter(({ search }: any) => search.mode === 'include').map(({ fullUrl }: any) => fullUrl)).toEqual([`${server.base}/DocumentReference/${document.id}`]);
  });

  it('goes on, page by page, to the same rows and balances', async () => {
    const { account } = await used();
    const whole = rows((await statement(account)).body);
    const found: unknown[] = [];
    let answer = await statement(account, '?_count=1');
    for (let pages = 0; pages < 10; pages += 1) {
      found.push(...rows(answer.body));
      expect(answer.body.total).toBeUndefined();
      const next = answer.body.link.find(({ relation }: any) => relation === 'next')?.url;
      if (next === undefined) break;
      expect(next).not.toContain('_count');
      answer = await server.send('GET', next.slice(server.base.length + 1), { token: server.tokens.admin });
    }
    expect(found).toEqual(whole);
    const other = await used();
    const { body } = await statement(account, '?_count=2');
    const word = body.link.find(({ relation }: any) => relation === 'next').url.split('?')[1];
    expect((await statement(other.account, `?${word}`)).status).toBe(400);
  });

  it('tells how many rows there are, and none of them, for _count=0', async () => {
    const { account } = await used();
    const all = rows((await statement(account)).body).length;
    for (const [query, total] of [['?_count=0', all], ['?_count=0&end=2020-01-01', 0], ['?_count=0&start=2020-01-01', all]] as const) {
      const { status, body } = await statement(account, query);
      expect([status, body.total, body.entry, body.link.map(({ relation }: any) => relation)]).toEqual([200, total, undefined, ['self']]);
    }
    expect((await statement(account, '?_count=0&_format=csv')).text.split('\r\n')).toHaveLength(2);
    const stranger = await server.token('patient', { patient: 'nobody' });
    expect((await server.send('GET', `Account/${account}/$statement?_count=0`, { token: stranger })).status).toBe(404);
  });

  it('is of the days asked for, whole days of London, its balances those of the whole', async () => {
    const { account } = await used();
    // 23:30 on 31 October in London is winter time; 00:30 on 1 June is 23:30 the day before in UTC.
    const move = (number: number, at: string): Promise<unknown> => server.database.query({ text: 'update fhir.ledger set at = $3 where account = $1 and number = $2', values: [account, number, Date.parse(at)] });
    await move(1, '2026-05-31T22:59:59.999Z');
    await move(2, '2026-05-31T23:00:00Z');
    await move(3, '2026-06-30T22:59:59Z');
    await move(4, '2026-06-30T23:00:00Z');
    expect(rows((await statement(account, '?start=2026-06-01&end=2026-06-30')).body)).toEqual([['commit', 30, 970, 'Claim'], ['commit', 12.5, 957.5, 'Claim']]);
    expect(rows((await statement(account, '?start=2026-07-01')).body)).toEqual([['release', 12.5, 970, 'Claim']]);
    expect(rows((await statement(account, '?end=2026-05-31')).body)).toEqual([['allocation', 1000, 1000, 'Provenance']]);
    expect((await statement(account, '?start=2027-01-01')).body.total).toBe(0);
    expect((await statement(account, '?start=2026-07-01&end=2026-06-30')).status).toBe(400);
    expect((await statement(account, '?start=yesterday')).status).toBe(400);
    expect((await statement(account, '?from=2026-07-01')).status).toBe(400);
  });

  it('answers a POST with Parameters as the GET', async () => {
    const { account } = await used();
    const answer = await server.send('POST', `Account/${account}/$statement`, { token: server.tokens.admin, body: { resourceType: 'Parameters', parameter: [{ name: '_count', valueInteger: 2 }] } });
    expect(rows(answer.body)).toHaveLength(2);
  });
});

describe('the statement as CSV', () => {
  const HEAD = 'date,kind,line,description,provider,amount,balance,claim,notice';

  it('has a line per row, by Accept or by _format', async () => {
    const { account, claims, provider, body } = await used();
    const answer = await statement(account, '', server.tokens.admin, { accept: 'text/csv' });
    expect([answer.status, answer.headers['content-type'], answer.headers['content-disposition']]).toEqual([200, 'text/csv; charset=utf-8', `attachment; filename="statement-${account}.csv"`]);
    const [head, first, second, ...others] = answer.text.split('\r\n');
    expect(head).toBe(HEAD);
    const line = linesOf(body)[0]!.lineId;
    expect(first).toMatch(new RegExp(`^20..-..-..,allocation,${line},open,,1000.00,1000.00,,$`));
    expect(second).toMatch(new RegExp(`^20..-..-..,commit,${line},"Gym membership, November",Organization/${provider},30.00,970.00,${claims[0].id},$`));
    expect(others).toHaveLength(3);
    expect((await statement(account, '?_format=text/csv')).text).toBe(answer.text);
    expect((await statement(account, '?_format=csv&_count=1')).headers['link']).toMatch(/rel="next"$/);
  });

  it('carries out no formula in a spreadsheet', async () => {
    const budget = await opened(server, known);
    await recorded(server, purchaseBody({ ...budget, rest: { item: [{ sequence: 1, productOrService: { text: '=HYPERLINK("http://x")' }, net: gbp(30) }] } }));
    expect((await statement(budget.account, '?_format=csv')).text).toContain(`,"'=HYPERLINK(""http://x"")",`);
  });

  it('is written by no other operation, nor into a Bundle', async () => {
    const { account } = await used();
    expect((await server.send('GET', `Account/${account}/$balance`, { token: server.tokens.admin, headers: { accept: 'text/csv' } })).status).toBe(406);
    const batch = { resourceType: 'Bundle', type: 'batch', entry: [{ request: { method: 'GET', url: `Account/${account}/$statement?_format=csv` } }] };
    const { body } = await server.send('POST', '', { token: server.tokens.admin, body: batch });
    expect(body.entry[0].resource.resourceType).toBe('Bundle');
  });
});

describe('who sees a statement', () => {
  it('the patient and the owning commissioner see every row; another sees that there is nothing', async () => {
    const { account, patient } = await used();
    const commissioner = await server.token('commissioner', { organization: 'QWE' });
    const own = await server.token('patient', { patient });
    for (const token of [commissioner, own]) {
      expect(rows((await statement(account, '', token)).body)).toEqual(rows((await statement(account)).body));
    }
    await organization(server, 'QXX');
    const other = await server.token('commissioner', { organization: 'QXX' });
    const refusals = [await statement(account, '', other), await statement('not-there', '', other), await statement(account, '', await server.token('patient', { patient: await person(server) }))];
    expect(refusals.map(({ status }) => status)).toEqual([404, 404, 404]);
    expect((await statement(account, '?_format=csv', other)).status).toBe(404);
  });

  it('no one of the status side does, nor a provider', async () => {
    const { account } = await used();
    for (const token of [server.tokens.supplier, server.tokens.ovm, server.tokens.homeOffice, await server.token('provider', { organization: 'GYM1' })]) {
      expect((await statement(account, '', token)).status).toBe(403);
    }
    expect((await server.send('GET', `Account/${account}/$statement`)).status).toBe(401);
  });

  it('every view is on record, of the patient, as JSON and as CSV', async () => {
    const { account, patient } = await used();
    const token = await server.token('commissioner', { organization: 'QWE' });
    await statement(account, '', token);
    await statement(account, '?start=2999-01-01', token);
    await statement(account, '?_format=csv', token);
    await new Promise((done) => setTimeout(done, 400));
    const { body } = await server.send('GET', `AuditEvent?patient=Patient/${patient}&_count=100`, { token: server.tokens.admin });
    const views = body.entry.filter(({ resource }: any) => JSON.stringify(resource).includes('$statement'));
    expect(views).toHaveLength(3);
  });

  it('a third party sees the rows of its own lines, with their balance alone', async () => {
    const isf = await organization(server, 'ISF1', 'third-party');
    const patient = await person(server);
    const { body: account } = await open(server, budgetBody({ patient, owner: known.owner, lines: [{ amount: gbp(9000) }, { model: 'third-party', amount: gbp(500), holder: `Organization/${isf}` }] }));
    const [notional, theirs] = linesOf(account);
    await recorded(server, purchaseBody({ patient, account: account.id, provider: known.provider, line: notional!.lineId }));
    await recorded(server, purchaseBody({ patient, account: account.id, provider: known.provider, line: theirs!.lineId, amount: 20 }));
    const token = await server.token('third-party', { organization: 'ISF1' });
    const { body, text } = await statement(account.id, '', token);
    expect(rows(body)).toEqual([['allocation', 500, 500, 'Provenance'], ['commit', 20, 480, 'Claim']]);
    expect(text).not.toContain(notional!.lineId);
    const [, last] = rows((await statement(account.id, '?_count=1', token)).body);
    expect(last).toBeUndefined();
    expect([(await statement(account.id, '?_count=0', token)).body.total, (await statement(account.id, '?_count=0')).body.total]).toEqual([2, 4]);
    await organization(server, 'ISF2', 'third-party');
    expect((await statement(account.id, '', await server.token('third-party', { organization: 'ISF2' }))).status).toBe(404);
  });
});

describe('the statement of a joint budget', () => {
  /** Two budgets of one patient by two owners, joined; a purchase drawn on both. */
  async function joint() {
    const patient = await person(server);
    const council = await organization(server, `LA${Date.now() % 100000}`, 'local-authority');
    const health = (await open(server, budgetBody({ patient, owner: known.owner, lines: [{ amount: gbp(100) }] }))).body;
    const care = (await open(server, budgetBody({ patient, owner: council, funding: 'social-care', basis: 'wheelchair', lines: [{ amount: gbp(50) }] }))).body;
    const parent = await made(server, {
      resourceType: 'Account', status: 'active', subject: [{ reference: `Patient/${patient}` }], type: { coding: [{ system: `${BASE}/CodeSystem/account-type`, code: 'joint-budget' }] },
      extension: [extension('draw-policy', { valueCode: 'pro-rata' })],
    });
    for (const child of [health, care]) {
      await server.seed([{ ...child, partOf: { reference: `Account/${parent.id}` } }]);
      await server.database.query({ text: 'update fhir.budget_account set parent = $1 where account = $2', values: [parent.id, child.id] });
    }
    return { patient, health, care, parent };
  }

  it('tells the rows of the budgets in it, and each owner its own', async () => {
    const { health, care, parent } = await joint();
    const all = await statement(parent.id);
    expect(rows(all.body)).toEqual([['allocation', 100, 100, 'Provenance'], ['allocation', 50, 150, 'Provenance']]);
    expect(value(matches(all.body).at(-1), 'running-balance').value).toBe((await balanceOf(server, parent.id))['available']);
    const owner = await server.token('commissioner', { organization: 'QWE' });
    const own = await statement(parent.id, '', owner);
    expect(rows(own.body)).toEqual([['allocation', 100, 100, 'Provenance']]);
    expect(own.text).not.toContain(care.id);
    expect((await statement(care.id, '', owner)).status).toBe(404);
    expect((await statement(health.id, '', owner)).status).toBe(200);
  });

  it('shows of a purchase that others pay too the date, the provider and the own share', async () => {
    const { patient, health, parent, care } = await joint();
    const claim = { ...purchaseBody({ patient, account: parent.id, provider: known.provider, amount: 30 }), id: `joint-${health.id}`, insurance: [health, care].map(({ coverage: [{ coverage }] }: any, index) => ({ sequence: index + 1, focal: index === 0, coverage })) };
    await server.seed([claim]);
    await server.database.query({
      text: `insert into fhir.ledger (number, at, amount, allocated, committed, spent, disbursed, available_after, account, id, line, kind, actor, role, claim)
        select 2, at + 1, 2000, 0, 2000, 0, 0, 8000, account, id || '-2', line, 'commit', actor, role, $2 from fhir.ledger where account = $1`,
      values: [health.id, claim.id],
    });
    const { body, text } = await statement(parent.id, '', await server.token('commissioner', { organization: 'QWE' }));
    expect(rows(body)[1]).toEqual(['commit', 20, 80, 'Claim']);
    expect(matches(body)[1].resource).toEqual({
      resourceType: 'Claim', meta: { tag: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' }] },
      created: claim.created, provider: claim.provider, total: gbp(20),
    });
    expect(text).not.toContain('Gym');
    expect(text).not.toContain(claim.id);
    const { text: csv } = await statement(health.id, '?_format=csv', await server.token('commissioner', { organization: 'QWE' }));
    expect(csv).toContain(`,,Organization/${known.provider},20.00,80.00,,`);
  });
});
