// Side doors of refusals: 403 against 404, 410, what they cost, their words, versions that are confirmed (domain.md 6.9).
import pg from 'pg';
import { NHS } from '../../domain/people.js';
import { ODS, planBody, purchaseBody, teamBody } from '../../domain/world.js';
import { plainBody, subscribe, topicBody } from '../../domain/subscribers.js';
import type { Answer } from '../../server.js';
import { alike, as, bundle, entry, get, idsOf, openDoors, server, world, type Bearer } from './doors.js';

openDoors();

describe('403 against 404', () => {
  const hiddenFrom: readonly (readonly [Bearer, string, string, number])[] = [
    ['ada', 'Claim', 'bob', 404], ['nominee', 'Account', 'joint', 404], ['commissioner', 'Account', 'bob', 404], ['isf', 'Claim', 'own', 404], ['ovm', 'Observation', 'lab', 404],
    ['practice', 'Task', 'bob', 404], ['supplier', 'Observation', 'lab', 404], ['stranger', 'Account', 'ada', 403], ['broker', 'Claim', 'bob', 403],
    // Of types that the role may not read at all.
    ['practice', 'Account', 'ada', 403], ['homeOffice', 'Observation', 'lab', 403], ['provider', 'Claim', 'own', 403], ['ada', 'Provenance', 'ada', 403], ['supplier', 'Patient', 'ADA', 403],
  ];
  test.each(hiddenFrom)('%s and %s/%s: %d, in the words for one that never was', async (bearer, type, name, status) => {
    const id = name === 'ADA' ? world.patients.ada : name;
    for (const [method, rest] of [['GET', ''], ['HEAD', ''], ['GET', '/_history'], ['GET', '/_history/1'], ['GET', '?_summary=true'], ['GET', '/$meta'], ['GET', '/$validate']] as const) {
      const found = await alike(bearer, id, (one) => as(bearer, method, `${type}/${one}${rest}`));
      if (!rest.includes('$')) expect([rest, found]).toEqual([rest, status]);
    }
    for (const kind of ['batch', 'transaction'] as const) await alike(bearer, id, (one) => as(bearer, 'POST', '', bundle(kind, entry('GET', `${type}/${one}`))));
  });

  test('a write to a hidden row, by any method and with any condition, is answered as one to nothing', async () => {
    const patch = { 'content-type': 'application/json-patch+json' };
    for (const [bearer, type, name] of [['ada', 'Claim', 'bob'], ['manager', 'Account', 'bob'], ['practice', 'Task', 'bob'], ['commissioner', 'Group', 'criteria-bob'], ['coordinator', 'CarePlan', 'bob']] as const) {
      const { body } = await get('admin', `${type}/${name}`);
      for (const headers of [{}, { 'if-match': 'W/"1"' }, { 'if-none-match': '*' }] as const) {
        await alike(bearer, name, (one) => as(bearer, 'PUT', `${type}/${one}`, { ...body, id: one }, headers));
        await alike(bearer, name, (one) => as(bearer, 'PATCH', `${type}/${one}`, '[{"op":"test","path":"/status","value":"x"}]', { ...patch, ...headers }));
        await alike(bearer, name, (one) => as(bearer, 'PATCH', `${type}/${one}`, '[{"op":"replace","path":"/status","value":"active"}]', { ...patch, ...headers }));
        await alike(bearer, name, (one) => as(bearer, 'DELETE', `${type}/${one}`, undefined, headers));
      }
    }
  });

  test('an id that a client chooses tells nothing of rows that the role never sees', async () => {
    const assessment = (id: string): object => ({ ...statementLike(id) });
    await alike('ovm', 'lab', (one) => as('ovm', 'PUT', `Observation/${one}`, assessment(one)), 'never-lab');
    const other = await subscribe(server, plainBody('Patient', 'http://127.0.0.1:9/'), server.tokens.admin);
    const own = (id: string): object => ({ ...topicBody('http://127.0.0.1:9/', 'empty', `Observation?patient.identifier=${NHS}|${world.nhsNumbers.ada}`), id });
    await alike('supplier', other, (one) => as('supplier', 'PUT', `Subscription/${one}`, own(one)), 'never-subscription');
    await alike('supplier', other, (one) => as('supplier', 'DELETE', `Subscription/${one}`), 'never-subscription');
  });
});

const statementLike = (id: string): any => ({
  resourceType: 'Observation', id, status: 'final', code: { coding: [{ system: 'https://fhir.entitle.example/CodeSystem/status-assertion', code: 'ovm-assessment' }] }, subject: { reference: `Patient/${world.patients.ada}` },
  effectiveDateTime: '2026-05-10', performer: [{ identifier: { system: ODS, value: 'RR8' }, type: 'Organization' }], valueCodeableConcept: { coding: [{ system: 'https://fhir.nhs.uk/spine-category-status-1', code: 'F' }] },
});

describe('410 against 404', () => {
  test('what was deleted is gone to who saw it, and never was to who did not', async () => {
    for (const rest of ['', '/_history/2', '/$meta']) expect((await get('admin', `CarePlan/gone-bob${rest}`)).status).toBe(410);
    for (const bearer of ['ada', 'nominee', 'commissioner', 'coordinator', 'stranger', 'manager', 'isf'] as const) {
      for (const [method, rest] of [['GET', ''], ['HEAD', ''], ['GET', '/_history'], ['GET', '/_history/1'], ['GET', '/_history/2'], ['GET', '/$validate?mode=delete']] as const) {
        await alike(bearer, 'gone-bob', (one) => as(bearer, method, `CarePlan/${one}${rest}`));
      }
      expect(idsOf(await get(bearer, `CarePlan?_id=gone-bob`))).toEqual([]);
      expect((await get(bearer, 'CarePlan/_history?_count=500')).text).not.toContain('gone-bob');
    }
  });
});

