// Which client sends this form? By its assertion, or by its id alone where it is registered as public.
// https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html
import type { JWTPayload } from 'jose';
import { proveClient, type AssertionParts } from './client-assertion.js';
import type { Client } from './client.js';
import { once } from './form.js';
import { OAuthError } from './oauth-error.js';

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

export interface Authenticated {
  readonly client: Client;
  /** Of the assertion; undefined for a public client. */
  readonly claims: JWTPayload | undefined;
}

/** `audiences`: what an assertion may be for, each by itself. Throws an OAuthError: invalid_client. */
export async function authenticateClient(form: URLSearchParams, audiences: readonly string[], parts: AssertionParts): Promise<Authenticated> {
  const [assertion, type, id] = [once(form, 'client_assertion'), once(form, 'client_assertion_type'), once(form, 'client_id')];
  if (once(form, 'client_secret') !== undefined) throw new OAuthError('invalid_client', 'Shared secrets are not taken: sign a client_assertion');
  if (assertion === undefined && id !== undefined) {
    const client = await parts.clients.find(id);
    if (client?.public === true) {
      if (!client.active) throw new OAuthError('invalid_client', 'The client has been switched off');
      return { client, claims: undefined };
    }
  }
  if (type !== ASSERTION_TYPE || assertion === undefined) throw new OAuthError('invalid_client', `Authenticate by client_assertion, and client_assertion_type=${ASSERTION_TYPE}`);
  const proven = await proveClient(assertion, audiences, parts);
  if (id !== undefined && id !== proven.client.id) throw new OAuthError('invalid_client', 'client_id is not the client that signed the assertion');
  return proven;
}
