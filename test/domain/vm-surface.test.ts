// P3.1: the API for accredited systems: the whole V&M surface, VM-01 to VM-47, as one table that runs in both profiles: what differs is the headers (domain.md 1.7).
import { UnsecuredJWT, SignJWT } from 'jose';
import { keyPair, registerClient, supplier, type KeyPair } from '../api/client-fixture.js';
import { startServer, type Answer, type TestServer } from '../server.js';
import { errorCode, NHS, numbers, patientBody, register, REQUEST_ID, state, VM_CODE, vmPath } from './people.js';

const SPINE = 'https://fhir.nhs.uk/spine-error-or-warning-code-1';
const SEARCH = 'urn:nhs:names:services:visitorsandmigrants:fhir:rest:search:observation';
const ODS = 'https://fhir.nhs.uk/Id/ods-organization-code';
const ROLE_PROFILE = 'https://fhir.nhs.uk/Id/sds-role-profile-id';
const ASID = '200000000115';
const next = numbers(999_400_000);
const [known, unrecorded, oldNumber, absent] = [next(), next(), next(), next()];
const path = (number = known): string => vmPath(number);

const resource = (resourceType: string, system: string, value: string, rest: object = {}): object => ({ resourceType, identifier: [{ system, value }], ...rest });
const claimsOf = (number: string): Record<string, unknown> => {
  const iat = Math.floor(Date.now() / 1000);
  return {
    iss: 'sup', sub: 'PW1357', aud: 'https://authorize.fhir.nhs.uk/token', iat, exp: iat + 300, reason_for_request: 'directcare', requested_scopes: 'patient/Observation.read',
    requested_record: resource('Patient', NHS, number),
    requesting_device: { resourceType: 'Device', type: { coding: [{ system: 'http://snomed.info/sct', code: '462240000' }] } },
    requesting_organization: resource('Organization', ODS, 'RR8'),
    requesting_practitioner: resource('Practitioner', ROLE_PROFILE, 'PW1357'),
  };
};

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly body?: unknown;
  /** Changes of the audit claims; undefined leaves one out. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** The number of requested_record. */
  readonly record?: string;
  readonly client?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How a supplier identifies itself in a profile: the token, and the headers beside it. */
interface Profile {
  readonly name: 'modern' | 'legacy';
  token(server: TestServer, claims: Record<string, unknown>, client: string, key: KeyPair): Promise<string>;
  readonly headers: Readonly<Record<string, string>>;
  /** The header without which VM-29 is the answer. */
  readonly trace: string;
}

const PROFILES: readonly Profile[] = [
  { name: 'modern', token: (server, vmAudit, client) => server.token('supplier', { client, vmAudit }), headers: { 'x-request-id': REQUEST_ID }, trace: 'x-request-id' },
  {
    name: 'legacy',
    token: (_server, claims, client, key) => new SignJWT({ ...claims, iss: client }).setProtectedHeader({ alg: key.alg, kid: key.kid }).sign(key.privateKey),
    headers: { 'ssp-traceid': REQUEST_ID, 'ssp-from': ASID, 'ssp-to': '200000000999', 'ssp-interactionid': SEARCH, 'ssp-version': '1' },
    trace: 'ssp-traceid',
  },
];

