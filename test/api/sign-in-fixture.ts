// An app that somebody signs in by: PKCE, the authorization endpoint, and the exchange.
import { createHash, randomBytes } from 'node:crypto';
import type { TestServer } from '../server.js';
import { askToken, origin, type Reply } from './client-fixture.js';

export const REDIRECT = 'https://app.example/callback?from=fhir';

export interface Redirected {
  readonly status: number;
  readonly html: string;
  readonly headers: Headers;
  /** Of the Location; empty where there was none. */
  readonly parameters: URLSearchParams;
}

export const verifier = (): string => randomBytes(32).toString('base64url');
export const challengeOf = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** The parameters of a good request; undefined leaves one out. */
export function request(server: TestServer, changed: Readonly<Record<string, string | undefined>> = {}, secret = verifier()): URLSearchParams {
  const all = {
    response_type: 'code', client_id: 'app', redirect_uri: REDIRECT, scope: 'launch/patient patient/*.rs', state: 'xyz', aud: server.base,
    code_challenge: challengeOf(secret), code_challenge_method: 'S256', ...changed,
  };
  return new URLSearchParams(Object.entries(all).filter((pair): pair is [string, string] => typeof pair[1] === 'string'));
}

export async function authorize(server: TestServer, form: URLSearchParams, method: 'GET' | 'POST' = 'POST'): Promise<Redirected> {
  const url = `${origin(server)}/oauth2/authorize`;
  const response = method === 'GET' ? await fetch(`${url}?${form.toString()}`, { redirect: 'manual' })
    : await fetch(url, { method, redirect: 'manual', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: form.toString() });
  const location = response.headers.get('location');
  return { status: response.status, html: await response.text(), headers: response.headers, parameters: location === null ? new URLSearchParams() : new URL(location).searchParams };
}

/** Signs in as a person and gives the code; `person`: the fields of the page. */
export async function codeFor(server: TestServer, person: Readonly<Record<string, string>>, changed: Readonly<Record<string, string | undefined>> = {}, secret = verifier()): Promise<{ code: string; secret: string }> {
  const form = request(server, changed, secret);
  for (const [name, value] of Object.entries({ decision: 'allow', ...person })) form.set(name, value);
  const { parameters, html, status } = await authorize(server, form);
  const code = parameters.get('code');
  if (code === null) throw new Error(`no code: ${status} ${parameters.toString()} ${html}`);
  return { code, secret };
}

export function exchangeCode(server: TestServer, { code, secret }: { readonly code: string; readonly secret: string }, rest: Readonly<Record<string, string>> = {}): Promise<Reply> {
  return askToken(server, { grant_type: 'authorization_code', code, code_verifier: secret, redirect_uri: REDIRECT, client_id: 'app', ...rest });
}

export async function signIn(server: TestServer, person: Readonly<Record<string, string>>, changed: Readonly<Record<string, string | undefined>> = {}): Promise<Reply> {
  return exchangeCode(server, await codeFor(server, person, changed), changed['client_id'] === undefined ? {} : { client_id: changed['client_id'] });
}

export const refresh = (server: TestServer, token: string, rest: Readonly<Record<string, string>> = {}): Promise<Reply> => askToken(server, { grant_type: 'refresh_token', refresh_token: token, client_id: 'app', ...rest });
