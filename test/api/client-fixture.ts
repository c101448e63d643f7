// A supplier's system as a client of the test server: its keys, its registration, and what it signs.
import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import type { TestServer } from '../server.js';

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
export const VM_INTERACTION = 'urn:nhs:names:services:visitorsandmigrants:fhir:rest:search:observation';

export interface KeyPair {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly jwk: JWK;
}

export async function keyPair(alg: string, kid: string): Promise<KeyPair> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, kid, privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid, alg } };
}

export const origin = (server: TestServer): string => new URL(server.base).origin;
export const tokenUrl = (server: TestServer): string => `${origin(server)}/oauth2/token`;

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: any;
}

export async function call(url: string, init: RequestInit = {}): Promise<Reply> {
  const response = await fetch(url, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
}

/** PUT /admin/clients/[id] as the administrator. */
export function registerClient(server: TestServer, id: string, registration: object, token = server.tokens.admin): Promise<Reply> {
  return call(`${origin(server)}/admin/clients/${id}`, { method: 'PUT', headers: { authorization: `Bearer ${token}` }, body: JSON.stringify(registration) });
}

export const supplier = (key: KeyPair, rest: object = {}): object => ({
  name: 'A supplier', roles: ['supplier'], asid: '200000000115', organization: 'RR8', interactions: ['*'], jwks: { keys: [key.jwk] }, ...rest,
});

/** A client assertion, with what is changed of it; a claim or header of undefined is left out. */
export function assertion(server: TestServer, client: string, key: KeyPair, changed: { claims?: object; header?: object } = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: client, sub: client, aud: tokenUrl(server), jti: randomUUID(), iat: now, exp: now + 240, ...changed.claims };
  return new SignJWT(JSON.parse(JSON.stringify(claims))).setProtectedHeader(JSON.parse(JSON.stringify({ alg: key.alg, kid: key.kid, typ: 'JWT', ...changed.header }))).sign(key.privateKey);
}

export function askToken(server: TestServer, form: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
  return call(tokenUrl(server), { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers }, body: new URLSearchParams(form).toString() });
}

export async function exchange(server: TestServer, signed: string | Promise<string>, rest: Readonly<Record<string, string>> = {}): Promise<Reply> {
  return askToken(server, { grant_type: 'client_credentials', client_assertion_type: ASSERTION_TYPE, client_assertion: await signed, ...rest });
}