describe.each(PROFILES)('the $name profile', (profile) => {
  let server: TestServer;
  let key: KeyPair;
  let patient: string;
  beforeAll(async () => {
    server = await startServer({ VM_PROFILE: profile.name });
    key = await keyPair('PS512', 'k1');
    for (const [id, rest] of [['sup', {}], ['bare', { interactions: [], asid: '200000000117' }], ['other', { asid: '200000000118', organization: 'RX1' }]] as const) {
      const { status } = await registerClient(server, id, supplier(key, { asid: ASID, ...rest }));
      if (status !== 200) throw new Error(`${id}: ${status}`);
    }
    patient = await register(server, known);
    await state(server, known, 'paid-or-exempt', '2026-04-01T00:00:00Z');
    await register(server, unrecorded);
    const old = await register(server, oldNumber);
    await server.send('PUT', `Patient/${old}`, { token: server.tokens.admin, body: { ...patientBody(oldNumber), id: old, active: false, link: [{ other: { reference: `Patient/${patient}` }, type: 'replaced-by' }] } });
  });
  afterAll(() => server.close());

  const pruned = (claims: Record<string, unknown>): Record<string, unknown> => JSON.parse(JSON.stringify(claims));
  async function send({ method = 'GET', path: to = path(), body, claims = {}, record = known, client = 'sup', headers = {} }: Sent = {}): Promise<Answer> {
    const token = await profile.token(server, pruned({ ...claimsOf(record), ...claims }), client, key);
    const all = Object.entries({ ...profile.headers, ...headers }).filter(([, value]) => value !== '');
    return server.send(method, to, { token, body, headers: Object.fromEntries(all) });
  }

  function expectSpine(answer: Answer, status: number, code: string, details: string): void {
    const { issue, id, resourceType } = answer.body ?? {};
    expect([answer.status, resourceType, issue?.[0]?.code, errorCode(answer)]).toEqual([status, 'OperationOutcome', code, details]);
    expect(id).toMatch(/^[A-Za-z0-9.-]{1,64}$/);
    expect(issue[0].details.coding).toEqual([{ system: SPINE, code: details, display: expect.stringMatching(/\w/) }]);
    expect(issue[0]).toMatchObject({ severity: 'error', diagnostics: expect.stringMatching(/\w/) });
    expect(answer.text).not.toContain(known);
  }

  test('VM-01 to VM-07: an identified patient is answered, and the trace id comes back', async () => {
    const answer = await send();
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ type: 'searchset', total: 1, entry: [{ search: { mode: 'match' }, fullUrl: expect.any(String), resource: { status: 'final', meta: { versionId: expect.any(String) }, subject: { reference: `Patient/${patient}` } } }] });
    expect(answer.headers[profile.trace]).toBe(REQUEST_ID);
  });

  test('VM-09: no record is a success', async () => {
    const { status, body } = await send({ path: path(unrecorded), record: unrecorded });
    expect([status, body.total, body.entry[0].search.mode, errorCode({ body: body.entry[0].resource } as Answer)]).toEqual([200, 0, 'outcome', 'NO_RECORD_FOUND']);
  });

  test('a merged patient\'s old number is answered with the survivor', async () => {
    const { status, body } = await send({ path: path(oldNumber), record: oldNumber });
    expect([status, body.entry?.[0].resource.subject.reference]).toEqual([200, `Patient/${patient}`]);
  });

  test('VM-10: by POST as by GET', async () => {
    const answer = await send({ method: 'POST', path: 'Observation/_search', body: path().slice('Observation?'.length), headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    expect([answer.status, answer.body.total]).toEqual([200, 1]);
  });

  test('VM-13: metadata and OPTIONS are open', async () => {
    expect((await server.send('GET', 'metadata')).status).toBe(200);
    expect((await server.send('OPTIONS', '')).status).toBe(200);
  });

  const rows: [string, Sent, number, string, string][] = [
    ['VM-12 an unknown parameter', { path: `${path()}&foo=bar`, headers: { prefer: 'handling=lenient' } }, 400, 'invalid', 'INVALID_PARAMETER'],
    ['VM-20 no such patient', { path: path(absent), record: absent }, 404, 'not-found', 'PATIENT_NOT_FOUND'],
    ['VM-21 a wrong check digit', { path: path('9990000019') }, 400, 'invalid', 'INVALID_NHS_NUMBER'],
    ['VM-22 a wrong code system', { path: path().replace(VM_CODE, 'http://loinc.org') }, 400, 'code-invalid', 'INVALID_CODE_SYSTEM'],
    ['VM-23 a wrong code', { path: path().replace('|0001', '|0002') }, 400, 'code-invalid', 'INVALID_CODE_VALUE'],
    ['VM-24 a wrong identifier system', { path: path().replace(NHS, 'http://fhir.nhs.net/Id/nhs-number') }, 400, 'code-invalid', 'INVALID_IDENTIFIER_SYSTEM'],
    ['VM-25 a bad element in a claim', { claims: { requesting_device: { resourceType: 'Device', type: { coding: [{ system: 'x', code: 'y' }] } } } }, 400, 'value', 'INVALID_ELEMENT'],
    ['VM-25 another resource in a claim', { claims: { requesting_practitioner: { resourceType: 'Patient' } } }, 400, 'value', 'INVALID_ELEMENT'],
    ['VM-26 _include', { path: `${path()}&_include=*` }, 400, 'invalid', 'INVALID_PARAMETER'],
    ['VM-26 a list by status', { path: 'Observation?component-value-concept=https://fhir.nhs.uk/spine-chargeable-status-1|Y' }, 400, 'invalid', 'INVALID_PARAMETER'],
    ['VM-27 the record of another', { path: path(), record: absent }, 400, 'unknown', 'REQUEST_UNMATCHED'],
    ['VM-29 no trace id', { headers: { [profile.trace]: '' } }, 400, 'invalid', 'MISSING_OR_INVALID_HEADER'],
    ['VM-29 a trace id that is no UUID', { headers: { [profile.trace]: '1' } }, 400, 'invalid', 'MISSING_OR_INVALID_HEADER'],
    ['VM-31 a client without the interaction', { client: 'bare', headers: { 'ssp-from': '200000000117' } }, 403, 'forbidden', 'ASID_CHECK_FAILED'],
    ...Object.keys(claimsOf(known)).filter((name) => name !== 'iss').flatMap((name): [string, Sent, number, string, string][] => [
      [`VM-40 no ${name}`, { claims: { [name]: undefined } }, 400, 'invalid', 'MISSING_OR_INVALID_HEADER'],
      [`VM-40 ${name} null`, { claims: { [name]: null } }, 400, 'invalid', 'MISSING_OR_INVALID_HEADER'],
    ]),
    ['VM-41 exp past', { claims: { exp: 1, iat: 0 } }, 400, 'invalid', 'MISSING_OR_INVALID_HEADER'],
    ['VM-41 iat to come', { claims: { iat: Date.now() / 1000 + 120, exp: Date.now() / 1000 + 200 } }, 400, 'invalid', 'MISSING_OR_INVALID_HEADER'],
    ['VM-41 too long', { claims: { exp: Date.now() / 1000 + 400 } }, 400, 'invalid', 'MISSING_OR_INVALID_HEADER'],
    ['VM-42 another reason', { claims: { reason_for_request: 'audit' } }, 400, 'invalid', 'MISSING_OR_INVALID_HEADER'],
    ['VM-42 another scope', { claims: { requested_scopes: 'patient/*.write' } }, 400, 'invalid', 'MISSING_OR_INVALID_HEADER'],
    ['VM-42 another audience', { claims: { aud: 'https://elsewhere.example' } }, 400, 'invalid', 'MISSING_OR_INVALID_HEADER'],
    ['VM-43 a record that is no patient', { claims: { requested_record: resource('Group', NHS, known) } }, 400, 'invalid', 'MISSING_OR_INVALID_HEADER'],
    ['VM-43 a record of two numbers', { claims: { requested_record: { resourceType: 'Patient', identifier: [{ system: NHS, value: known }, { system: NHS, value: absent }] } } }, 400, 'invalid', 'MISSING_OR_INVALID_HEADER'],
    ['VM-43 a record of another system', { claims: { requested_record: resource('Patient', 'urn:x', known) } }, 400, 'invalid', 'MISSING_OR_INVALID_HEADER'],
    ['VM-44 sub is another', { claims: { sub: 'X' } }, 400, 'invalid', 'MISSING_OR_INVALID_HEADER'],
    ['VM-45 an organisation without ODS code', { claims: { requesting_organization: resource('Organization', 'urn:x', 'RR8') } }, 400, 'invalid', 'MISSING_OR_INVALID_HEADER'],
    ['VM-45 an organisation that nobody knows', { claims: { requesting_organization: resource('Organization', ODS, 'ZZ99') } }, 400, 'invalid', 'MISSING_OR_INVALID_HEADER'],
    ['VM-45 another\'s organisation', { claims: { requesting_organization: resource('Organization', ODS, 'RX1') } }, 403, 'forbidden', 'ASID_CHECK_FAILED'],
    ['VM-46 a practitioner of another system', { claims: { requesting_practitioner: resource('Practitioner', 'urn:x', 'PW1357') } }, 400, 'invalid', 'MISSING_OR_INVALID_HEADER'],
    ['an unserved format', { headers: { accept: 'text/csv' } }, 406, 'not-supported', 'INVALID_REQUEST_TYPE'],
    ['a form of another media type', { method: 'POST', path: `Observation/_search?${path().slice('Observation?'.length)}`, body: 'x', headers: { 'content-type': 'text/plain' } }, 415, 'not-supported', 'INVALID_REQUEST_TYPE'],
    ['a method that the URL does not take', { method: 'DELETE', path: `Observation/_search?code=${VM_CODE}|0001` }, 405, 'not-supported', 'INVALID_REQUEST_TYPE'],
    ['VM-08 the history', { path: 'Observation/chargeable-status-x/_history' }, 403, 'forbidden', 'ACCESS DENIED'],
    ...['POST', 'PUT', 'PATCH', 'DELETE'].flatMap((method) => ['Observation', 'Patient'].map((type): [string, Sent, number, string, string] => [
      `VM-33 ${method} ${type}`, { method, path: method === 'POST' ? type : `${type}/x`, ...(method !== 'DELETE' && { body: method === 'PATCH' ? [] : { resourceType: type, id: 'x' } }), ...(method === 'PATCH' && { headers: { 'content-type': 'application/json-patch+json' } }) }, 403, 'forbidden', 'ACCESS DENIED',
    ])),
    ['VM-33 a transaction', { method: 'POST', path: '', body: { resourceType: 'Bundle', type: 'transaction', entry: [{ resource: { resourceType: 'Patient' }, request: { method: 'POST', url: 'Patient' } }] } }, 403, 'forbidden', 'ACCESS DENIED'],
    ['a token with audit claims is for the search alone', { path: `Patient/$chargeable-status?identifier=${NHS}|${known}` }, 403, 'forbidden', 'ACCESS DENIED'],
  ];
  test.each(rows.map(([what, sent, status, code, details]) => ({ what, sent, status, code, details })))('$what', async ({ sent, status, code, details }) => expectSpine(await send(sent), status, code, details));

  test.each(['https://fhir.nhs.uk/Id/sds-role-profile-id', 'https://fhir.nhs.uk/Id/sds-user-id', 'https://fhir.nhs.uk/Id/local-practitioner-identifier', 'https://fhir.nhs.uk/sds-role-profile-id'])('VM-46: %s names a practitioner', async (system) => {
    expect((await send({ claims: { requesting_practitioner: resource('Practitioner', system, 'PW1357') } })).status).toBe(200);
  });

  test('the scope of the published sample is taken as well', async () => expect((await send({ claims: { requested_scopes: 'patient/*.read' } })).status).toBe(200));

  test('VM-28: what is not well formed', async () => {
    const headers = { 'content-type': 'application/fhir+json' };
    expectSpine(await server.send('POST', 'Patient/$chargeable-status', { token: server.tokens.supplier, body: '{"resourceType":', headers }), 400, 'structure', 'MESSAGE_NOT_WELL_FORMED');
  });

  test('401 says whose credentials are at fault', async () => {
    expectSpine(await server.send('GET', path()), 401, 'login', 'AUTHOR_CREDENTIALS_ERROR');
    expectSpine(await server.send('POST', 'Observation/_search', { body: path().slice('Observation?'.length), headers: { 'content-type': 'application/x-www-form-urlencoded' } }), 401, 'login', 'AUTHOR_CREDENTIALS_ERROR');
    expectSpine(await server.send('GET', path(), { token: await server.token('supplier', { client: 'nobody' }), headers: profile.headers }), 401, 'login', 'AUTHOR_CREDENTIALS_ERROR');
  });

  test('VM-47: unsigned is never authentication', async () => {
    expectSpine(await server.send('GET', path(), { token: new UnsecuredJWT(claimsOf(known)).encode(), headers: profile.headers }), 401, 'login', 'AUTHOR_CREDENTIALS_ERROR');
    const forged = await keyPair('PS512', 'k1');
    const token = await new SignJWT(claimsOf(known)).setProtectedHeader({ alg: 'PS512', kid: 'k1' }).sign(forged.privateKey);
    expectSpine(await server.send('GET', path(), { token, headers: profile.headers }), 401, 'login', 'AUTHOR_CREDENTIALS_ERROR');
  });

  // Each pair of neighbours at once: the first is told.
  const faults: [string, Sent][] = [
    ['MISSING_OR_INVALID_HEADER', { headers: { [profile.trace]: 'x' } }],
    ['INVALID_PARAMETER', { path: 'foo=bar' }],
    ['INVALID_IDENTIFIER_SYSTEM', { path: 'system' }],
    ['INVALID_NHS_NUMBER', { path: 'number' }],
    ['INVALID_CODE_SYSTEM', { path: 'codeSystem' }],
    ['INVALID_CODE_VALUE', { path: 'code' }],
    ['REQUEST_UNMATCHED', { record: known }],
    ['PATIENT_NOT_FOUND', { path: 'absent' }],
  ];
  const pairs = faults.flatMap(([first, a], at) => faults.slice(at + 1).map(([second, b]) => ({ first, second, a, b })));
  test.each(pairs)('VM-32: $first before $second', async ({ first, a, b }) => {
    const wrong = (what: string): boolean => a.path === what || b.path === what;
    const number = wrong('number') ? '9990000019' : absent;
    const question = `Observation?subject:Patient.identifier=${wrong('system') ? 'urn:x' : NHS}|${number}&code=${wrong('codeSystem') ? 'urn:x' : VM_CODE}|${wrong('code') ? '9' : '0001'}${wrong('foo=bar') ? '&foo=bar' : ''}`;
    const answer = await send({ path: question, record: a.record ?? b.record ?? absent, headers: { ...a.headers, ...b.headers } });
    expect(errorCode(answer)).toBe(first);
  });
});

