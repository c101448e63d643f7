// C32E10: budgets of one patient are joined, and taken out again (domain.md 2.1 E10, 3.4 acc-5; ruling 56).
import { errorCode } from './people.js';
import { allocation, budgetBody, closeBalanced, gbp, made, open, organization, person } from './budgets.js';
import { balanceOf, purchaseBody, record, recorded } from './purchases.js';
import { consentBody, jointBody, jointOf, move } from './joint.js';
import { teamBody } from './world.js';
import { startServer, type Answer, type TestServer } from '../server.js';

let server: TestServer;
let icb: string;
let council: string;
let provider: string;
beforeAll(async () => {
  server = await startServer();
  icb = await organization(server, 'QWE');
  council = await organization(server, 'LA1', 'local-authority');
  provider = await organization(server, 'GYM1', 'provider');
});
afterAll(() => closeBalanced(server));

const read = (path: string, token = server.tokens.admin): Promise<Answer> => server.send('GET', path, { token });
const words = ({ body }: Answer): string => body.issue[0].details.text;

/** A joint budget without parts, and two budgets that may join. */
async function apart() {
  const patient = await person(server);
  const joint = await made(server, jointBody(patient));
  const health = (await open(server, budgetBody({ patient, owner: icb }))).body;
  const care = (await open(server, budgetBody({ patient, owner: council, funding: 'social-care', basis: 's117-aftercare', lines: [{ amount: gbp(3000) }] }))).body;
  const all = [`Patient/${patient}`, `Organization/${icb}`, `Organization/${council}`];
  const consent = async (performers: readonly string[] = all, rest: object = {}): Promise<string> => (await made(server, consentBody(patient, performers, rest))).id;
  return { patient, joint, health, care, consent };
}

describe('given a budget for health and one for care of one patient', () => {
  it('when a manager joins them with everyone\'s consent, then the joint budget has 15000.00', async () => {
    const { patient, joint, health, care, consent } = await apart();
    const { id: role } = await made(server, { resourceType: 'PractitionerRole', active: true, organization: { reference: `Organization/${icb}` } });
    await made(server, teamBody(patient, [`PractitionerRole/${role}`]));
    const manager = await server.token('budget-manager', { organization: 'QWE', practitionerRole: role });
    const given = await consent();
    const first = await move(server, 'join', joint.id, health.id, [given], { token: manager });
    expect([first.status, first.body.id, first.headers['etag']]).toEqual([200, joint.id, 'W/"2"']);
    const second = await move(server, 'join', joint.id, care.id, [given], { token: manager });
    expect(second.body.coverage).toEqual([{ coverage: health.coverage[0].coverage, priority: 1 }, { coverage: care.coverage[0].coverage, priority: 2 }]);
    expect((await read(`Account/${care.id}`)).body.partOf).toEqual({ reference: `Account/${joint.id}` });
    expect((await read(`Account?partof=${joint.id}`)).body.total).toBe(2);
    expect(await balanceOf(server, joint.id)).toMatchObject({ allocated: 15000, committed: 0, available: 15000 });
    const why = await read(`Provenance?target=Account/${care.id}`);
    expect(why.body.entry.map(({ resource }: any) => resource)).toContainEqual(expect.objectContaining({ activity: { text: 'join' }, entity: [{ role: 'source', what: { reference: `Consent/${given}` } }] }));
  });

  it('then several consents do that come to the same together', async () => {
    const { patient, joint, health, care, consent } = await apart();
    const [mine, theirs] = [await consent([`Patient/${patient}`, `Organization/${icb}`]), await consent([`Organization/${council}`])];
    expect((await move(server, 'join', joint.id, health.id, [mine])).status).toBe(200);
    const alone = await move(server, 'join', joint.id, care.id, [mine]);
    expect([alone.status, words(alone)]).toEqual([422, expect.stringContaining(`Organization/${council}`)]);
    expect((await move(server, 'join', joint.id, care.id, [mine, theirs])).status).toBe(200);
  });

  it('when consent is the patient\'s no more, was never given, or is another\'s, then 422', async () => {
    const { patient, joint, health, consent } = await apart();
    const other = await person(server);
    const foreign = (await made(server, consentBody(other, [`Patient/${other}`, `Organization/${icb}`]))).id;
    const owner = [`Patient/${patient}`, `Organization/${icb}`];
    const refused: [string, string][] = [
      [await consent([`Organization/${icb}`]), `Patient/${patient}`],
      [foreign, 'another patient'],
      [await consent(owner, { status: 'inactive' }), 'inactive'],
      [await consent(owner, { provision: { type: 'deny' } }), 'refuses'],
      [await consent(owner, { provision: { period: { end: '2026-01-01' } } }), 'not in force'],
      ['not-there', 'no such Consent'],
    ];
    for (const [given, text] of refused) {
      const answer = await move(server, 'join', joint.id, health.id, [given]);
      expect([answer.status, words(answer)]).toEqual([422, expect.stringContaining(text)]);
    }
    expect((await move(server, 'join', joint.id, health.id, [])).status).toBe(422);
    expect((await read(`Account/${health.id}`)).body.partOf).toBeUndefined();
  });

  it('when the version named is not the current one, then 412', async () => {
    const { joint, health, consent } = await apart();
    expect((await move(server, 'join', joint.id, health.id, [await consent()], { ifMatch: 'W/"9"' })).status).toBe(412);
  });
});

