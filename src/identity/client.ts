// A client system as an administrator registered it: who it is, in which roles it comes, what it may ask, and by which keys it proves itself.
import { ROLES, type Role } from '../fhir/caller.js';

export interface Client {
  readonly id: string;
  readonly name: string;
  /** ODS code of the organisation it speaks for; undefined for any. */
  readonly organization?: string;
  readonly roles: readonly Role[];
  /** Accredited System ID: suppliers of the Visitors and Migrants API have one. */
  readonly asid?: string;
  /** Spine interaction ids that a supplier is accredited for; `*` stands for all. Other roles are bound by theirs. */
  readonly interactions: readonly string[];
  /** `iss` of the tokens that it signs itself. */
  readonly issuer: string;
  /** Its public keys as a JWK Set (RFC 7517), or where they are. */
  readonly jwks?: { readonly keys: readonly Readonly<Record<string, unknown>>[] };
  readonly jwksUri?: string;
  /** Where the authorization server may send people back to, each compared as it is written; without any nobody signs in by this client. */
  readonly redirectUris?: readonly string[];
  /** An app that can keep no key: it signs people in by PKCE alone, and gets no token of its own. */
  readonly public?: boolean;
  /** Its tokens are bound to the certificate it connects with (RFC 8705), and it gets none without. */
  readonly certificateBound?: boolean;
  /** The most it may ask for at the token endpoint, as SMART scopes; undefined for all that its role has. */
  readonly scope?: string;
  /** Requests per second; undefined for the server's default. */
  readonly rate?: number;
  readonly active: boolean;
}

/** The client of tokens that the development server's command line gives out: in every role, of any organisation. Nobody registers it. */
export const DEVELOPMENT_CLIENT: Client = Object.freeze({
  id: 'development', name: 'Development tokens', issuer: 'development', roles: ROLES, interactions: Object.freeze(['*']), active: true,
});
