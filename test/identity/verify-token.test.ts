// Bearer tokens: who is believed, who is not, and with which error.
import { createServer, type Server } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { SignJWT, UnsecuredJWT, exportJWK, generateKeyPair, type CryptoKey, type JWTPayload } from 'jose';
import { ROLES, type Caller } from '../../src/fhir/caller.js';
import { FhirError } from '../../src/fhir/errors.js';
import { developmentKeys, type DevelopmentKeys } from '../../src/identity/development-keys.js';
import { issueToken, type TokenRequest } from '../../src/identity/issue-token.js';
import { plainIssuer, trusted } from '../../src/identity/map-claims.js';
import { developmentIssuer, type TrustedIssuer } from '../../src/identity/trusted-issuer.js';
import { createTokenVerifier } from '../../src/identity/verify-token.js';

const NOW = Date.UTC(2026, 10, 22, 9);
const DAY = 24 * 3600 * 1000;
let dataDir: string;
let keys: DevelopmentKeys;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'verify-'));
  keys = await developmentKeys(dataDir);
});
afterAll(() => rm(dataDir, { recursive: true }));

const verifierAt = (clock: () => number, issuer: TrustedIssuer = developmentIssuer(keys)) => createTokenVerifier({ issuers: [issuer], clock });
/** Whose tokens carry our claims: nothing is looked up. */
const externalIssuer = (external: Parameters<typeof plainIssuer>[0]) => trusted(plainIssuer(external), { clients: { find: () => undefined }, find: () => Promise.resolve(undefined) });
const issue = (request: TokenRequest, now = NOW) => issueToken(request, { keys, now, tokenId: 'id-1' });

async function refusalOf(verify: () => Caller | Promise<Caller>): Promise<FhirError> {
  try {
    await verify();
  } catch (error) {
    if (error instanceof FhirError) return error;
    throw error;
  }
  throw new Error('the token was accepted');
}

describe('a development token', () => {
  test('says everything it was issued with', async () => {
    const request = { role: 'care-coordinator', client: 'app', subject: 'jo', scope: 'user/Patient.read  user/Account.read', patient: 'p1', relatedPerson: 'r1', practitionerRole: 'pr1', organization: 'A83008' } as const;
    const caller = await verifierAt(() => NOW)(`Bearer ${await issue(request)}`);
    expect(caller).toEqual({ role: 'care-coordinator', client: 'app', subject: 'jo', scopes: ['user/Patient.read', 'user/Account.read'], patient: 'p1', relatedPerson: 'r1', practitionerRole: 'pr1', organization: 'A83008' });
    expect(Object.isFrozen(caller)).toBe(true);
  });

  test('of the role alone names no patient and no scope', async () => {
    expect(await verifierAt(() => NOW)(`Bearer ${await issue({ role: 'supplier' })}`)).toEqual({ role: 'supplier', client: 'development', subject: 'development/supplier', scopes: [] });
  });

  test.each(ROLES)('is issued for the role %s', async (role) => {
    expect((await verifierAt(() => NOW)(`Bearer ${await issue({ role })}`)).role).toBe(role);
  });

  test('is taken at once the second time, as the same frozen Caller', async () => {
    const verify = verifierAt(() => NOW);
    const header = `bearer ${await issue({ role: 'admin' })}`;
    const first = await verify(header);
    expect(verify(header)).toBe(first);
  });

  test('still works where the clock was set a day before or twenty days after', async () => {
    const token = await issue({ role: 'ovm' });
    for (const now of [NOW - DAY, NOW + 20 * DAY]) expect((await verifierAt(() => now)(`Bearer ${token}`)).role).toBe('ovm');
  });

  test('expires, also when it is remembered', async () => {
    let now = NOW;
    const verify = verifierAt(() => now);
    const header = `Bearer ${await issue({ role: 'ovm', lifetimeSeconds: 60 })}`;
    await verify(header);
    now += 59_999;
    expect(verify(header)).not.toBeInstanceOf(Promise);
    now += 1;
    const refusal = await refusalOf(() => verify(header));
    expect(refusal).toMatchObject({ status: 401, issues: [{ code: 'expired' }] });
    expect(refusal.headers['WWW-Authenticate']).toBe('Bearer realm="entitle-fhir", error="invalid_token", error_description="The token has expired"');
  });
});

describe('no token', () => {
  test.each([undefined, '', 'Bearer', 'Bearer ', 'Basic dXNlcjpwYXNz', 'Bearer two words'])('%j is 401 with a bare challenge', async (header) => {
    const refusal = await refusalOf(() => verifierAt(() => NOW)(header));
    expect(refusal).toMatchObject({ status: 401, issues: [{ code: 'login' }], headers: { 'WWW-Authenticate': 'Bearer realm="entitle-fhir"' } });
  });
});

