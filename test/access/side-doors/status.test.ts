// Side doors of the status: the Home Office, suppliers, Subscriptions and CDS Hooks (domain.md 6.9).
import { assessed, covered, deliver, evidence, NHS, numbers, register, statementBody, TRACED, vmPath, vmSearch } from '../../domain/people.js';
import { openReceiver, plainBody, subscribe, subscribed, topicBody, until } from '../../domain/subscribers.js';
import type { Answer } from '../../server.js';
import { alike, as, bundle, closing, entry, get, idsOf, openDoors, server, tokenOf, world, type Bearer } from './doors.js';

openDoors();

describe('the Home Office\'s receipts', () => {
  const next = numbers(999_660_000);

  test('are the same for whom we know and whom we do not, one by one, in a batch, a transaction and a withdrawal', async () => {
    const receipt = ({ status, headers, text, body }: Answer): unknown => [status, Object.keys(headers).filter((name) => name !== 'x-correlation-id').sort(), body === undefined ? text : JSON.stringify(body.entry?.map(({ response }: any) => ({ ...response, location: typeof response.location, lastModified: typeof response.lastModified })) ?? body.issue)];
    const [known, unknown] = [next(), next()];
    await register(server, known);
    const asked = async (number: string): Promise<unknown[]> => {
      const one = statementBody(number, 'likely-chargeable', '2026-04-01T00:00:00Z');
      const single = await deliver(server, one);
      const again = await deliver(server, one);
      const bundled = await Promise.all((['batch', 'transaction'] as const).map((kind) => as('homeOffice', 'POST', '', bundle(kind, entry('POST', 'Observation', statementBody(number, 'british-citizen', '2026-04-02T00:00:00Z'))))));
      const taken = await as('homeOffice', 'PUT', `Observation?identifier=${(one as any).identifier[0].system}|${(one as any).identifier[0].value}`, { ...one, status: 'entered-in-error' });
      return [single, again, ...bundled, taken].map(receipt);
    };
    const [of, none] = [await asked(known), await asked(unknown)];
    expect(of).toEqual(none);
    expect(JSON.stringify(of)).not.toMatch(/Patient/);
    for (const path of ['Observation', `Patient?identifier=${NHS}|${known}`, '_history', 'Observation/_history', 'AuditEvent', 'Task']) expect(idsOf({ ...(await get('homeOffice', path)), body: {} })).toEqual([]);
    expect((await get('homeOffice', 'Observation')).status).toBe(403);
  });
});

describe('a supplier\'s three facts', () => {
  test('about one named patient, and nothing of where a restricted one was assessed', async () => {
    const number = numbers(999_670_000)();
    const id = await register(server, number, { meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }] }, address: [{ city: 'Hidden Town' }] });
    await assessed(server, id, 'C', '2026-05-10', { extension: [evidence(await covered(server, id, 'EHIC', '2030-01-01'))] });
    const shown = await vmSearch(server, number);
    expect([shown.status, shown.body.total]).toEqual([200, 1]);
    expect(shown.text).not.toMatch(/RR8|performer|Coverage|evidence|Hidden Town/);
    expect(JSON.stringify(shown.body.link)).not.toContain(number);
    const operation = await get('supplier', `Patient/$chargeable-status?identifier=${NHS}|${number}`);
    expect(operation.text).not.toMatch(/RR8|performer|Coverage|Hidden Town/);
    for (const more of ['_include=Observation:subject', '_include=*', '_revinclude=Provenance:target', '_elements=performer', '_summary=true', '_has:Provenance:target:agent=x', '_sort=date', '_count=5']) expect([more, (await get('supplier', `${vmPath(number)}&${more}`, TRACED)).status]).toEqual([more, 400]);
    expect((await get('ovm', `Patient/${id}`)).text).not.toContain('Hidden Town');
    for (const path of ['Observation?code=ovm-assessment', `Observation?patient=${id}`, 'Observation', 'Patient']) expect((await get('supplier', path, TRACED)).status).toBeGreaterThanOrEqual(400);
  });
});

