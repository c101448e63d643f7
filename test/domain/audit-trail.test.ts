// The trail of who did what as it is read, and what keeps it true: who may see which events, ids that nobody can choose, a chain that tells of tampering.
import { digestSql, sealAll } from '../../src/audit/seal.js';
import { verifyTrail, type Verified } from '../../src/audit/verify.js';
import { startServer, type Answer, type TestServer } from '../server.js';
import { coverageBody, register } from './people.js';

let server: TestServer;
let patient: string;
let other: string;
let ovm: string;

beforeAll(async () => {
  server = await startServer();
  patient = await register(server, '9990000018');
  other = await register(server, '9990000026');
  ovm = await server.token('ovm', { organization: 'RR8', subject: 'nurse', client: 'hospital', practitionerRole: 'pr-1' });
  const elsewhere = await server.token('ovm', { organization: 'RA9', subject: 'clerk' });
  for (const token of [ovm, elsewhere]) for (const id of [patient, other]) await server.send('GET', `Patient/${id}`, { token });
  await server.send('GET', `Patient?_id=${patient},${other}`, { token: ovm });
  await server.send('GET', 'Patient/nobody', { token: ovm });
  await server.send('PUT', 'AuditEvent/sent', { token: server.tokens.admin, body: sentEvent('sent', '2020-01-01T00:00:00Z') });
  await settle();
});
afterAll(() => server.close());

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 150));
const as = (token: string) => (path: string): Promise<Answer> => server.send('GET', path, { token });
const admin = (path: string): Promise<Answer> => as(server.tokens.admin)(path);
const resources = ({ body }: Answer): any[] => (body.entry ?? []).filter((one: any) => one.search?.mode === 'match').map((one: any) => one.resource);
const patientsOf = (event: any): string[] => (event.entity ?? []).filter((one: any) => one.role?.code === '1').map((one: any) => one.what.reference);

function sentEvent(id: string | undefined, recorded: string): object {
  return {
    resourceType: 'AuditEvent', ...(id !== undefined && { id }), recorded,
    type: { system: 'http://terminology.hl7.org/CodeSystem/audit-event-type', code: 'rest' },
    agent: [{ requestor: true, altId: 'sender' }], source: { observer: { display: 'elsewhere' } },
  };
}