describe('a bad token', () => {
  const claims = { role: 'admin', sub: 'x', iss: 'urn:entitle-fhir:development', aud: 'urn:entitle-fhir', exp: NOW / 1000 + 600 };
  const sign = (payload: JWTPayload, key: CryptoKey | Uint8Array = keys.privateKey, alg = 'ES256') => new SignJWT(payload).setProtectedHeader({ alg }).sign(key);
  const expectBad = async (token: string) => {
    const refusal = await refusalOf(() => verifierAt(() => NOW)(`Bearer ${token}`));
    expect(refusal).toMatchObject({ status: 401, issues: [{ code: 'login' }] });
    expect(refusal.headers['WWW-Authenticate']).toMatch(/^Bearer realm="entitle-fhir", error="invalid_token", error_description="[^"]+"$/);
  };

  test('the claims below are good when signed as they should be', async () => {
    expect((await verifierAt(() => NOW)(`Bearer ${await sign(claims)}`)).role).toBe('admin');
  });
  test('is one signed by another key', async () => expectBad(await sign(claims, (await generateKeyPair('ES256')).privateKey)));
  test('is one without a signature', () => expectBad(new UnsecuredJWT(claims).encode()));
  test('is one whose claims were changed', async () => {
    const [header, , signature] = (await sign({ ...claims, role: 'ovm' })).split('.');
    await expectBad(`${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`);
  });
  test('is one signed with a shared secret', async () => expectBad(await sign(claims, Buffer.alloc(32, 'public key as a secret'), 'HS256')));
  test('is one of another issuer', async () => expectBad(await sign({ ...claims, iss: 'https://other.example' })));
  test('is one for another audience', async () => expectBad(await sign({ ...claims, aud: 'https://other.example' })));
  test('is one that never expires', async () => {
    const { exp, ...endless } = claims;
    await expectBad(await sign(endless));
  });
  test('is one that is not valid yet', async () => expectBad(await sign({ ...claims, nbf: NOW / 1000 + 60 })));
  test('is one whose claims have the wrong kind', async () => {
    await expectBad(await sign({ ...claims, patient: 5 }));
    await expectBad(await sign({ ...claims, organization: '' }));
    await expectBad(await sign({ ...claims, scope: ['a'] }));
  });
  test('is one that names nobody', async () => {
    const { sub, ...nobody } = claims;
    await expectBad(await sign(nobody));
  });
  test('is any other text', async () => {
    const verify = verifierAt(() => NOW);
    const texts = fc.oneof(fc.string({ minLength: 1 }), fc.tuple(fc.base64String(), fc.base64String(), fc.base64String()).map((parts) => parts.join('.')));
    await fc.assert(fc.asyncProperty(texts, async (text) => {
      expect((await refusalOf(() => verify(`Bearer ${text}`))).status).toBe(401);
    }));
  });
  test('is never remembered', async () => {
    const verify = verifierAt(() => NOW);
    const header = `Bearer ${await sign({ ...claims, aud: 'other' })}`;
    expect((await refusalOf(() => verify(header))).status).toBe(401);
    expect((await refusalOf(() => verify(header))).status).toBe(401);
  });

  test.each([{ ...claims, role: 'root' }, { ...claims, role: null }])('of an unknown role is 403 and lists the roles', async (payload) => {
    const refusal = await refusalOf(async () => verifierAt(() => NOW)(`Bearer ${await sign(payload)}`));
    expect(refusal).toMatchObject({ status: 403, issues: [{ code: 'forbidden' }] });
    expect(refusal.message).toContain('home-office');
  });
});

describe('an external issuer', () => {
  let server: Server;
  let answer: { status: number; body: string };
  let fetches: number;
  let privateKey: CryptoKey;
  const claims = { sub: 'user', azp: 'client-7', entitle_role: 'supplier', role: ['portal-user'], exp: NOW / 1000 + 600 };
  const sign = (alg = 'RS512', kid = 'k1', key = privateKey) => new SignJWT(claims).setProtectedHeader({ alg, kid }).setIssuer('https://issuer.example').setAudience('entitle').sign(key);
  const verifier = () => {
    const { port } = server.address() as AddressInfo;
    return verifierAt(() => NOW, externalIssuer({ issuer: 'https://issuer.example', jwksUrl: `http://127.0.0.1:${port}/jwks`, audience: 'entitle' }));
  };

  beforeAll(async () => {
    const pair = await generateKeyPair('RS512', { extractable: true });
    privateKey = pair.privateKey;
    const jwks = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'RS512', use: 'sig' }] };
    server = createServer((_, response) => {
      fetches += 1;
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    answer = { status: 200, body: JSON.stringify(jwks) };
  });
  afterAll(() => server.close());
  beforeEach(() => {
    fetches = 0;
  });

  test('is believed by its published keys, fetched once', async () => {
    const verify = verifier();
    expect(await verify(`Bearer ${await sign()}`)).toEqual({ role: 'supplier', client: 'client-7', subject: 'user', scopes: [] });
    await verify(`Bearer ${await sign()}`);
    expect(fetches).toBe(1);
  });

  test('switches development tokens off', async () => {
    expect((await refusalOf(async () => verifier()(`Bearer ${await issue({ role: 'admin' })}`))).status).toBe(401);
  });

  test('is not believed by a key it does not publish', async () => {
    const other = (await generateKeyPair('RS512')).privateKey;
    expect((await refusalOf(async () => verifier()(`Bearer ${await sign('RS512', 'k1', other)}`))).status).toBe(401);
    expect((await refusalOf(async () => verifier()(`Bearer ${await sign('RS512', 'k2', other)}`))).status).toBe(401);
  });

  test.each([{ status: 500, body: 'down' }, { status: 200, body: '{"keys":"none"}' }, { status: 200, body: '<html>' }])('whose keys come as %j is 503, and works when they are back', async (fault) => {
    const good = answer;
    const verify = verifier();
    answer = fault;
    const refusal = await refusalOf(async () => verify(`Bearer ${await sign()}`));
    answer = good;
    expect(refusal).toMatchObject({ status: 503, issues: [{ code: 'transient' }] });
    expect((await verify(`Bearer ${await sign()}`)).role).toBe('supplier');
  });

  test('that can\'t be reached is 503', async () => {
    const verify = verifierAt(() => NOW, externalIssuer({ issuer: 'https://issuer.example', jwksUrl: 'http://127.0.0.1:9/jwks', audience: 'entitle' }));
    expect((await refusalOf(async () => verify(`Bearer ${await sign()}`))).status).toBe(503);
  });
});
