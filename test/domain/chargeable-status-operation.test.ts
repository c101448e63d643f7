// Patient/$chargeable-status by GET and POST, at the type and at the instance (domain.md 3.6).
import { readFileSync } from 'node:fs';
import { startServer, type TestServer } from '../server.js';
import { assessed, codeOf, errorCode, NHS, numbers, parametersOf, register, state, vmObservation } from './people.js';

let server: TestServer;
let patient: string;
const newNumber = numbers(999_500_000);
const known = '9990000018';
beforeAll(async () => {
  server = await startServer();
  patient = await register(server, known);
  await state(server, known, 'paid-or-exempt', '2026-04-01T00:00:00Z');
});
afterAll(() => server.close());

const ask = (path: string, token = server.tokens.supplier) => server.send('GET', path, { token });
const post = (path: string, parameter: object[] | undefined, token = server.tokens.supplier) =>
  server.send('POST', path, { token, body: { resourceType: 'Parameters', ...(parameter && { parameter }) } });
const TYPE = 'Patient/$chargeable-status';
const byNumber = (number = known) => `${TYPE}?identifier=${NHS}|${number}`;
const instance = (id = patient) => `Patient/${id}/$chargeable-status`;

test('the answer is the published one, byte for byte the same on all four roads', async () => {
  const published = JSON.parse(readFileSync('test/domain/wire/chargeable-status-answer.json', 'utf8').replace('[id]', patient));
  const answers = [
    await ask(byNumber()),
    await ask(`${TYPE}?identifier=${encodeURIComponent(`${NHS}|${known}`)}`),
    await ask(instance()),
    await post(TYPE, [{ name: 'identifier', valueString: `${NHS}|${known}` }]),
    await post(TYPE, [{ name: 'identifier', valueIdentifier: { system: NHS, value: known } }]),
    await post(instance(), undefined),
    await server.send('POST', instance(), { token: server.tokens.supplier }),
  ];
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  expect(answers[0]?.body).toEqual(published);
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  expect(answers[0]?.headers['content-type']).toMatch(/^application\/fhir\+json/);
  expect(answers[0]?.headers['cache-control']).toBe('no-store');
});

test('a supplier is told three facts; an OVM the source and the observation, too', async () => {
  const names = (body: any): string[] => body.parameter.map(({ name }: any) => name);
  expect(names((await ask(byNumber())).body)).toEqual(['patient', 'determined', 'basic', 'category', 'lastUpdated']);
  const { body } = await ask(byNumber(), server.tokens.ovm);
  expect(names(body)).toEqual(['patient', 'determined', 'basic', 'category', 'lastUpdated', 'source', 'observation']);
  expect(parametersOf(body)).toMatchObject({ source: 'HO', observation: { reference: `Observation/${(await vmObservation(server, known)).id}` } });
});

test('a patient without NHS number is answered by id', async () => {
  const { body } = await server.send('POST', 'Patient', { token: server.tokens.admin, body: { resourceType: 'Patient' } });
  expect(parametersOf((await ask(instance(body.id))).body)).toEqual({ patient: { reference: `Patient/${body.id}` }, determined: false, basic: expect.objectContaining({ code: 'U' }) });
  await assessed(server, body.id, 'F', '2026-05-10');
  expect(parametersOf((await ask(instance(body.id))).body)).toMatchObject({ determined: true, basic: { code: 'Y' }, lastUpdated: '2026-05-10T00:00:00+01:00' });
});

