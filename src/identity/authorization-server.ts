// The built-in authorization server for development, as one part: its endpoints over the database that all its processes share.
import type { Queryable } from '../db/database.js';
import { authenticateClient } from './authenticate-client.js';
import { createAuthorizeEndpoint, type AuthorizeEndpoint } from './authorize-endpoint.js';
import type { AssertionParts } from './client-assertion.js';
import type { DevelopmentKeys } from './development-keys.js';
import type { IdTokens } from './id-token.js';
import { createIntrospection, type Introspect } from './introspection.js';
import { makeLaunch, readLaunch } from './launch.js';
import { createTickets } from './oauth-tickets.js';
import { createRevocation, type Revoke } from './revocation.js';
import type { Revocations } from './revocations.js';
import type { IssuedToken, TokenPlace } from './issued-token.js';
import { createTokenEndpoint } from './token-endpoint.js';

/** Where a request came to, and by which certificate. */
export type Place = TokenPlace;

export interface AuthorizationEndpoints {
  readonly token: (form: URLSearchParams, place: Place) => Promise<{ readonly client: string; readonly response: IssuedToken }>;
  readonly introspect: Introspect;
  readonly revoke: Revoke;
  /** The id of the client that sends this form to `path`; throws invalid_client. */
  readonly identify: (form: URLSearchParams, place: Place, path: string) => Promise<string>;
  /** Undefined where nobody may sign in. */
  readonly authorize: AuthorizeEndpoint | undefined;
  /** A handle for an EHR launch. */
  readonly launch: ((form: URLSearchParams) => Promise<string>) | undefined;
  /** Drops what need not be remembered any more. */
  tidy(now: number): Promise<void>;
}

export interface AuthorizationServerParts extends AssertionParts {
  readonly db: Queryable;
  readonly newId: () => string;
  readonly issuerKeys: DevelopmentKeys;
  readonly revocations: Revocations;
  readonly idTokens: IdTokens;
  /** May people sign in, as whoever they say? */
  readonly signIn: boolean;
}

export function createAuthorizationServer(given: AuthorizationServerParts): AuthorizationEndpoints {
  const { issuerKeys, clock, newId, signIn } = given;
  const parts = { ...given, tickets: createTickets(given.db) };
  return {
    token: createTokenEndpoint(parts),
    introspect: createIntrospection(parts),
    revoke: createRevocation(parts),
    identify: async (form, { issuer, tokenUrl }, path) => (await authenticateClient(form, [issuer + path, tokenUrl], parts)).client.id,
    authorize: signIn ? createAuthorizeEndpoint(parts) : undefined,
    launch: signIn ? (form) => makeLaunch(readLaunch(form), issuerKeys, clock(), newId()) : undefined,
    tidy: async (now) => {
      await parts.tickets.forget(now);
      await parts.revocations.forget(now);
    },
  };
}
