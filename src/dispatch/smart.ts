// Where a client gets its tokens: SMART's discovery document, and the same in the CapabilityStatement.
// https://hl7.org/fhir/smart-app-launch/conformance.html
import { CLIENT_ALGORITHMS } from '../identity/client-keys.js';

/** As far as a client needs it; `tokenUrl` is undefined where another issuer gives the tokens, and nobody has said where. */
export interface AuthorizationServer {
  readonly issuer: string;
  readonly tokenUrl: ((base: string) => string) | undefined;
}

/** The JSON text of `.well-known/smart-configuration` for a base. */
export function smartConfiguration({ issuer, tokenUrl }: AuthorizationServer, base: string): string {
  return JSON.stringify({
    issuer,
    ...(tokenUrl && { token_endpoint: tokenUrl(base) }),
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: ['private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: CLIENT_ALGORITHMS,
    scopes_supported: ['system/*.cruds', 'system/*.rs', 'system/Observation.rs'],
    capabilities: ['client-confidential-asymmetric', 'permission-v1', 'permission-v2'],
  });
}

/** CapabilityStatement.rest.security: which door, and where it is. */
export function securitySection({ tokenUrl }: AuthorizationServer, base: string): object {
  return {
    ...(tokenUrl && {
      extension: [{ url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris', extension: [{ url: 'token', valueUri: tokenUrl(base) }] }],
    }),
    cors: false,
    service: [{ coding: [coding('OAuth'), coding('SMART-on-FHIR')] }],
    description: 'Bearer tokens (RFC 6750), for client systems by client_credentials with private_key_jwt. Every interaction but this statement needs one.',
  };
}

function coding(code: string): object {
  return { system: 'http://terminology.hl7.org/CodeSystem/restful-security-service', code };
}