describe('what unknown and forbidden cost', () => {
  /** The statements that name this id, in order; the record of accesses is written later, of both alike. */
  async function statementsFor(id: string, ask: () => Promise<Answer>): Promise<string[]> {
    const sent: string[] = [];
    const spy = jest.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: pg.Client, ...given: any[]): unknown {
      const { text, values } = given[0] as { text?: string; values?: unknown[] };
      if (typeof text === 'string' && !/audit/.test(text) && JSON.stringify(values ?? []).includes(id)) sent.push(text);
      const answer: unknown = Reflect.apply(original, this, given);
      return answer;
    } as never);
    try {
      await ask();
    } finally {
      spy.mockRestore();
    }
    return sent;
  }
  const original = pg.Client.prototype.query;

  test.each([
    ['ada', 'GET', 'Claim', 'bob'], ['commissioner', 'GET', 'Account', 'bob'], ['stranger', 'GET', 'Account', 'ada'], ['isf', 'GET', 'Claim', 'own'], ['ovm', 'GET', 'Observation', 'lab'], ['manager', 'PUT', 'Account', 'bob'],
    ['practice', 'PUT', 'Task', 'bob'], ['commissioner', 'SEARCH', 'Account', 'bob'], ['ada', 'HISTORY', 'Claim', 'bob'],
  ] as const)('%s, %s %s/%s: the same statements', async (bearer, method, type, hidden) => {
    const never = `nev-${hidden}`;
    const { body } = await get('admin', `${type}/${hidden}`);
    const ask = (id: string) => (): Promise<Answer> => {
      if (method === 'SEARCH') return get(bearer, `${type}?_id=${id}`);
      return method === 'HISTORY' ? get(bearer, `${type}/${id}/_history`) : as(bearer, method, `${type}/${id}`, method === 'PUT' ? { ...body, id } : undefined);
    };
    const named = (id: string): string => `"${id}"`;
    const [of, none] = [await statementsFor(named(hidden), ask(hidden)), await statementsFor(named(never), ask(never))];
    expect(none.length).toBeGreaterThan(0);
    expect(of).toEqual(none);
  });
});

describe('error texts and references', () => {
  test('a write that names a hidden row is refused in the words for one that never was', async () => {
    const { ada } = world.patients;
    await alike('ada', 'bob', (one) => as('ada', 'POST', 'Claim', purchaseBody({ patient: ada, budget: one, provider: world.organizations.provider, recordedBy: `Patient/${ada}` })));
    await alike('stranger', world.patients.bob, (one) => as('stranger', 'POST', 'CarePlan', planBody(one)));
    await alike('coordinator', world.patients.bob, (one) => as('coordinator', 'POST', 'CareTeam', teamBody(one, [`PractitionerRole/${world.roles.coordinator}`])));
    await alike('ada', 'bob', (one) => as('ada', 'POST', 'DocumentReference', { resourceType: 'DocumentReference', status: 'current', subject: { reference: `Patient/${ada}` }, content: [{ attachment: { contentType: 'application/pdf', url: `Binary/${one}` } }] }));
    await alike('coordinator', 'CarePlan/bob', (one) => as('coordinator', 'POST', 'Task', { resourceType: 'Task', status: 'requested', intent: 'order', for: { reference: `Patient/${ada}` }, focus: { reference: one } }), 'CarePlan/never');
  });

  test('the same by the whole URL of this server', async () => {
    const whole = (id: string): string => `${server.base}/Patient/${id}`;
    const plan = (id: string): any => ({ ...planBody(id), subject: { reference: whole(id) } });
    expect(await alike('stranger', world.patients.bob, (one) => as('stranger', 'POST', 'CarePlan', plan(one)))).toBeGreaterThanOrEqual(400);
  });

  test('nothing of anybody hidden is in any refusal', async () => {
    const asked = await Promise.all([
      as('stranger', 'POST', 'Patient', { resourceType: 'Patient', identifier: [{ system: NHS, value: world.nhsNumbers.bob }] }), as('stranger', 'POST', 'CarePlan', planBody(world.patients.bob)),
      get('stranger', `Patient/${world.patients.bob}`), get('commissioner', 'Account/bob'), get('ada', 'Claim/bob'),
    ]);
    for (const { text, status } of asked) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(text).not.toMatch(/Samplebob|City of bob|0113 496/);
    }
  });
});

describe('ETag and 304', () => {
  test.each([['ada', 'Claim', 'bob'], ['commissioner', 'Account', 'bob'], ['isf', 'Claim', 'own'], ['stranger', 'Account', 'ada'], ['ovm', 'Observation', 'lab']] as const)('%s: no version of %s/%s is confirmed', async (bearer, type, hidden) => {
    for (const headers of [{ 'if-none-match': 'W/"1"' }, { 'if-none-match': '*' }, { 'if-modified-since': 'Fri, 01 Jan 2100 00:00:00 GMT' }]) {
      expect((await get('admin', `${type}/${hidden}`, headers)).status).toBe(304);
      expect([403, 404]).toContain(await alike(bearer, hidden, (one) => get(bearer, `${type}/${one}`, headers)));
      await alike(bearer, hidden, (one) => as(bearer, 'HEAD', `${type}/${one}`, undefined, headers));
    }
    const { body } = await as(bearer, 'POST', '', bundle('batch', { request: { method: 'GET', url: `${type}/${hidden}`, ifNoneMatch: 'W/"1"' } }));
    expect(body.entry[0].response.status).toMatch(/^40[34]/);
  });
});
