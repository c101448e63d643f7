// The administrator's door to the register of clients: GET /admin/clients, GET, PUT and DELETE /admin/clients/[id]. Plain JSON: FHIR has no resource for an OAuth client.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../fhir/caller.js';
import { fail } from '../fhir/errors.js';
import type { FhirResponse } from '../fhir/request.js';
import { readScope } from '../fhir/smart-scope.js';
import type { Client } from '../identity/client.js';
import type { Clients } from '../identity/clients.js';
import { BadRegistration, readRegistration } from '../identity/registration.js';
import { identified } from './door-record.js';
import { limited, type FhirDoor } from './fhir-door.js';
import { reply } from './reply.js';

export interface ClientsDoor extends Pick<FhirDoor, 'authenticate' | 'presented' | 'requireTransport' | 'requireCapacity' | 'limitRate' | 'limitAddress' | 'refuse'> {
  readonly clients: Clients;
}

interface Asked {
  readonly id: string;
  readonly request: FastifyRequest;
  readonly clients: Clients;
}

const PATH = '/admin/clients';
/** The one role of the development server that is refused nothing, and the one of a real issuer (domain.md ruling 1). */
const ADMINISTRATORS: ReadonlySet<string> = new Set(['admin', 'administrator']);

export function registerClientsDoor(app: FastifyInstance, door: ClientsDoor): void {
  const serve = (method: 'GET' | 'PUT' | 'DELETE', url: string, work: (asked: Asked) => Promise<unknown>): void => {
    app.route<{ Params: { id?: string } }>({ method, url, handler: (request, to) => answer(request, to, door, () => work({ id: request.params.id ?? '', request, clients: door.clients })) });
  };
  serve('GET', PATH, async ({ clients }) => ({ clients: await clients.all() }));
  serve('GET', `${PATH}/:id`, ({ id, clients }) => known(id, clients));
  serve('PUT', `${PATH}/:id`, async ({ id, request, clients }) => put(readRegistration(id, bodyOf(request)), clients));
  // Switched off, not forgotten: its tokens must go on being refused.
  serve('DELETE', `${PATH}/:id`, async ({ id, clients }) => put({ ...(await known(id, clients)), active: false }, clients));
}

async function answer(request: FastifyRequest, to: FastifyReply, door: ClientsDoor, work: () => Promise<unknown>): Promise<FastifyReply> {
  let caller: Caller | undefined;
  try {
    door.requireCapacity();
    door.requireTransport(request.headers);
    caller = identified(request, await door.authenticate(request.headers.authorization, door.presented(request)));
    door.limitRate(caller, to);
    if (!ADMINISTRATORS.has(caller.role) || !isWhole(caller)) throw fail('forbidden', { text: 'Clients are registered by an administrator' });
    return reply(request, to, { status: 200, body: JSON.stringify(await work()), headers: JSON_HEADERS });
  } catch (error) {
    return reply(request, to, refusal(limited(error, request, door), request, door, caller));
  }
}

/** A token whose scopes are for resources, or for some of them, is not for the register. */
function isWhole({ scopes }: Caller): boolean {
  return scopes.length === 0 || scopes.map(readScope).some((scope) => scope?.type === '*' && scope.letters === 'CRUDS' && scope.criteria.length === 0 && scope.level !== 'patient');
}

const JSON_HEADERS = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' };

function refusal(error: unknown, request: FastifyRequest, door: ClientsDoor, caller: Caller | undefined): FhirResponse {
  const told = error instanceof BadRegistration ? fail('invalid', { text: error.message }) : error;
  return door.refuse(told, { interaction: 'operation', method: request.method as 'GET', query: [], headers: request.headers }, caller);
}

async function put(client: Client, clients: Clients): Promise<Client> {
  await clients.put(client);
  return client;
}

async function known(id: string, clients: Clients): Promise<Client> {
  const client = id.includes('\0') ? undefined : await clients.find(id);
  if (client === undefined) throw fail('not-found', { text: 'No client of this id has been registered' });
  return client;
}

function bodyOf({ body }: FastifyRequest): unknown {
  if (!Buffer.isBuffer(body) || body.length === 0) throw new BadRegistration('Send the registration as a JSON object');
  try {
    return JSON.parse(body.toString('utf8'), (_name, value: unknown) => (typeof value === 'string' ? requireText(value) : value));
  } catch (error) {
    throw error instanceof BadRegistration ? error : fail('malformed-json');
  }
}

/** What PostgreSQL stores as text: no NUL, and no half of a pair. */
function requireText(value: string): string {
  if (value.includes('\0') || /\p{Surrogate}/u.test(value)) throw new BadRegistration('A string holds the character NUL or half a surrogate pair');
  return value;
}
