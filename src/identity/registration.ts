// What an administrator writes when registering a client, checked: JSON -> Client, and the Client as it is shown.
import { ROLES, type Role } from '../fhir/caller.js';
import { DEVELOPMENT_CLIENT, type Client } from './client.js';

/** The registration can't be taken; the message names the member and says what to give. */
export class BadRegistration extends Error {}

const ID = /^[A-Za-z0-9._~:-]{1,100}$/;
const ODS = /^[A-Z0-9]{3,10}$/;
const ASID = /^[0-9]{1,12}$/;
const SCOPES = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'];
const MEMBERS = new Set(['id', 'name', 'organization', 'roles', 'asid', 'interactions', 'issuer', 'jwks', 'jwksUri', 'scope', 'rate', 'redirectUris', 'public', 'certificateBound', 'active']);

type Json = Readonly<Record<string, unknown>>;

/** Throws a BadRegistration. `id` is the one in the URL or on the command line. */
export function readRegistration(id: string, given: unknown): Client {
  if (!ID.test(id)) throw new BadRegistration('The id of a client is 1 to 100 characters out of A-Z, a-z, 0-9, and . _ ~ : -');
  if (id === DEVELOPMENT_CLIENT.id) throw new BadRegistration(`${id} is the client of the development tokens and can't be registered`);
  const json = object(given, 'The registration');
  const unknown = Object.keys(json).find((name) => !MEMBERS.has(name));
  if (unknown !== undefined) throw new BadRegistration(`There is no member ${unknown.slice(0, 60)}: a client has ${[...MEMBERS].join(', ')}`);
  if (json['id'] !== undefined && json['id'] !== id) throw new BadRegistration(`id must be ${id}, or left out`);
  const roles = readRoles(json['roles']);
  const asid = matching(json, 'asid', ASID, 'an ASID: up to 12 digits');
  if (roles.includes('supplier') && asid === undefined) throw new BadRegistration('asid is missing: a supplier is accredited by its ASID');
  const isPublic = flag(json['public'] ?? false, 'public');
  if (isPublic && (json['jwks'] !== undefined || json['jwksUri'] !== undefined)) throw new BadRegistration('A public client keeps no key: leave jwks and jwksUri out, or public');
  if (json['jwks'] !== undefined && json['jwksUri'] !== undefined) throw new BadRegistration('Give jwks or jwksUri, not both');
  return {
    id,
    name: text(json, 'name') ?? id,
    roles,
    interactions: strings(json['interactions'] ?? [], 'interactions'),
    issuer: text(json, 'issuer') ?? id,
    active: flag(json['active'] ?? true, 'active'),
    ...member('organization', matching(json, 'organization', ODS, 'an ODS code, such as RR8')),
    ...member('asid', asid),
    ...member('jwks', json['jwks'] === undefined ? undefined : readJwks(json['jwks'])),
    ...member('jwksUri', readUri(text(json, 'jwksUri'))),
    ...member('scope', matching(json, 'scope', SCOPES, 'scopes with single spaces between them')),
    ...member('rate', readRate(json['rate'])),
    ...member('redirectUris', json['redirectUris'] === undefined ? undefined : strings(json['redirectUris'], 'redirectUris').map(readRedirect)),
    ...member('public', isPublic || undefined),
    ...member('certificateBound', flag(json['certificateBound'] ?? false, 'certificateBound') || undefined),
  };
}

function readRoles(value: unknown): Role[] {
  const names = strings(value ?? [], 'roles');
  if (names.length === 0) throw new BadRegistration(`roles must name at least one of ${ROLES.join(', ')}`);
  return names.map((name) => {
    const role = ROLES.find((one) => one === name);
    if (role === undefined) throw new BadRegistration(`roles must be out of ${ROLES.join(', ')}`);
    return role;
  });
}

/** Public keys only, each with a kid of its own: a key is found by it. */
function readJwks(value: unknown): NonNullable<Client['jwks']> {
  const { keys } = object(value, 'jwks');
  if (!Array.isArray(keys) || keys.length === 0) throw new BadRegistration('jwks must be a JWK Set: {"keys": [ … ]}');
  const seen = new Set<unknown>();
  return { keys: keys.map((one) => readKey(one, seen)) };
}

function readKey(value: unknown, seen: Set<unknown>): Json {
  const key = object(value, 'A key of jwks');
  const { kty, kid } = key;
  if (PRIVATE.some((name) => name in key)) throw new BadRegistration('jwks holds a private or secret key: send the public part alone, and consider this key known');
  if (kty !== 'RSA' && kty !== 'EC') throw new BadRegistration('Each key of jwks must have the kty RSA or EC');
  if (typeof kid !== 'string' || kid === '' || seen.has(kid)) throw new BadRegistration('Each key of jwks must have a kid of its own');
  seen.add(kid);
  return key;
}

/** Fetched by the server: without TLS only from this machine. */
function readUri(uri: string | undefined): string | undefined {
  if (uri === undefined) return undefined;
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  const isLocal = url?.protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  if (url?.protocol !== 'https:' && !isLocal) throw new BadRegistration('jwksUri must be a URL that begins with https://');
  return uri;
}

/** Where codes go: by TLS, to this machine, or to an app of the device by a scheme of its own (RFC 8252 section 7.1). */
function readRedirect(uri: string): string {
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  const isLocal = url?.protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  const isApp = url !== undefined && /^[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+:$/.test(url.protocol);
  if (url === undefined || (url.protocol !== 'https:' && !isLocal && !isApp) || uri.includes('#') || uri.length > 500)
    throw new BadRegistration('Each of redirectUris must be an absolute URL that begins with https://, without a fragment');
  return uri;
}

function readRate(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > 1_000_000) throw new BadRegistration('rate must be a whole number of requests per second');
  return value;
}

function object(value: unknown, what: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw new BadRegistration(`${what} must be a JSON object`);
}

function strings(value: unknown, name: string): string[] {
  if (Array.isArray(value) && value.every((one): one is string => typeof one === 'string' && one !== '')) return value;
  throw new BadRegistration(`${name} must be an array of strings`);
}

function text(json: Json, name: string): string | undefined {
  const value = json[name];
  if (value === undefined || (typeof value === 'string' && value !== '' && value.length <= 500)) return value;
  throw new BadRegistration(`${name} must be a string of 1 to 500 characters`);
}

function matching(json: Json, name: string, pattern: RegExp, what: string): string | undefined {
  const value = text(json, name);
  if (value !== undefined && !pattern.test(value)) throw new BadRegistration(`${name} must be ${what}`);
  return value;
}

function flag(value: unknown, name: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new BadRegistration(`${name} must be true or false`);
}

const member = <K extends string, V>(name: K, value: V | undefined): { readonly [P in K]?: V } => (value === undefined ? {} : ({ [name]: value } as { readonly [P in K]?: V }));
