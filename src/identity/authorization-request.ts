// What an app asks of the authorization endpoint, checked. https://hl7.org/fhir/smart-app-launch/app-launch.html#obtain-authorization-code
import type { Client } from './client.js';
import type { Clients } from './clients.js';
import { once, required } from './form.js';
import { OAuthError } from './oauth-error.js';
import { grantSignInScope } from './sign-in-scope.js';

/** Where the answer goes: known before anything else is looked at, since a fault before it must not be sent anywhere. */
export interface AnswerTo {
  readonly client: Client;
  readonly redirectUri: string;
  readonly state: string | undefined;
}

export interface AuthorizationRequest {
  /** Granted. */
  readonly scope: string;
  readonly challenge: string;
  readonly launch: string | undefined;
  readonly nonce: string | undefined;
}

/** The parameters of a request, in the order in which the form sends them again. */
export const REQUEST_PARAMETERS: readonly string[] = ['response_type', 'client_id', 'redirect_uri', 'scope', 'state', 'aud', 'launch', 'code_challenge', 'code_challenge_method', 'nonce'];

const CHALLENGE = /^[A-Za-z0-9_-]{43}$/;
const LONGEST = 2000;

/** Throws an OAuthError that must be shown here and not redirected: a client or a redirect_uri that is not registered. */
export async function readAnswerTo(form: URLSearchParams, clients: Pick<Clients, 'find'>): Promise<AnswerTo> {
  const client = await clients.find(required(form, 'client_id'));
  if (!client?.active) throw new OAuthError('invalid_request', 'There is no such client, or it has been switched off: an administrator registers it');
  const redirectUri = required(form, 'redirect_uri');
  if (!client.redirectUris?.includes(redirectUri)) throw new OAuthError('invalid_request', 'redirect_uri is not one that is registered for this client');
  return { client, redirectUri, state: form.getAll('state').length === 1 ? once(form, 'state') : undefined };
}

/** Throws an OAuthError for the app. `base`: the FHIR service, the only audience. */
export function readAuthorizationRequest(form: URLSearchParams, { client }: AnswerTo, base: string): AuthorizationRequest {
  const long = [...form].find(([, value]) => value.length > LONGEST);
  if (long) throw new OAuthError('invalid_request', `${long[0].slice(0, 60)} is too long`);
  if (required(form, 'response_type') !== 'code') throw new OAuthError('unsupported_response_type', 'response_type must be code');
  required(form, 'state');
  const aud = required(form, 'aud').replace(/\/$/, '');
  if (aud !== base) throw new OAuthError('invalid_request', `aud must be ${base}`);
  const challenge = required(form, 'code_challenge');
  if (once(form, 'code_challenge_method') !== 'S256' || !CHALLENGE.test(challenge)) throw new OAuthError('invalid_request', 'Send code_challenge with code_challenge_method=S256 (RFC 7636)');
  const scope = grantSignInScope(required(form, 'scope'), client.scope);
  const launch = once(form, 'launch');
  if (scope.split(' ').includes('launch') && launch === undefined) throw new OAuthError('invalid_request', 'The scope launch needs the parameter launch; an app that was opened by itself asks for launch/patient');
  return { scope, challenge, launch: scope.split(' ').includes('launch') ? launch : undefined, nonce: once(form, 'nonce') };
}
