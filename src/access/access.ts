// Stop 4 of a request: Caller and request -> Grant or refusal. Default deny. https://hl7.org/fhir/R4/security.html
import type { Definitions } from '../definitions/model.js';
import type { Caller } from '../fhir/caller.js';
import { fail } from '../fhir/errors.js';
import type { FhirRequest } from '../fhir/request.js';
import type { Grant } from '../search/grant.js';
import { glassReason } from './break-glass.js';
import { createClauses } from './clauses.js';
import { createGrant, type GrantParts } from './caller-grant.js';
import type { OwnOrganizations } from './own-organizations.js';
import { RIGHTS } from './rights.js';
import { createRows } from './rows.js';
import { createReaches, type Reach } from './scopes.js';

/** Gives the Grant of a caller for a request, or throws 403. */
export type Permit = (caller: Caller, request: FhirRequest) => Grant;

export interface AccessParts {
  readonly definitions: Definitions;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly organizations: Pick<OwnOrganizations, 'referencesOf'>;
}

export function createAccess({ definitions, clock, organizations }: AccessParts): Permit {
  const parts: GrantParts = { clauses: createClauses(definitions), isSettled: (type, code) => definitions.searchParameters(type).has(code), rowsOf: createRows(definitions), clock, organizations, reachOf: keptReaches(createReaches({ definitions, clock })) };
  // The verifier hands out one Caller per token, so a Grant is made once per token, not per request.
  const grants = new WeakMap<Caller, Grant>();
  return (caller, request) => {
    const reason = glassReason(caller, request);
    const asked = parts.reachOf(caller).split ? askingOf(request) : undefined;
    const special = { ...parts, ...(reason !== undefined && { broken: true }), ...(asked && { asking: asked }) };
    let grant = reason === undefined && !asked ? grants.get(caller) : { ...createGrant(caller, RIGHTS[caller.role], special), ...(reason !== undefined && { brokenGlass: reason }) };
    if (!grant) grants.set(caller, (grant = createGrant(caller, RIGHTS[caller.role], parts)));
    if (!grant.allows(request.interaction, request.type, request.operation)) throw refusal(caller, request);
    return grant;
  };
}

/** Once per token: its scopes are read and their arguments compiled at its first request. */
function keptReaches(reachOf: (caller: Caller) => Reach): (caller: Caller) => Reach {
  const known = new WeakMap<Caller, Reach>();
  return (caller) => {
    let reach = known.get(caller);
    if (!reach) known.set(caller, (reach = reachOf(caller)));
    return reach;
  };
}

function askingOf({ interaction, type }: FhirRequest): GrantParts['asking'] {
  if (interaction === 'search') return { letter: 'S', type };
  return interaction === 'read' || interaction === 'vread' || interaction === 'history' ? { letter: 'R', type } : undefined;
}

function refusal(caller: Caller, request: FhirRequest) {
  const what = request.operation ? `$${request.operation}` : request.interaction;
  return fail('forbidden', { text: `The role ${caller.role}${caller.scopes.length > 0 ? ', with the scopes of this token,' : ''} may not use ${what}${request.type ? ` on ${request.type}` : ''}` });
}