const refused: [string, () => Promise<{ status: number; body: any }>, number, string][] = [
  ['no identifier', () => ask(TYPE), 400, 'INVALID_PARAMETER'],
  ['no identifier in a body', () => post(TYPE, []), 400, 'INVALID_PARAMETER'],
  ['another system', () => ask(`${TYPE}?identifier=urn:x|${known}`), 400, 'INVALID_IDENTIFIER_SYSTEM'],
  ['another system in a body', () => post(TYPE, [{ name: 'identifier', valueIdentifier: { system: 'urn:x', value: known } }]), 400, 'INVALID_IDENTIFIER_SYSTEM'],
  ['a bad number', () => ask(byNumber('9900002831')), 400, 'INVALID_NHS_NUMBER'],
  ['a bad number in a body', () => post(TYPE, [{ name: 'identifier', valueIdentifier: { system: NHS, value: '0000000000' } }]), 400, 'INVALID_NHS_NUMBER'],
  ['an identifier without value', () => post(TYPE, [{ name: 'identifier', valueIdentifier: { system: NHS } }]), 400, 'INVALID_NHS_NUMBER'],
  ['a number nobody holds', () => ask(byNumber('9990000107')), 404, 'PATIENT_NOT_FOUND'],
  ['an id that is not there', () => ask(instance('nobody')), 404, 'PATIENT_NOT_FOUND'],
  ['two identifiers', () => ask(`${byNumber()}&identifier=${NHS}|${known}`), 400, 'INVALID_PARAMETER'],
  ['an unknown parameter', () => ask(`${byNumber()}&foo=bar`), 400, 'INVALID_PARAMETER'],
  ['an unknown parameter in a body', () => post(instance(), [{ name: 'foo', valueString: 'bar' }]), 400, 'INVALID_PARAMETER'],
  ['an identifier at the instance', () => ask(`${instance()}?identifier=${NHS}|${known}`), 400, 'INVALID_PARAMETER'],
  ['a moment that is none', () => ask(`${byNumber()}&asOf=yesterday`, server.tokens.ovm), 400, 'INVALID_PARAMETER'],
  ['a body that is no Parameters', () => server.send('POST', TYPE, { token: server.tokens.supplier, body: { resourceType: 'Patient' } }), 400, 'INVALID_ELEMENT'],
];
test.each(refused)('%s is refused', async (_name, call, status, error) => {
  const answer = await call();
  expect([answer.status, answer.body.issue[0].details.coding[0].code]).toEqual([status, error]);
  expect(answer.body).toMatchObject({ resourceType: 'OperationOutcome', id: expect.any(String) });
});

test('asOf answers for another moment, to an OVM', async () => {
  const number = newNumber();
  const id = await register(server, number);
  await assessed(server, id, 'A', '2026-05-10T09:00:00+01:00');
  await assessed(server, id, 'F', '2026-06-10T09:00:00+01:00');
  const asOf = async (moment: string) => parametersOf((await ask(`${instance(id)}?asOf=${encodeURIComponent(moment)}`, server.tokens.ovm)).body);
  expect(codeOf((await asOf('2026-06-10'))['category'])).toBe('A');
  expect(codeOf((await asOf('2026-06-10T08:00:00Z'))['category'])).toBe('F');
  expect((await asOf('2026-05-10T07:59:59Z'))['determined']).toBe(false);
  expect((await ask(`${instance(id)}?asOf=2026-06-10`)).status).toBe(403);
});

test('is open to those who may ask, and to nobody else', async () => {
  expect((await server.send('GET', byNumber())).status).toBe(401);
  expect((await ask(byNumber(), server.tokens.homeOffice)).status).toBe(403);
  expect((await ask(byNumber(), await server.token('patient', { patient }))).status).toBe(403);
});

test('is described by its definition', async () => {
  const { status, body } = await ask('OperationDefinition/chargeable-status');
  expect([status, body.url, body.affectsState]).toEqual([200, 'https://fhir.entitle.example/OperationDefinition/chargeable-status', false]);
});

test('a deleted patient is not there, by number or by id', async () => {
  const number = newNumber();
  const id = await register(server, number);
  await assessed(server, id, 'F', '2026-05-10');
  const { id: observation } = await vmObservation(server, number);
  await server.send('DELETE', `Patient/${id}`, { token: server.tokens.admin });
  for (const path of [byNumber(number), instance(id)]) expect([(await ask(path)).status, errorCode(await ask(path))]).toEqual([404, 'PATIENT_NOT_FOUND']);
  expect((await ask(`Observation/${observation}`)).status).toBe(404);
  const again = await register(server, number);
  expect(parametersOf((await ask(byNumber(number))).body)).toMatchObject({ patient: { reference: `Patient/${again}` }, determined: false });
});
