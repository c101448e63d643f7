// The record of a refusal says why: by the code of its error, so that a commissioner sees what was tried and what stood in the way.
import { digestSql, sealAll } from '../../src/audit/seal.js';
import { verifyTrail } from '../../src/audit/verify.js';
import { startServer, type Answer, type TestServer } from '../server.js';
import { gbp, linesOf } from './budgets.js';
import { call, onAccount, linkPlan, paidIn, pay, refund } from './payments.js';
import { opened, parties, purchaseBody, record, recorded, type Opened } from './purchases.js';

let server: TestServer;
let on: Opened;
beforeAll(async () => {
  server = await startServer();
  on = await opened(server, await parties(server), { lines: [{ amount: gbp(100) }] });
});
afterAll(() => server.close());

/** What the organisation's commissioner reads of the last event. */
async function lastTold(token = server.tokens.admin): Promise<any> {
  await server.recorded();
  const { body } = await server.send('GET', 'AuditEvent?_sort=-date&_count=1&action=C,U,D,E,R&outcome=4', { token });
  return body.entry[0].resource.outcomeDesc;
}
const told = async (refused: Promise<Answer>): Promise<string> => {
  expect((await refused).status).toBeGreaterThanOrEqual(400);
  return lastTold();
};
const review = async (outcome: string): Promise<string> => (await onAccount(server, on.account, 'review', [{ name: 'outcome', valueCode: outcome }])).id;
const operate = (account: string, operation: string, parameter: readonly object[], etag: string): Promise<Answer> =>
  server.send('POST', `Account/${account}/$${operation}`, { token: server.tokens.admin, headers: { 'if-match': etag }, body: { resourceType: 'Parameters', parameter } });

test('of a purchase, a payment and a refund that are refused, the record names the rule', async () => {
  expect(await told(record(server, purchaseBody({ ...on, amount: 100.01 })))).toBe('422 Unprocessable Entity: INSUFFICIENT_FUNDS');
  expect(await told(record(server, purchaseBody({ ...on, amount: { value: 1, currency: 'USD' } })))).toBe('422 Unprocessable Entity: CURRENCY_MISMATCH');
  const claim = await recorded(server, purchaseBody({ ...on, amount: 10 }));
  const { notice } = paidIn(await pay(server, claim.id, 10));
  expect(await told(refund(server, notice.id, 10.01))).toBe('422 Unprocessable Entity: REFUND_EXCEEDS_PAYMENT');
});

test('of an act on the account that came too late, or before what it needs, it names the precondition', async () => {
  await linkPlan(server, on.account, on.patient);
  const closing = [{ name: 'review', valueReference: { reference: `Task/${await review('close')}` } }, { name: 'reason', valueCode: 'review' }];
  await recorded(server, purchaseBody({ ...on, amount: 5 }));
  const { headers } = await server.send('GET', `Account/${on.account}`, { token: server.tokens.admin });
  expect(await told(operate(on.account, 'close', closing, 'W/"1"'))).toBe('412 Precondition Failed: RESOURCE_VERSION_MISMATCH');
  expect(await told(server.send('POST', `Account/${on.account}/$close`, { token: server.tokens.admin, body: { resourceType: 'Parameters', parameter: closing } }))).toBe('412 Precondition Failed: PRECONDITION_FAILED');
  expect(await told(operate(on.account, 'close', closing, String(headers['etag'])))).toBe('409 Conflict: OUTSTANDING_CLAIMS');
});

test('where the error has no code of its own, the type of its issue stands', async () => {
  expect(await told(call(server, `Account/${on.account}/$pay`, { amount: 5, kind: 'advance', allocationId: linesOf(on.body)[0]?.lineId }))).toBe('422 Unprocessable Entity: business-rule');
  expect(await told(server.send('POST', 'Patient', { token: server.tokens.admin, body: { resourceType: 'Patient', gender: 'none' } }))).toBe('400 Bad Request: code-invalid');
});

test('each refused entry of a batch is recorded with its own, and a transaction with that of the entry it failed for', async () => {
  const entry = [{ request: { method: 'POST', url: 'Claim' }, resource: purchaseBody({ ...on, amount: 5000 }) }];
  for (const type of ['batch', 'transaction']) {
    await server.send('POST', '', { token: server.tokens.admin, body: { resourceType: 'Bundle', type, entry } });
    await server.recorded();
    const { body } = await server.send('GET', 'AuditEvent?_sort=-date&_count=1&outcome=4', { token: server.tokens.admin });
    expect(body.entry[0].resource.outcomeDesc).toBe('422 Unprocessable Entity: INSUFFICIENT_FUNDS');
  }
});

test('the patient is told that something was refused, as before, and not by which rule', async () => {
  await told(record(server, purchaseBody({ ...on, amount: 5000 })));
  expect(await lastTold(await server.token('patient', { patient: on.patient }))).toBe('422 Unprocessable Entity');
});

test('what was done is told without, and the reason is sealed with the rest', async () => {
  await recorded(server, purchaseBody({ ...on, amount: 1 }));
  await server.recorded();
  const { body } = await server.send('GET', 'AuditEvent?_sort=-date&_count=1&action=C&outcome=0', { token: server.tokens.admin });
  expect(body.entry[0].resource.outcomeDesc).toBe('201 Created');
  await told(record(server, purchaseBody({ ...on, amount: 5000 })));
  await sealAll(server.database);
  expect((await verifyTrail(server.database)).fault).toBeUndefined();
  await server.database.query({ text: `update fhir.audit_event set refused = 'NOT_PAYER' where refused = 'INSUFFICIENT_FUNDS'`, values: [] });
  expect((await verifyTrail(server.database)).fault).toBeDefined();
});

test('events recorded before there were reasons keep the digest that was sealed', async () => {
  const { rows } = await server.database.query<{ same: boolean }>({
    text: `select ${digestSql('e')} = sha256(convert_to((e.id, e.agent, e.status, e.interaction, e.what, e.patient, e.others, e.reason, e.trace, e.query)::text, 'UTF8')) as same from fhir.audit_event e where refused is null limit 1`, values: [],
  });
  expect(rows).toEqual([{ same: true }]);
});
