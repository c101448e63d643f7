// The token endpoint of the built-in authorization server (RFC 6749 section 3.2): client_credentials with private_key_jwt (SMART Backend
// Services), and codes and refresh tokens of people who signed in.
import type { Role } from '../fhir/caller.js';
import { authenticateClient, type Authenticated } from './authenticate-client.js';
import type { AssertionParts } from './client-assertion.js';
import type { Client } from './client.js';
import { once } from './form.js';
import { grantScope } from './grant-scope.js';
import { issueToken } from './issue-token.js';
import { OAuthError } from './oauth-error.js';
import type { IssuedToken, TokenPlace } from './issued-token.js';
import { ACCESS_SECONDS, exchangeCode, refresh, type SignInParts } from './sign-in-tokens.js';

/** Roles of people: no client has them without a user who signs in. */
const PERSONAL: ReadonlySet<Role> = new Set<Role>(['patient', 'nominee', 'care-coordinator', 'broker', 'budget-manager', 'ovm']);

export type TokenParts = AssertionParts & SignInParts;

/** Answers a form, and says whose it was. Rejects with an OAuthError. */
export type TokenEndpoint = (form: URLSearchParams, place: TokenPlace) => Promise<{ readonly client: string; readonly response: IssuedToken }>;

export const GRANT_TYPES = ['client_credentials', 'authorization_code', 'refresh_token'] as const;

export function createTokenEndpoint(parts: TokenParts): TokenEndpoint {
  return async (form, place) => {
    const type = once(form, 'grant_type');
    if (type === undefined) throw new OAuthError('invalid_request', `grant_type is missing: it must be one of ${GRANT_TYPES.join(', ')}`);
    const grant = GRANT_TYPES.find((one) => one === type);
    if (grant === undefined) throw new OAuthError('unsupported_grant_type', `grant_type must be one of ${GRANT_TYPES.join(', ')}`);
    const authenticated = await authenticateClient(form, [place.tokenUrl], parts);
    const { client } = authenticated;
    const bound = { ...place, certificate: certificateOf(client, place) };
    const response = grant === 'authorization_code' ? exchangeCode(form, client, bound, parts) : grant === 'refresh_token' ? refresh(form, client, bound, parts) : ofClient(form, authenticated, bound, parts);
    return { client: client.id, response: await response };
  };
}

function certificateOf({ certificateBound }: Client, { certificate }: TokenPlace): string | undefined {
  if (certificateBound !== true) return undefined;
  if (certificate === undefined) throw new OAuthError('invalid_client', 'The tokens of this client are bound to its certificate: connect by mutual TLS');
  return certificate;
}

async function ofClient(form: URLSearchParams, { client, claims }: Authenticated, { certificate }: TokenPlace, { issuerKeys, clock, newId }: TokenParts): Promise<IssuedToken> {
  if (claims === undefined) throw new OAuthError('unauthorized_client', 'A public client has no token of its own: somebody signs in by it');
  const role = roleOf(client, once(form, 'entitle_role'));
  const [asked, ...others] = form.getAll('scope');
  if (others.length > 0) throw new OAuthError('invalid_request', 'scope is given more than once');
  const scope = grantScope(asked, client.scope);
  const { organization } = client;
  const request = {
    role, scope, client: client.id, subject: client.id, lifetimeSeconds: ACCESS_SECONDS, ...auditOf(claims),
    ...(organization !== undefined && { organization }), ...(certificate !== undefined && { certificate }),
  };
  const token = await issueToken(request, { keys: issuerKeys, now: clock(), tokenId: newId() });
  return { access_token: token, token_type: 'Bearer', expires_in: ACCESS_SECONDS, scope };
}

/** The audit claims of the V&M API go from the assertion into the token. */
function auditOf({ vm_audit: audit }: NonNullable<Authenticated['claims']>): { readonly vmAudit?: object } {
  if (audit === undefined) return {};
  if (typeof audit !== 'object' || audit === null || Array.isArray(audit)) throw new OAuthError('invalid_request', 'The claim vm_audit of the assertion must be an object');
  return { vmAudit: audit };
}

function roleOf(client: Client, asked: string | undefined): Role {
  const roles = client.roles.filter((role) => !PERSONAL.has(role));
  const role = asked === undefined && roles.length === 1 ? roles[0] : roles.find((one) => one === asked);
  if (role !== undefined) return role;
  if (roles.length === 0) throw new OAuthError('unauthorized_client', 'The client is registered for roles of people alone, who must sign in');
  throw new OAuthError('invalid_request', `entitle_role must say in which of its roles the client comes: ${roles.join(', ')}`);
}