describe('who may see which events', () => {
  test('an administrator sees all', async () => {
    const events = resources(await admin('AuditEvent?_count=1000'));
    expect(events.some(({ agent }) => agent[0].altId === 'nurse')).toBe(true);
    expect(events.some(({ agent }) => agent[0].altId === 'clerk')).toBe(true);
    expect(events.map(({ id }) => id)).toContain('sent');
  });

  test('an Overseas Visitors Manager sees the accesses of its own organisation, and no others by any road', async () => {
    const events = resources(await as(ovm)('AuditEvent?_count=1000'));
    expect(events.length).toBeGreaterThan(3);
    expect(events.every(({ agent }) => agent.some((one: any) => one.who?.identifier?.value === 'RR8'))).toBe(true);
    const [foreign] = resources(await admin('AuditEvent?altid=clerk'));
    for (const path of [`AuditEvent/${foreign.id}`, `AuditEvent/${foreign.id}/_history/1`, `AuditEvent/${foreign.id}/_history`, 'AuditEvent/sent']) expect([path, (await as(ovm)(path)).status]).toEqual([path, 404]);
    expect(resources(await as(ovm)('AuditEvent?altid=clerk'))).toEqual([]);
    expect(resources(await as(ovm)(`AuditEvent?_id=${foreign.id}`))).toEqual([]);
    expect((await as(ovm)('AuditEvent?altid=clerk&_summary=count')).body.total).toBe(0);
  });

  test('a patient sees who looked at the own record, without other patients and without what was asked', async () => {
    const own = as(await server.token('patient', { patient }));
    const answer = await own('AuditEvent?_count=1000');
    const events = resources(answer);
    expect(events.map(({ agent }) => agent[0].altId)).toEqual(expect.arrayContaining(['nurse', 'clerk']));
    expect(events.every((event) => patientsOf(event).join() === `Patient/${patient}`)).toBe(true);
    expect(answer.text).not.toContain(other);
    expect(answer.text).not.toContain('"query"');
    // A search that found both patients is one of them.
    const [both] = resources(await admin(`AuditEvent?patient=${patient}&patient=${other}&altid=nurse&subtype=search-type&entity-type=Patient`));
    expect(patientsOf(both)).toHaveLength(2);
    const shown = await own(`AuditEvent/${both.id}`);
    expect([shown.status, shown.text.includes(other)]).toEqual([200, false]);
    const [another] = resources(await admin(`AuditEvent?entity=Patient/${other}&subtype=read&altid=clerk`));
    expect((await own(`AuditEvent/${another.id}`)).status).toBe(404);
  });

  test('a patient sees that the glass was broken, by whom and why; not what was said of another', async () => {
    const token = await server.token('care-coordinator', { practitionerRole: 'glass', organization: 'QWE', subject: 'breaker' });
    const look = (path: string, why: string): Promise<Answer> => server.send('GET', path, { token, headers: { 'x-break-glass-reason': why } });
    expect((await look(`Patient/${patient}`, 'found unconscious at home')).status).toBe(200);
    expect((await look(`Patient/${other}`, 'looking for the other one')).status).toBe(200);
    await settle();
    const own = await as(await server.token('patient', { patient }))('AuditEvent?altid=breaker');
    const told = resources(own).map(({ purposeOfEvent: [purpose] }) => [purpose.coding[0].code, purpose.text]);
    // The look, and the Task that it left for the commissioner.
    expect(told).toEqual([['BTG', 'found unconscious at home'], ['BTG', 'found unconscious at home']]);
    expect(own.text).not.toContain('the other one');
    expect(resources(own)[0].agent[0]).toMatchObject({ who: { reference: 'PractitionerRole/glass' }, altId: 'breaker' });
    expect((await as(await server.token('patient', { patient: other }))('AuditEvent?altid=breaker')).text).not.toContain('unconscious');
  });

  test('a commissioner sees the accesses of its own organisation', async () => {
    const icb = await server.token('commissioner', { organization: 'QOX', subject: 'officer' });
    await as(icb)('Patient/nobody');
    await settle();
    const events = resources(await as(icb)('AuditEvent'));
    expect(events.length).toBeGreaterThan(0);
    expect(new Set(events.map(({ agent }) => agent[0].altId))).toEqual(new Set(['officer']));
  });

  test.each(['supplier', 'home-office', 'practice', 'provider', 'nominee', 'care-coordinator', 'budget-manager', 'third-party', 'feed', 'broker'] as const)('%s may not ask', async (role) => {
    const token = await server.token(role, { organization: 'RR8', patient });
    const [event] = resources(await admin('AuditEvent?_count=1'));
    expect((await as(token)('AuditEvent')).status).toBe(403);
    expect((await as(token)(`AuditEvent/${event.id}`)).status).toBe(403);
  });
});

describe('what the server recorded is nobody\'s to choose or to change', () => {
  const id = 'audit-01a200ec-6f4b-70de-86a8-2dda65010ce5';
  const bundle = (type: string, request: object, resource?: object) => ({ resourceType: 'Bundle', type, entry: [{ request, ...(resource && { resource }) }] });

  test('no client can choose such an id, by any road', async () => {
    const body = sentEvent(id, '2026-01-01T00:00:00Z');
    const { tokens: { admin: token } } = server;
    expect((await server.send('PUT', `AuditEvent/${id}`, { token, body })).status).toBe(403);
    expect((await server.send('PUT', 'AuditEvent?date=1999', { token, body })).status).toBe(403);
    expect((await server.send('PUT', 'AuditEvent/audit-mine', { token, body: sentEvent('audit-mine', '2026-01-01T00:00:00Z') })).status).toBe(403);
    const batch = await server.send('POST', '', { token, body: bundle('batch', { method: 'PUT', url: `AuditEvent/${id}` }, body) });
    expect(batch.body.entry[0].response.status).toMatch(/^403/);
    expect((await server.send('POST', '', { token, body: bundle('transaction', { method: 'PUT', url: `AuditEvent/${id}` }, body) })).status).toBe(403);
    expect((await server.send('POST', '', { token, body: bundle('transaction', { method: 'PUT', url: 'AuditEvent?date=1999' }, body) })).status).toBe(403);
    // One that the server chooses is an ordinary resource.
    const posted = await server.send('POST', 'AuditEvent', { token, body });
    expect([posted.status, posted.body.id.startsWith('audit-')]).toEqual([201, false]);
  });

  test('nobody changes or deletes one, not even an administrator', async () => {
    const [event] = resources(await admin('AuditEvent?_count=1'));
    const { tokens: { admin: token } } = server;
    const headers = { 'content-type': 'application/json-patch+json' };
    expect((await server.send('PUT', `AuditEvent/${event.id}`, { token, body: { ...event, outcome: '12' } })).status).toBe(403);
    expect((await server.send('PATCH', `AuditEvent/${event.id}`, { token, body: '[]', headers })).status).toBe(403);
    const deleted = await server.send('DELETE', `AuditEvent/${event.id}`, { token });
    expect([deleted.status, deleted.body.issue[0].details.text]).toEqual([403, expect.stringContaining('never changed or deleted')]);
    expect((await server.send('POST', '', { token, body: bundle('transaction', { method: 'DELETE', url: `AuditEvent/${event.id}` }) })).status).toBe(403);
    expect((await admin(`AuditEvent/${event.id}`)).body).toEqual(event);
  });
});