describe('Subscriptions', () => {
  test('of others are not there, and none is told of more than its subscriber may ask', async () => {
    const other = await subscribe(server, topicBody('http://127.0.0.1:9/', 'full-resource'));
    for (const bearer of ['ovm', 'supplier'] as const) {
      for (const [method, rest] of [['GET', ''], ['GET', '/_history'], ['GET', '/$status'], ['GET', '/$events'], ['GET', '/$dead-letters'], ['DELETE', '']] as const) await alike(bearer, other, (one) => as(bearer, method, `Subscription/${one}${rest}`));
      expect(idsOf(await get(bearer, 'Subscription'))).not.toContain(`Subscription/${other}`);
      expect(idsOf(await get(bearer, `Subscription?url=http://127.0.0.1:9/`))).toEqual([]);
    }
    for (const [bearer, criteria] of [['supplier', 'Patient'], ['supplier', 'Observation?code=ovm-assessment'], ['supplier', 'Observation?code=https://fhir.nhs.uk/fhir-observation-code-1|0001'], ['ovm', 'Claim'], ['ovm', 'Account?owner=x'], ['ovm', 'Task']] as const) {
      expect([criteria, [403, 422].includes((await as(bearer, 'POST', 'Subscription', plainBody(criteria, 'http://127.0.0.1:9/'))).status)]).toEqual([criteria, true]);
    }
    for (const bearer of ['provider', 'practice', 'homeOffice'] as const) expect((await as(bearer, 'POST', 'Subscription', plainBody('Account', 'http://127.0.0.1:9/'))).status).toBe(403);
    expect((await as('supplier', 'POST', 'Subscription', { ...plainBody('Account', 'http://127.0.0.1:9/'), meta: { tag: [{ system: 'https://fhir.entitle.example/CodeSystem/subscriber', code: 'admin' }] } })).status).toBeGreaterThanOrEqual(400);
  });

  test('of Observations tell an OVM of assessments and of no laboratory result', async () => {
    const receiver = await openReceiver();
    closing.push(receiver.close);
    await subscribed(server, plainBody('Observation', receiver.endpoint), server.tokens.ovm);
    const lab = await as('admin', 'POST', 'Observation', { resourceType: 'Observation', status: 'final', code: { text: 'a laboratory result' }, subject: { reference: `Patient/${world.patients.bob}` } });
    const { id } = await assessed(server, world.patients.bob, 'F', '2026-05-11');
    await until('a notification', () => receiver.received.some(({ url }) => url.endsWith(`Observation/${id}`)));
    expect(receiver.received.filter(({ url, body }) => url.includes(lab.body.id) || body.includes('laboratory'))).toEqual([]);
  });
});

describe('CDS Hooks', () => {
  const call = async (bearer: Bearer, patientId: string, number?: string): Promise<{ status: number; text: string }> => {
    const body = { hook: 'patient-view', hookInstance: 'x', context: { userId: 'Practitioner/1', patientId }, ...(number !== undefined && { prefetch: { patient: { resourceType: 'Patient', identifier: [{ system: NHS, value: number }] } } }) };
    const response = await fetch(`${new URL(server.base).origin}/cds-services/chargeable-status`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${tokenOf(bearer)}` }, body: JSON.stringify(body) });
    return { status: response.status, text: await response.text() };
  };

  test('answers whoever may not ask for a status the same of anybody', async () => {
    expect((await call('supplier', world.patients.ada)).text).toContain('summary');
    for (const bearer of ['commissioner', 'ada', 'practice', 'coordinator', 'homeOffice', 'nominee'] as const) {
      const answers = [await call(bearer, world.patients.ada), await call(bearer, 'never'), await call(bearer, 'x', world.nhsNumbers.ada), await call(bearer, 'x', numbers(999_680_000)())];
      expect(new Set(answers.map((one) => JSON.stringify(one)))).toEqual(new Set([JSON.stringify(answers[0])]));
      expect(answers[0]).toMatchObject({ status: 403 });
    }
  });

  test('a coordinator with the scope is told the same of a stranger\'s patient and of none', async () => {
    const token = await server.token('care-coordinator', { practitionerRole: world.roles.stranger, organization: 'QWE', scope: 'B0259' });
    const ask = async (path: string): Promise<Answer> => server.send('GET', path, { token });
    const words = ({ status, body }: Answer, at: string): string => JSON.stringify([status, body.issue]).replaceAll(at, 'NAME');
    const number = numbers(999_690_000)();
    expect(words(await ask(`Patient/${world.patients.bob}/$chargeable-status`), world.patients.bob)).toBe(words(await ask('Patient/never/$chargeable-status'), 'never'));
    expect(words(await ask(`Patient/$chargeable-status?identifier=${NHS}|${world.nhsNumbers.bob}`), world.nhsNumbers.bob)).toBe(words(await ask(`Patient/$chargeable-status?identifier=${NHS}|${number}`), number));
  });
});
