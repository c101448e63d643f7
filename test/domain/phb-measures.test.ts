// C32E14: management information that reconciles to the ledger, for the commissioner that owns the budgets (domain.md 2.1, 3.9, rulings 51 and 62).
import { BASE } from './people.js';
import { budgetBody, extension, gbp, made, open, organization, organizationBody, person, type LineBody } from './budgets.js';
import { change, purchaseBody, recorded } from './purchases.js';
import { pay, paidIn, refund } from './payments.js';
import { startServer, type Answer, type TestServer } from '../server.js';

let server: TestServer;
beforeAll(async () => void (server = await startServer()));
afterAll(() => server.close());

const QUARTER = { periodStart: '2026-10-01', periodEnd: '2026-12-31' };

interface Icb {
  readonly id: string;
  readonly token: string;
}
let named = 0;
async function icb(rest: object = {}): Promise<Icb> {
  const ods = `Q${1000 + named++}`;
  return { id: (await made(server, { ...organizationBody(ods, 'icb'), ...rest })).id, token: await server.token('commissioner', { organization: ods }) };
}

const evaluate = (measure: string, token: string, query: Record<string, string> = {}, headers = {}): Promise<Answer> =>
  server.send('GET', `Measure/${measure}/$evaluate-measure?${String(new URLSearchParams({ ...QUARTER, ...query }))}`, { token, headers });

/** What a report says: a number of people per group and model, and pounds per group; `masked` where it is left out. */
function figures({ status, body, text }: Answer): Record<string, unknown> {
  if (status !== 200) throw new Error(text);
  const masked = (element: any): boolean => element?.extension?.some(({ valueCode }: any) => valueCode === 'masked') === true;
  const people = ([one]: any[]): unknown => (masked(one._count) ? 'masked' : one.count);
  return Object.fromEntries(body.group.flatMap(({ code, population, measureScore, stratifier, extension: parts }: any) => {
    const name = code.coding[0].code;
    if (stratifier) return stratifier[0].stratum.map(({ value, population: of }: any) => [value.coding[0].code, people(of)]);
    if (measureScore) return [[name, masked(measureScore) ? 'masked' : [people(population), measureScore.value, parts[0].valueMoney.value]]];
    return [[name, people(population)]];
  }));
}

interface Holder {
  readonly patient: string;
  readonly account: any;
}

async function holder(owner: Icb, { birthDate = '1980-02-29', ...rest }: { birthDate?: string; lines?: readonly LineBody[]; basis?: string; start?: string; end?: string } = {}): Promise<Holder> {
  const patient = await person(server, { birthDate });
  const { status, body, text } = await open(server, budgetBody({ patient, owner: owner.id, ...rest }));
  if (status !== 201) throw new Error(`Account: ${status} ${text}`);
  return { patient, account: body };
}

