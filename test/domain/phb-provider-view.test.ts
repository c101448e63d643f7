// C32E13: a provider sees what it sold on budgets, item by item, and nothing of whom it was for (domain.md 2.1, rulings 51 and 64).
import { NHS } from './people.js';
import { extension, gbp, made, organization } from './budgets.js';
import { change, opened, purchaseBody, recorded, type Opened } from './purchases.js';
import { pay, paidIn, refund } from './payments.js';
import { startServer, type Answer, type TestServer } from '../server.js';

let server: TestServer;
let icb: string;
let gym: { id: string; token: string };
let shop: { id: string; token: string };
beforeAll(async () => {
  server = await startServer();
  icb = await organization(server, 'QWE');
  gym = { id: await organization(server, 'GYM1', 'provider'), token: await server.token('provider', { organization: 'GYM1' }) };
  shop = { id: await organization(server, 'SHOP1', 'provider'), token: await server.token('provider', { organization: 'SHOP1' }) };
});
afterAll(() => server.close());

let entries = 0;
/** An entry of the directory. */
async function entry(provider: string, category = 'activity'): Promise<string> {
  const list = await made(server, {
    resourceType: 'List', status: 'current', mode: 'working', title: 'Directory', code: { coding: [{ system: 'https://fhir.entitle.example/CodeSystem/list-code', code: 'phb-directory' }] },
    extension: [extension('directory-owner', { valueReference: { reference: `Organization/${icb}` } })],
  });
  const service = await made(server, {
    resourceType: 'HealthcareService', active: true, name: `Entry ${entries++}`, providedBy: { reference: `Organization/${provider}` },
    category: [{ coding: [{ system: 'https://fhir.entitle.example/CodeSystem/directory-category', code: category }] }],
    extension: [extension('directory', { valueReference: { reference: `List/${list.id}` } })],
  });
  return service.id;
}

interface Bought {
  readonly service?: string;
  readonly net: number;
  readonly quantity?: number;
}

/** A purchase of these items; each is named after the patient, as people do. */
async function bought(items: readonly Bought[], { created = '2026-11-21', budget, ...rest }: { created?: string; budget?: Opened; status?: string } = {}): Promise<any> {
  const on = budget ?? (await opened(server, { owner: icb, provider: gym.id }));
  const total = items.reduce((sum, { net }) => sum + Math.round(net * 100), 0) / 100;
  return recorded(server, purchaseBody({
    ...on, amount: total, ...rest,
    rest: {
      created,
      item: items.map(({ service, net, quantity }, index) => ({
        sequence: index + 1, productOrService: { text: 'For Ada Sample, who told us of her illness' }, net: gbp(net),
        ...(quantity !== undefined && { quantity: { value: quantity } }),
        ...(service !== undefined && { extension: [extension('directory-entry', { valueReference: { reference: `HealthcareService/${service}` } })] }),
      })),
    },
  }));
}

const purchases = (of: string, token: string, query = '', headers = {}): Promise<Answer> => server.send('GET', `${of}/$purchases${query}`, { token, headers });
const rows = ({ status, body, text }: Answer): Record<string, any>[] => {
  if (status !== 200) throw new Error(text);
  return (body.parameter ?? []).map(({ name, part }: any) => {
    expect(name).toBe('purchase');
    return Object.fromEntries(part.map(({ name: of, ...value }: any) => [of, Object.values(value)[0]]));
  });
};
const row = (service: string, date: string, quantity: number, net: number, paid = 0): object => ({ service: { reference: `HealthcareService/${service}` }, date, quantity, net: gbp(net), paid: gbp(paid) });

it('tells the items of its own entries, and of a mixed purchase its own item alone', async () => {
  const [one, two, other] = [await entry(gym.id), await entry(gym.id), await entry(shop.id)];
  await bought([{ service: one, net: 30, quantity: 2 }, { service: other, net: 12.5 }, { net: 7 }]);
  await bought([{ service: two, net: 19.99 }], { created: '2026-11-22' });
  expect(rows(await purchases(`HealthcareService/${one}`, gym.token))).toEqual([row(one, '2026-11-21', 2, 30)]);
  expect(rows(await purchases(`Organization/${gym.id}`, gym.token))).toEqual([row(one, '2026-11-21', 2, 30), row(two, '2026-11-22', 1, 19.99)]);
  expect(rows(await purchases(`Organization/${shop.id}`, shop.token))).toEqual([row(other, '2026-11-21', 1, 12.5)]);
});

