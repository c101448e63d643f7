// The doors of the built-in authorization server, beside the FHIR service: tokens, their introspection and revocation, and what they are found by.
// https://www.rfc-editor.org/rfc/rfc6749#section-3 · RFC 7009 · RFC 7662 · RFC 8414
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PATHS } from '../dispatch/smart.js';
import type { Caller } from '../fhir/caller.js';
import { fail, FhirError } from '../fhir/errors.js';
import { OAuthError } from '../identity/oauth-error.js';
import type { AuthorizationEndpoints, Place } from '../identity/authorization-server.js';
import type { TokenVerifier } from '../identity/verify-token.js';
import type { AddressLimit } from './address-limit.js';
import type { PresentedBy } from './client-certificate.js';
import { identified } from './door-record.js';
import { echoTraces } from './reply.js';
import type { TransportCheck } from './transport.js';

export interface OAuthDoor {
  /** Undefined where other issuers' tokens are taken, not our own. */
  readonly server: AuthorizationEndpoints | undefined;
  /** Where this caller sees the server. */
  readonly placeOf: (host: string | undefined) => Omit<Place, 'certificate'>;
  /** The metadata for a base, as JSON text. */
  readonly metadata: (base: string) => string | undefined;
  readonly authenticate: TokenVerifier;
  readonly presented: PresentedBy;
  readonly requireTransport: TransportCheck;
  readonly limitAddress: AddressLimit;
  readonly onFailure: (error: unknown) => void;
}

const LONGEST_FORM = 65_536;
const FORM = /^application\/x-www-form-urlencoded(?:;|$)/i;
const NO_STORE = { 'cache-control': 'no-store', pragma: 'no-cache' };

type Work = (form: URLSearchParams, place: Place, request: FastifyRequest) => Promise<object | undefined>;

export function registerOAuthDoor(app: FastifyInstance, door: OAuthDoor): void {
  const { server } = door;
  for (const url of [PATHS.openid, PATHS.oauth]) app.get(url, (request, to) => describe(request, to, door));
  if (server === undefined) return;
  post(app, PATHS.token, door, async (form, place, request) => {
    const { client, response } = await server.token(form, place);
    identified(request, { client });
    return response;
  });
  post(app, PATHS.introspect, door, async (form, place, request) => server.introspect(form, await askerOf(form, place, request, door, server), place));
  post(app, PATHS.revoke, door, async (form, place, request) => {
    await server.revoke(form, await askerOf(form, place, request, door, server));
    return undefined;
  });
  const { authorize, launch } = server;
  if (!authorize || !launch) return;
  app.get(PATHS.authorize, (request, to) => answerAuthorize(request, to, door, authorize, new URLSearchParams(queryOf(request))));
  app.post(PATHS.authorize, { bodyLimit: LONGEST_FORM }, (request, to) => answerAuthorize(request, to, door, authorize));
  post(app, PATHS.launch, door, async (form, place, request) => {
    identified(request, await door.authenticate(request.headers.authorization, door.presented(request)));
    return { launch: await launch(form), iss: place.base };
  });
}

function describe(request: FastifyRequest, to: FastifyReply, { metadata, placeOf }: OAuthDoor): FastifyReply {
  const text = metadata(placeOf(request.headers.host).base);
  if (text === undefined) return send(request, to, 404, { error: 'not_found', error_description: 'The tokens that are taken here are given by other servers' });
  return to.headers({ 'content-type': 'application/json; charset=utf-8', 'cache-control': 'public, max-age=300' }).send(text);
}

function post(app: FastifyInstance, url: string, door: OAuthDoor, work: Work): void {
  app.post(url, { bodyLimit: LONGEST_FORM }, (request, to) => answer(request, to, door, work));
  app.route({ method: ['GET', 'PUT', 'PATCH', 'DELETE'], url, handler: (request, to) => send(request, to.header('allow', 'POST'), 405, { error: 'invalid_request', error_description: 'This endpoint takes POST' }) });
}

async function answer(request: FastifyRequest, to: FastifyReply, door: OAuthDoor, work: Work): Promise<FastifyReply> {
  try {
    door.requireTransport(request.headers);
    const body = await work(formOf(request), placeOf(request, door), request);
    return await send(request, to, 200, body);
  } catch (error) {
    return refuse(error, request, to, door);
  }
}

