// The end of old versions, for administrators: all that are not current, or one. https://hl7.org/fhir/R5/http.html#delete-history
import { startServer, type Answer, type TestServer } from '../server.js';
import { patientBody, register, assessed } from '../domain/people.js';

let server: TestServer;
let admin: string;
beforeAll(async () => {
  server = await startServer();
  admin = server.tokens.admin;
});
afterAll(() => server.close());

const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> => server.send(method, path, { token: admin, body, headers });
const basic = (id: string, text: string): object => ({ resourceType: 'Basic', id, code: { text }, text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${text}</div>` } });
const versions = async (id: string): Promise<string[]> => ((await send('GET', `Basic/${id}/_history`)).body.entry ?? []).map((one: any) => one.resource?.meta.versionId ?? one.response.etag);

let made = 0;
/** A resource of so many versions, a few milliseconds apart, with the moment of each. */
async function versioned(count: number): Promise<{ readonly id: string; readonly moments: readonly string[] }> {
  const id = `purged-${made++}`;
  const moments: string[] = [];
  for (let version = 1; version <= count; version += 1) {
    moments.push((await send('PUT', `Basic/${id}`, basic(id, `word${version}`))).body.meta.lastUpdated);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return { id, moments };
}

test('all versions but the current one go', async () => {
  const { id } = await versioned(3);
  const before = await send('GET', `Basic/${id}`);
  const { status, text } = await send('DELETE', `Basic/${id}/_history`);
  expect([status, text]).toEqual([204, '']);
  expect(await versions(id)).toEqual(['3']);
  expect((await send('GET', `Basic/${id}/_history`)).body.total).toBe(1);
  expect((await send('GET', `Basic/${id}/_history/2`)).status).toBe(404);
  expect((await send('GET', `Basic/${id}`)).text).toBe(before.text);
  expect((await send('PUT', `Basic/${id}`, basic(id, 'again'))).body.meta.versionId).toBe('4');
  // There is nothing left to purge: that is what was asked for.
  expect((await send('DELETE', `Basic/${id}/_history`)).status).toBe(204);
  expect((await send('DELETE', `Basic/${id}/_history`)).status).toBe(204);
});

test('one version goes, and leaves a gap that histories bear', async () => {
  const { id, moments } = await versioned(4);
  expect((await send('DELETE', `Basic/${id}/_history/2`)).status).toBe(204);
  expect(await versions(id)).toEqual(['4', '3', '1']);
  expect((await send('GET', `Basic/${id}/_history?_count=2`)).body).toMatchObject({ total: 3, entry: [{}, {}] });
  const at = async (moment: string): Promise<string[]> => ((await send('GET', `Basic/${id}/_history?_at=${moment}`)).body.entry ?? []).map((one: any) => one.resource.meta.versionId);
  const [first = '', second = '', third = ''] = moments;
  expect([await at(first), await at(second), await at(third)]).toEqual([['1'], [], ['3']]);
  // The version before the gap still ends where it did when the one after it goes, too.
  expect((await send('DELETE', `Basic/${id}/_history/3`)).status).toBe(204);
  expect([await at(first), await at(second), await at(third)]).toEqual([['1'], [], []]);
});

test('what was deleted keeps its deletion alone', async () => {
  const { id } = await versioned(2);
  await send('DELETE', `Basic/${id}`);
  expect((await send('DELETE', `Basic/${id}/_history`)).status).toBe(204);
  expect((await send('GET', `Basic/${id}`)).status).toBe(410);
  expect((await send('GET', `Basic/${id}/_history`)).body).toMatchObject({ total: 1, entry: [{ request: { method: 'DELETE' } }] });
});

test('no text and no word of a purged version stays in the database', async () => {
  const { id } = await versioned(1);
  expect((await send('GET', `Basic?_text=word1&_id=${id}`)).body.total).toBe(1);
  await send('PUT', `Basic/${id}`, basic(id, 'other'));
  await send('DELETE', `Basic/${id}/_history`);
  const { rows } = await server.database.query({ text: `select 1 from fhir.text_index where id = $1 union all select 1 from fhir.history where id = $1`, values: [id] });
  expect(rows).toEqual([]);
  expect((await send('GET', `Basic?_text=other&_id=${id}`)).body.total).toBe(1);
});

test('the current version is refused, and a version or resource that is not there', async () => {
  const { id } = await versioned(2);
  const current = await send('DELETE', `Basic/${id}/_history/2`);
  expect([current.status, current.body.issue[0].details.text]).toEqual([409, expect.stringContaining('is the current one')]);
  for (const path of [`Basic/${id}/_history/7`, `Basic/${id}/_history/x`, `Basic/${id}/_history/0`, 'Basic/nobody/_history', 'Basic/nobody/_history/1']) {
    expect([path, (await send('DELETE', path)).status]).toEqual([path, 404]);
  }
  expect((await send('DELETE', `Basic/${id}/_history`, undefined, { 'if-match': 'W/"1"' })).status).toBe(412);
  expect(await versions(id)).toEqual(['2', '1']);
});

test('other roles are refused, also where they may delete', async () => {
  const { id } = await versioned(2);
  for (const role of ['ovm', 'supplier', 'commissioner', 'budget-manager', 'patient'] as const) {
    const token = await server.token(role, { organization: 'RR8', patient: 'p' });
    for (const path of [`Basic/${id}/_history`, `Basic/${id}/_history/1`, `List/${id}/_history`, `Subscription/${id}/_history`]) {
      expect([role, path, (await server.send('DELETE', path, { token })).status]).toEqual([role, path, 403]);
    }
  }
  expect(await versions(id)).toEqual(['2', '1']);
});

test('a token whose scopes leave deletion out is refused', async () => {
  const { id } = await versioned(2);
  const token = await server.token('admin', { scope: 'system/Basic.rs' });
  expect((await server.send('DELETE', `Basic/${id}/_history`, { token })).status).toBe(403);
});

test.each(['Account', 'AuditEvent', 'Claim', 'HealthcareService', 'Provenance'])('the history of %s is kept, and the refusal says why', async (type) => {
  const { status, body } = await send('DELETE', `${type}/x/_history`);
  expect([status, body.issue[0].details.text]).toEqual([409, expect.stringMatching(new RegExp(`^The history of ${type} resources is kept: `))]);
});

test('an Observation that a chargeable status rests on keeps its history; another does not', async () => {
  const patient = await register(server, '9990000034');
  const assessment = await assessed(server, patient, 'F', '2026-05-10');
  const { body: found } = await send('GET', `Observation?subject=Patient/${patient}`);
  expect((await send('DELETE', `Observation/${assessment?.id ?? found.entry[0].resource.id}/_history`)).status).toBe(409);
  const { body } = await send('POST', 'Observation', { resourceType: 'Observation', status: 'final', code: { text: 'x' } });
  expect((await send('DELETE', `Observation/${body.id}/_history`)).status).toBe(204);
});

test('the purge is on record with whom it was about, and what was recorded before stays', async () => {
  const { body: patient } = await send('POST', 'Patient', patientBody('9990000042'));
  await send('PUT', `Patient/${patient.id}`, { ...patient, active: false });
  const events = async (): Promise<any[]> => {
    await server.recorded();
    return ((await send('GET', `AuditEvent?entity=Patient/${patient.id}&action=C,U,D&_count=50`)).body.entry ?? []).map((one: any) => one.resource);
  };
  const before = (await events()).length;
  expect((await send('DELETE', `Patient/${patient.id}/_history/1`)).status).toBe(204);
  const after = await events();
  expect(after).toHaveLength(before + 1);
  const { body } = await send('GET', `AuditEvent?subtype=http://hl7.org/fhir/restful-interaction|delete&entity-name=_history&patient=Patient/${patient.id}`);
  expect(body.entry.map(({ resource }: any) => [resource.action, resource.outcomeDesc, resource.entity[0].what.reference, resource.entity[0].name])).toEqual([['D', '204 No Content', `Patient/${patient.id}/_history/1`, '_history']]);
});

test('in a batch it is done, in a transaction refused', async () => {
  const { id } = await versioned(2);
  const bundle = (type: string): object => ({ resourceType: 'Bundle', type, entry: [{ request: { method: 'DELETE', url: `Basic/${id}/_history` } }] });
  expect((await send('POST', '', bundle('transaction'))).status).toBe(400);
  expect(await versions(id)).toEqual(['2', '1']);
  expect((await send('POST', '', bundle('batch'))).body.entry[0].response.status).toMatch(/^204/);
  expect(await versions(id)).toEqual(['2']);
});

test('a purge with X-Request-ID is done once', async () => {
  const { id } = await versioned(2);
  const headers = { 'x-request-id': 'purge-once' };
  expect((await send('DELETE', `Basic/${id}/_history/1`, undefined, headers)).status).toBe(204);
  expect((await send('DELETE', `Basic/${id}/_history/1`, undefined, headers)).status).toBe(204);
});

test('the CapabilityStatement and OPTIONS name it', async () => {
  expect((await send('GET', 'metadata')).body.rest[0].documentation).toContain('DELETE [type]/[id]/_history/[vid]');
  expect((await send('OPTIONS', 'Basic/1/_history')).headers['allow']).toContain('DELETE');
});
