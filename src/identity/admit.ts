// A verified caller is let in only while its client's registration says so, and with no more than that says (domain.md ruling 29).
import type { Caller } from '../fhir/caller.js';
import { fail } from '../fhir/errors.js';
import { readScope, scopeText } from '../fhir/smart-scope.js';
import type { Client } from './client.js';
import type { Clients } from './clients.js';
import { cutAll } from './grant-scope.js';
import type { TokenVerifier } from './verify-token.js';

/**
 * The verifier, followed by the register. 403 for a client that is switched off or was not registered in the token's role or organisation; 401 for
 * a supplier that nobody registered. Other roles' clients are vouched for by the issuer of the token, and bound by a registration where there is one.
 */
export function createAdmission(verify: TokenVerifier, clients: Pick<Clients, 'find'>): TokenVerifier {
  // One Caller per token and registration, so that what access makes of it is kept.
  const narrowed = new WeakMap<Caller, { readonly client: Client; readonly caller: Caller }>();
  const bound = (caller: Caller, client: Client | undefined): Caller => {
    const admitted = requireAdmission(caller, client);
    if (client?.scope === undefined) return admitted;
    const known = narrowed.get(caller);
    if (known?.client === client) return known.caller;
    const kept = { client, caller: withinScope(caller, client.scope) };
    narrowed.set(caller, kept);
    return kept.caller;
  };
  const admit = (caller: Caller): Caller | Promise<Caller> => {
    const client = clients.find(caller.client);
    if (client instanceof Promise) return client.then((found) => bound(caller, found));
    return bound(caller, client);
  };
  return (authorization, presented) => {
    const caller = verify(authorization, presented);
    return caller instanceof Promise ? caller.then(admit) : admit(caller);
  };
}

function requireAdmission(caller: Caller, client: Client | undefined): Caller {
  if (client === undefined) {
    if (caller.role !== 'supplier') return caller;
    throw unauthorized('The client of this token is not registered here: an administrator registers a supplier\'s system before it may ask');
  }
  if (!client.active) throw fail('forbidden', { text: 'The client of this token has been switched off: ask the administrator of this service' });
  if (!client.roles.includes(caller.role)) throw fail('forbidden', { text: `The client of this token is not registered for the role ${caller.role}` });
  if (client.organization !== undefined && caller.organization !== undefined && client.organization !== caller.organization)
    throw fail('forbidden', { text: `The client of this token is not registered for the organisation ${caller.organization}` });
  if (client.certificateBound === true && caller.certificate === undefined) throw unauthorized('The tokens of this client are bound to its certificate, and this one is not');
  return caller;
}

const unauthorized = (text: string) => fail('bad-token', { text }, { 'WWW-Authenticate': 'Bearer realm="entitle-fhir", error="invalid_token"' });

/** What the token says of resources, cut to what is registered; a token that says nothing has what is registered. */
function withinScope(caller: Caller, registered: string): Caller {
  const most = registered.split(' ').map(readScope).filter((scope) => scope !== undefined);
  const asked = caller.scopes.map(readScope).filter((scope) => scope !== undefined);
  const others = caller.scopes.filter((word) => readScope(word) === undefined);
  const scopes = caller.scopes.length === 0 ? registered.split(' ') : [...cutAll(asked, most).map(scopeText), ...others];
  // None at all would stand for everything.
  return Object.freeze({ ...caller, scopes: Object.freeze(scopes.length === 0 ? ['none'] : scopes) });
}
