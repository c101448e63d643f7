// SMART App Launch at the development authorization server: codes, PKCE, launch context, refresh, id_token, and the attacks on each.
// https://hl7.org/fhir/smart-app-launch/app-launch.html · RFC 6749, 7636, 9207, 9700
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { startServer, type TestServer } from '../server.js';
import { ASSERTION_TYPE, assertion, call, keyPair, origin, registerClient, tokenUrl, type KeyPair, type Reply } from './client-fixture.js';
import { authorize, codeFor, exchangeCode, REDIRECT, refresh, request, signIn, verifier } from './sign-in-fixture.js';

let server: TestServer;
let key: KeyPair;
const app = (rest: object = {}): object => ({ name: 'An <app>', roles: ['patient', 'care-coordinator', 'ovm', 'admin'], public: true, redirectUris: [REDIRECT, 'https://app.example/other'], ...rest });

beforeAll(async () => {
  server = await startServer();
  key = await keyPair('ES384', 'k1');
  for (const id of ['app', 'other']) expect((await registerClient(server, id, app())).status).toBe(200);
  await registerClient(server, 'backend', { roles: ['patient'], redirectUris: [REDIRECT], jwks: { keys: [key.jwk] } });
  await server.seed([
    { resourceType: 'Patient', id: 'ada' }, { resourceType: 'Patient', id: 'bob' },
    { resourceType: 'Observation', id: 'ada', status: 'final', code: { text: 'x' }, subject: { reference: 'Patient/ada' } },
    { resourceType: 'Observation', id: 'bob', status: 'final', code: { text: 'x' }, subject: { reference: 'Patient/bob' } },
  ]);
});
afterAll(() => server.close());

const ADA = { role: 'patient', patient: 'ada' };
const read = async (path: string, token: string): Promise<number> => (await server.send('GET', path, { token })).status;
function expectError({ status, body }: Reply, error: string, code = 400): void {
  expect([status, body.error, typeof body.error_description]).toEqual([code, error, 'string']);
  expect(body.access_token).toBeUndefined();
}

