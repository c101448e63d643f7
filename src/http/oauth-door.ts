// The door of the built-in authorization server: POST /oauth2/token, beside the FHIR service. https://www.rfc-editor.org/rfc/rfc6749#section-3.2
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { FhirError } from '../fhir/errors.js';
import { OAuthError } from '../identity/oauth-error.js';
import type { TokenEndpoint } from '../identity/token-endpoint.js';
import type { AddressLimit } from './address-limit.js';
import { identified } from './door-record.js';
import { echoTraces } from './reply.js';
import type { TransportCheck } from './transport.js';

export interface OAuthDoor {
  /** Undefined where another issuer's tokens are taken, not our own. */
  readonly token: TokenEndpoint | undefined;
  /** The token endpoint's URL as this caller sees it: the audience of its assertions. */
  readonly tokenUrlOf: (host: string | undefined) => string;
  readonly requireTransport: TransportCheck;
  readonly limitAddress: AddressLimit;
  readonly onFailure: (error: unknown) => void;
}

export const TOKEN_PATH = '/oauth2/token';
const LONGEST_FORM = 65_536;
const FORM = /^application\/x-www-form-urlencoded(?:;|$)/i;

export function registerOAuthDoor(app: FastifyInstance, door: OAuthDoor): void {
  const { token } = door;
  if (token === undefined) return;
  app.post(TOKEN_PATH, { bodyLimit: LONGEST_FORM }, (request, to) => answer(request, to, token, door));
  app.route({ method: ['GET', 'PUT', 'PATCH', 'DELETE'], url: TOKEN_PATH, handler: (request, to) => send(request, to.header('allow', 'POST'), 405, { error: 'invalid_request', error_description: 'The token endpoint takes POST' }) });
}

async function answer(request: FastifyRequest, to: FastifyReply, token: TokenEndpoint, door: OAuthDoor): Promise<FastifyReply> {
  try {
    door.requireTransport(request.headers);
    const form = formOf(request);
    const issued = await token(form, door.tokenUrlOf(request.headers.host));
    identified(request, { client: clientOf(form) });
    return await send(request, to, 200, issued);
  } catch (error) {
    const tooMany = error instanceof OAuthError && error.code === 'invalid_client' ? door.limitAddress(request.ip) : undefined;
    if (tooMany) return send(request, to.headers(tooMany.headers), tooMany.status, { error: 'temporarily_unavailable', error_description: wordsOf(tooMany.message) });
    if (error instanceof OAuthError) return send(request, to, error.status, { error: error.code, error_description: wordsOf(error.message) });
    if (error instanceof FhirError) return send(request, to, error.status, { error: 'access_denied', error_description: wordsOf(error.message) });
    door.onFailure(error);
    return send(request, to, 500, { error: 'server_error', error_description: 'The server failed; no token was issued' });
  }
}

/** Who signed the assertion that has just been found good. */
function clientOf(form: URLSearchParams): string {
  const [, claims = ''] = form.get('client_assertion')?.split('.') ?? [];
  return String((JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as { iss?: unknown }).iss);
}

function formOf({ headers, body }: FastifyRequest): URLSearchParams {
  if (!FORM.test(headers['content-type'] ?? '') || !Buffer.isBuffer(body)) throw new OAuthError('invalid_request', 'Send the parameters as application/x-www-form-urlencoded');
  return new URLSearchParams(body.toString('utf8'));
}

/** What RFC 6749 lets an error_description hold. */
const wordsOf = (message: string): string => message.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '\'');

function send(request: FastifyRequest, to: FastifyReply, status: number, body: object): FastifyReply {
  echoTraces(request, to);
  return to.code(status).headers({ 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', pragma: 'no-cache' }).send(JSON.stringify(body));
}
