// Side doors of what is fetched later: jobs, exports and histories (domain.md 6.9).
import { until } from '../../domain/subscribers.js';
import type { Answer } from '../../server.js';
import { alike, expectAllRead, get, idsOf, openDoors, said, server, tokenOf, world } from './doors.js';

openDoors();

describe('another caller\'s job', () => {
  const job = (answer: Answer): string => (answer.headers['content-location'] ?? '').slice(server.base.length + 1);
  async function done(path: string, token: string): Promise<Answer> {
    return until('the job', async () => {
      const answer = await server.send('GET', path, { token, headers: { accept: '*/*' } });
      return answer.status !== 202 && answer;
    });
  }

  test('is neither polled, taken, downloaded nor called off', async () => {
    const later = { prefer: 'respond-async' };
    const search = job(await get('commissioner', 'Account?_id=ada', later));
    const exported = job(await get('commissioner', '$export?_type=Account', later));
    expect((await done(search, tokenOf('commissioner'))).text).toContain('"ada"');
    const manifest = await done(exported, tokenOf('commissioner'));
    const files: string[] = manifest.body.output.map(({ url }: any) => url.slice(server.base.length + 1));
    expect(files.length).toBeGreaterThan(0);
    const anotherPerson = await server.token('commissioner', { organization: 'QWE', subject: 'another' });
    const anotherPlace = await server.token('commissioner', { organization: 'QXX' });
    const strangers = [anotherPerson, anotherPlace, tokenOf('ada'), tokenOf('coordinator'), tokenOf('supplier'), tokenOf('practice'), tokenOf('ovm')];
    for (const token of strangers) {
      for (const path of [search, exported, ...files]) {
        const never = path.replace(/_jobs\/[^/]+/, '_jobs/00000000-0000-7000-8000-000000000000');
        for (const method of ['GET', 'HEAD', ...(path === search || path === exported ? ['DELETE'] : [])]) {
          const [of, none] = [await server.send(method, path, { token, headers: { accept: '*/*' } }), await server.send(method, never, { token, headers: { accept: '*/*' } })];
          expect([method, path, of.status, said(of, path)]).toEqual([method, path, 404, said(none, never)]);
        }
      }
    }
    expect((await done(search, tokenOf('commissioner'))).status).toBe(200);
    expect((await server.send('GET', files[0] ?? '', { token: tokenOf('commissioner'), headers: { accept: '*/*' } })).status).toBe(200);
  });
});

describe('export', () => {
  test('has nothing hidden, by any of its narrowings', async () => {
    const types = '_type=Patient,Account,Claim,CarePlan,AuditEvent';
    for (const query of [types, `${types}&_since=2020-01-01T00:00:00Z`, `${types}&_elements=id,extension&_typeFilter=Account%3Fname%3DPersonal`, '_type=Patient&_typeFilter=Patient%3F_has:Account:patient:_id%3Dcare']) {
      const accepted = await get('commissioner', `$export?${query}`, { prefer: 'respond-async' });
      if (accepted.status !== 202) {
        expect([400, 403]).toContain(accepted.status);
        continue;
      }
      const path = (accepted.headers['content-location'] ?? '').slice(server.base.length + 1);
      const manifest = await until('the export', async () => {
        const answer = await get('commissioner', path, { accept: '*/*' });
        return answer.status !== 202 && answer;
      });
      for (const { url } of [...manifest.body.output, ...(manifest.body.deleted ?? [])]) {
        const { text } = await get('commissioner', url.slice(server.base.length + 1), { accept: '*/*' });
        for (const { resourceType, id, ...rest } of text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line))) {
          if (resourceType === 'Bundle') expect(JSON.stringify(rest)).not.toContain('gone-bob');
          else await expectAllRead('commissioner', query, [`${resourceType}/${id}`]);
        }
        if (text.startsWith('{"resourceType":"Patient"')) expect(text).not.toMatch(/ext-chargeable-status|City of/);
        if (query.includes('_has')) expect(text).toBe('');
      }
    }
  });
});

/** Definitions are public knowledge, and many. */
const OPEN = /^(SearchParameter|StructureDefinition|OperationDefinition|CodeSystem|ValueSet|ConceptMap|NamingSystem|CompartmentDefinition|Measure)\//;

describe('history', () => {
  test('of a type and of everything, at any moment, counts and shows what is seen', async () => {
    for (const bearer of ['commissioner', 'nominee', 'ovm', 'supplier'] as const) {
      for (const path of ['_history?_count=500', 'Account/_history?_count=500', 'Claim/_history?_count=500&_since=2020-01-01', 'CarePlan/_history?_count=500&_at=2026', '_history?_summary=count', 'Account/_history?_summary=count', '_history?_type=Claim&_count=500', '_history?_list=secret&_count=500']) {
        const answer = await get(bearer, path);
        if (answer.status !== 200) expect([400, 403, 404]).toContain(answer.status);
        else {
          await expectAllRead(bearer, path, idsOf(answer).filter((one) => !OPEN.test(one)));
          if (path === 'Account/_history?_summary=count') expect(answer.body.total).toBe(idsOf(await get(bearer, 'Account/_history?_count=500')).length);
        }
      }
    }
  });

  test('of one that moved away ends for who saw it', async () => {
    const { body } = await get('admin', 'Task/practice');
    await server.seed([{ ...body, id: 'moving' }]);
    expect((await get('practice', 'Task/moving/_history')).status).toBe(200);
    await server.seed([{ ...body, id: 'moving', owner: { reference: `Organization/${world.organizations.otherPractice}` } }]);
    for (const rest of ['', '/_history', '/_history/1', '/_history/2']) expect(await alike('practice', 'moving', (one) => get('practice', `Task/${one}${rest}`))).toBe(404);
  });
});