describe('the legacy profile alone', () => {
  const [, legacy] = PROFILES as [Profile, Profile];
  let server: TestServer;
  let key: KeyPair;
  beforeAll(async () => {
    server = await startServer({ VM_PROFILE: 'both', VM_ASID: '200000000999', VM_UNSIGNED_TOKENS: '1' });
    key = await keyPair('RS512', 'k1');
    await registerClient(server, 'sup', supplier(key, { asid: ASID, issuer: 'https://supplier.example' }));
    await register(server, known);
    await state(server, known, 'paid-or-exempt', '2026-04-01T00:00:00Z');
  });
  afterAll(() => server.close());
  const token = (claims: object = {}) => legacy.token(server, { ...claimsOf(known), ...claims }, 'https://supplier.example', key);
  const send = async (headers: Readonly<Record<string, string>>, bearer?: string): Promise<[number, string | undefined]> => {
    const all = Object.entries({ ...legacy.headers, ...headers }).filter(([, value]) => value !== '');
    const answer = await server.send('GET', path(), { token: bearer ?? (await token()), headers: Object.fromEntries(all) });
    return [answer.status, errorCode(answer)];
  };

  test.each<[string, Record<string, string>, number, string | undefined]>([
    ['all is there', {}, 200, undefined],
    ['the version is left out', { 'ssp-version': '' }, 200, undefined],
    ['the interaction is named as later on Spine', { 'ssp-interactionid': 'urn:nhs:names:services:visitorsandmigrants:Observation.read:1' }, 200, undefined],
    ['another version', { 'ssp-version': '2' }, 400, 'MISSING_OR_INVALID_HEADER'],
    ['no sender', { 'ssp-from': '' }, 400, 'MISSING_OR_INVALID_HEADER'],
    ['no receiver', { 'ssp-to': '' }, 400, 'MISSING_OR_INVALID_HEADER'],
    ['no interaction', { 'ssp-interactionid': '' }, 400, 'MISSING_OR_INVALID_HEADER'],
    ['another interaction', { 'ssp-interactionid': 'urn:nhs:names:services:visitorsandmigrants:fhir:rest:read:metadata' }, 400, 'MISSING_OR_INVALID_HEADER'],
    ['a sender that is no ASID', { 'ssp-from': 'RR8' }, 400, 'MISSING_OR_INVALID_HEADER'],
    ['another\'s ASID', { 'ssp-from': '200000000001' }, 403, 'ASID_CHECK_FAILED'],
    ['another receiver', { 'ssp-to': '200000000001' }, 403, 'ASID_CHECK_FAILED'],
  ])('VM-34: %s', async (_what, headers, status, code) => expect(await send(headers)).toEqual([status, code]));

  test('claims that are no JSON are not well formed (VM-28)', async () => expect(await send({}, 'e30.eyJ4.AAAA')).toEqual([400, 'MESSAGE_NOT_WELL_FORMED']));
  test('a token without issuer', async () => expect(await send({}, await new SignJWT({}).setProtectedHeader({ alg: 'RS512', kid: 'k1' }).sign(key.privateKey))).toEqual([400, 'MISSING_OR_INVALID_HEADER']));
  test('an access token without audit claims', async () => expect(await send({}, server.tokens.supplier)).toEqual([400, 'MISSING_OR_INVALID_HEADER']));
  test('both profiles are served side by side', async () => expect((await server.send('GET', path(), { token: server.tokens.supplier, headers: { 'x-request-id': REQUEST_ID } })).status).toBe(200));
  test('an unsigned token passes in the sandbox alone, and its claims are judged', async () => {
    expect(await send({}, new UnsecuredJWT(claimsOf(known)).encode())).toEqual([200, undefined]);
    expect(await send({}, new UnsecuredJWT({ ...claimsOf(known), sub: 'x' }).encode())).toEqual([400, 'MISSING_OR_INVALID_HEADER']);
  });
});

describe('VM-30: the TLS floor', () => {
  let server: TestServer;
  beforeAll(async () => { server = await startServer({ TLS_HEADER: 'X-TLS-Version' }); });
  afterAll(() => server.close());
  test.each([[undefined, 403], ['TLSv1.1', 403], ['SSLv3', 403], ['TLSv1.2, TLSv1.0', 403], ['TLSv1.2', 200], ['1.3', 200]])('%s is %d', async (version, status) => {
    const answer = await server.send('GET', 'metadata', { headers: version === undefined ? {} : { 'x-tls-version': version } });
    expect(answer.status).toBe(status);
    if (status === 403) expect(errorCode(answer)).toBe('ACCESS_DENIED_SSL');
  });
});
