// Where a client gets its tokens: SMART's discovery document, OAuth's and OpenID's, and the same in the CapabilityStatement.
// https://hl7.org/fhir/smart-app-launch/conformance.html · RFC 8414 · https://openid.net/specs/openid-connect-discovery-1_0.html
import { SMART_ALGORITHMS } from '../identity/client-keys.js';
import { ID_TOKEN_ALGORITHM } from '../identity/id-token.js';
import { GRANT_TYPES } from '../identity/token-endpoint.js';
import { SIGN_IN_SCOPES } from '../identity/sign-in-scope.js';

export interface AuthorizationServer {
  /** `iss` of the tokens that are taken, where they are not our own. */
  readonly issuer: string;
  /** The origin of our own server for a base; undefined where others give the tokens. */
  readonly originOf: ((base: string) => string) | undefined;
  /** May people sign in at it? */
  readonly signIn: boolean;
  /** May web pages of others read answers? */
  readonly cors: boolean;
  /** Are tokens bound to client certificates? */
  readonly mutualTls: boolean;
}

export const PATHS = {
  authorize: '/oauth2/authorize', token: '/oauth2/token', introspect: '/oauth2/introspect', revoke: '/oauth2/revoke', launch: '/oauth2/launch',
  keys: '/.well-known/jwks.json', openid: '/.well-known/openid-configuration', oauth: '/.well-known/oauth-authorization-server',
} as const;

const METHODS = ['private_key_jwt'];
const RESOURCE_SCOPES = ['patient/*.cruds', 'patient/*.rs', 'patient/*.read', 'patient/*.write', 'user/*.cruds', 'user/*.rs', 'user/*.read', 'user/*.write', 'system/*.cruds', 'system/*.rs', 'system/*.read', 'system/*.write', 'system/Observation.rs'];
const SYSTEM_SCOPES = RESOURCE_SCOPES.filter((scope) => scope.startsWith('system/'));
const SIGN_IN_CAPABILITIES = [
  'launch-ehr', 'launch-standalone', 'authorize-post', 'client-public', 'sso-openid-connect', 'context-ehr-patient', 'context-ehr-encounter', 'context-banner', 'context-standalone-patient', 'context-standalone-encounter',
  'permission-offline', 'permission-online', 'permission-patient', 'permission-user',
];

/** The JSON text of `.well-known/smart-configuration` for a base. */
export function smartConfiguration(server: AuthorizationServer, base: string): string {
  const { originOf, signIn, issuer } = server;
  if (!originOf) return JSON.stringify({ issuer, grant_types_supported: ['client_credentials', 'authorization_code'], code_challenge_methods_supported: ['S256'], capabilities: ['permission-v1', 'permission-v2'] });
  return JSON.stringify({
    ...metadata(server, originOf(base)),
    capabilities: [...(signIn ? SIGN_IN_CAPABILITIES : []), 'client-confidential-asymmetric', 'permission-v1', 'permission-v2'],
  });
}

/** The metadata of our own authorization server, of RFC 8414 and of OpenID Connect in one; undefined where there is none. */
export function authorizationMetadata(server: AuthorizationServer, base: string): string | undefined {
  return server.originOf && JSON.stringify(metadata(server, server.originOf(base)));
}

function metadata({ signIn, mutualTls }: AuthorizationServer, origin: string): object {
  return {
    issuer: origin,
    jwks_uri: origin + PATHS.keys,
    token_endpoint: origin + PATHS.token,
    introspection_endpoint: origin + PATHS.introspect,
    revocation_endpoint: origin + PATHS.revoke,
    grant_types_supported: signIn ? GRANT_TYPES : ['client_credentials'],
    token_endpoint_auth_methods_supported: signIn ? [...METHODS, 'none'] : METHODS,
    token_endpoint_auth_signing_alg_values_supported: SMART_ALGORITHMS,
    introspection_endpoint_auth_methods_supported: METHODS,
    introspection_endpoint_auth_signing_alg_values_supported: SMART_ALGORITHMS,
    revocation_endpoint_auth_methods_supported: signIn ? [...METHODS, 'none'] : METHODS,
    revocation_endpoint_auth_signing_alg_values_supported: SMART_ALGORITHMS,
    scopes_supported: signIn ? [...SIGN_IN_SCOPES, ...RESOURCE_SCOPES] : SYSTEM_SCOPES,
    response_types_supported: signIn ? ['code'] : [],
    code_challenge_methods_supported: ['S256'],
    ...(mutualTls && { tls_client_certificate_bound_access_tokens: true }),
    ...(signIn && {
      authorization_endpoint: origin + PATHS.authorize,
      authorization_response_iss_parameter_supported: true,
      response_modes_supported: ['query'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [ID_TOKEN_ALGORITHM],
      claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'auth_time', 'nonce', 'fhirUser'],
      request_parameter_supported: false,
      request_uri_parameter_supported: false,
    }),
  };
}

/** CapabilityStatement.rest.security: which door, and where it is. */
export function securitySection({ originOf, signIn, cors }: AuthorizationServer, base: string): object {
  const origin = originOf?.(base);
  const uri = (name: keyof typeof PATHS): object => ({ url: name, valueUri: (origin ?? '') + PATHS[name] });
  return {
    ...(origin !== undefined && {
      extension: [{ url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris', extension: [...(signIn ? [uri('authorize')] : []), uri('token'), uri('introspect'), uri('revoke')] }],
    }),
    cors,
    service: [{ coding: [coding('OAuth'), coding('SMART-on-FHIR')] }],
    description: 'Bearer tokens (RFC 6750), for client systems by client_credentials with private_key_jwt, and for apps by SMART App Launch. Every interaction but this statement needs one.',
  };
}

function coding(code: string): object {
  return { system: 'http://terminology.hl7.org/CodeSystem/restful-security-service', code };
}
