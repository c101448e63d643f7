// Who may decide on a direct payment: from 16 on the patient; for a child a parent or deputy, whose access ends with the 16th birthday
// (domain.md 3.9, 6.10; SI 2013/1617).
import { londonDate } from '../../src/fhir/london.js';
import { expectRefusal } from '../api/refusal.js';
import { startServer, type Answer, type TestServer } from '../server.js';
import { budgetBody, gbp, made, open } from './budgets.js';
import { onAccount } from './payments.js';
import { call, code, coded, makeWorld, neighbour, put, refers, type Sent, type World } from './world.js';

let server: TestServer;
let world: World;
beforeAll(async () => {
  server = await startServer();
  world = await makeWorld(server, 999_480_000);
});
afterAll(() => server.close());

const dayIn = (days: number): string => londonDate(Date.now() + days * 86_400_000);
/** Born so that the patient is of this age in so many days, and not before. */
const born = (years: number, inDays = 0): string => `${Number(dayIn(inDays).slice(0, 4)) - years}${dayIn(inDays).slice(4)}`;
const patientBorn = (birthDate: string | undefined): Promise<string> => neighbour(server, world, { birthDate });
const relative = (patient: string, ...roles: string[]): Promise<string> => put(server, {
  resourceType: 'RelatedPerson', active: true, patient: { reference: `Patient/${patient}` }, name: [{ family: 'Relative' }], birthDate: '1980-01-01',
  ...(roles.length > 0 && { relationship: roles.map((role) => coded('nominee-role', role)) }),
});
const consentBy = async (patient: string, performers: readonly string[], rest: object = {}): Promise<string> => (await made(server, {
  resourceType: 'Consent', status: 'active', patient: { reference: `Patient/${patient}` }, scope: coded('http://terminology.hl7.org/CodeSystem/consentscope', 'treatment'), category: [{ text: 'direct payment' }], policyRule: { text: 'regulations' },
  ...(performers.length > 0 && { performer: performers.map((reference) => ({ reference })) }), ...rest,
})).id;
const opening = (patient: string, holder: string, consent: string): Promise<Answer> => open(server, budgetBody({
  patient, owner: world.organizations.icb, basis: 'wheelchair', lines: [{ model: 'direct-payment', amount: gbp(1000), holder, consent: `Consent/${consent}` }],
}));

describe('consent to a direct payment', () => {
  test('is the patient\'s own from the 16th birthday on, whether named as performer or not', async () => {
    for (const named of [true, false]) {
      const patient = await patientBorn(born(16));
      expect((await opening(patient, `Patient/${patient}`, await consentBy(patient, named ? [`Patient/${patient}`] : []))).status).toBe(201);
    }
  });

  test('is not a parent\'s from then on, but a deputy\'s or attorney\'s where there is one', async () => {
    const patient = await patientBorn(born(16));
    const refused = await opening(patient, `Patient/${patient}`, await consentBy(patient, [`RelatedPerson/${await relative(patient, 'parent')}`]));
    expectRefusal(refused, 422, { code: 'business-rule', text: /from 16 on the patient consents/, expression: 'Account.extension[0]' });
    const deputy = await relative(patient, 'deputy');
    expect((await opening(patient, `RelatedPerson/${deputy}`, await consentBy(patient, [`RelatedPerson/${deputy}`]))).status).toBe(201);
    const adult = await patientBorn('1950-01-01');
    expectRefusal(await opening(adult, `Patient/${adult}`, await consentBy(adult, [`RelatedPerson/${await relative(adult, 'family')}`])), 422, { text: /attorney/ });
    expect((await opening(adult, `Patient/${adult}`, await consentBy(adult, [`RelatedPerson/${await relative(adult, 'attorney')}`]))).status).toBe(201);
  });

  test('of a child under 16 is a parent\'s or deputy\'s, who is the child\'s, and the money is not held by the child', async () => {
    const patient = await patientBorn(born(16, 1));
    const parent = await relative(patient, 'parent');
    const given = await consentBy(patient, [`RelatedPerson/${parent}`]);
    expectRefusal(await opening(patient, `Patient/${patient}`, given), 422, { text: /child under 16 holds no direct payment/ });
    const another = await relative(world.patients.ada, 'parent');
    for (const performers of [[], [`Patient/${patient}`], [`RelatedPerson/${await relative(patient, 'friend')}`], [`RelatedPerson/${await relative(patient)}`], [`RelatedPerson/${another}`]]) {
      expectRefusal(await opening(patient, `RelatedPerson/${parent}`, await consentBy(patient, performers)), 422, { text: /speaks for a child under 16/ });
    }
    expect((await opening(patient, `RelatedPerson/${parent}`, given)).status).toBe(201);
  });

  test('goes by the age that is certain where the birthday is not held, or only its year', async () => {
    const unknown = await patientBorn(undefined);
    expect((await opening(unknown, `Patient/${unknown}`, await consentBy(unknown, []))).status).toBe(201);
    const year = Number(dayIn(0).slice(0, 4));
    const perhaps = await patientBorn(String(year - 16));
    expect((await opening(perhaps, `Patient/${perhaps}`, await consentBy(perhaps, []))).status).toBe(201);
    const surely = await patientBorn(String(year - 15));
    expect((await opening(surely, `Patient/${surely}`, await consentBy(surely, []))).status).toBe(422);
  });

  test('is in force: active, not a refusal, and of this patient at this moment', async () => {
    const patient = await patientBorn('1980-01-01');
    for (const [rest, words] of [
      [{ status: 'inactive' }, 'inactive'], [{ provision: { type: 'deny' } }, 'refuses'], [{ provision: { period: { end: '2020-01-01' } } }, 'not in force'], [{ patient: { reference: `Patient/${world.patients.ada}` } }, 'another patient'],
    ] as const) expectRefusal(await opening(patient, `Patient/${patient}`, await consentBy(patient, [], rest)), 422, { text: words });
  });

  test('given by a parent it goes on after the birthday, and the line with it; a new line needs the patient\'s own', async () => {
    const patient = await patientBorn(born(16, 1));
    const parent = await relative(patient, 'parent');
    const given = await consentBy(patient, [`RelatedPerson/${parent}`]);
    const { body: account } = await opening(patient, `RelatedPerson/${parent}`, given);
    const { body: person } = await server.send('GET', `Patient/${patient}`, { token: server.tokens.admin });
    expect((await server.send('PUT', `Patient/${patient}`, { token: server.tokens.admin, body: { ...person, birthDate: born(16) } })).status).toBe(200);
    const [{ extension: parts }] = account.extension;
    const lineId = parts.find(({ url }: any) => url === 'lineId').valueId;
    const line = (consent: string, holder: string, kept: boolean): Sent => ['line', { part: [
      ...(kept ? [{ name: 'lineId', valueId: lineId }] : []), { name: 'model', valueCode: 'direct-payment' }, { name: 'amount', valueMoney: gbp(500) },
      { name: 'holder', valueReference: { reference: holder } }, { name: 'consent', valueReference: { reference: `Consent/${consent}` } },
    ] }];
    const assign = (...lines: readonly Sent[]): Promise<Answer> => call(server, server.tokens.admin, `Account/${account.id}/$assign-allocation`, lines, '1');
    const mother = `RelatedPerson/${parent}`;
    expectRefusal(await assign(line(given, mother, true), line(given, mother, false)), 422, { text: /from 16 on the patient consents/ });
    expect((await assign(line(given, mother, true), line(await consentBy(patient, []), `Patient/${patient}`, false))).status).toBe(200);
  });
});