describe('search', () => {
  test.each([
    ['altid=nurse&subtype=read', 3], ['altid=nurse&subtype=read&outcome=4', 1], ['altid=nurse&outcome=0&action=R', 2], ['altid=nurse&action=E', 1],
    ['altid=nurse&agent=PractitionerRole/pr-1', 4], ['altid=nurse&agent=PractitionerRole/pr-2', 0], ['altid=nurse&agent-role=ovm', 4], ['altid=nurse&agent-role=admin', 0],
    ['altid=nurse&type=rest', 4], ['altid=nurse&type=http://dicom.nema.org/resources/ontology/DCM|110100', 0], ['altid=nurse&type:not=rest', 0], ['altid=nurse&subtype=search-type,read', 4],
    ['altid=nurse&entity-type=Patient', 4], ['altid=nurse&entity-type=Basic', 0], ['altid=nurse&entity-role=24', 1], ['altid=nurse&policy=x', 0], ['altid=nurse&date=lt2020', 0], ['altid=nurse&date=ge2020', 4],
  ])('%s finds %i', async (query, count) => {
    const before = resources(await as(ovm)(`AuditEvent?${query}&_count=1000`)).filter(({ entity }) => !(entity ?? []).some((one: any) => one.type.code === 'AuditEvent'));
    expect(before).toHaveLength(count);
  });

  test('by patient, whole or by reference, and by entity', async () => {
    const found = async (query: string): Promise<number> => resources(await admin(`AuditEvent?altid=nurse&${query}&_count=1000`)).filter(({ entity }) => entity[0].type.code === 'Patient').length;
    expect(await found(`patient=${patient}`)).toBe(2);
    expect(await found(`patient=Patient/${patient}`)).toBe(2);
    expect(await found(`entity=Patient/${patient}`)).toBe(2);
    expect(await found('patient=nobody')).toBe(1);
    expect(await found('patient=never')).toBe(0);
  });

  test('what these events can not be searched by is refused, not left out', async () => {
    for (const query of ['patient.name=x', 'altid:missing=true', '_sort=_id']) expect([query, (await admin(`AuditEvent?${query}`)).status]).toEqual([query, 400]);
  });

  test('pages follow time, without a gap or a repetition, through events of the server and of clients', async () => {
    for (let index = 0; index < 5; index += 1) {
      await server.send('POST', 'AuditEvent', { token: server.tokens.admin, body: sentEvent(undefined, new Date().toISOString()) });
      await server.send('GET', 'Basic/paging', { token: ovm });
    }
    await settle();
    const until = new Date().toISOString();
    const whole = resources(await admin(`AuditEvent?date=lt${until}&_count=1000`));
    for (const sort of ['-date', 'date']) {
      const seen: any[] = [];
      for (let next: string | undefined = `?date=lt${until}&_count=7&_sort=${sort}`; next !== undefined;) {
        const page = await admin(`AuditEvent${next}`);
        expect(page.status).toBe(200);
        seen.push(...resources(page));
        const link = page.body.link.find((one: any) => one.relation === 'next');
        next = link && new URL(link.url).search;
      }
      const times = seen.map(({ recorded }) => Date.parse(recorded));
      expect(times).toEqual([...times].sort((a, b) => (sort === 'date' ? a - b : b - a)));
      expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
      expect(seen.map(({ id }) => id).sort()).toEqual(whole.map(({ id }) => id).sort());
    }
    expect((await admin(`AuditEvent?date=lt${until}&_count=1&_total=accurate`)).body.total).toBe(whole.length);
  });
});