describe('what can\'t be joined is 422', () => {
  it('of another patient', async () => {
    const { joint, consent } = await apart();
    const foreign = await open(server, budgetBody({ patient: await person(server), owner: icb }));
    const answer = await move(server, 'join', joint.id, foreign.body.id, [await consent()]);
    expect([answer.status, words(answer)]).toEqual([422, expect.stringContaining('different patients')]);
  });

  it('a joint budget, into itself or another', async () => {
    const { patient, joint, consent } = await apart();
    const other = await made(server, jointBody(patient));
    for (const id of [joint.id, other.id]) {
      const answer = await move(server, 'join', joint.id, id, [await consent()]);
      expect([answer.status, words(answer)]).toEqual([422, expect.stringContaining('can\'t be part of another')]);
    }
  });

  it('into a budget that is none, or a budget that has money of its own', async () => {
    const { health, care, consent } = await apart();
    const answer = await move(server, 'join', health.id, care.id, [await consent()]);
    expect([answer.status, words(answer)]).toEqual([422, expect.stringContaining('no joint budget')]);
  });

  it('twice, into the same or another', async () => {
    const { patient, joint, health, consent } = await apart();
    const given = await consent();
    expect((await move(server, 'join', joint.id, health.id, [given])).status).toBe(200);
    expect(words(await move(server, 'join', joint.id, health.id, [given]))).toContain('already');
    const other = await made(server, jointBody(patient));
    const answer = await move(server, 'join', other.id, health.id, [given]);
    expect([answer.status, words(answer)]).toEqual([422, expect.stringContaining('$leave')]);
  });

  it('a budget that is not active, and one that is no budget or not there', async () => {
    const { joint, health, consent } = await apart();
    const plain = await made(server, { resourceType: 'Account', status: 'active' });
    const given = await consent();
    await server.database.query({ text: 'update fhir.budget_account set state = $1 where account = $2', values: ['on-hold', health.id] });
    const answer = await move(server, 'join', joint.id, health.id, [given]);
    expect([answer.status, errorCode(answer)]).toEqual([422, 'ACCOUNT_NOT_ACTIVE']);
    expect((await move(server, 'join', joint.id, plain.id, [given])).status).toBe(422);
    expect((await move(server, 'join', joint.id, 'not-there', [given])).status).toBe(422);
  });

  it('by a write of the resources, whatever they claim', async () => {
    const { patient, joint, health, consent } = await apart();
    const put = (account: any, rest: object, version = 1): Promise<Answer> => server.send('PUT', `Account/${account.id}`, { token: server.tokens.admin, body: { ...account, ...rest }, headers: { 'if-match': `W/"${version}"` } });
    const refused = await put(health, { partOf: { reference: `Account/${joint.id}` } });
    expect([refused.status, errorCode(refused), words(refused)]).toEqual([422, 'FORBIDDEN_UPDATE', expect.stringContaining('$join')]);
    expect(errorCode(await put(joint, { coverage: health.coverage }))).toBe('FORBIDDEN_UPDATE');
    expect((await open(server, jointBody(patient, 'pro-rata', { coverage: health.coverage }))).status).toBe(422);
    expect((await open(server, jointBody(patient, 'pro-rata', { extension: [allocation()] }))).status).toBe(422);
    expect((await open(server, { ...jointBody(patient), extension: [...(jointBody(patient) as any).extension, allocation()] })).status).toBe(422);
    const joined = (await move(server, 'join', joint.id, health.id, [await consent()])).body;
    const kept = await put({ ...joined, name: 'Health and care' }, { coverage: undefined }, 2);
    expect([kept.status, kept.body.coverage, kept.body.name]).toEqual([200, joined.coverage, 'Health and care']);
    const moved = await put(kept.body, { coverage: [{ ...joined.coverage[0], priority: 7 }] }, 3);
    expect([moved.status, moved.body.coverage[0].priority]).toEqual([200, 7]);
  });
});

describe('given a joint budget', () => {
  it('when one leaves, then its money is no part of it any more, and purchases on its own go on', async () => {
    const { patient, joint, children: [health, care] } = await jointOf(server, [{ funding: 'nhs' }, { funding: 'social-care', amount: 50 }]);
    await recorded(server, purchaseBody({ patient, account: care.id, provider, amount: 10 }));
    const left = await move(server, 'leave', joint, care.id, []);
    expect([left.status, left.body.coverage]).toEqual([200, [{ coverage: health.coverage[0].coverage, priority: 1 }]]);
    expect((await read(`Account/${care.id}`)).body.partOf).toBeUndefined();
    expect((await balanceOf(server, joint))['available']).toBe(100);
    expect((await move(server, 'leave', joint, health.id, [])).body.coverage).toBeUndefined();
    expect((await balanceOf(server, joint))['available']).toBe(0);
    expect((await record(server, purchaseBody({ patient, account: care.id, provider, amount: 40 }))).status).toBe(201);
    const again = await move(server, 'leave', joint, care.id, []);
    expect([again.status, words(again)]).toEqual([422, expect.stringContaining('no part')]);
  });
});
