// A server that is killed has not forgotten whom to tell: the next one on the database does.
import { isEvent, notificationOf, openReceiver, topicBody, until } from '../domain/subscribers.js';
import { assessmentBody, patientBody } from '../domain/people.js';
import { build, startServer, temporaryFolder, tokenFor, type ServerProcess } from './server-process.js';

beforeAll(build, 120_000);

test('kill -9 between a change and its delivery loses nothing', async () => {
  const folder = await temporaryFolder();
  const receiver = await openReceiver();
  const environment = { SUBSCRIPTION_RETRY_MS: '100', DATABASE_POOL_SIZE: '4' };
  let server: ServerProcess = await startServer({ dataDir: folder.path, environment });
  try {
    const admin = await tokenFor('admin', folder.path);
    const ask = async (method: string, path: string, token: string, body?: object): Promise<any> => {
      const response = await fetch(`${server.base}/${path}`, { method, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' }, ...(body && { body: JSON.stringify(body) }) });
      return response.json();
    };
    const taken: string[] = [];
    let accepts = false;
    receiver.answer = (one) => {
      if (!isEvent(one)) return 200;
      if (!accepts) return 503;
      taken.push(notificationOf(one.body).entries[0].resource.meta.versionId);
      return 200;
    };
    const { id: patient } = await ask('POST', 'Patient', admin, patientBody('9990000018'));
    const { id } = await ask('POST', 'Subscription', admin, topicBody(receiver.endpoint, 'full-resource'));
    await until('active', async () => (await ask('GET', `Subscription/${id}`, admin)).status === 'active');
    for (const [index, category] of ['F', 'A', 'B'].entries()) {
      const made = await ask('POST', 'Observation', admin, assessmentBody(patient, category, `2026-03-0${index + 1}T09:00:00Z`));
      if (made.id === undefined || made.resourceType !== 'Observation') throw new Error(JSON.stringify(made));
    }
    server.child.kill('SIGKILL');
    await server.exited();
    accepts = true;
    server = await startServer({ dataDir: folder.path, environment });
    await until('all three', () => new Set(taken).size === 3, 60_000);
    expect(taken).toEqual([...taken].sort());
  } finally {
    server.child.kill('SIGTERM');
    await server.exited();
    await receiver.close();
    await folder.remove();
  }
}, 180_000);
