// Is this token good, and what does it say? For the client it was given to, and for administrators. https://www.rfc-editor.org/rfc/rfc7662
// https://hl7.org/fhir/smart-app-launch/token-introspection.html
import type { JWTPayload } from 'jose';
import type { Clients } from './clients.js';
import type { DevelopmentKeys } from './development-keys.js';
import { required } from './form.js';
import type { Tickets } from './oauth-tickets.js';
import { fhirUserOf, subjectOf } from './person.js';
import { readOwnToken, textClaim } from './own-token.js';
import type { Revocations } from './revocations.js';

export interface IntrospectionParts {
  readonly clients: Pick<Clients, 'find'>;
  readonly tickets: Pick<Tickets, 'find'>;
  readonly revocations: Pick<Revocations, 'isRevoked'>;
  readonly issuerKeys: DevelopmentKeys;
  readonly clock: () => number;
}

/** Who asks: the id of a client, which is told of its own tokens alone; undefined for an administrator. */
export type Introspect = (form: URLSearchParams, asker: string | undefined, place: { readonly issuer: string; readonly base: string }) => Promise<object>;

const INACTIVE = { active: false };

export function createIntrospection(parts: IntrospectionParts): Introspect {
  return async (form, asker, place) => {
    const token = required(form, 'token');
    const claims = await readOwnToken(token, parts.issuerKeys, parts.clock());
    if (claims) return ofAccess(claims, asker, place, parts);
    return ofRefresh(token, asker, parts);
  };
}

async function ofAccess(claims: JWTPayload, asker: string | undefined, { issuer, base }: { readonly issuer: string; readonly base: string }, { clients, revocations }: IntrospectionParts): Promise<object> {
  const client = textClaim(claims, 'client_id') ?? '';
  const registered = await clients.find(client);
  const revoked = await revocations.isRevoked({ jti: claims.jti, grant: textClaim(claims, 'grant_id') });
  if ((asker !== undefined && asker !== client) || registered?.active === false || revoked) return INACTIVE;
  const fhirUser = textClaim(claims, 'fhir_user');
  const { exp, iat, jti, sub, cnf } = claims;
  const told = { scope: claims['scope'], client_id: client, token_type: 'Bearer', exp, iat, jti, sub, iss: issuer, aud: base, role: claims['role'], organization: claims['organization'], patient: claims['patient'], encounter: claims['encounter'], cnf };
  return { active: true, ...JSON.parse(JSON.stringify(told)) as object, ...(fhirUser !== undefined && { fhirUser: `${base}/${fhirUser}` }) };
}

async function ofRefresh(token: string, asker: string | undefined, { tickets, clients, revocations, clock }: IntrospectionParts): Promise<object> {
  const ticket = await tickets.find(token);
  if (ticket?.kind !== 'refresh' || ticket.isUsed || ticket.expires <= clock() || (asker !== undefined && asker !== ticket.client)) return INACTIVE;
  const client = await clients.find(ticket.client);
  if (client?.active === false || (await revocations.isRevoked({ grant: ticket.grant }))) return INACTIVE;
  const { person, scope, patient, encounter } = ticket.content;
  const fhirUser = fhirUserOf(person);
  return { active: true, scope, client_id: ticket.client, token_type: 'refresh_token', exp: Math.floor(ticket.expires / 1000), sub: subjectOf(person), ...(fhirUser !== undefined && { fhirUser }), ...(patient !== undefined && { patient }), ...(encounter !== undefined && { encounter }) };
}
