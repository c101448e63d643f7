// The items of purchases as reports sum them: kept with every write, made from the Claims where they were not, and examined by the doctor.
import { readFileSync } from 'node:fs';
import { examineBudgets } from '../../src/budgets/doctor.js';
import { extension, gbp, made } from '../domain/budgets.js';
import { pay, refund, paidIn } from '../domain/payments.js';
import { BASE } from '../domain/people.js';
import { change, opened, parties, purchaseBody, recorded } from '../domain/purchases.js';
import { startServer, type TestServer } from '../server.js';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const rows = async (): Promise<readonly unknown[]> => (await server.database.query({ text: 'select claim, item, active, created, net::text, total::text, quantity::text, service, provider, category from fhir.purchase_item order by claim, item', values: [] })).rows;
const sql = (text: string): Promise<unknown> => server.database.query({ text, values: [] });
const category = (code: string): object => ({ coding: [{ system: `${BASE}/CodeSystem/directory-category`, code }] });

it('are the same when they are made anew from the Claims, by the migration that added them', async () => {
  const known = await parties(server);
  const on = await opened(server, known, { start: '2020-01-01' });
  const list = await made(server, { resourceType: 'List', status: 'current', mode: 'working', code: { coding: [{ system: `${BASE}/CodeSystem/list-code`, code: 'phb-directory' }] }, extension: [extension('directory-owner', { valueReference: { reference: `Organization/${known.provider}` } })] });
  const service = await made(server, {
    resourceType: 'HealthcareService', active: true, name: 'Chairs', providedBy: { reference: `Organization/${known.provider}` }, category: [category('equipment')], extension: [extension('directory', { valueReference: { reference: `List/${list.id}` } })],
  });
  const entry = extension('directory-entry', { valueReference: { reference: `HealthcareService/${service.id}` } });
  const item = (sequence: number, net: number, rest: object = {}): object => ({ sequence, productOrService: { text: 'Something' }, net: gbp(net), ...rest });
  const several = [item(3, 10.01, { extension: [entry], quantity: { value: 2.5 } }), item(1, 0.07, { category: category('therapy') }), item(2, 5, { productOrService: category('activity') })];
  const buy = (created: string, rest: object = {}): Promise<any> => recorded(server, purchaseBody({ ...on, amount: 15.08, rest: { created, item: several, total: gbp(15.08), ...rest } }));
  const paid = await buy('2026-07-01');
  await refund(server, paidIn(await pay(server, paid.id, 15.08)).notice.id, 1);
  for (const created of ['2026-01-31', '2026-06-30T23:30:00+01:00', '2026-07-01T22:59:59Z', '2025-03', '2024']) await buy(created);
  await buy('2026-07-02', { status: 'draft' });
  expect((await change(server, await buy('2026-07-03'), { status: 'cancelled' })).status).toBe(200);
  await recorded(server, purchaseBody({ ...on, amount: 9, use: 'preauthorization' }));

  const kept = await rows();
  expect(kept.length).toBe(24);
  expect((await examineBudgets(server.database)).differences).toEqual([]);

  await sql('delete from fhir.purchase_item');
  const { differences } = await examineBudgets(server.database);
  expect(differences).toContainEqual({ account: on.account, text: `no items are kept of Claim/${paid.id}` });
  await sql('alter table fhir.purchase_item drop column total');
  for (const text of readFileSync('migrations/0120-item-totals.sql', 'utf8').split(/;\n/)) if (text.trim() !== '') await sql(text);
  expect(await rows()).toEqual(kept);

  await sql(`update fhir.purchase_item set net = net + 1 where claim = '${paid.id}' and item = 1`);
  expect((await examineBudgets(server.database)).differences).toEqual([{ account: on.account, text: `the items kept of Claim/${paid.id} do not come to what its ledger holds` }]);
});
