// Patient/$match: who of those held here is the person described. https://hl7.org/fhir/R4/patient-operation-match.html
import fc from 'fast-check';
import { isOneSlip, scoreOf } from '../../src/operations/record/match-score.js';
import { makeWorld, put, type World } from '../domain/world.js';
import { startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';

let server: TestServer;
let world: World;
const SYSTEM = 'https://example.org/mrn';
const JUNE = {
  identifier: [{ system: SYSTEM, value: 'j1' }], name: [{ family: "O'Farrell-Čapek", given: ['June', 'Ann'] }, { use: 'maiden', family: 'Whitlock' }], gender: 'female', birthDate: '1958-03-07',
  address: [{ line: ['1 High Street'], postalCode: 'LS1 4AP' }], telecom: [{ system: 'phone', value: '07700 900123' }],
};
beforeAll(async () => {
  server = await startServer();
  world = await makeWorld(server);
  const patient = (id: string, rest: object) => put(server, { resourceType: 'Patient', id, ...rest });
  await patient('june', JUNE);
  await patient('twin', { ...JUNE, identifier: [{ system: SYSTEM, value: 'j2' }], name: [{ family: "O'Farrell-Čapek", given: ['Rose'] }] });
  await patient('merged', { ...JUNE, identifier: [], link: [{ type: 'replaced-by', other: { reference: 'Patient/june' } }] }).catch(() => undefined);
  await patient('namesake', { name: [{ family: "O'Farrell-Čapek", given: ['June'] }], birthDate: '1990-11-30' });
  await patient('stranger', { name: [{ family: 'Else', given: ['Somebody'] }], birthDate: '1958-03-07', gender: 'male' });
});
afterAll(() => server.close());

const ask = (resource: object, more: readonly object[] = [], token = server.tokens.admin) =>
  server.send('POST', 'Patient/$match', { token, body: { resourceType: 'Parameters', parameter: [{ name: 'resource', resource: { resourceType: 'Patient', ...resource } }, ...more] } });
const CERTAIN = { name: 'onlyCertainMatches', valueBoolean: true };
const entries = (body: any): any[] => (body.entry ?? []).filter(({ search }: any) => search.mode === 'match');
const graded = (body: any): [string, string][] => entries(body).map(({ resource, search }) => [resource.id, search.extension[0].valueCode]);
const outcome = (body: any) => (body.entry ?? []).find(({ search }: any) => search.mode === 'outcome')?.resource.issue[0];

test('gives the likely ones in order, each with its score and grade', async () => {
  const { status, body } = await ask(JUNE);
  expect([status, body.type, body.total]).toEqual([200, 'searchset', entries(body).length]);
  expect(graded(body)[0]).toEqual(['june', 'certain']);
  const scores = entries(body).map(({ search }) => search.score as number);
  expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  for (const { search, resource, fullUrl } of entries(body)) {
    expect(search).toEqual({ extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/match-grade', valueCode: expect.stringMatching(/^(certain|probable|possible)$/) }], mode: 'match', score: expect.any(Number) });
    expect(search.score).toBeGreaterThanOrEqual(0.5);
    expect(search.score).toBeLessThanOrEqual(1);
    expect(fullUrl).toBe(`${server.base}/Patient/${resource.id}`);
  }
  // Another person of the same household, and nobody who only shares a birth date.
  expect(graded(body).map(([id]) => id)).not.toContain('stranger');
  expect(Object.fromEntries(graded(body))['twin']).not.toBe('certain');
});

test.each<[string, object, string | undefined]>([
  ['an identifier alone', { identifier: [{ system: SYSTEM, value: 'j1' }] }, 'certain'],
  ['an identifier without its system', { identifier: [{ value: 'j1' }], name: [{ family: 'Whitlock' }] }, 'possible'],
  ['names and birth date', { name: [{ family: "O'Farrell-Čapek", given: ['June'] }], birthDate: '1958-03-07' }, 'probable'],
  ['names in other spelling', { name: [{ family: "o'farrell-capek", given: ['JUNE'] }], birthDate: '1958-03-07' }, 'probable'],
  ['a maiden name', { name: [{ family: 'Whitlock', given: ['June'] }], birthDate: '1958-03-07' }, 'probable'],
  ['one half of a double name, and the postal code', { name: [{ family: 'Čapek', given: ['June'] }], birthDate: '1958-03-07', address: [{ postalCode: 'ls14ap' }] }, 'certain'],
  ['day and month exchanged', { name: [{ family: "O'Farrell-Čapek", given: ['June'] }], birthDate: '1958-07-03', gender: 'female' }, 'possible'],
  ['a year of birth', { name: [{ family: "O'Farrell-Čapek", given: ['June'] }], birthDate: '1958' }, 'possible'],
  ['a telephone number and a name', { telecom: [{ system: 'phone', value: '07700 900123' }], name: [{ given: ['June'] }] }, 'possible'],
  ['all but another identifier of the system', { ...JUNE, identifier: [{ system: SYSTEM, value: 'other' }] }, 'probable'],
  ['a name with a comma', { name: [{ family: 'A,b|c$d\\e', given: ['June'] }], birthDate: '1958-03-07' }, 'possible'],
  ['another person', { name: [{ family: 'Nobody', given: ['Nowhere'] }], birthDate: '1901-01-01' }, undefined],
])('by %s: %#', async (_what, resource, grade) => {
  const { status, body } = await ask(resource);
  expect([status, body.type]).toEqual([200, 'searchset']);
  expect(Object.fromEntries(graded(body))['june']).toBe(grade);
});

test('only a certain one is given where that is asked for, and nobody where there are two', async () => {
  const alone = await ask({ identifier: [{ system: SYSTEM, value: 'j1' }] }, [CERTAIN]);
  expect(graded(alone.body)).toEqual([['june', 'certain']]);
  const unsure = await ask({ name: [{ family: "O'Farrell-Čapek", given: ['June'] }], birthDate: '1958-03-07' }, [CERTAIN]);
  expect([unsure.status, unsure.body.total, graded(unsure.body)]).toEqual([200, 0, []]);
  expect(outcome(unsure.body)).toMatchObject({ severity: 'information', details: { text: expect.stringContaining('left out') } });
  await put(server, { resourceType: 'Patient', id: 'double', ...JUNE });
  const two = await ask(JUNE, [CERTAIN]);
  expect([two.status, graded(two.body)]).toEqual([200, []]);
  expect(graded((await ask(JUNE)).body).filter(([, grade]) => grade === 'certain').map(([id]) => id).sort()).toEqual(['double', 'june']);
  await server.send('DELETE', 'Patient/double', { token: server.tokens.admin });
});

test('count cuts the list, and the total tells of all', async () => {
  const { body: all } = await ask(JUNE);
  const { status, body } = await ask(JUNE, [{ name: 'count', valueInteger: 1 }]);
  expect([status, graded(body), body.total]).toEqual([200, [['june', 'certain']], all.total]);
  expect(all.total).toBeGreaterThan(1);
});

test('a Patient may be the body, and XML asks as well', async () => {
  const { body } = await server.send('POST', 'Patient/$match?onlyCertainMatches=true', { token: server.tokens.admin, body: { resourceType: 'Patient', identifier: [{ system: SYSTEM, value: 'j1' }] } });
  expect(graded(body)).toEqual([['june', 'certain']]);
  const xml = `<Patient xmlns="http://hl7.org/fhir"><identifier><system value="${SYSTEM}"/><value value="j1"/></identifier></Patient>`;
  const { status, text } = await server.send('POST', 'Patient/$match', { token: server.tokens.admin, body: xml, headers: { 'content-type': 'application/fhir+xml', accept: 'application/fhir+xml' } });
  expect(status).toBe(200);
  expect(text).toContain('<search><extension url="http://hl7.org/fhir/StructureDefinition/match-grade"><valueCode value="certain"/></extension><mode value="match"/>');
});

test('what can not be looked for is refused', async () => {
  for (const resource of [{}, { gender: 'female' }, { birthDate: '1958-03-07' }, { name: [{ text: 'June' }] }]) expectRefusal(await ask(resource), 400, { code: 'value', expression: 'resource' });
  expectRefusal(await ask({ gender: 'x' }), 400);
  expectRefusal(await ask(JUNE, [{ name: 'threshold', valueDecimal: 0.5 }]), 400, { code: 'not-supported' });
  expectRefusal(await ask(JUNE, [{ name: 'count', valueInteger: -1 }]), 400);
  expectRefusal(await server.send('POST', 'Patient/$match', { token: server.tokens.admin, body: { resourceType: 'Parameters', parameter: [{ name: 'resource', resource: { resourceType: 'Basic', code: { text: 'x' } } }] } }), 400);
  expectRefusal(await server.send('POST', 'Patient/$match', { token: server.tokens.admin }), 400);
});

test('is for nobody but administrators, and finds no more than a token may search', async () => {
  const { admin: _administrator, ...others } = { ...server.tokens, ...world.tokens } as Record<string, string>;
  for (const token of Object.values(others)) expectRefusal(await ask(JUNE, [], token), 403);
  const scoped = (scope: string) => server.token('admin', { scope });
  expectRefusal(await ask(JUNE, [], await scoped('system/Observation.rs')), 403);
  expect(graded((await ask(JUNE, [], await scoped('system/Patient.rs?_id=twin'))).body).map(([id]) => id)).toEqual(['twin']);
});

test('a slip is one letter more, less, other, or two exchanged', () => {
  const word = fc.stringMatching(/^[a-z]{5,12}$/);
  const place = fc.nat({ max: 4 });
  fc.assert(fc.property(word, place, fc.stringMatching(/^[a-z]$/), (text, at, letter) => {
    expect(isOneSlip(text, text.slice(0, at) + letter + text.slice(at))).toBe(true);
    expect(isOneSlip(text, text.slice(0, at) + text.slice(at + 1))).toBe(true);
    expect(isOneSlip(text, text.slice(0, at) + letter + text.slice(at + 1))).toBe(true);
    if (at > 0) expect(isOneSlip(text, text.slice(0, at - 1) + (text[at] ?? '') + (text[at - 1] ?? '') + text.slice(at + 1))).toBe(true);
  }));
  for (const [a, b] of [['abcdef', 'abxyef'], ['smith', 'smythe'], ['lee', 'lea'], ['abcd', 'dcba']] as const) expect(isOneSlip(a, b)).toBe(false);
});

test('a score is the same from both sides, and within 0 and 1', () => {
  const patient = fc.record({
    name: fc.array(fc.record({ family: fc.constantFrom('Smith', 'Smyth', 'Jones-Smith', 'Li'), given: fc.array(fc.constantFrom('Ann', 'A', 'Anne', 'Bo'), { minLength: 1, maxLength: 2 }) }), { maxLength: 2 }),
    birthDate: fc.constantFrom('1970', '1970-02', '1970-02-03', '1970-03-02', '1971-02-03', '1999-12-31'), gender: fc.constantFrom('male', 'female', 'unknown'),
    identifier: fc.array(fc.record({ system: fc.constantFrom('a', 'b'), value: fc.constantFrom('1', '2') }), { maxLength: 2 }),
  }, { requiredKeys: [] });
  fc.assert(fc.property(patient, patient, (a, b) => {
    const score = scoreOf(a, b);
    expect(scoreOf(b, a)).toEqual(score);
    expect(score.score).toBeGreaterThanOrEqual(0);
    expect(score.score).toBeLessThanOrEqual(1);
    expect(scoreOf(a, a).score).toBeGreaterThanOrEqual(score.score);
  }));
});
