// Is a signed JWT an access token, or something else that the same issuer signs? https://www.rfc-editor.org/rfc/rfc8725#section-3.11
import type { JWTPayload } from 'jose';
import { BadClaim } from './caller-claims.js';

/** `at+jwt` is RFC 9068's; before it issuers wrote JWT or nothing. Logout tokens, proofs and security events say what they are. */
const ACCESS_TYPES: ReadonlySet<string> = new Set(['jwt', 'at+jwt']);
/** How issuers mark in the payload what is none: Keycloak by `typ`, Cognito by `token_use`. */
const OTHERS: ReadonlySet<unknown> = new Set(['id', 'refresh', 'offline', 'logout']);

/** Throws a BadClaim. `typ` is the header's; of one that says nothing the audience alone decides. */
export function requireAccessToken(typ: unknown, payload: JWTPayload): void {
  if (typ !== undefined && !(typeof typ === 'string' && ACCESS_TYPES.has(typ.toLowerCase().replace(/^application\//, '')))) throw new BadClaim('it is no access token by its typ');
  for (const mark of [payload['typ'], payload['token_use']]) {
    if (typeof mark === 'string' && OTHERS.has(mark.toLowerCase())) throw new BadClaim(`it is no access token but one of kind ${mark}`);
  }
}