describe('a parent as representative', () => {
  async function budget(birthDate: string): Promise<{ patient: string; account: string; parent: string }> {
    const patient = await patientBorn(birthDate);
    const { body } = await open(server, budgetBody({ patient, owner: world.organizations.icb, basis: 'wheelchair' }));
    return { patient, account: body.id, parent: await relative(patient, 'parent') };
  }
  const nominate = (account: string, party: string, role: string): Promise<any> => onAccount(server, account, 'nominate', [{ name: 'party', valueReference: { reference: party } }, { name: 'role', valueCode: role }]);
  const approve = async (account: string, parent: string, period?: object): Promise<any> => {
    expect((await call(server, await server.token('nominee', { relatedPerson: parent }), `Account/${account}/$accept-nomination`, [])).status).toBe(200);
    return onAccount(server, account, 'approve-nomination', [{ name: 'party', valueReference: { reference: `RelatedPerson/${parent}` } }, ...(period ? [{ name: 'period', valuePeriod: period }] : [])]);
  };
  const endOf = (account: any): string | undefined => account.extension.find(({ url }: any) => url.endsWith('/ext-budget-manager')).extension.find(({ url }: any) => url === 'period').valuePeriod.end;

  test('has access until the day before the child is 16, and no longer; one that ends sooner stays so', async () => {
    const { account, parent } = await budget(born(16, 30));
    await nominate(account, `RelatedPerson/${parent}`, 'representative');
    expect(endOf(await approve(account, parent))).toBe(dayIn(29));
    expect((await server.send('GET', `Account/${account}`, { token: await server.token('nominee', { relatedPerson: parent }) })).status).toBe(200);
    const shorter = await budget(born(16, 30));
    await nominate(shorter.account, `RelatedPerson/${shorter.parent}`, 'representative');
    expect(endOf(await approve(shorter.account, shorter.parent, { end: dayIn(5) }))).toBe(dayIn(5));
  });

  test('is refused for a patient of 16, who may nominate the parent; a deputy goes on', async () => {
    const { account, parent, patient } = await budget(born(16));
    const version = (await server.send('GET', `Account/${account}`, { token: server.tokens.admin })).body.meta.versionId;
    expectRefusal(await call(server, server.tokens.admin, `Account/${account}/$nominate`, [refers('party', `RelatedPerson/${parent}`), code('role', 'representative')], version), 422, { text: /until 16/ });
    await nominate(account, `RelatedPerson/${parent}`, 'nominee');
    expect(endOf(await approve(account, parent))).toBeUndefined();
    const deputy = await relative(patient, 'parent', 'deputy');
    await nominate(account, `RelatedPerson/${deputy}`, 'representative');
    expect(endOf(await approve(account, deputy))).toBeUndefined();
  });
});