async function answerAuthorize(request: FastifyRequest, to: FastifyReply, door: OAuthDoor, authorize: NonNullable<AuthorizationEndpoints['authorize']>, given?: URLSearchParams): Promise<FastifyReply> {
  try {
    door.requireTransport(request.headers);
    const answered = await authorize(given ?? formOf(request), placeOf(request, door));
    to.headers(NO_STORE);
    if (answered.kind === 'redirect') return await to.code(302).header('location', answered.location).send();
    // A browser also asks this policy of where the form's answer leads.
    const leadsTo = answered.leadsTo === undefined ? '' : ` ${originOf(answered.leadsTo)}`;
    to.headers({ 'content-security-policy': `default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'${leadsTo}` });
    return await to.code(answered.status).header('content-type', 'text/html; charset=utf-8').send(answered.html);
  } catch (error) {
    return refuse(error, request, to, door);
  }
}

/** `https://app.example`, or `myapp:` of an app on a device. */
function originOf(uri: string): string {
  const { origin, protocol } = new URL(uri);
  return origin === 'null' ? protocol : origin;
}

/** A client by its assertion, or an administrator by a token: of whom it is undefined, and who is told of everybody's tokens. */
async function askerOf(form: URLSearchParams, place: Place, request: FastifyRequest, door: OAuthDoor, server: AuthorizationEndpoints): Promise<string | undefined> {
  if (request.headers.authorization !== undefined) {
    const caller: Caller = identified(request, await door.authenticate(request.headers.authorization, door.presented(request)));
    if (caller.role === 'admin' && caller.scopes.length === 0) return undefined;
    throw fail('forbidden', { text: 'With a bearer token an administrator alone asks about tokens; a client signs a client_assertion' });
  }
  const asker = await server.identify(form, place, request.url.startsWith(PATHS.introspect) ? PATHS.introspect : PATHS.revoke);
  identified(request, { client: asker });
  return asker;
}

const placeOf = (request: FastifyRequest, door: OAuthDoor): Place => ({ ...door.placeOf(request.headers.host), certificate: door.presented(request)?.certificate });

function refuse(error: unknown, request: FastifyRequest, to: FastifyReply, door: OAuthDoor): FastifyReply {
  const isUnknown = (error instanceof OAuthError && error.code === 'invalid_client') || (error instanceof FhirError && error.status === 401);
  const tooMany = isUnknown ? door.limitAddress(request.ip) : undefined;
  if (tooMany) return send(request, to.headers(tooMany.headers), tooMany.status, { error: 'temporarily_unavailable', error_description: wordsOf(tooMany.message) });
  if (error instanceof OAuthError) return send(request, to, error.status, { error: error.code, error_description: wordsOf(error.message) });
  if (error instanceof FhirError) return send(request, to.headers(error.headers), error.status, { error: error.status === 401 ? 'invalid_token' : 'access_denied', error_description: wordsOf(error.message) });
  door.onFailure(error);
  return send(request, to, 500, { error: 'server_error', error_description: 'The server failed; no token was issued' });
}

function formOf(request: FastifyRequest): URLSearchParams {
  const { headers, body } = request;
  if (!FORM.test(headers['content-type'] ?? '') || !Buffer.isBuffer(body)) throw new OAuthError('invalid_request', 'Send the parameters as application/x-www-form-urlencoded');
  // What stands in a URL stands in logs.
  if (queryOf(request) !== '') throw new OAuthError('invalid_request', 'Send the parameters in the body, not in the URL');
  return new URLSearchParams(body.toString('utf8'));
}

function queryOf({ url }: FastifyRequest): string {
  const mark = url.indexOf('?');
  return mark < 0 ? '' : url.slice(mark + 1);
}

/** What RFC 6749 lets an error_description hold. */
const wordsOf = (message: string): string => message.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '\'');

function send(request: FastifyRequest, to: FastifyReply, status: number, body: object | undefined): FastifyReply {
  echoTraces(request, to);
  to.code(status).headers(NO_STORE);
  return body === undefined ? to.send() : to.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(body));
}
