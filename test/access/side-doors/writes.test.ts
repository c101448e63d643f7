// Side doors of writes: criteria, references by criteria, and the X-Request-ID of another caller (domain.md 6.9).
import { assessed, NHS, numbers } from '../../domain/people.js';
import { planBody } from '../../domain/world.js';
import { alike, as, bundle, entry, get, openDoors, server, world } from './doors.js';

openDoors();

describe('conditional interactions and conditional references', () => {
  const unlike = (resource: object): object => ({ ...resource, nothing: 'that FHIR knows' });

  test('criteria that match a hidden row match nothing', async () => {
    const { body: plan } = await get('admin', 'CarePlan/bob');
    const { id: _id, meta: _meta, ...anonymous } = plan;
    await alike('coordinator', 'bob', (one) => as('coordinator', 'POST', 'CarePlan', unlike(anonymous), { 'if-none-exist': `_id=${one}` }));
    await alike('coordinator', 'bob', (one) => as('coordinator', 'POST', 'CarePlan', { ...anonymous, subject: { reference: `Patient/${world.patients.ada}` }, status: 'nothing' }, { 'if-none-exist': `_id=${one}` }));
    await alike('coordinator', 'bob', (one) => as('coordinator', 'PUT', `CarePlan?_id=${one}`, unlike(anonymous)));
    await alike('coordinator', 'bob', (one) => as('coordinator', 'PATCH', `CarePlan?_id=${one}`, '[{"op":"test","path":"/status","value":"x"}]', { 'content-type': 'application/json-patch+json' }));
    await alike('coordinator', 'bob', (one) => as('coordinator', 'DELETE', `HealthcareService?_has:CarePlan:performer:_id=${one}`));
    for (const kind of ['batch', 'transaction'] as const) {
      await alike('coordinator', 'bob', (one) => as('coordinator', 'POST', '', bundle(kind, entry('PUT', `CarePlan?_id=${one}`, unlike(anonymous)))));
      await alike('coordinator', 'bob', (one) => as('coordinator', 'POST', '', bundle(kind, { resource: unlike(anonymous), request: { method: 'POST', url: 'CarePlan', ifNoneExist: `_id=${one}` } })));
      await alike('coordinator', 'bob', (one) => as('coordinator', 'POST', '', bundle(kind, entry('GET', `CarePlan?_id=${one}&_summary=count`))));
    }
  });

  test('a reference by criteria leads to no hidden row', async () => {
    const plan = (number: string): object => ({ ...planBody('x'), subject: { reference: `Patient?identifier=${NHS}|${number}` } });
    const never = numbers(999_650_000)();
    for (const bearer of ['stranger', 'coordinator'] as const) {
      const status = await alike(bearer, world.nhsNumbers.bob, (number) => as(bearer, 'POST', '', bundle('transaction', entry('POST', 'CarePlan', plan(number)))), never);
      expect(status).toBeGreaterThanOrEqual(400);
    }
    expect((await as('coordinator', 'POST', '', bundle('transaction', entry('POST', 'CarePlan', plan(world.nhsNumbers.ada))))).status).toBe(200);
    expect(await alike('coordinator', world.nhsNumbers.bob, (number) => as('coordinator', 'POST', 'CarePlan', plan(number)), never)).toBe(412);
    expect((await as('coordinator', 'POST', 'CarePlan', plan(world.nhsNumbers.ada))).status).toBe(201);
  });

  test('what a view hides is no criterion of theirs either', async () => {
    const { ada } = world.patients;
    await assessed(server, ada, 'F', '2026-05-10');
    for (const hidden of ['chargeable-basic=Y', 'chargeable-category:not=A', 'chargeable-updated:missing=false', '_content=spine-category-status-1']) {
      const plan = { ...planBody('x'), subject: { reference: `Patient?_id=${ada}&${hidden}` } };
      const asked = [
        as('coordinator', 'POST', 'CarePlan', plan), as('coordinator', 'POST', '', bundle('transaction', entry('POST', 'CarePlan', plan))),
        as('coordinator', 'POST', 'Patient', { resourceType: 'Patient' }, { 'if-none-exist': `_id=${ada}&${hidden}` }),
        as('coordinator', 'PUT', `CarePlan?_id=ada&subject:Patient.${hidden}`, { resourceType: 'CarePlan' }), as('coordinator', 'DELETE', `HealthcareService?_has:CarePlan:performer:subject:Patient.${hidden}`),
        get('coordinator', `Patient?_filter=_id eq ${ada} and ${hidden.replace('=', ' eq ').replace(/:\w+/, '')}`),
      ];
      for (const answer of await Promise.all(asked)) expect([hidden, answer.status >= 400, answer.status < 500, answer.status !== 412]).toEqual([hidden, true, true, true]);
    }
  });
});

