// Who is asking, as one part of the service: tokens verified, their clients admitted, and the built-in token endpoint.
import type { Queryable } from '../db/database.js';
import { createAdmission } from './admit.js';
import { createCdsVerifier, type CdsVerifier } from './cds-client.js';
import { createClientKeys } from './client-keys.js';
import { createClients, type Clients } from './clients.js';
import type { DevelopmentKeys } from './development-keys.js';
import { createSelfSignedVerifier } from './self-signed.js';
import { createTokenEndpoint, type TokenEndpoint } from './token-endpoint.js';
import { createUsedAssertions } from './used-assertions.js';
import { developmentIssuer, DEVELOPMENT_ISSUER } from './trusted-issuer.js';
import { createTokenVerifier, type TokenVerifier } from './verify-token.js';

/** Whose access tokens are believed; `keys` where the server issues them itself. */
export interface Authority {
  readonly issuer: string;
  readonly verify: TokenVerifier;
  readonly keys: DevelopmentKeys | undefined;
}

/** The built-in development authorization server. */
export function developmentAuthority(keys: DevelopmentKeys, clock: () => number): Authority {
  return { issuer: DEVELOPMENT_ISSUER, verify: createTokenVerifier({ issuer: developmentIssuer(keys), clock }), keys };
}

export interface IdentityParts {
  readonly db: Queryable;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly newId: () => string;
  readonly authority: Authority;
  /** Are tokens taken that a supplier's system signs itself, and unsigned ones? */
  readonly selfSigned: boolean;
  readonly unsigned: boolean;
}

export interface Identity {
  readonly clients: Clients;
  readonly authenticate: TokenVerifier;
  /** Of calls to CDS services. */
  readonly authenticateCds: CdsVerifier;
  readonly token: TokenEndpoint | undefined;
  /** Drops what the token endpoint need not remember any more. */
  tidy(): Promise<void>;
}

export function createIdentity({ db, clock, newId, authority, selfSigned, unsigned }: IdentityParts): Identity {
  const { issuer, verify, keys: issuerKeys } = authority;
  const clients = createClients({ db, clock, development: issuerKeys !== undefined });
  const keys = createClientKeys();
  const used = createUsedAssertions(db);
  const verifier = selfSigned ? createSelfSignedVerifier({ clients, keys, otherwise: verify, issuer, takeUnsigned: unsigned }) : verify;
  const authenticate = createAdmission(verifier, clients);
  return {
    clients,
    authenticate,
    // What signs for one call only is no access token of the FHIR service, and the other way round.
    authenticateCds: createCdsVerifier({ clients, keys, used, clock, otherwise: createAdmission(verify, clients) }),
    token: issuerKeys && createTokenEndpoint({ clients, keys, used, issuerKeys, clock, newId }),
    tidy: () => used.forget(clock()),
  };
}
