// Issues a token of the development authorization server: a JWT (RFC 7519) that says who the bearer is.
import { SignJWT } from 'jose';
import type { Role } from '../fhir/caller.js';
import { DEVELOPMENT_ALGORITHM, type DevelopmentKeys } from './development-keys.js';
import { DEVELOPMENT_AUDIENCE, DEVELOPMENT_ISSUER } from './trusted-issuer.js';

/** Thirty days: longer than any real token, so that a test may shift the server's clock by days and go on with the tokens it has. */
export const DEVELOPMENT_LIFETIME_SECONDS = 30 * 24 * 3600;

export interface TokenRequest {
  readonly role: Role;
  /** The OAuth client the token is for. Default `development`. */
  readonly client?: string;
  /** Default: the client and the role. */
  readonly subject?: string;
  /** Space-separated; left out, or of activity codes alone, the token carries all that its role does. */
  readonly scope?: string;
  readonly patient?: string;
  readonly relatedPerson?: string;
  readonly practitionerRole?: string;
  /** ODS code. */
  readonly organization?: string;
  readonly encounter?: string;
  /** `Patient/1`: who signed in. */
  readonly fhirUser?: string;
  /** The sign-in that the token goes back to; revoked with it. */
  readonly grant?: string;
  /** SHA-256 of the certificate that it is bound to, in base64url (RFC 8705). */
  readonly certificate?: string;
  /** The audit claims of the V&M API. */
  readonly vmAudit?: object;
  /** Default thirty days. */
  readonly lifetimeSeconds?: number;
}

export interface IssueContext {
  readonly keys: DevelopmentKeys;
  /** Milliseconds since the epoch, by the same clock as the server's. */
  readonly now: number;
  /** For `jti`. */
  readonly tokenId: string;
}

/** National activity codes (B0259) are given beside scopes of resources, and narrow nothing. */
const ACTIVITIES = /^B\d{4}(?: B\d{4})*$/;

const scopeOf = (scope: string | undefined): string | undefined => (scope !== undefined && ACTIVITIES.test(scope) ? `user/*.cruds ${scope}` : scope);

/** The signed token in compact form. */
export async function issueToken(request: TokenRequest, context: IssueContext): Promise<string> {
  const issuedAt = Math.floor(context.now / 1000);
  const client = request.client ?? 'development';
  const claims = {
    client_id: client,
    role: request.role,
    scope: scopeOf(request.scope),
    patient: request.patient,
    related_person: request.relatedPerson,
    practitioner_role: request.practitionerRole,
    organization: request.organization,
    encounter: request.encounter,
    fhir_user: request.fhirUser,
    grant_id: request.grant,
    vm_audit: request.vmAudit,
    ...(request.certificate !== undefined && { cnf: { 'x5t#S256': request.certificate } }),
  };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: DEVELOPMENT_ALGORITHM, typ: 'JWT' })
    .setIssuer(DEVELOPMENT_ISSUER)
    .setAudience(DEVELOPMENT_AUDIENCE)
    .setSubject(request.subject ?? `${client}/${request.role}`)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + (request.lifetimeSeconds ?? DEVELOPMENT_LIFETIME_SECONDS))
    .setJti(context.tokenId)
    .sign(context.keys.privateKey);
}