describe('the X-Request-ID of another caller', () => {
  test('is another request: neither its answer nor that it was used is told', async () => {
    const { ada, bob } = world.patients;
    const consent = (patient: string, text: string): object => ({ resourceType: 'Consent', status: 'active', scope: { text }, category: [{ text: 'x' }], patient: { reference: `Patient/${patient}` }, policyRule: { text: 'x' } });
    const id = { 'x-request-id': 'side-door-1', prefer: 'return=representation' };
    const first = await as('ada', 'POST', 'Consent', consent(ada, 'of ada alone'), id);
    expect(first.status).toBe(201);
    expect((await as('ada', 'POST', 'Consent', consent(ada, 'of ada alone'), id)).body.id).toBe(first.body.id);
    // Somebody else with the same id and the same words; and with others, which to the first would be 422.
    const copied = await as('bob', 'POST', 'Consent', consent(ada, 'of ada alone'), id);
    expect([copied.status, copied.text.includes('of ada alone'), copied.text.includes(first.body.id)]).toEqual([422, false, false]);
    const other = await as('bob', 'POST', 'Consent', consent(bob, 'of bob'), id);
    expect([other.status, other.body.scope.text]).toEqual([201, 'of bob']);
  });

  test('of one client and subject, in another role, patient, organisation or PractitionerRole, is another request as well', async () => {
    const { ada, bob } = world.patients;
    const shared = { client: 'an-app', subject: 'a-person' };
    const consent = { resourceType: 'Consent', status: 'active', scope: { text: 'told once' }, category: [{ text: 'x' }], patient: { reference: `Patient/${ada}` }, policyRule: { text: 'x' } };
    const headers = { 'x-request-id': 'side-door-2', prefer: 'return=representation' };
    const [ofAda, ofBob] = await Promise.all([ada, bob].map((patient) => server.token('patient', { ...shared, patient })));
    expect((await server.send('POST', 'Consent', { token: ofAda, body: consent, headers })).status).toBe(201);
    const answer = await server.send('POST', 'Consent', { token: ofBob, body: consent, headers });
    expect([answer.status, answer.text.includes('told once')]).toEqual([422, false]);
    const [ofQwe, ofQxx] = await Promise.all(['QWE', 'QXX'].map((organization) => server.token('commissioner', { ...shared, organization })));
    const group = { resourceType: 'Group', type: 'person', actual: false, managingEntity: { reference: `Organization/${world.organizations.icb}` }, name: 'criteria of QWE', characteristic: [{ code: { coding: [{ system: 'https://fhir.entitle.example/CodeSystem/criterion', code: 'active-budget' }] }, valueBoolean: true, exclude: false }] };
    const made = await server.send('POST', 'Group', { token: ofQwe, body: group, headers });
    expect(made.status).toBe(201);
    const copied = await server.send('POST', 'Group', { token: ofQxx, body: group, headers });
    expect([copied.status, copied.text.includes('criteria of QWE'), copied.text.includes(made.body.id)]).toEqual([403, false, false]);
  });
});
