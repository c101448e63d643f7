// What the claims of a verified token say about the caller. Names of claims: client_id and scope as in RFC 9068, the rest are ours.
import type { JWTPayload } from 'jose';
import { ROLES, type Caller, type Role } from '../fhir/caller.js';
import { fail } from '../fhir/errors.js';

/** A claim is missing or of the wrong kind: the token is no good, whoever signed it. */
export class BadClaim extends Error {}

/** The frozen Caller. Throws a BadClaim, or 403 for a role this server does not know. */
export function callerOf(claims: JWTPayload): Caller {
  const subject = text(claims, 'sub');
  const client = text(claims, 'client_id') ?? text(claims, 'azp') ?? subject;
  if (client === undefined) throw new BadClaim('the token names neither a client (client_id) nor a subject (sub)');
  return Object.freeze({
    role: roleOf(claims),
    client,
    subject: subject ?? client,
    scopes: Object.freeze(scopesOf(claims)),
    ...optional('patient', text(claims, 'patient')),
    ...optional('relatedPerson', text(claims, 'related_person')),
    ...optional('practitionerRole', text(claims, 'practitioner_role')),
    ...optional('organization', text(claims, 'organization')),
    ...auditOf(claims),
    ...certificateIn(claims),
  });
}

/** The certificate that the token is bound to. https://www.rfc-editor.org/rfc/rfc8705#section-3.1 */
export function certificateIn({ cnf }: JWTPayload): Pick<Caller, 'certificate'> {
  if (cnf === undefined) return {};
  const thumbprint: unknown = typeof cnf === 'object' && cnf !== null && 'x5t#S256' in cnf ? cnf['x5t#S256'] : undefined;
  // Bound to something else (DPoP, say): taken as a bearer's, it would be good for whoever has it.
  if (typeof thumbprint !== 'string') throw new BadClaim('it is bound by a confirmation (cnf) that this server does not know');
  return { certificate: thumbprint };
}

/** None where there is no such claim; a claim that names none is no way to come without. */
function scopesOf(claims: JWTPayload): string[] {
  const scope = text(claims, 'scope');
  const words = scope?.split(' ').filter((word) => word !== '') ?? [];
  if (scope !== undefined && words.length === 0) throw new BadClaim('the claim scope names no scope');
  return words;
}

/** The audit claims of the V&M API, as one claim of an access token. */
function auditOf({ vm_audit: audit }: JWTPayload): Pick<Caller, 'audit'> {
  if (audit === undefined || audit === null) return {};
  if (typeof audit !== 'object' || Array.isArray(audit)) throw new BadClaim('the claim vm_audit must be an object');
  return { audit: audit as Readonly<Record<string, unknown>> };
}

/** `entitle_role` serves issuers whose own `role` claim means something else. */
function roleOf(claims: JWTPayload): Role {
  const name = text(claims, 'entitle_role') ?? text(claims, 'role');
  const role = ROLES.find((one) => one === name);
  if (role === undefined) throw fail('forbidden', { text: `The token's role is not one this server knows: the claim role (or entitle_role) must be one of ${ROLES.join(', ')}` });
  return role;
}

function text(claims: JWTPayload, name: string): string | undefined {
  const value = claims[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || value === '') throw new BadClaim(`the claim ${name} must be a non-empty string`);
  return value;
}

function optional<K extends string>(key: K, value: string | undefined): { readonly [P in K]?: string } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: string });
}
