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

/** Gives the Grant of a caller for a request, or throws 403. */
export type Permit = (caller: Caller, request: FhirRequest) => Grant;

export interface AccessParts {
  readonly definitions: Definitions;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly organizations: Pick<OwnOrganizations, 'referencesOf'>;
}

export function createAccess({ definitions, clock, organizations }: AccessParts): Permit {
  const parts: GrantParts = { clauses: createClauses(definitions), rowsOf: createRows(definitions), clock, organizations };
  // The verifier hands out one Caller per token, so a Grant is made once per token, not per request.
  const grants = new WeakMap<Caller, Grant>();
  return (caller, request) => {
    const reason = glassReason(caller, request);
    let grant = reason === undefined ? grants.get(caller) : { ...createGrant(caller, RIGHTS[caller.role], { ...parts, broken: true }), brokenGlass: reason };
    if (!grant) grants.set(caller, (grant = createGrant(caller, RIGHTS[caller.role], parts)));
    if (!grant.allows(request.interaction, request.type, request.operation)) throw refusal(caller, request);
    return grant;
  };
}

function refusal(caller: Caller, request: FhirRequest) {
  const what = request.operation ? `$${request.operation}` : request.interaction;
  return fail('forbidden', { text: `The role ${caller.role} may not use ${what}${request.type ? ` on ${request.type}` : ''}` });
}