describe('Measure/phb-people', () => {
  it('counts people, not budgets: in total, by model, by age and on the basis of Continuing Healthcare', async () => {
    const owner = await icb();
    const isf = await organization(server, `ISF${named++}`, 'third-party');
    const third = { model: 'third-party', amount: gbp(500), holder: `Organization/${isf}` };
    const both = await holder(owner, { lines: [{ amount: gbp(1000) }, third] });
    await open(server, budgetBody({ patient: both.patient, owner: owner.id, basis: 'wheelchair' }));
    await holder(owner);
    await holder(owner, { birthDate: '2015-01-01', basis: 'cyp-continuing-care', lines: [third] });
    const other = await icb();
    await holder(other);
    expect(figures(await evaluate('phb-people', owner.token))).toEqual({ total: 3, notional: 2, 'third-party': 2, 'direct-payment': 0, adults: 2, cyp: 1, 'nhs-chc': 2 });
  });

  it('is a MeasureReport by its profile: summary, complete, of the reporter, about nobody', async () => {
    const owner = await icb();
    const { patient } = await holder(owner);
    const { body, text } = await evaluate('phb-people', owner.token);
    expect(body).toMatchObject({ resourceType: 'MeasureReport', status: 'complete', type: 'summary', measure: `${BASE}/Measure/phb-people`, reporter: { reference: `Organization/${owner.id}` }, period: { start: '2026-10-01', end: '2026-12-31' } });
    expect(body.subject).toBeUndefined();
    expect(text).not.toContain(patient);
    for (const measure of ['phb-people', 'phb-spend']) {
      const report = (await evaluate(measure, owner.token)).body;
      const judged = await server.send('POST', `MeasureReport/$validate?profile=${BASE}/StructureDefinition/phb-measure-report`, { token: server.tokens.admin, body: report });
      expect(judged.body.issue.filter(({ severity }: any) => severity === 'error')).toEqual([]);
      const { body: published } = await server.send('GET', `Measure/${measure}`, { token: owner.token });
      expect(published.group.map(({ code }: any) => code.coding[0].code)).toEqual(report.group.map(({ code }: any) => code.coding[0].code));
    }
  });

  it('counts whom had a budget in the period, and the model that it had then', async () => {
    const owner = await icb();
    const isf = await organization(server, `ISF${named++}`, 'third-party');
    const { account } = await holder(owner, { start: '2026-01-01', lines: [{ amount: gbp(1000) }] });
    await server.database.query({ text: 'update fhir.ledger set at = $2 where account = $1', values: [account.id, Date.parse('2026-02-01T12:00:00Z')] });
    const assigned = await server.send('POST', `Account/${account.id}/$assign-allocation`, {
      token: server.tokens.admin, headers: { 'if-match': 'W/"1"' },
      body: { resourceType: 'Parameters', parameter: [{ name: 'line', part: [{ name: 'model', valueCode: 'third-party' }, { name: 'amount', valueMoney: gbp(1000) }, { name: 'holder', valueReference: { reference: `Organization/${isf}` } }] }] },
    });
    expect(assigned.status).toBe(200);
    const at = (periodStart: string, periodEnd: string): Promise<Answer> => evaluate('phb-people', owner.token, { periodStart, periodEnd });
    const models = async (answer: Promise<Answer>): Promise<unknown[]> => (({ total, notional, 'third-party': third }) => [total, notional, third])(figures(await answer));
    expect(await models(at('2025-10-01', '2025-12-31'))).toEqual([0, 0, 0]);
    // Entered in February, it runs from the first of January.
    expect(await models(at('2026-01-01', '2026-01-31'))).toEqual([1, 1, 0]);
    expect(await models(at('2026-02-01', '2026-03-31'))).toEqual([1, 1, 0]);
    expect(await models(at('2026-10-01', '2026-12-31'))).toEqual([1, 1, 1]);
    expect(await models(at('2027-01-01', '2027-03-31'))).toEqual([1, 0, 1]);
  });

  it('has a budget in the reports on each quarter it runs in, whenever it was entered', async () => {
    const owner = await icb();
    await holder(owner, { start: '2026-01-15' });
    await holder(owner, { start: '2026-01-15', end: '2026-03-31' });
    const total = async (periodStart: string, periodEnd: string): Promise<unknown> => figures(await evaluate('phb-people', owner.token, { periodStart, periodEnd }))['total'];
    expect([await total('2025-10-01', '2025-12-31'), await total('2026-01-01', '2026-01-14'), await total('2026-01-01', '2026-03-31'), await total('2026-04-01', '2026-06-30')]).toEqual([0, 0, 2, 1]);
  });

  it('tells adults from children by their age on the last day, in London', async () => {
    const owner = await icb();
    await holder(owner, { birthDate: '2009-01-01', basis: 'cyp-continuing-care' });
    await holder(owner, { birthDate: '2008-12', basis: 'cyp-continuing-care' });
    const ages = async (periodEnd: string): Promise<unknown[]> => (({ total, adults, cyp }) => [total, adults, cyp])(figures(await evaluate('phb-people', owner.token, { periodEnd })));
    expect(await ages('2026-12-30')).toEqual([2, 0, 2]);
    expect(await ages('2026-12-31')).toEqual([2, 1, 1]);
    expect(await ages('2027-01-01')).toEqual([2, 2, 0]);
  });

  it('counts no budget that had ended or had not begun, nor one entered in error', async () => {
    const owner = await icb();
    await holder(owner, { start: '2026-01-01', end: '2026-09-30' });
    await holder(owner, { start: '2027-01-01' });
    const wrong = await holder(owner);
    expect(figures(await evaluate('phb-people', owner.token))['total']).toBe(1);
    const { status } = await server.send('PUT', `Account/${wrong.account.id}`, { token: server.tokens.admin, headers: { 'if-match': 'W/"1"' }, body: { ...wrong.account, status: 'entered-in-error' } });
    expect(status).toBe(200);
    expect(figures(await evaluate('phb-people', owner.token))['total']).toBe(0);
  });
});

