// Rules that depend on the clock, seen by restarting the server the day after (CLOCK_OFFSET_MS).
import { setTimeout as sleep } from 'node:timers/promises';
import { londonDate } from '../../src/fhir/london.js';
import { build, runCommand, startServer, temporaryFolder } from './server-process.js';

jest.setTimeout(120_000);

const DAY = 24 * 3600 * 1000;
const CODES = 'https://fhir.entitle.example/CodeSystem';
const EXTENSIONS = 'https://fhir.entitle.example/StructureDefinition';

test('an EHIC that ends today makes the answer U tomorrow, without a write, and the Patient shows it within a minute', async () => {
  await build();
  const data = await temporaryFolder();
  const { stdout } = await runCommand(['token', '--role', 'ovm', '--organization', 'RR8'], { DATA_DIR: data.path });
  const headers = { authorization: `Bearer ${stdout.trim()}`, 'content-type': 'application/fhir+json' };
  const today = await startServer({ dataDir: data.path });
  const post = async (base: string, resource: object): Promise<any> => (await fetch(`${base}/${(resource as { resourceType: string }).resourceType}`, { method: 'POST', headers, body: JSON.stringify(resource) })).json();
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
  tomorrow.child.kill('SIGTERM');
  await tomorrow.exited();
  await data.remove();
});
