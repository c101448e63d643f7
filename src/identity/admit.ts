// A verified caller is let in only while its client's registration says so (domain.md ruling 29).
import type { Caller } from '../fhir/caller.js';
import { fail } from '../fhir/errors.js';
import type { Client } from './client.js';
import type { Clients } from './clients.js';
import type { TokenVerifier } from './verify-token.js';

/**
 * The verifier, followed by the register. 403 for a client that is switched off or was not registered in the token's role; 401 for a supplier
 * that nobody registered. Other roles' clients are vouched for by the issuer of the token, and bound by a registration where there is one.
 */
export function createAdmission(verify: TokenVerifier, clients: Pick<Clients, 'find'>): TokenVerifier {
  const admit = (caller: Caller): Caller | Promise<Caller> => {
    const client = clients.find(caller.client);
    if (client instanceof Promise) return client.then((found) => admitted(caller, found));
    return admitted(caller, client);
  };
  return (authorization) => {
    const caller = verify(authorization);
    return caller instanceof Promise ? caller.then(admit) : admit(caller);
  };
}

function admitted(caller: Caller, client: Client | undefined): Caller {
  if (client === undefined) {
    if (caller.role !== 'supplier') return caller;
    throw fail('bad-token', { text: 'The client of this token is not registered here: an administrator registers a supplier\'s system before it may ask' }, { 'WWW-Authenticate': 'Bearer realm="entitle-fhir", error="invalid_token"' });
  }
  if (!client.active) throw fail('forbidden', { text: 'The client of this token has been switched off: ask the administrator of this service' });
  if (!client.roles.includes(caller.role)) throw fail('forbidden', { text: `The client of this token is not registered for the role ${caller.role}` });
  return caller;
}
