// Side doors of searches: includes, oracles, sorts, totals, page links (domain.md 6.9).
import { neighbour, purchaseBody } from '../../domain/world.js';
import type { Answer } from '../../server.js';
import { alike, expectAllRead, get, idsOf, openDoors, server, world } from './doors.js';

openDoors();

describe('_include and _revinclude', () => {
  test.each([
    ['nominee', 'Account?_id=ada&_include=Account:*', ['Account/joint', 'RelatedPerson/PROPOSED']],
    ['nominee', 'Account?_id=ada&_include=Account:partof&_include:iterate=Account:partof', ['Account/joint']],
    ['authority', 'Account?_id=joint&_revinclude=Account:partof', ['Account/ada']],
    ['commissioner', 'Account?_id=joint&_revinclude=Claim:budget', ['Claim/joint']],
    ['isf', 'Claim?_include=Claim:*&_revinclude=PaymentNotice:request', ['Coverage/ada', 'PaymentNotice/ada']],
  ] as const)('%s: %s', async (bearer, query, hidden) => {
    const hiddenOnes = hidden.map((one) => one.replace('PROPOSED', world.related.proposed));
    const ofAdmin = idsOf(await get('admin', query.replace(/^Claim\?/, 'Claim?_id=own,isf&')));
    expect(ofAdmin).toEqual(expect.arrayContaining(hiddenOnes));
    const answer = await get(bearer, query);
    expect(answer.status).toBe(200);
    expect(idsOf(answer).length).toBeGreaterThan(0);
    expect(idsOf(answer).filter((one) => hiddenOnes.includes(one))).toEqual([]);
  });
});

describe('_has, chains, _filter, _list, _text and _content as oracles', () => {
  // The row that is asked for is seen; what is said of it is true, by a row that is not.
  test.each([
    ['commissioner', 'Patient?_has:Account:patient:_id=care'], ['commissioner', 'Patient?_has:Observation:patient:_id=lab'], ['commissioner', 'Patient?_has:Account:patient:owner=Organization/LA'],
    ['commissioner', 'Patient?_has:Group:member:_id=people'], ['commissioner', 'Patient?_has:Account:subject:_has:Claim:budget:_id=joint'],
    ['nominee', 'Account?partof:Account.type=joint-budget'], ['nominee', 'Account?partof.name=Personal'], ['nominee', 'Account?partof:missing=false&partof:Account._id=joint'],
    ['nominee', 'Account?_filter=partof.type eq "joint-budget"'], ['commissioner', 'Account?_id=ada&_list=secret'], ['commissioner', 'Patient?_list=secret'],
    ['commissioner', 'Observation?_content=HIV'], ['coordinator', 'Observation?_content=HIV'], ['commissioner', 'Claim?_content=Gym&_id=joint'],
  ] as const)('%s: %s', async (bearer, query) => {
    const asked = query.replace('Organization/LA', `Organization/${world.organizations.authority}`);
    expect([asked, idsOf(await get('admin', asked)).length > 0]).toEqual([asked, true]);
    const answer = await get(bearer, asked);
    expect([asked, [200, 400, 403, 404].includes(answer.status), answer.body.total ?? 0, idsOf({ ...answer, body: { entry: answer.body.entry ?? [] } })]).toEqual([asked, true, 0, []]);
    const counted = await get(bearer, `${asked}&_summary=count`);
    expect(counted.body.total ?? 0).toBe(0);
  });

  test('a list that is hidden is answered as one that never was', async () => {
    expect(await alike('commissioner', 'secret', (name) => get('commissioner', `Patient?_list=${name}&_summary=count`))).toBeLessThan(500);
    expect(await alike('nominee', 'secret', (name) => get('nominee', `Account?_list=${name}&_elements=id`))).toBeLessThan(500);
  });
});

describe('sort by what is hidden', () => {
  test.each(['chargeable-category', '-chargeable-updated', 'chargeable-basic'])('%s is refused to who sees no status', async (sort) => {
    for (const bearer of ['commissioner', 'coordinator', 'manager', 'broker'] as const) expect((await get(bearer, `Patient?_sort=${sort}`)).status).toBe(403);
    expect((await get('ovm', `Patient?_sort=${sort}`)).status).toBe(200);
  });
});

