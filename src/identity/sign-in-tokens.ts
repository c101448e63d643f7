// Tokens for an app that somebody signed in by: for a code and its verifier, and for a refresh token, each good once.
// https://hl7.org/fhir/smart-app-launch/app-launch.html#obtain-access-token · https://www.rfc-editor.org/rfc/rfc9700#section-2.2.2
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Client } from './client.js';
import type { DevelopmentKeys } from './development-keys.js';
import { once, required } from './form.js';
import type { IdTokens } from './id-token.js';
import { issueToken } from './issue-token.js';
import { OAuthError } from './oauth-error.js';
import type { Granted, Ticket, Tickets } from './oauth-tickets.js';
import { fhirUserOf, subjectOf } from './person.js';
import type { Revocations } from './revocations.js';
import { narrowScope } from './sign-in-scope.js';
import type { IssuedToken, TokenPlace } from './issued-token.js';

/** Short: a client that has been switched off is refused at once all the same. */
export const ACCESS_SECONDS = 300;

export interface SignInParts {
  readonly tickets: Tickets;
  readonly revocations: Pick<Revocations, 'isRevoked' | 'revoke'>;
  readonly idTokens: IdTokens;
  readonly issuerKeys: DevelopmentKeys;
  readonly clock: () => number;
  readonly newId: () => string;
}

const VERIFIER = /^[A-Za-z0-9._~-]{43,128}$/;

export async function exchangeCode(form: URLSearchParams, client: Client, place: TokenPlace, parts: SignInParts): Promise<IssuedToken> {
  const code = required(form, 'code');
  const ticket = await claimed(code, 'code', client, parts);
  const { redirectUri, challenge = '' } = ticket.content;
  if (required(form, 'redirect_uri') !== redirectUri) throw invalid('redirect_uri is not the one that the code was sent to');
  const verifier = required(form, 'code_verifier');
  if (!VERIFIER.test(verifier) || !isSame(createHash('sha256').update(verifier).digest('base64url'), challenge)) throw invalid('code_verifier is not the one that code_challenge was made of');
  await useUp(code, ticket, parts);
  return issue(ticket, ticket.content.scope, client, place, parts);
}

export async function refresh(form: URLSearchParams, client: Client, place: TokenPlace, parts: SignInParts): Promise<IssuedToken> {
  const secret = required(form, 'refresh_token');
  const ticket = await claimed(secret, 'refresh', client, parts);
  const scope = narrowScope(once(form, 'scope'), ticket.content.scope);
  await useUp(secret, ticket, parts);
  return issue(ticket, scope, client, place, parts);
}

/** A ticket that this client may use now. One that was used before has been stolen, from the client or by it: all that came of its sign-in ends. */
async function claimed(secret: string, kind: Ticket['kind'], client: Client, { tickets, revocations, clock }: SignInParts): Promise<Ticket> {
  const ticket = await tickets.find(secret);
  if (ticket?.kind !== kind || ticket.client !== client.id) throw invalid('it is not known, or not this client\'s');
  if (ticket.isUsed) {
    await revocations.revoke({ grant: ticket.grant }, ticket.content.until + ACCESS_SECONDS * 1000);
    throw invalid('it has been used before: the sign-in has ended, and with it all its tokens');
  }
  if (ticket.expires <= clock()) throw invalid('it has expired');
  if (await revocations.isRevoked({ grant: ticket.grant })) throw invalid('it has been revoked');
  if (!client.roles.includes(ticket.content.person.role)) throw invalid(`the client is not registered for the role ${ticket.content.person.role} any more`);
  return ticket;
}

async function useUp(secret: string, { grant, content }: Ticket, { tickets, revocations, clock }: SignInParts): Promise<void> {
  if (await tickets.use(secret, clock())) return;
  // Another came first, a moment ago.
  await revocations.revoke({ grant }, content.until + ACCESS_SECONDS * 1000);
  throw invalid('it has been used before: the sign-in has ended, and with it all its tokens');
}

async function issue({ grant, content }: Ticket, scope: string, client: Client, place: TokenPlace, parts: SignInParts): Promise<IssuedToken> {
  const { issuerKeys, clock, newId } = parts;
  const words = content.scope.split(' ');
  const { patient, encounter, needPatientBanner, intent } = content;
  const access = await issueToken({ ...tokenOf(content, scope, client, place), grant, lifetimeSeconds: ACCESS_SECONDS }, { keys: issuerKeys, now: clock(), tokenId: newId() });
  return {
    access_token: access,
    token_type: 'Bearer',
    expires_in: ACCESS_SECONDS,
    scope,
    ...(patient !== undefined && { patient, need_patient_banner: needPatientBanner ?? true }),
    ...(encounter !== undefined && { encounter }),
    ...(intent !== undefined && { intent }),
    ...((words.includes('offline_access') || words.includes('online_access')) && { refresh_token: await nextRefresh(grant, content, client, parts) }),
    ...(words.includes('openid') && { id_token: await idToken(content, client, place, parts) }),
  };
}

function tokenOf({ person, patient, encounter }: Granted, scope: string, client: Client, { certificate }: TokenPlace): Parameters<typeof issueToken>[0] {
  const { role, organization, relatedPerson, practitionerRole } = person;
  const fhirUser = fhirUserOf(person);
  return {
    role, scope, client: client.id, subject: subjectOf(person),
    ...(patient !== undefined && { patient }), ...(encounter !== undefined && { encounter }), ...(organization !== undefined && { organization }),
    ...(relatedPerson !== undefined && { relatedPerson }), ...(practitionerRole !== undefined && { practitionerRole }),
    ...(fhirUser !== undefined && scope.split(' ').includes('fhirUser') && { fhirUser }),
    ...(certificate !== undefined && { certificate }),
  };
}

/** It goes on for as long as the sign-in does, and no longer for being renewed. */
function nextRefresh(grant: string, content: Granted, client: Client, { tickets }: SignInParts): Promise<string> {
  const { redirectUri: _redirect, challenge: _challenge, ...rest } = content;
  return tickets.add({ kind: 'refresh', client: client.id, grant, content: rest, expires: content.until });
}

function idToken({ person, nonce, signedInAt, scope }: Granted, client: Client, { issuer, base }: TokenPlace, { idTokens }: SignInParts): Promise<string> {
  const user = fhirUserOf(person);
  const asks = scope.split(' ').some((word) => word === 'fhirUser' || word === 'profile');
  return idTokens.sign({ issuer, client: client.id, subject: subjectOf(person), fhirUser: asks && user !== undefined ? `${base}/${user}` : undefined, nonce, signedInAt });
}

const isSame = (one: string, other: string): boolean => one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
const invalid = (why: string): OAuthError => new OAuthError('invalid_grant', `The code or refresh token is refused: ${why}`);