describe('X-Provenance', () => {
  const provenance = (rest: object = {}): string => JSON.stringify({ resourceType: 'Provenance', recorded: '2026-11-01T00:00:00Z', agent: [{ who: { display: 'the referrer' } }], ...rest });
  const write = (method: string, path: string, header: string, body?: object, token = server.tokens.admin): Promise<Answer> => server.send(method, path, { token, body, headers: { 'x-provenance': header } });
  const basic = (rest: object = {}): object => ({ resourceType: 'Basic', code: { text: 'x' }, ...rest });
  const targets = async (reference: string): Promise<string[]> => resources(await admin('Provenance?_count=1000')).map(({ target }) => target[0].reference).filter((one: string) => one.startsWith(reference));

  test('is stored with the write, its target the version written', async () => {
    const { body: { id } } = await write('POST', 'Basic', provenance(), basic());
    expect(await targets(`Basic/${id}/`)).toEqual([`Basic/${id}/_history/1`]);
    expect((await write('PUT', `Basic/${id}`, provenance(), basic({ id, code: { text: 'y' } }))).status).toBe(200);
    expect((await write('DELETE', `Basic/${id}`, provenance())).status).toBe(204);
    expect((await targets(`Basic/${id}/`)).sort()).toEqual([1, 2, 3].map((version) => `Basic/${id}/_history/${version}`));
  });

  test('goes with a write that the caller may make, though the caller may write no Provenance by itself', async () => {
    const coverage = coverageBody(patient, 'EHIC', '2030-01-01');
    const { status, body } = await write('POST', 'Coverage', provenance(), coverage, server.tokens.ovm);
    expect([status, await targets(`Coverage/${body.id}/`)]).toEqual([201, [`Coverage/${body.id}/_history/1`]]);
    expect((await server.send('POST', 'Provenance', { token: server.tokens.ovm, body: JSON.parse(provenance({ target: [{ reference: 'Basic/1' }] })) })).status).toBe(403);
  });

  test.each([
    ['{', 400], ['[]', 400], ['{"resourceType":"Basic"}', 400], [provenance({ target: [{ reference: 'Basic/1' }] }), 400], [provenance({ recorded: 'yesterday' }), 400], [provenance({ agent: [] }), 400],
  ])('a bad one refuses the write: %s', async (header, status) => {
    const { body: { total: before } } = await admin('Basic?_summary=count');
    const answer = await write('POST', 'Basic', header, basic());
    expect([answer.status, answer.body.issue[0].severity]).toEqual([status, 'error']);
    expect((await admin('Basic?_summary=count')).body.total).toBe(before);
  });

  test('with what is no write it is refused', async () => {
    expect((await write('GET', `Patient/${patient}`, provenance())).status).toBe(400);
    expect((await write('POST', '', provenance(), { resourceType: 'Bundle', type: 'transaction' })).status).toBe(400);
  });

  test('a condition that is met already writes neither', async () => {
    await server.send('PUT', 'Basic/held', { token: server.tokens.admin, body: basic({ id: 'held', identifier: [{ system: 's', value: 'held' }] }) });
    const { status } = await server.send('POST', 'Basic', { token: server.tokens.admin, body: basic(), headers: { 'x-provenance': provenance(), 'if-none-exist': 'identifier=s|held' } });
    expect([status, await targets('Basic/held/')]).toEqual([200, []]);
  });
});

