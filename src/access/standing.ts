// Has the permission behind a token been withdrawn? Setting its PractitionerRole to inactive ends it with the next request (domain.md ruling 29);
// the client's half is identity's.
import type { Caller } from '../fhir/caller.js';
import { asObject } from '../fhir/elements.js';
import { fail } from '../fhir/errors.js';
import { serverGrant } from '../search/grant.js';
import type { Reader } from '../store/store.js';
import type { OwnOrganizations } from './own-organizations.js';

/** Undefined where there is nothing to ask; also learns which organisation a third party is. Else rejects with 403 where the PractitionerRole is inactive or deleted. One that this server does not hold says nothing. */
export type Standing = (caller: Caller) => Promise<void> | undefined;

export function createStanding(store: Pick<Reader, 'read' | 'search'>, organizations: Pick<OwnOrganizations, 'learn'>): Standing {
  const grant = serverGrant();
  const check = async (id: string): Promise<void> => {
    const role = await store.read(grant, 'PractitionerRole', id);
    if (!role) return;
    const active = role.text !== null && asObject(JSON.parse(role.text))?.['active'] !== false;
    if (!active) throw fail('forbidden', { text: 'Permission is withdrawn: the PractitionerRole that this token speaks for is not active' });
  };
  return (caller) => {
    if (caller.role === 'third-party') return organizations.learn(caller, store);
    return caller.practitionerRole === undefined ? undefined : check(caller.practitionerRole);
  };
}