describe('discovery', () => {
  test('says what there is, and it is there', async () => {
    const { body } = await call(`${server.base}/.well-known/smart-configuration`);
    const at = (path: string) => `${origin(server)}${path}`;
    expect(body).toMatchObject({
      issuer: origin(server), jwks_uri: at('/.well-known/jwks.json'), authorization_endpoint: at('/oauth2/authorize'), token_endpoint: at('/oauth2/token'), introspection_endpoint: at('/oauth2/introspect'), revocation_endpoint: at('/oauth2/revoke'),
      grant_types_supported: ['client_credentials', 'authorization_code', 'refresh_token'], response_types_supported: ['code'], code_challenge_methods_supported: ['S256'],
      capabilities: expect.arrayContaining(['launch-ehr', 'launch-standalone', 'client-public', 'client-confidential-asymmetric', 'sso-openid-connect', 'context-ehr-patient', 'context-standalone-patient', 'permission-patient', 'permission-user', 'permission-offline', 'permission-v1', 'permission-v2']),
    });
    for (const path of ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']) {
      const metadata = await call(at(path));
      expect([metadata.status, metadata.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
      expect(metadata.body).toMatchObject({ issuer: origin(server), token_endpoint: body.token_endpoint, id_token_signing_alg_values_supported: ['RS256'], subject_types_supported: ['public'] });
    }
    const { security } = (await server.send('GET', 'metadata')).body.rest[0];
    expect(security.extension[0].extension.map((one: any) => one.url)).toEqual(['authorize', 'token', 'introspect', 'revoke']);
  });

  test('with nobody to sign in, offers no sign-in', async () => {
    const closed = await startServer({ DEVELOPMENT_SIGN_IN: 'off' });
    try {
      const { body } = await call(`${closed.base}/.well-known/smart-configuration`);
      expect([body.authorization_endpoint, body.grant_types_supported]).toEqual([undefined, ['client_credentials']]);
      expect(body.capabilities).not.toContain('launch-standalone');
      expect((await authorize(closed, request(closed), 'GET')).status).toBe(404);
    } finally {
      await closed.close();
    }
  });
});

describe('the page', () => {
  test('asks who signs in, and can be told without it', async () => {
    const page = await authorize(server, request(server), 'GET');
    expect([page.status, page.headers.get('content-type'), page.headers.get('cache-control'), page.headers.get('x-frame-options')]).toEqual([200, 'text/html; charset=utf-8', 'no-store', 'DENY']);
    expect(page.headers.get('content-security-policy')).toContain('form-action \'self\' https://app.example');
    expect(page.html).toContain('An &lt;app&gt;');
    expect(page.html).not.toContain('<script');
    expect((await authorize(server, request(server))).html).toContain('name="decision"');
  });

  test('puts nothing of the request into its markup', async () => {
    const { html } = await authorize(server, request(server, { state: '"><script>alert(1)</script>', scope: 'patient/*.rs "><b>' }), 'GET');
    expect(html).not.toMatch(/<script|<b>/);
  });

  test('says what is missing of a person', async () => {
    for (const person of [{ role: 'patient' }, { role: 'king', patient: 'ada' }, { role: 'provider', organization: 'X' }, { role: 'patient', patient: '../x' }, { role: 'ovm' }]) {
      const form = request(server);
      for (const [name, value] of Object.entries({ decision: 'allow', ...person })) form.set(name, value);
      const { status, html, parameters } = await authorize(server, form);
      expect([person, status, parameters.get('code')]).toEqual([person, 400, null]);
      expect(html).toContain('role="alert"');
    }
  });

  test('sends a refusal on to the app', async () => {
    const form = request(server);
    form.set('decision', 'deny');
    const { status, parameters } = await authorize(server, form);
    expect([status, parameters.get('error'), parameters.get('state'), parameters.get('iss'), parameters.get('from')]).toEqual([302, 'access_denied', 'xyz', origin(server), 'fhir']);
  });
});

describe('a request is not sent on to', () => {
  test.each<[string, Record<string, string | undefined>]>([
    ['a client that nobody registered', { client_id: 'nobody' }], ['no client', { client_id: undefined }], ['no address', { redirect_uri: undefined }],
    ['an address that is not registered', { redirect_uri: 'https://evil.example/' }], ['a longer address', { redirect_uri: `${REDIRECT}&x=1` }], ['an address in other letters', { redirect_uri: REDIRECT.toUpperCase() }],
    ['a path below it', { redirect_uri: 'https://app.example/callback/../evil?from=fhir' }], ['a client that signs nobody in', { client_id: 'development' }],
  ])('%s', async (_what, changed) => {
    const { status, headers, html } = await authorize(server, request(server, changed), 'GET');
    expect([status, headers.get('location')]).toEqual([400, null]);
    expect(html).toContain('role="alert"');
  });

  test('two addresses', async () => {
    const form = request(server);
    form.append('redirect_uri', 'https://evil.example/');
    expect((await authorize(server, form, 'GET')).headers.get('location')).toBeNull();
  });
});

test.each<[string, Record<string, string | undefined>, string]>([
  ['for a token at once', { response_type: 'token' }, 'unsupported_response_type'], ['without response_type', { response_type: undefined }, 'invalid_request'],
  ['without state', { state: undefined }, 'invalid_request'], ['without aud', { aud: undefined }, 'invalid_request'], ['for another service', { aud: 'https://elsewhere.example/fhir' }, 'invalid_request'],
  ['without PKCE', { code_challenge: undefined }, 'invalid_request'], ['with plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'], ['with PKCE of no method', { code_challenge_method: undefined }, 'invalid_request'],
  ['with a short challenge', { code_challenge: 'abc' }, 'invalid_request'], ['without scope', { scope: undefined }, 'invalid_scope'], ['for scopes that are none', { scope: 'nonsense system/*.rs' }, 'invalid_scope'],
  ['launched without launch', { scope: 'launch patient/*.rs' }, 'invalid_request'], ['with a launch that is not ours', { scope: 'launch patient/*.rs', launch: 'abc' }, 'invalid_request'],
])('a request %s is refused to the app', async (_what, changed, error) => {
  const { status, parameters } = await authorize(server, request(server, changed), 'GET');
  expect(status).toBe(302);
  expect([parameters.get('code'), parameters.get('iss')]).toEqual([null, origin(server)]);
  expect(parameters.get('error')).toBe(changed['scope'] === undefined && 'scope' in changed ? 'invalid_request' : error);
});

describe('a code', () => {
  test('is exchanged for a token with the patient in context', async () => {
    const { status, body, headers } = await signIn(server, ADA, { scope: 'launch/patient patient/Observation.rs patient/Patient.read openid fhirUser offline_access', nonce: 'n1' });
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(body).toEqual({
      access_token: expect.any(String), token_type: 'Bearer', expires_in: 300, scope: 'launch/patient openid fhirUser offline_access patient/Observation.rs patient/Patient.rs',
      patient: 'ada', need_patient_banner: true, refresh_token: expect.any(String), id_token: expect.any(String),
    });
    expect(decodeJwt(body.access_token)).toMatchObject({ client_id: 'app', role: 'patient', patient: 'ada', sub: 'Patient/ada' });
    expect([await read('Patient/ada', body.access_token), await read('Patient/bob', body.access_token), await read('Account', body.access_token)]).toEqual([200, 404, 403]);
  });

  test('the id_token is verified by the keys of discovery, and says who signed in', async () => {
    const { body } = await signIn(server, { role: 'care-coordinator', practitioner_role: 'pr1', patient: 'ada' }, { scope: 'openid fhirUser launch/patient', nonce: 'n2' });
    const keys = createLocalJWKSet((await call(`${origin(server)}/.well-known/jwks.json`)).body);
    const { payload } = await jwtVerify(body.id_token, keys, { issuer: origin(server), audience: 'app', algorithms: ['RS256'] });
    expect(payload).toMatchObject({ fhirUser: `${server.base}/PractitionerRole/pr1`, nonce: 'n2', sub: 'PractitionerRole/pr1' });
    expect(decodeProtectedHeader(body.id_token).kid).toMatch(/\w/);
    expect(await read('Patient/ada', body.id_token)).toBe(401);
  });

  test('neither the id_token, nor the refresh token, nor the code opens anything', async () => {
    const got = await codeFor(server, ADA, { scope: 'launch/patient patient/*.rs openid fhirUser offline_access' });
    const { body } = await exchangeCode(server, got);
    expect(await read('Patient/ada', body.access_token)).toBe(200);
    for (const token of [body.id_token, body.refresh_token, got.code]) expect(await read('Patient/ada', token)).toBe(401);
    // Nor does one stand for another at the token endpoint.
    for (const token of [body.id_token, body.access_token, got.code]) expectError(await refresh(server, token), 'invalid_grant');
  });

  test('a patient in context narrows patient/ scopes of staff, and user/ scopes are theirs', async () => {
    const patient = (await signIn(server, { role: 'admin', patient: 'ada' }, { scope: 'launch/patient patient/*.rs' })).body;
    expect(patient).toMatchObject({ patient: 'ada' });
    expect([await read('Observation/ada', patient.access_token), await read('Observation/bob', patient.access_token), await read('Patient/bob', patient.access_token)]).toEqual([200, 404, 404]);
    const user = (await signIn(server, { role: 'admin' }, { scope: 'user/Observation.read' })).body;
    expect(user.patient).toBeUndefined();
    expect([await read('Observation/bob', user.access_token), await read('Patient/bob', user.access_token)]).toEqual([200, 403]);
  });

  test('only sign-in scopes give no resources', async () => {
    const { body } = await signIn(server, ADA, { scope: 'openid launch/patient' });
    expect(await read('Patient/ada', body.access_token)).toBe(403);
  });

  test('the registration limits what is granted', async () => {
    await registerClient(server, 'limited', app({ scope: 'patient/Observation.rs launch/patient' }));
    expect((await signIn(server, ADA, { client_id: 'limited', scope: 'launch/patient patient/*.cruds user/*.rs system/*.rs' })).body.scope).toBe('launch/patient patient/Observation.rs');
  });

  test('is good once: the second use ends what the first gave', async () => {
    const code = await codeFor(server, ADA, { scope: 'launch/patient patient/*.rs offline_access' });
    const { body } = await exchangeCode(server, code);
    expect(await read('Patient/ada', body.access_token)).toBe(200);
    expectError(await exchangeCode(server, code), 'invalid_grant');
    expect(await read('Patient/ada', body.access_token)).toBe(401);
    expectError(await refresh(server, body.refresh_token), 'invalid_grant');
  });

  test('of two at once one is given', async () => {
    const code = await codeFor(server, ADA);
    const replies = await Promise.all([exchangeCode(server, code), exchangeCode(server, code), exchangeCode(server, code)]);
    expect(replies.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
    expect(replies.filter(({ body }) => body.error === 'invalid_grant').length).toBeGreaterThanOrEqual(2);
  });

  test.each<[string, Record<string, string>, string, number]>([
    ['by another client', { client_id: 'other' }, 'invalid_grant', 400], ['with another verifier', { code_verifier: verifier() }, 'invalid_grant', 400], ['with a short verifier', { code_verifier: 'x' }, 'invalid_grant', 400],
    ['without verifier', { code_verifier: '' }, 'invalid_request', 400], ['with another redirect_uri', { redirect_uri: 'https://app.example/other' }, 'invalid_grant', 400], ['without redirect_uri', { redirect_uri: '' }, 'invalid_request', 400],
    ['by nobody', { client_id: '' }, 'invalid_client', 401], ['by a client that must prove itself', { client_id: 'backend' }, 'invalid_client', 401], ['with a secret', { client_secret: 'x' }, 'invalid_client', 401],
    ['as a refresh token', { grant_type: 'refresh_token' }, 'invalid_request', 400], ['as what it is not', { code: 'abc' }, 'invalid_grant', 400],
  ])('is refused %s', async (_what, changed, error, status) => expectError(await exchangeCode(server, await codeFor(server, ADA), changed), error, status));

  test('is over after a minute', async () => {
    const code = await codeFor(server, ADA);
    await server.database.query({ text: 'update fhir.oauth_ticket set expires = $1 where used is null', values: [Date.now() - 1] });
    expectError(await exchangeCode(server, code), 'invalid_grant');
    const { rows } = await server.database.query<{ key: string }>({ text: 'select key from fhir.oauth_ticket', values: [] });
    expect(rows.map((row) => row.key)).not.toContain(code.code);
  });

  test('for a confidential client is exchanged with its assertion', async () => {
    const code = await codeFor(server, ADA, { client_id: 'backend' });
    expectError(await exchangeCode(server, code, { client_id: 'backend' }), 'invalid_client', 401);
    const { status, body } = await exchangeCode(server, code, { client_id: 'backend', client_assertion_type: ASSERTION_TYPE, client_assertion: await assertion(server, 'backend', key) });
    expect([status, body.patient]).toEqual([200, 'ada']);
  });

  test('a public client has no token of its own', async () => {
    const reply = await call(tokenUrl(server), { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'grant_type=client_credentials&client_id=app' });
    expectError(reply, 'unauthorized_client');
  });

  test('is not given in the URL of the token endpoint', async () => {
    const { code, secret } = await codeFor(server, ADA);
    const form = new URLSearchParams({ grant_type: 'authorization_code', code, code_verifier: secret, redirect_uri: REDIRECT, client_id: 'app' });
    expectError(await call(`${tokenUrl(server)}?${form.toString()}`, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: '' }), 'invalid_request');
  });

  test('nothing of a client that is switched off goes on', async () => {
    await registerClient(server, 'gone', app());
    const { body } = await signIn(server, ADA, { client_id: 'gone', scope: 'patient/*.rs offline_access' });
    const code = await codeFor(server, ADA, { client_id: 'gone' });
    await registerClient(server, 'gone', app({ active: false }));
    expect(await read('Patient/ada', body.access_token)).toBe(403);
    expectError(await refresh(server, body.refresh_token, { client_id: 'gone' }), 'invalid_client', 401);
    expectError(await exchangeCode(server, code, { client_id: 'gone' }), 'invalid_client', 401);
    expect((await authorize(server, request(server, { client_id: 'gone' }), 'GET')).status).toBe(400);
  });
});

describe('an EHR launch', () => {
  const launch = async (form: Record<string, string>, token = server.tokens.ovm) => call(`${origin(server)}/oauth2/launch`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams(form).toString() });

  test('gives the app the patient and the encounter that are open', async () => {
    const { body } = await launch({ patient: 'ada', encounter: 'e1', need_patient_banner: 'false', intent: 'review' });
    expect(body).toEqual({ launch: expect.any(String), iss: server.base });
    const { body: token } = await signIn(server, { role: 'admin' }, { scope: 'launch patient/*.rs', launch: body.launch });
    expect(token).toMatchObject({ patient: 'ada', encounter: 'e1', need_patient_banner: false, intent: 'review' });
    expect([await read('Observation/ada', token.access_token), await read('Observation/bob', token.access_token)]).toEqual([200, 404]);
    expect(await read('Observation/ada', body.launch)).toBe(401);
  });

  test('does not make a patient somebody else', async () => {
    const { body } = await launch({ patient: 'bob' });
    expect((await signIn(server, ADA, { scope: 'launch patient/*.rs', launch: body.launch })).body.patient).toBe('ada');
  });

  test('is made by who has a token', async () => expect((await launch({ patient: 'ada' }, 'x')).status).toBe(401));
});

describe('a refresh token', () => {
  const begin = async (scope = 'launch/patient patient/*.rs offline_access') => (await signIn(server, ADA, { scope })).body;

  test('is given for offline_access and online_access alone', async () => {
    expect((await signIn(server, ADA)).body.refresh_token).toBeUndefined();
    expect((await begin('patient/*.rs online_access')).refresh_token).toEqual(expect.any(String));
  });

  test('gives the next token, of the same context, and is replaced', async () => {
    const first = await begin();
    const { status, body } = await refresh(server, first.refresh_token);
    expect([status, body.patient, body.scope]).toEqual([200, 'ada', first.scope]);
    expect(body.refresh_token).not.toBe(first.refresh_token);
    expect(await read('Patient/ada', body.access_token)).toBe(200);
  });

  test('that comes a second time ends the sign-in, for thief and owner', async () => {
    const first = await begin();
    const second = (await refresh(server, first.refresh_token)).body;
    expectError(await refresh(server, first.refresh_token), 'invalid_grant');
    expectError(await refresh(server, second.refresh_token), 'invalid_grant');
    expect([await read('Patient/ada', first.access_token), await read('Patient/ada', second.access_token)]).toEqual([401, 401]);
  });

  test('asks for less, never for more', async () => {
    const first = await begin();
    const narrow = (await refresh(server, first.refresh_token, { scope: 'patient/Observation.r' })).body;
    expect(narrow.scope).toBe('patient/Observation.r');
    expect(await read('Patient/ada', narrow.access_token)).toBe(403);
    for (const scope of ['user/*.rs', 'patient/*.cruds openid', 'nonsense', 'system/*.rs']) expectError(await refresh(server, narrow.refresh_token, { scope }), 'invalid_scope');
    expect((await refresh(server, narrow.refresh_token)).body.scope).toBe(first.scope);
  });

  test('is one client\'s own', async () => {
    const { refresh_token: token } = await begin();
    expectError(await refresh(server, token, { client_id: 'other' }), 'invalid_grant');
    expect((await refresh(server, token)).status).toBe(200);
  });
});