describe('the chain', () => {
  const sql = (text: string, values: unknown[] = []) => server.database.query<any>({ text, values });
  const verified = async (head?: string): Promise<Verified> => {
    await sealAll(server.database);
    return verifyTrail(server.database, head);
  };
  /** Breaks, looks, and mends again. */
  async function broken(breakIt: string, mendIt: string): Promise<string | undefined> {
    await sql(breakIt);
    const { fault } = await verified();
    await sql(mendIt);
    expect((await verified()).fault).toBeUndefined();
    return fault;
  }
  let id: string;
  let row: any;

  beforeAll(async () => {
    // On a quick machine all that came before may lie in one block: here are two.
    for (let blocks = 0; blocks < 2; ) {
      await admin(`Patient/${patient}`);
      await server.recorded();
      await sealAll(server.database);
      ({ rows: [{ blocks }] } = await sql('select count(*)::int as blocks from fhir.audit_block'));
    }
    ({ rows: [row] } = await sql('select e.*, b.seq - cardinality(b.events) + g.place as seq from fhir.audit_block b, unnest(b.events) with ordinality as g (event, place), fhir.audit_event e where e.id = g.event and e.patient is not null order by seq offset 3 limit 1'));
    id = row.id;
  });

  test('is whole, and holds every event', async () => {
    const { fault, events, head } = await verified();
    expect(fault).toBeUndefined();
    const { rows: [{ count }] } = await sql('select count(*) as count from fhir.audit_event where xid < pg_snapshot_xmin(pg_current_snapshot())');
    expect(Math.abs(count - events)).toBeLessThan(3);
    expect(head).toMatch(/^\d+:[0-9a-f]{64}$/);
    expect((await verified(head)).fault).toBeUndefined();
    expect((await verified(`1:${'0'.repeat(64)}`)).fault).toContain('does not hold');
  });

  test.each([
    [`status = 404`], [`what = 'Patient/somebody'`], [`patient = 'somebody'`], [`interaction = 'vread'`], [`query = 'x'`], [`trace = 'x '`], [`reason = 'x'`], [`others = '{a}'`],
  ])('tells of an event that was changed: %s', async (change) => {
    const { rows: [before] } = await sql(`select status, what, patient, interaction, query, trace, reason, others from fhir.audit_event where id = '${id}'`);
    const column = change.split(' ')[0] ?? '';
    await sql(`update fhir.audit_event set ${change} where id = '${id}'`);
    const { fault } = await verified();
    await sql(`update fhir.audit_event set ${column} = $1 where id = '${id}'`, [before[column]]);
    expect(fault).toContain(`audit-${id}`);
    expect((await verified()).fault).toBeUndefined();
  });

  test('tells of an event that was taken out', async () => {
    const keep = `create table public.kept as select * from fhir.audit_event where id = '${id}'`;
    await sql(keep);
    expect(await broken(`delete from fhir.audit_event where id = '${id}'`, `insert into fhir.audit_event select * from public.kept`)).toBe(`event audit-${id} (number ${row.seq}) is missing`);
    await sql('drop table public.kept');
  });

  test('tells of an event that was put in', async () => {
    const forged = '01a200ec-6f4b-70de-86a8-2dda65010ce5';
    const insert = `insert into fhir.audit_event (id, agent, xid, status, interaction) select '${forged}', agent, xid, 200, 'read' from fhir.audit_event where id = '${id}'`;
    expect(await broken(insert, `delete from fhir.audit_event where id = '${forged}'`)).toBe(`event audit-${forged} was put in afterwards: it is in no block`);
  });

  test('tells of a block that was taken out, and of digests that were made to fit', async () => {
    await sql('create table public.blocks as select * from fhir.audit_block');
    const mend = 'delete from fhir.audit_block; insert into fhir.audit_block select * from public.blocks';
    expect(await broken('delete from fhir.audit_block where seq = (select min(seq) from fhir.audit_block)', mend)).toBe('the block of event 1 is missing');
    const fitted = `update fhir.audit_event set status = 404 where id = '${id}'; update fhir.audit_block set digests = (select string_agg(${digestSql('e')}, '' order by g.place) from unnest(events) with ordinality as g (event, place), fhir.audit_event e where e.id = g.event)`;
    expect(await broken(fitted, `${mend}; update fhir.audit_event set status = ${row.status} where id = '${id}'`)).toMatch(/^the block of event \d+ is not as it was sealed$/);
    expect(await broken(`insert into fhir.audit_block select seq + 1, events[1:1], substring(digests for 32), sha256(link || substring(digests for 32)) from fhir.audit_block order by seq desc limit 1`, mend)).toMatch(/^the chain ends at event \d+, and was \d+ long$/);
  });

  test('tells of an agent that was changed, and of a chain that was cut short', async () => {
    expect(await broken(`update fhir.audit_agent set subject = 'somebody' where subject = 'nurse'`, `update fhir.audit_agent set subject = 'nurse' where subject = 'somebody'`)).toMatch(/^agent .* is not as it was recorded$/);
    await settle();
    await sealAll(server.database);
    await sql('delete from fhir.audit_event where id in (select unnest(events) from fhir.audit_block where seq = (select max(seq) from fhir.audit_block)); delete from fhir.audit_block where seq = (select max(seq) from fhir.audit_block)');
    expect((await verifyTrail(server.database)).fault).toMatch(/^the chain ends at event \d+, and was \d+ long$/);
  });
});
