// Who is asking, as one part of the service: tokens verified, their clients admitted, and the built-in authorization server.
import type { JWK } from 'jose';
import type { Queryable } from '../db/database.js';
import { createAdmission } from './admit.js';
import { createAuthorizationServer, type AuthorizationEndpoints } from './authorization-server.js';
import { createCdsVerifier, type CdsVerifier } from './cds-client.js';
import { createClientKeys } from './client-keys.js';
import { createClients, type Clients } from './clients.js';
import type { DevelopmentKeys } from './development-keys.js';
import type { ExternalIssuer } from './external-issuer.js';
import { createIdTokens } from './id-token.js';
import { trusted, type MappingParts } from './map-claims.js';
import { createRevocations } from './revocations.js';
import { createSelfSignedVerifier } from './self-signed.js';
import { createUsedAssertions } from './used-assertions.js';
import { developmentIssuer } from './trusted-issuer.js';
import { createTokenVerifier, type TokenVerifier } from './verify-token.js';

/** Whose access tokens are believed: our own development server's, or others'. */
export type Authority = { readonly kind: 'development'; readonly keys: DevelopmentKeys } | { readonly kind: 'external'; readonly issuers: readonly ExternalIssuer[] };

/** The built-in development authorization server. */
export const developmentAuthority = (keys: DevelopmentKeys): Authority => ({ kind: 'development', keys });

export interface IdentityParts {
  readonly db: Queryable;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly newId: () => string;
  readonly authority: Authority;
  /** Are tokens taken that a supplier's system signs itself, and unsigned ones? */
  readonly selfSigned: boolean;
  readonly unsigned: boolean;
  /** May people sign in at the development server, as whoever they say? */
  readonly signIn: boolean;
  /** For external issuers that name people by their identifiers. */
  readonly find: MappingParts['find'];
}

export interface Identity {
  readonly clients: Clients;
  readonly authenticate: TokenVerifier;
  /** Of calls to CDS services. */
  readonly authenticateCds: CdsVerifier;
  readonly server: AuthorizationEndpoints | undefined;
  /** The key that id_tokens are signed with, where there are any. */
  readonly idTokenKeys: () => Promise<readonly JWK[]>;
  /** Drops what need not be remembered any more. */
  tidy(): Promise<void>;
}

export function createIdentity({ db, clock, newId, authority, selfSigned, unsigned, signIn, find }: IdentityParts): Identity {
  const issuerKeys = authority.kind === 'development' ? authority.keys : undefined;
  const clients = createClients({ db, clock, development: issuerKeys !== undefined });
  const keys = createClientKeys();
  const used = createUsedAssertions(db);
  const revocations = createRevocations({ db, clock });
  const issuers = authority.kind === 'development' ? [developmentIssuer(authority.keys)] : authority.issuers.map((one) => trusted(one, { clients, find }));
  const verify = createTokenVerifier({ issuers, clock, revocations });
  const known = new Set(issuers.map(({ issuer }) => issuer));
  const verifier = selfSigned ? createSelfSignedVerifier({ clients, keys, otherwise: verify, issuers: known, takeUnsigned: unsigned }) : verify;
  const idTokens = createIdTokens({ db, clock });
  const server = issuerKeys && createAuthorizationServer({ db, clients, keys, used, clock, newId, issuerKeys, revocations, idTokens, signIn });
  return {
    clients,
    authenticate: createAdmission(verifier, clients),
    // What signs for one call only is no access token of the FHIR service, and the other way round.
    authenticateCds: createCdsVerifier({ clients, keys, used, clock, otherwise: createAdmission(verify, clients) }),
    server,
    idTokenKeys: async () => (server && signIn ? [await idTokens.publicKey()] : []),
    tidy: async () => {
      await used.forget(clock());
      await server?.tidy(clock());
    },
  };
}
