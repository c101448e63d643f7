// The authorization endpoint of the development server: a page that asks who signs in, and a code for the app (RFC 6749 section 4.1, RFC 7636).
import { readAnswerTo, readAuthorizationRequest, type AnswerTo, type AuthorizationRequest } from './authorization-request.js';
import type { Clients } from './clients.js';
import type { DevelopmentKeys } from './development-keys.js';
import { once } from './form.js';
import { openLaunch, type LaunchContext } from './launch.js';
import { OAuthError } from './oauth-error.js';
import type { Tickets } from './oauth-tickets.js';
import { idIn, readPerson, type Person } from './person.js';
import { faultPage, signInPage } from './sign-in-page.js';

export interface AuthorizeParts {
  readonly clients: Pick<Clients, 'find'>;
  readonly issuerKeys: DevelopmentKeys;
  readonly tickets: Tickets;
  readonly clock: () => number;
  readonly newId: () => string;
}

/** Where the request came to. */
export interface AuthorizePlace {
  /** The FHIR service. */
  readonly base: string;
  /** `iss` of the answer (RFC 9207). */
  readonly issuer: string;
}

export type AuthorizeAnswer =
  | { readonly kind: 'page'; readonly status: number; readonly html: string; /** Where the form's answer may lead. */ readonly leadsTo?: string }
  | { readonly kind: 'redirect'; readonly location: string };

/** `form`: the request's parameters, and those of the filled-in page with `decision`. */
export type AuthorizeEndpoint = (form: URLSearchParams, place: AuthorizePlace) => Promise<AuthorizeAnswer>;

const CODE_MS = 60_000;
/** How long an app may go on with `offline_access`, and without, after somebody signed in. */
const OFFLINE_MS = 30 * 24 * 3_600_000;
const ONLINE_MS = 8 * 3_600_000;

export function createAuthorizeEndpoint(parts: AuthorizeParts): AuthorizeEndpoint {
  return async (form, place) => {
    let to: AnswerTo;
    try {
      to = await readAnswerTo(form, parts.clients);
    } catch (error) {
      if (error instanceof OAuthError) return { kind: 'page', status: 400, html: faultPage(error.message) };
      throw error;
    }
    try {
      const request = readAuthorizationRequest(form, to, place.base);
      return await decide(form, to, request, place, parts);
    } catch (error) {
      if (error instanceof OAuthError) return redirect(to, place, { error: error.code, error_description: error.message });
      throw error;
    }
  };
}

async function decide(form: URLSearchParams, to: AnswerTo, request: AuthorizationRequest, place: AuthorizePlace, parts: AuthorizeParts): Promise<AuthorizeAnswer> {
  const launched = request.launch === undefined ? undefined : await openLaunch(request.launch, parts.issuerKeys, parts.clock());
  const decision = once(form, 'decision');
  if (decision === undefined) return { kind: 'page', status: 200, html: signInPage(form, to, request.scope), leadsTo: to.redirectUri };
  if (decision !== 'allow') throw new OAuthError('access_denied', 'The person refused');
  let person: Person, context: LaunchContext;
  try {
    person = readPerson(form);
    if (!to.client.roles.includes(person.role)) throw new OAuthError('invalid_request', `The client is not registered for the role ${person.role}`);
    context = contextOf(form, person, request, launched);
  } catch (error) {
    if (error instanceof OAuthError) return { kind: 'page', status: 400, html: signInPage(form, to, request.scope, error.message), leadsTo: to.redirectUri };
    throw error;
  }
  return redirect(to, place, { code: await makeCode(to, request, person, context, parts) });
}

/** The patient in context: who signs in, else whose record the app was opened from, else the one chosen. */
function contextOf(form: URLSearchParams, { self }: Person, { scope }: AuthorizationRequest, launched: LaunchContext | undefined): LaunchContext {
  const words = scope.split(' ');
  const asksPatient = words.includes('launch/patient') || words.some((word) => word.startsWith('patient/'));
  const patient = self ?? launched?.patient ?? (asksPatient ? idIn(form, 'patient') : undefined);
  if (asksPatient && patient === undefined) throw new OAuthError('invalid_request', 'Choose a patient: the app asks for one, or for scopes of one');
  const encounter = launched?.encounter ?? (words.includes('launch/encounter') ? idIn(form, 'encounter') : undefined);
  return {
    needPatientBanner: launched?.needPatientBanner ?? true,
    ...(patient !== undefined && { patient }), ...(encounter !== undefined && { encounter }), ...(launched?.intent !== undefined && { intent: launched.intent }),
  };
}

function makeCode({ client, redirectUri }: AnswerTo, { scope, challenge, nonce }: AuthorizationRequest, person: Person, context: LaunchContext, { tickets, clock, newId }: AuthorizeParts): Promise<string> {
  const now = clock();
  const until = now + (scope.split(' ').includes('offline_access') ? OFFLINE_MS : ONLINE_MS);
  const content = { person, scope, ...context, redirectUri, challenge, signedInAt: now, until, ...(nonce !== undefined && { nonce }) };
  return tickets.add({ kind: 'code', client: client.id, grant: newId(), content, expires: now + CODE_MS });
}

function redirect({ redirectUri, state }: AnswerTo, { issuer }: AuthorizePlace, parameters: Readonly<Record<string, string>>): AuthorizeAnswer {
  const url = new URL(redirectUri);
  for (const [name, value] of Object.entries({ ...parameters, iss: issuer })) url.searchParams.set(name, value);
  if (state !== undefined) url.searchParams.set('state', state);
  return { kind: 'redirect', location: url.href };
}
