// The log of a run, failing requests included, holds no NHS number, no token and nothing of a resource (SECURITY.md).
import { createLog } from '../src/log.js';
import { NHS, TRACED, vmPath } from './domain/people.js';
import { startServer } from './server.js';

const NUMBER = '9990000018';

function written(): { readonly lines: string[]; readonly to: { write(line: string): void } } {
  const lines: string[] = [];
  return { lines, to: { write: (line) => { lines.push(line); } } };
}

test('an error keeps its code and stack, and loses the rows, statements, numbers and tokens that it quotes', () => {
  const { lines, to } = written();
  const error = Object.assign(new Error(`invalid input syntax for type json: "${NUMBER} Unmistakable"`), {
    code: '22P02', detail: `Failing row contains (${NUMBER}, Unmistakable)`, where: 'unnamed portal parameter $1 = Unmistakable', hint: 'Unmistakable', internalQuery: 'select Unmistakable', query: 'select Unmistakable', table: 'Patient',
  });
  createLog({ logLevel: 'info' }, to).error({ err: error }, 'a request failed');
  createLog({ logLevel: 'info' }, to).error({ err: new Error('Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJBZGEifQ.x for 999 000 0018') }, 'a request failed');
  expect(lines.join('')).not.toMatch(/Unmistakable|9990000018|999 000 0018|eyJ/);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ err: { code: '22P02', table: 'Patient', message: 'invalid input syntax for type json', stack: expect.stringContaining('log.test') } });
});

test('many searches, good, bad and failing, leave no number, name or token in the log', async () => {
  const { lines, to } = written();
  const server = await startServer({ LOG_LEVEL: 'trace' }, undefined, createLog({ logLevel: 'trace' }, to));
  const { admin, ovm, supplier } = server.tokens;
  await server.send('POST', 'Patient', { token: ovm, body: { resourceType: 'Patient', identifier: [{ system: NHS, value: NUMBER }], name: [{ family: 'Unmistakable' }] } });
  const ask = (): Promise<unknown> => Promise.all([
    server.send('GET', `Patient?identifier=${NHS}|${NUMBER}`, { token: admin }), server.send('GET', `Patient?family=Unmistakable&birthdate=${NUMBER}`, { token: admin }),
    server.send('GET', `Patient/$chargeable-status?identifier=${NHS}|${NUMBER}`, { token: supplier }), server.send('GET', vmPath(NUMBER), { token: supplier, headers: TRACED }),
    server.send('GET', `Patient?identifier=${NHS}|${NUMBER}`, { token: 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJBZGEifQ.x' }), server.send('POST', 'Patient', { token: ovm, body: { resourceType: 'Patient', identifier: [{ system: NHS, value: NUMBER }] } }),
    server.send('POST', 'Patient/_search', { token: admin, body: `identifier=${NUMBER}`, headers: { 'content-type': 'application/x-www-form-urlencoded' } }), server.send('GET', `${NUMBER}/Unmistakable`, { token: admin }),
  ]);
  await ask();
  await server.database.query({ text: 'alter table fhir."Patient" rename to "Lost"', values: [] });
  await ask();
  await server.database.query({ text: 'alter table fhir."Lost" rename to "Patient"', values: [] });
  await server.close();
  // Something was logged: the failures.
  expect(lines.filter((line) => line.includes('a request failed')).length).toBeGreaterThan(0);
  const all = lines.join('');
  for (const secret of [NUMBER, 'Unmistakable', 'eyJ', admin.slice(-30), supplier.slice(-30)]) expect(all).not.toContain(secret);
});
