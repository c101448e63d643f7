// Stop 4 of a request: Caller and request -> Grant or refusal. Default deny. https://hl7.org/fhir/R4/security.html
import type { Caller } from '../fhir/caller.js';
import { fail } from '../fhir/errors.js';
import type { FhirRequest, Interaction } from '../fhir/request.js';
import type { Definitions } from '../definitions/model.js';
import type { Grant } from '../search/grant.js';
import { EVERYBODYS, RIGHTS, type RoleRights } from './rights.js';
import { createRows, type Rows } from './rows.js';
import { scopeTest } from './scopes.js';

const LETTERS: Readonly<Partial<Record<Interaction, string>>> = {
  create: 'C', read: 'R', vread: 'R', history: 'R', update: 'U', patch: 'U', delete: 'D', search: 'S',
};

/** Gives the Grant of a caller for a request, or throws 403. */
export type Permit = (caller: Caller, request: FhirRequest) => Grant;

export function createAccess(definitions: Definitions): Permit {
  const rowsOf = createRows(definitions);
  // The verifier hands out one Caller per token, so a Grant is made once per token, not per request.
  const grants = new WeakMap<Caller, Grant>();
  return (caller, request) => {
    let grant = grants.get(caller);
    if (!grant) grants.set(caller, (grant = createGrant(caller, RIGHTS[caller.role], rowsOf)));
    if (!grant.allows(request.interaction, request.type, request.operation)) throw refusal(caller, request);
    return grant;
  };
}

function refusal(caller: Caller, request: FhirRequest) {
  const what = request.operation ? `$${request.operation}` : request.interaction;
  return fail('forbidden', { text: `The role ${caller.role} may not use ${what}${request.type ? ` on ${request.type}` : ''}` });
}

function createGrant(caller: Caller, rights: RoleRights | undefined, rowsOf: (rule: NonNullable<RoleRights['rows']>[string] | undefined) => Rows): Grant {
  const inScope = scopeTest(caller.scopes);
  const may = (type: string, letter: string): boolean =>
    (rights?.types[type] ?? rights?.types['*'] ?? '').includes(letter) && inScope(type, letter);
  const sees = (type: string): boolean => may(type, 'R') || may(type, 'S') || (rights?.receiptsOnly === true && may(type, 'C'));
  return {
    caller,
    receiptsOnly: rights?.receiptsOnly ?? false,
    rows: (type) => (sees(type) ? rowsOf(rights?.rows?.[type]).clause : { kind: 'none' }),
    allows(interaction, type, operation) {
      if (interaction === 'batch' || interaction === 'transaction') return rights?.bundles ?? false;
      if (interaction === 'operation') return operation !== undefined && holdsOperation(rights, operation);
      const letter = LETTERS[interaction];
      return letter === undefined ? interaction === 'capabilities' : may(type ?? '*', letter);
    },
    refuseWrite(type, before, after) {
      const rows = rowsOf(rights?.rows?.[type]);
      const letter = after === undefined ? 'D' : before === undefined ? 'C' : 'U';
      const outside = (before !== undefined && !rows.holds(before)) || (after !== undefined && !rows.holds(after));
      if (may(type, letter) && !outside) return undefined;
      return fail('forbidden', { text: `The role ${caller.role} may not write this ${type}` });
    },
  };
}

const holdsOperation = (rights: RoleRights | undefined, operation: string): boolean =>
  EVERYBODYS.has(operation) || rights?.operations.includes('*') === true || rights?.operations.includes(operation) === true;