describe('Bundle.total', () => {
  const totals = ['_summary=count', '_total=accurate', '_total=estimate', '_total=accurate&_count=1', '_count=0', '_total=estimate&_count=0'];

  test.each(totals)('by %s counts what is seen, and nothing else', async (how) => {
    await server.database.query({ text: 'analyze', values: [] });
    for (const bearer of ['commissioner', 'nominee', 'isf', 'coordinator'] as const) {
      for (const type of ['Claim', 'Account', 'List']) {
        const [{ body }, all] = [await get(bearer, `${type}?${how}`), idsOf(await get(bearer, `${type}?_count=500`))];
        if (body.total !== undefined) expect([bearer, type, body.total]).toEqual([bearer, type, all.length]);
      }
      // Of rows that none of them sees at all, by what only those have.
      const { status, body } = await get(bearer, `Claim?_has:PaymentNotice:request:_id=nothing&${how}`);
      expect([status, body.total ?? 0]).toEqual([200, 0]);
    }
    expect(idsOf(await get('admin', 'Claim?_count=500')).length).toBeGreaterThan(idsOf(await get('commissioner', 'Claim?_count=500')).length);
  });

  test('by _total=estimate tells nothing of the values of hidden rows, which the planner guesses from', async () => {
    const { provider } = world.organizations;
    const hidden = Array.from({ length: 300 }, (_one, index) => ({ ...purchaseBody({ patient: world.patients.bob, budget: 'bob', provider, recordedBy: `Patient/${world.patients.bob}` }), id: `many-${index}`, status: 'cancelled' }));
    await server.seed(hidden);
    await server.database.query({ text: 'analyze', values: [] });
    expect((await get('admin', 'Claim?status=cancelled&_total=estimate&_count=0')).body.total).toBeGreaterThan(100);
    for (const bearer of ['commissioner', 'nominee', 'coordinator', 'isf'] as const) {
      expect([bearer, (await get(bearer, 'Claim?status=cancelled&_total=estimate&_count=0')).body.total]).toEqual([bearer, 0]);
      expect([bearer, (await get(bearer, 'Organization?_has:Claim:provider:status=cancelled&_total=estimate&_count=0')).body.total]).toEqual([bearer, 0]);
    }
  });
});

describe('another caller\'s page link', () => {
  const next = ({ body }: Answer): string => body.link.find(({ relation }: any) => relation === 'next').url.slice(server.base.length).replace(/^\//, '');

  test('shows its new bearer no more than the search would', async () => {
    for (const path of ['Account?_count=1&_sort=_id', 'Claim?_count=1&_total=accurate', `?_type=Account,Claim&_count=1`, `Patient/${world.patients.ada}/*?_count=1`, 'Account/_history?_count=1', '_history?_count=1', 'Claim?_count=1&_include=Claim:*&_revinclude=PaymentNotice:request']) {
      let link: string | undefined = next(await get('admin', path));
      for (let page = 0; page < 3 && link; page += 1) {
        for (const bearer of ['otherCommissioner', 'nominee', 'supplier'] as const) {
          const answer: Answer = await get(bearer, link);
          if (answer.status !== 200) continue;
          await expectAllRead(bearer, path, idsOf(answer));
          if (answer.body.total !== undefined && path.includes('accurate')) expect(answer.body.total).toBeLessThanOrEqual(idsOf(await get(bearer, 'Claim?_count=500')).length);
        }
        const { body }: Answer = await get('admin', link);
        link = body.link.find(({ relation }: any) => relation === 'next')?.url.slice(server.base.length).replace(/^\//, '');
      }
    }
  });

  test('of candidates is asked anew under its bearer\'s Grant', async () => {
    await server.seed([{ resourceType: 'Group', id: 'everyone', type: 'person', actual: false, managingEntity: { reference: `Organization/${world.organizations.icb}` }, characteristic: [{ code: { coding: [{ system: 'https://fhir.entitle.example/CodeSystem/criterion', code: 'age' }] }, valueRange: { low: { value: 1 } }, exclude: false }] }]);
    await neighbour(server, world);
    const first = await get('commissioner', 'Group/everyone/$candidates?_count=1');
    expect(first.body.total).toBeGreaterThan(1);
    const answer = await get('otherCommissioner', next(first));
    expect(idsOf(answer).filter((one) => one !== `Patient/${world.patients.bob}`)).toEqual([]);
    expect(answer.body.total ?? 0).toBeLessThanOrEqual(1);
  });
});

describe('_explain', () => {
  test('is for administrators whose scopes leave nothing out', async () => {
    expect((await get('admin', 'Patient?_explain=true')).status).toBe(200);
    for (const bearer of ['commissioner', 'coordinator', 'ovm', 'ada', 'manager'] as const) expect((await get(bearer, 'Organization?_explain=true')).status).toBe(403);
    const token = await server.token('admin', { scope: 'user/Patient.rs?gender=female' });
    expect((await server.send('GET', 'Patient?_explain=true', { token })).status).toBe(403);
  });
});