describe('Measure/phb-spend', () => {
  async function entry(provider: string, category: string): Promise<string> {
    const list = await made(server, {
      resourceType: 'List', status: 'current', mode: 'working', code: { coding: [{ system: `${BASE}/CodeSystem/list-code`, code: 'phb-directory' }] },
      extension: [extension('directory-owner', { valueReference: { reference: `Organization/${provider}` } })],
    });
    const service = await made(server, {
      resourceType: 'HealthcareService', active: true, name: `A ${category}`, providedBy: { reference: `Organization/${provider}` },
      category: [{ coding: [{ system: `${BASE}/CodeSystem/directory-category`, code: category }] }], extension: [extension('directory', { valueReference: { reference: `List/${list.id}` } })],
    });
    return service.id;
  }

  const item = (sequence: number, net: number, service?: string): object => ({
    sequence, productOrService: { text: 'Something' }, net: gbp(net), ...(service !== undefined && { extension: [extension('directory-entry', { valueReference: { reference: `HealthcareService/${service}` } })] }),
  });

  it('is what active purchases of the period come to, less refunds, by category, and what the ledger holds of them', async () => {
    const owner = await icb();
    const provider = await organization(server, `GYM${named++}`, 'provider');
    const [chair, gym] = [await entry(provider, 'equipment'), await entry(provider, 'activity')];
    const one = await holder(owner);
    const two = await holder(owner);
    const buy = ({ patient, account }: Holder, amount: number, items: object[], rest: object = {}): Promise<any> =>
      recorded(server, purchaseBody({ patient, account: account.id, provider, amount, ...rest, rest: { created: '2026-11-21', item: items, ...rest } }));
    const mixed = await buy(one, 100, [item(1, 60, chair), item(2, 30, gym), item(3, 10)]);
    await buy(two, 12.34, [item(1, 12.34, gym)]);
    await buy(two, 50, [item(1, 50, gym)], { created: '2026-09-30' });
    await buy(two, 99, [item(1, 99, gym)], { status: 'draft' });
    await buy(two, 40, [item(1, 40, chair)], { use: 'preauthorization' });
    const cancelled = await buy(two, 7, [item(1, 7, gym)]);
    expect((await change(server, cancelled, { status: 'cancelled' })).status).toBe(200);
    expect(figures(await evaluate('phb-spend', owner.token))).toMatchObject({ total: [2, 112.34, 0], equipment: [1, 60, 0], activity: [2, 42.34, 0], uncategorised: [1, 10, 0], therapy: [0, 0, 0] });
    const paid = await pay(server, mixed.id, 100);
    await refund(server, paidIn(paid).notice.id, 0.05);
    const report = figures(await evaluate('phb-spend', owner.token));
    expect(report).toMatchObject({ total: [2, 112.29, 99.95], equipment: [1, 59.97, 59.97], uncategorised: [1, 9.99, 9.99] });
    expect(report['activity']).toEqual([2, 42.33, 29.99]);
    const { rows } = await server.database.query<{ held: number; paid: number }>({
      text: `select sum(committed + spent)::int as held, sum(spent)::int as paid from fhir.ledger e where account = any ($1) and claim is not null
        and exists (select from fhir."Claim" t where t.id = e.claim and t.res like '%"created":"2026-11-21"%' and t.res like '%"use":"claim"%')`,
      values: [[one.account.id, two.account.id]],
    });
    expect(rows).toEqual([{ held: 11229, paid: 9995 }]);
  });
});

