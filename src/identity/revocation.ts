// A client gives a token back: it is good no more, on whichever server. https://www.rfc-editor.org/rfc/rfc7009
import type { DevelopmentKeys } from './development-keys.js';
import { required } from './form.js';
import { OAuthError } from './oauth-error.js';
import type { Tickets } from './oauth-tickets.js';
import { readOwnToken, textClaim } from './own-token.js';
import type { Revocations } from './revocations.js';
import { ACCESS_SECONDS } from './sign-in-tokens.js';

export interface RevocationParts {
  readonly tickets: Pick<Tickets, 'find'>;
  readonly revocations: Pick<Revocations, 'revoke'>;
  readonly issuerKeys: DevelopmentKeys;
  readonly clock: () => number;
}

/** Who asks: the id of a client, for its own tokens; undefined for an administrator. A token that is unknown or over is revoked already. */
export type Revoke = (form: URLSearchParams, asker: string | undefined) => Promise<void>;

export function createRevocation({ tickets, revocations, issuerKeys, clock }: RevocationParts): Revoke {
  return async (form, asker) => {
    const token = required(form, 'token');
    const claims = await readOwnToken(token, issuerKeys, clock());
    if (claims?.jti !== undefined) {
      requireOwn(asker, textClaim(claims, 'client_id'));
      return revocations.revoke({ jti: claims.jti }, (claims.exp ?? 0) * 1000);
    }
    const ticket = await tickets.find(token);
    if (!ticket) return undefined;
    requireOwn(asker, ticket.client);
    // With the refresh token goes what was issued on it (section 2.1).
    return revocations.revoke({ grant: ticket.grant }, ticket.content.until + ACCESS_SECONDS * 1000);
  };
}

function requireOwn(asker: string | undefined, client: string | undefined): void {
  if (asker !== undefined && asker !== client) throw new OAuthError('invalid_grant', 'The token was given to another client');
}