it('tells nothing of the patient, the budget or the words of the purchase', async () => {
  const service = await entry(gym.id);
  const budget = await opened(server, { owner: icb, provider: gym.id });
  const claim = await bought([{ service, net: 30 }], { budget });
  for (const path of [`HealthcareService/${service}`, `Organization/${gym.id}`]) {
    for (const query of ['', '?groupBy=month', '?groupBy=service', '?_format=csv']) {
      const { text } = await purchases(path, gym.token, query);
      for (const secret of ['Patient', budget.patient, budget.account, claim.id, 'Ada', 'Sample', 'illness', NHS]) expect(text).not.toContain(secret);
    }
  }
});

it('counts what is active, less what was given back, parted among the items to the penny', async () => {
  const [one, two] = [await entry(gym.id), await entry(gym.id)];
  const claim = await bought([{ service: one, net: 20 }, { service: two, net: 10 }]);
  await bought([{ service: one, net: 5 }], { status: 'draft' });
  const cancelled = await bought([{ service: one, net: 6 }]);
  expect((await change(server, cancelled, { status: 'cancelled' })).status).toBe(200);
  const paid = await pay(server, claim.id, 30);
  expect(paid.status).toBeLessThan(300);
  expect((await refund(server, paidIn(paid).notice.id, 10)).status).toBeLessThan(300);
  expect(rows(await purchases(`HealthcareService/${one}`, gym.token))).toEqual([row(one, '2026-11-21', 1, 13.33, 13.33)]);
  expect(rows(await purchases(`HealthcareService/${two}`, gym.token))).toEqual([row(two, '2026-11-21', 1, 6.67, 6.67)]);
});

it('sums by month or by service, of the days asked for, in London', async () => {
  const service = await entry(gym.id);
  await bought([{ service, net: 1, quantity: 1.5 }], { created: '2026-05-31T23:30:00Z' });
  await bought([{ service, net: 2 }], { created: '2026-06-30' });
  await bought([{ service, net: 4 }], { created: '2026-07-01' });
  const of = `HealthcareService/${service}`;
  expect(rows(await purchases(of, gym.token, '?groupBy=month'))).toEqual([
    { date: '2026-06', count: 2, quantity: 2.5, net: gbp(3), paid: gbp(0) }, { date: '2026-07', count: 1, quantity: 1, net: gbp(4), paid: gbp(0) },
  ]);
  expect(rows(await purchases(of, gym.token, '?groupBy=service&start=2026-06-01&end=2026-06-30'))).toEqual([{ service: { reference: of }, count: 2, quantity: 2.5, net: gbp(3), paid: gbp(0) }]);
  expect(rows(await purchases(of, gym.token, '?start=2026-07-01'))).toEqual([row(service, '2026-07-01', 1, 4)]);
  expect((await purchases(of, gym.token, '?groupBy=patient')).status).toBe(400);
  expect((await purchases(of, gym.token, '?start=2026-07-01&end=2026-06-01')).status).toBe(400);
});

it('is a table where CSV is asked for', async () => {
  const service = await entry(gym.id);
  await bought([{ service, net: 30, quantity: 2 }]);
  const answer = await purchases(`HealthcareService/${service}`, gym.token, '', { accept: 'text/csv' });
  expect(answer.headers['content-type']).toBe('text/csv; charset=utf-8');
  expect(answer.text).toBe(`service,date,quantity,net,paid\r\n${service},2026-11-21,2,30.00,0.00\r\n`);
  expect((await purchases(`HealthcareService/${service}`, gym.token, '?groupBy=month&_format=csv')).text).toBe('month,count,quantity,net,paid\r\n2026-11,1,2,30.00,0.00\r\n');
});

it('is of its own entries alone: another provider\'s are not there, nor is one that is not', async () => {
  const service = await entry(shop.id);
  const answers = [await purchases(`HealthcareService/${service}`, gym.token), await purchases(`Organization/${shop.id}`, gym.token), await purchases('HealthcareService/none', gym.token), await purchases(`Organization/${icb}`, gym.token)];
  expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
  expect(rows(await purchases(`HealthcareService/${service}`, shop.token))).toEqual([]);
});

it('keeps what was sold of an entry that has left the directory', async () => {
  const service = await entry(gym.id);
  await bought([{ service, net: 30 }]);
  expect((await server.send('DELETE', `HealthcareService/${service}`, { token: server.tokens.admin })).status).toBe(204);
  expect(rows(await purchases(`HealthcareService/${service}`, gym.token))).toEqual([row(service, '2026-11-21', 1, 30)]);
  expect((await purchases(`HealthcareService/${service}`, shop.token)).status).toBe(404);
});

it('is nobody else\'s, and a provider reads no Claim', async () => {
  const service = await entry(gym.id);
  for (const role of ['patient', 'commissioner', 'budget-manager', 'supplier', 'ovm'] as const) {
    expect((await purchases(`HealthcareService/${service}`, await server.token(role, { organization: 'QWE' }))).status).toBe(403);
  }
  expect((await server.send('GET', 'Claim?_count=1', { token: gym.token })).status).toBe(403);
});