describe('who is told what', () => {
  it('a commissioner reports on itself and those below it, and on nobody else', async () => {
    const owner = await icb();
    const below = await icb({ partOf: { reference: `Organization/${owner.id}` } });
    const other = await icb();
    await holder(owner);
    await holder(below);
    const total = async (token: string, reporter?: string): Promise<unknown> => figures(await evaluate('phb-people', token, reporter === undefined ? {} : { reporter: `Organization/${reporter}` }))['total'];
    expect([await total(owner.token), await total(owner.token, owner.id), await total(owner.token, below.id), await total(below.token)]).toEqual([2, 2, 1, 1]);
    for (const [token, reporter] of [[owner.token, other.id], [below.token, owner.id], [owner.token, 'not-there']] as const) {
      expect((await evaluate('phb-people', token, { reporter: `Organization/${reporter}` })).status).toBe(403);
    }
  });

  it('patients, managers, providers and the status side are told nothing', async () => {
    const patient = await person(server);
    const tokens = [await server.token('patient', { patient }), await server.token('budget-manager', { organization: 'Q1000' }), await server.token('provider', { organization: 'GYM1' }), server.tokens.supplier, server.tokens.ovm];
    for (const token of tokens) expect((await evaluate('phb-people', token)).status).toBe(403);
  });

  it('small numbers are left out for anyone but the owner, with what would tell them; and for the owner where it asks so', async () => {
    const owner = await icb();
    for (let adults = 0; adults < 6; adults += 1) await holder(owner);
    await holder(owner, { birthDate: '2015-01-01', basis: 'cyp-continuing-care' });
    const own = figures(await evaluate('phb-people', owner.token));
    expect(own).toEqual({ total: 7, notional: 7, 'third-party': 0, 'direct-payment': 0, adults: 6, cyp: 1, 'nhs-chc': 6 });
    const told = { total: 7, notional: 7, 'third-party': 0, 'direct-payment': 0, adults: 'masked', cyp: 'masked', 'nhs-chc': 'masked' };
    const outside = await evaluate('phb-people', server.tokens.admin, { reporter: `Organization/${owner.id}` });
    expect(figures(outside)).toEqual(told);
    expect(outside.body.meta.tag).toEqual([{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' }]);
    expect(figures(await evaluate('phb-people', owner.token, { suppress: 'true' }))).toEqual(told);
    expect((await evaluate('phb-people', server.tokens.admin, { reporter: `Organization/${owner.id}`, suppress: 'false', _format: 'csv' })).text)
      .toBe('group,people\r\ntotal,7\r\nnotional,7\r\nthird-party,0\r\ndirect-payment,0\r\nadults,suppressed\r\ncyp,suppressed\r\nnhs-chc,suppressed\r\n');
  });

  it('the spend of few people is left out as their number is', async () => {
    const owner = await icb();
    const { patient, account } = await holder(owner);
    await recorded(server, purchaseBody({ patient, account: account.id, provider: await organization(server, `GYM${named++}`, 'provider') }));
    expect(figures(await evaluate('phb-spend', owner.token))['total']).toEqual([1, 30, 0]);
    const { body, text } = await evaluate('phb-spend', server.tokens.admin, { reporter: `Organization/${owner.id}` });
    expect(body.group[0].measureScore).toEqual({ extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'masked' }] });
    expect(text).not.toContain('30.00');
  });

  it('no two reports on spend single anyone out by what one has more than the other, outside the owner', async () => {
    const region = await icb();
    const owner = await icb({ partOf: { reference: `Organization/${region.id}` } });
    const provider = await organization(server, `GYM${named++}`, 'provider');
    const bought: { readonly who: number; readonly day: string }[] = [];
    const buy = async (of: Icb, who: number, created: string, category: string): Promise<void> => {
      const { patient, account } = await holder(of);
      const coding = [{ system: `${BASE}/CodeSystem/directory-category`, code: category }];
      await recorded(server, purchaseBody({ patient, account: account.id, provider, amount: 10 + who, rest: { created, item: [{ sequence: 1, productOrService: { coding }, net: gbp(10 + who) }] } }));
      bought.push({ who, day: created });
    };
    for (let who = 0; who < 6; who += 1) await buy(owner, who, '2026-10-01', 'equipment');
    for (let who = 6; who < 12; who += 1) await buy(owner, who, who < 11 ? '2026-11-03' : '2026-11-04', who < 11 ? 'equipment' : 'therapy');
    const total = async (periodStart: string, periodEnd: string, token = server.tokens.admin, of = owner): Promise<unknown> => figures(await evaluate('phb-spend', token, { periodStart, periodEnd, reporter: `Organization/${of.id}` }))['total'];
    const spans = ['2026-10-01', '2026-10-02', '2026-11-01', '2026-11-03', '2026-11-04', '2026-11-05'].flatMap((from) => ['2026-10-01', '2026-10-31', '2026-11-02', '2026-11-03', '2026-11-04', '2026-11-30', '2026-12-31'].filter((to) => to >= from).map((to) => ({ from, to })));
    const people = ({ from, to }: { from: string; to: string }): Set<number> => new Set(bought.filter(({ day }) => day >= from && day <= to).map(({ who }) => who));
    const told = [];
    for (const span of spans) if ((await total(span.from, span.to)) !== 'masked') told.push(span);
    for (const one of told) for (const other of told) {
      const more = [...people(one)].filter((who) => !people(other).has(who)).length;
      expect([one, other, more > 0 && more < 5]).toEqual([one, other, false]);
    }
    // Whole months are told, and the owner itself is told everything.
    expect([await total('2026-10-01', '2026-12-31'), await total('2026-11-01', '2026-11-30'), await total('2026-11-04', '2026-11-04', owner.token)]).toEqual([[12, 186, 0], [6, 111, 0], [1, 21, 0]]);
    expect(figures(await evaluate('phb-spend', server.tokens.admin, { reporter: `Organization/${owner.id}` }))).toMatchObject({ equipment: 'masked', therapy: 'masked' });
    // Beside the part, the whole would tell of what one person has elsewhere in it.
    await buy(region, 12, '2026-10-01', 'equipment');
    expect([await total('2026-10-01', '2026-10-31'), await total('2026-10-01', '2026-10-31', server.tokens.admin, region), await total('2026-10-01', '2026-10-31', region.token, region)]).toEqual([[6, 75, 0], 'masked', [7, 97, 0]]);
  }, 60_000);

  it('what is asked wrongly is refused with words', async () => {
    const owner = await icb();
    const wrong = async (query: Record<string, string>, measure = 'phb-people', token = owner.token): Promise<number> => (await evaluate(measure, token, query)).status;
    expect(await wrong({ periodEnd: '2026-09-30' })).toBe(400);
    expect(await wrong({ periodStart: 'soon' })).toBe(400);
    expect(await wrong({ reportType: 'subject' })).toBe(400);
    expect(await wrong({ reporter: 'Practitioner/1' })).toBe(400);
    expect(await wrong({ subject: 'Patient/1' })).toBe(400);
    expect(await wrong({}, 'not-there')).toBe(404);
    expect(await wrong({}, 'phb-people', server.tokens.admin)).toBe(400);
    expect(await wrong({ reporter: 'Organization/not-there' }, 'phb-people', server.tokens.admin)).toBe(404);
    expect((await server.send('GET', 'Measure/phb-people/$evaluate-measure', { token: owner.token })).status).toBe(400);
  });

  it('is a table where CSV is asked for', async () => {
    const owner = await icb();
    await holder(owner);
    const { text, headers } = await evaluate('phb-spend', owner.token, {}, { accept: 'text/csv' });
    expect(headers['content-type']).toBe('text/csv; charset=utf-8');
    expect(text.split('\r\n').slice(0, 2)).toEqual(['group,people,spend,paid', 'total,0,0.00,0.00']);
  });
});
