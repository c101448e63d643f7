// The token endpoint of the built-in authorization server: client_credentials with private_key_jwt (RFC 6749 section 4.4, SMART Backend Services).
import type { Role } from '../fhir/caller.js';
import type { Client } from './client.js';
import { proveClient, type AssertionParts, type Proven } from './client-assertion.js';
import type { DevelopmentKeys } from './development-keys.js';
import { grantScope } from './grant-scope.js';
import { issueToken } from './issue-token.js';
import { OAuthError } from './oauth-error.js';

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** Short: a client that has been switched off is refused at once all the same. */
export const ACCESS_SECONDS = 300;

/** Roles of people: no client has them without a user who signs in. */
const PERSONAL: ReadonlySet<Role> = new Set<Role>(['patient', 'nominee', 'care-coordinator', 'broker', 'budget-manager', 'ovm']);

export interface TokenParts extends AssertionParts {
  readonly issuerKeys: DevelopmentKeys;
  readonly newId: () => string;
}

export interface IssuedToken {
  readonly access_token: string;
  readonly token_type: 'Bearer';
  readonly expires_in: number;
  readonly scope: string;
}

/** Answers a form; `tokenUrl` is the audience that the assertion must name. Rejects with an OAuthError. */
export type TokenEndpoint = (form: URLSearchParams, tokenUrl: string) => Promise<IssuedToken>;

export function createTokenEndpoint(parts: TokenParts): TokenEndpoint {
  return async (form, tokenUrl) => {
    const grant = once(form, 'grant_type');
    if (grant === undefined) throw new OAuthError('invalid_request', 'grant_type is missing: it must be client_credentials');
    if (grant !== 'client_credentials') throw new OAuthError('unsupported_grant_type', 'grant_type must be client_credentials');
    const assertion = once(form, 'client_assertion');
    if (once(form, 'client_assertion_type') !== ASSERTION_TYPE || assertion === undefined)
      throw new OAuthError('invalid_client', `Authenticate by client_assertion, and client_assertion_type=${ASSERTION_TYPE}`);
    const asked = { role: once(form, 'entitle_role'), scope: once(form, 'scope'), client: once(form, 'client_id') };
    const proven = await proveClient(assertion, tokenUrl, parts);
    if (asked.client !== undefined && asked.client !== proven.client.id) throw new OAuthError('invalid_client', 'client_id is not the client that signed the assertion');
    return issue(proven, roleOf(proven.client, asked.role), grantScope(asked.scope, proven.client.scope), parts);
  };
}

async function issue({ client, claims }: Proven, role: Role, scope: string, { issuerKeys, clock, newId }: TokenParts): Promise<IssuedToken> {
  const request = { role, scope, client: client.id, subject: client.id, lifetimeSeconds: ACCESS_SECONDS, ...auditOf(claims), ...(client.organization !== undefined && { organization: client.organization }) };
  const token = await issueToken(request, { keys: issuerKeys, now: clock(), tokenId: newId() });
  return { access_token: token, token_type: 'Bearer', expires_in: ACCESS_SECONDS, scope };
}

/** The audit claims of the V&M API go from the assertion into the token. */
function auditOf({ vm_audit: audit }: Proven['claims']): { readonly vmAudit?: object } {
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

function once(form: URLSearchParams, name: string): string | undefined {
  const [value, ...others] = form.getAll(name);
  if (others.length > 0) throw new OAuthError('invalid_request', `${name} is given more than once`);
  return value;
}
