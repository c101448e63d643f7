// The side door of a provider: claims with items of several (domain.md 6.9).
import { BASE, extension } from '../../domain/people.js';
import { purchaseBody } from '../../domain/world.js';
import { alike, as, get, openDoors, server, world } from './doors.js';

openDoors();

describe('a provider\'s mixed claims', () => {
  test('tell each provider of its own items, and nobody of the patient', async () => {
    const { provider, isf } = world.organizations;
    const list = await as('admin', 'POST', 'List', {
      resourceType: 'List', status: 'current', mode: 'working', title: 'Directory', code: { coding: [{ system: `${BASE}/CodeSystem/list-code`, code: 'phb-directory' }] },
      extension: [extension('directory-owner', { valueReference: { reference: `Organization/${world.organizations.icb}` } })],
    });
    const service = async (id: string, of: string): Promise<number> => (await as('admin', 'PUT', `HealthcareService/${id}`, {
      resourceType: 'HealthcareService', id, active: true, name: id, providedBy: { reference: `Organization/${of}` }, category: [{ coding: [{ system: `${BASE}/CodeSystem/directory-category`, code: 'activity' }] }],
      extension: [extension('directory', { valueReference: { reference: `List/${list.body.id}` } })],
    })).status;
    expect([await service('gym-class', provider), await service('respite', isf)]).toEqual([201, 201]);
    const account = await server.send('POST', 'Account', { token: server.tokens.admin, body: budgetOf() });
    expect(account.status).toBe(201);
    const item = (sequence: number, entryOf: string, value: number): object => ({ sequence, productOrService: { text: `For Sampleeve, ${entryOf}` }, net: { value, currency: 'GBP' }, extension: [extension('directory-entry', { valueReference: { reference: `HealthcareService/${entryOf}` } })] });
    const body = purchaseBody({ patient: world.patients.eve, budget: account.body.id, provider, recordedBy: `Patient/${world.patients.eve}`, amount: 50, rest: { item: [item(1, 'gym-class', 20), item(2, 'respite', 30)] } });
    const bought = await as('admin', 'POST', 'Claim', body);
    expect([bought.status, bought.body.issue]).toEqual([201, undefined]);
    const own = await get('provider', `Organization/${provider}/$purchases`);
    expect(own.text).toContain('HealthcareService/gym-class');
    expect(own.text).not.toMatch(/respite|"value":30|Sampleeve|Patient\/|Account\/|Claim\//);
    await alike('provider', isf, (one) => get('provider', `Organization/${one}/$purchases`));
    await alike('provider', 'respite', (one) => get('provider', `HealthcareService/${one}/$purchases`));
    for (const path of ['Claim', 'Account', `Patient/${world.patients.eve}`, 'Claim?provider=Organization/x', '?_type=Claim']) expect((await get('provider', path)).text).not.toMatch(/respite|Sampleeve/);
  });

  const budgetOf = (): object => ({
    resourceType: 'Account', status: 'active', type: { coding: [{ system: 'https://fhir.entitle.example/CodeSystem/account-type', code: 'phb' }] }, name: 'Of eve', subject: [{ reference: `Patient/${world.patients.eve}` }], servicePeriod: { start: '2026-11-01' },
    owner: { reference: `Organization/${world.organizations.icb}` },
    extension: [
      extension('allocation', { extension: [{ url: 'model', valueCode: 'notional' }, { url: 'amount', valueMoney: { value: 1000, currency: 'GBP' } }] }),
      extension('eligibility', { extension: [{ url: 'basis', valueCode: 'nhs-chc' }, { url: 'decidedBy', valueReference: { reference: `Organization/${world.organizations.icb}` } }, { url: 'decidedOn', valueDate: '2026-10-01' }] }),
      extension('funding-source', { valueCode: 'nhs' }), extension('overspend-policy', { valueCode: 'block' }),
    ],
  });
});
