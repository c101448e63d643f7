// Rules that depend on the clock, seen by restarting the server the day after (CLOCK_OFFSET_MS).
import { setTimeout as sleep } from 'node:timers/promises';
import { londonDate } from '../../src/fhir/london.js';
import { isEvent, notificationOf, openReceiver, topicBody, until } from '../domain/subscribers.js';
import { build, runCommand, startServer, temporaryFolder, tokenFor } from './server-process.js';

jest.setTimeout(240_000);

const DAY = 24 * 3600 * 1000;
const CODES = 'https://fhir.entitle.example/CodeSystem';
const EXTENSIONS = 'https://fhir.entitle.example/StructureDefinition';

test('an EHIC that ends today makes the answer U tomorrow, without a write: the Patient shows it within a minute, and who subscribes is told', async () => {
  await build();
  const data = await temporaryFolder();
  const { stdout } = await runCommand(['token', '--role', 'ovm', '--organization', 'RR8'], { DATA_DIR: data.path });
  const headers = { authorization: `Bearer ${stdout.trim()}`, 'content-type': 'application/fhir+json' };
  const today = await startServer({ dataDir: data.path });
  const post = async (base: string, resource: object): Promise<any> => (await fetch(`${base}/${(resource as { resourceType: string }).resourceType}`, { method: 'POST', headers, body: JSON.stringify(resource) })).json();
  const receiver = await openReceiver();
  const told = (): any[] => receiver.received.filter(isEvent).map(({ body }) => notificationOf(body).entries[0].resource);
  const subscription = await post(today.base, topicBody(receiver.endpoint, 'full-resource'));
  await until('active', async () => ((await (await fetch(`${today.base}/Subscription/${subscription.id}`, { headers })).json()) as { status: string }).status === 'active');
  const patient = await post(today.base, { resourceType: 'Patient', identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990000018' }] });
  const ends = londonDate(Date.now());
  const coverage = await post(today.base, {
    resourceType: 'Coverage', status: 'active', type: { coding: [{ system: 'http://terminology.hl7.eu/CodeSystem/v3-ActCode', code: 'EHIC' }] },
    identifier: [{ value: 'CARD1', assigner: { identifier: { system: 'urn:iso:std:iso:3166', value: 'FRA' } } }],
    beneficiary: { reference: `Patient/${patient.id}`, identifier: { value: 'P1' } }, subscriber: { identifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990000018' } },
    payor: [{ identifier: { value: 'INST' } }], period: { end: ends },
  });
  const assessment = await post(today.base, {
    resourceType: 'Observation', status: 'final', code: { coding: [{ system: `${CODES}/status-assertion`, code: 'ovm-assessment' }] },
    subject: { reference: `Patient/${patient.id}` }, effectiveDateTime: new Date(Date.now() - 60_000).toISOString(),
    performer: [{ type: 'PractitionerRole', identifier: { system: 'https://fhir.nhs.uk/Id/sds-role-profile-id', value: '1' } }, { type: 'Organization', identifier: { system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: 'RR8' } }],
    valueCodeableConcept: { coding: [{ system: 'https://fhir.nhs.uk/spine-category-status-1', code: 'C' }] },
    extension: [{ url: `${EXTENSIONS}/ext-evidence`, valueReference: { reference: `Coverage/${coverage.id}` } }],
  });
  expect(assessment.id).toBeDefined();

  const answerAt = async (base: string): Promise<Record<string, unknown>> => {
    const { parameter } = (await (await fetch(`${base}/Patient/${patient.id}/$chargeable-status`, { headers })).json()) as { parameter: Record<string, any>[] };
    return Object.fromEntries(parameter.map((one) => [one['name'], one['valueCoding']?.code ?? one['valueBoolean'] ?? one['valueDateTime']]));
  };
  const shownAt = async (base: string): Promise<string> => JSON.stringify(((await (await fetch(`${base}/Patient/${patient.id}`, { headers })).json()) as { extension: unknown }).extension);
  const before = await answerAt(today.base);
  expect(before).toMatchObject({ determined: true, basic: 'N', category: 'C' });
  const [recorded] = await until('the assessment', () => (told().length > 0 ? told() : undefined));
  expect(recorded).toMatchObject({ meta: { versionId: '2' }, component: [{ valueCodeableConcept: { coding: [{ code: 'N' }] } }, { valueCodeableConcept: { coding: [{ code: 'C' }] } }] });
  const cached = await fetch(`${today.base}/Observation/${recorded.id}`, { headers });
  const etag = cached.headers.get('etag') ?? '';
  expect([etag, cached.headers.get('cache-control')]).toEqual(['W/"2"', 'no-store']);
  expect((await fetch(`${today.base}/Observation/${recorded.id}`, { headers: { ...headers, 'if-none-match': etag } })).status).toBe(304);
  today.child.kill('SIGTERM');
  await today.exited();

  const tomorrow = await startServer({ dataDir: data.path, environment: { CLOCK_OFFSET_MS: String(DAY) } });
  const after = await answerAt(tomorrow.base);
  expect(after).toMatchObject({ determined: true, basic: 'U', expired: true, lastUpdated: before['lastUpdated'] });
  expect(after).not.toHaveProperty('category');
  let shown = '';
  for (let tries = 0; tries < 100 && !shown.includes('"U"'); tries += 1) {
    await sleep(100);
    shown = await shownAt(tomorrow.base);
  }
  expect(shown).toContain('"code":"U"');
  // A copy of yesterday is not good any more, though nobody wrote anything.
  const anew = await fetch(`${tomorrow.base}/Observation/${recorded.id}`, { headers: { ...headers, 'if-none-match': etag } });
  expect([anew.status, anew.headers.get('etag')]).toEqual([200, 'W/"3"']);
  const lapsed = await until('the lapse', () => told()[1]);
  expect(lapsed).toMatchObject({ id: recorded.id, meta: { versionId: '3' }, effectiveDateTime: recorded.effectiveDateTime });
  expect(lapsed.component.map((one: any) => one.valueCodeableConcept.coding[0].code)).toEqual(['U']);
  expect((await anew.json() as { meta: object }).meta).toEqual(lapsed.meta);
  tomorrow.child.kill('SIGTERM');
  await tomorrow.exited();
  expect(told()).toHaveLength(2);
  await receiver.close();
  await data.remove();
});

test('a budget that was paid from is to be reviewed within three months, and is shown once that is overdue', async () => {
  await build();
  const data = await temporaryFolder();
  const headers = { authorization: `Bearer ${await tokenFor('admin', data.path)}`, 'content-type': 'application/fhir+json' };
  const today = await startServer({ dataDir: data.path });
  const post = async (path: string, resource: object): Promise<any> => (await fetch(`${today.base}/${path}`, { method: 'POST', headers, body: JSON.stringify(resource) })).json();
  const coded = (system: string, code: string): object => ({ coding: [{ system: `${CODES}/${system}`, code }] });
  const owner = await post('Organization', { resourceType: 'Organization', active: true, type: [coded('organization-role', 'icb')], name: 'Board' });
  const gym = await post('Organization', { resourceType: 'Organization', active: true, type: [coded('organization-role', 'provider')], name: 'Gym' });
  const patient = await post('Patient', { resourceType: 'Patient', birthDate: '1980-02-29' });
  const day = londonDate(Date.now());
  const money = (value: number): object => ({ value, currency: 'GBP' });
  const account = await post('Account', {
    resourceType: 'Account', status: 'active', type: coded('account-type', 'phb'), subject: [{ reference: `Patient/${patient.id}` }], servicePeriod: { start: day }, owner: { reference: `Organization/${owner.id}` },
    extension: [
      { url: `${EXTENSIONS}/ext-allocation`, extension: [{ url: 'model', valueCode: 'notional' }, { url: 'amount', valueMoney: money(100) }] },
      { url: `${EXTENSIONS}/ext-eligibility`, extension: [{ url: 'basis', valueCode: 'nhs-chc' }, { url: 'decidedBy', valueReference: { reference: `Organization/${owner.id}` } }, { url: 'decidedOn', valueDate: day }] },
      { url: `${EXTENSIONS}/ext-funding-source`, valueCode: 'nhs' }, { url: `${EXTENSIONS}/ext-overspend-policy`, valueCode: 'block' },
    ],
  });
  const claim = await post('Claim', {
    resourceType: 'Claim', status: 'active', type: coded('claim-type', 'phb-purchase'), use: 'claim', patient: { reference: `Patient/${patient.id}` }, created: day, provider: { reference: `Organization/${gym.id}` },
    extension: [{ url: `${EXTENSIONS}/ext-budget`, valueReference: { reference: `Account/${account.id}` } }, { url: `${EXTENSIONS}/ext-recorded-by`, valueReference: { reference: `Patient/${patient.id}` } }],
    priority: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/processpriority', code: 'normal' }] },
    item: [{ sequence: 1, productOrService: { text: 'Gym' }, net: money(30) }], total: money(30),
  });
  await post(`Claim/${claim.id}/$pay`, { resourceType: 'Parameters', parameter: [{ name: 'amount', valueMoney: money(30) }, { name: 'paymentDate', valueDate: day }] });
  today.child.kill('SIGTERM');
  await today.exited();

  const days = 94;
  const environment = { CLOCK_OFFSET_MS: String(days * DAY) };
  // Today's token is over by then.
  const { stdout: token } = await runCommand(['token', '--role', 'admin'], { DATA_DIR: data.path, ...environment });
  const later = await startServer({ dataDir: data.path, environment });
  const asked = (query: string): Promise<any> => fetch(`${later.base}/Task?${query}`, { headers: { authorization: `Bearer ${token.trim()}` } }).then((answer) => answer.json());
  for (let tries = 0; tries < 100 && (await asked('code=budget-review')).total === 0; tries += 1) await sleep(100);
  const overdueOn = async (ahead: number): Promise<string[]> => ((await asked(`due=lt${londonDate(Date.now() + ahead * DAY)}&status=requested`)).entry ?? []).map(({ resource }: any) => resource.focus.reference);
  expect(await overdueOn(80)).toEqual([]);
  expect(await overdueOn(days)).toEqual([`Account/${account.id}`]);
  later.child.kill('SIGTERM');
  await later.exited();
  await data.remove();
});
