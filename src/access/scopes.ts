// What a token's scopes leave of its role's rights: letters per type, and rows where a scope has search arguments or a patient in context.
// https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
import type { Definitions } from '../definitions/model.js';
import type { Caller, Role } from '../fhir/caller.js';
import { readScope, type SmartScope } from '../fhir/smart-scope.js';
import { compartmentClause } from '../search/compartment.js';
import { readCriterion } from '../search/criterion.js';
import type { Clause } from '../search/query.js';
import { ALL, both, createClauses, either, NONE, type Clauses } from './clauses.js';
import { OPEN } from './rights.js';

export interface Reach {
  /** The rows of a type that the scopes reach for a letter of `CRUDS`; `all` where they say nothing of rows, `none` where they don't name type and letter. */
  rows(type: string, letter: string): Clause;
  /** Do they say anything of rows, for any type? */
  readonly narrow: boolean;
  /** May a search reach other rows than a read? */
  readonly split: boolean;
}

/** A token that names no scope at all is narrowed by none: it carries its role's column (ruling 34). */
const WHOLE: Reach = { rows: () => ALL, narrow: false, split: false };

/**
 * Whose `patient/` scopes need no patient in context: a patient's rows are their own already, and a supplier names one patient in each question,
 * by the scope that its interface publishes (`patient/Observation.read`).
 */
const BOUND_ALREADY: ReadonlySet<Role> = new Set<Role>(['patient', 'supplier']);

export interface ScopeParts {
  readonly definitions: Definitions;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** Made once per token. Words that are no scope of resources (openid, launch, a misspelling) grant nothing. */
export function createReaches({ definitions, clock }: ScopeParts): (caller: Caller) => Reach {
  const clauses = createClauses(definitions);
  return (caller) => {
    if (caller.scopes.length === 0) return WHOLE;
    const scopes = caller.scopes.map(readScope).filter((scope) => scope !== undefined);
    const known = new Map<string, Clause>();
    const reached = (type: string, letter: string): Clause =>
      either(...scopes.filter((scope) => (scope.type === '*' || scope.type === type) && scope.letters.includes(letter)).map((scope) => rowsOf(scope, type, caller, { definitions, clauses, now: clock() })));
    const narrow = scopes.some((scope) => isNarrow(scope, caller));
    return {
      narrow,
      split: narrow && scopes.some(({ letters }) => letters.includes('R') !== letters.includes('S')),
      rows(type, letter) {
        const key = `${type}.${letter}`;
        let rows = known.get(key);
        if (rows === undefined) known.set(key, (rows = reached(type, letter)));
        return rows;
      },
    };
  };
}

interface Reading {
  readonly definitions: Definitions;
  readonly clauses: Clauses;
  readonly now: number;
}

const isBound = ({ level }: SmartScope, { role, patient }: Caller): boolean => level === 'patient' && role !== 'patient' && (patient !== undefined || !BOUND_ALREADY.has(role));
const isNarrow = (scope: SmartScope, caller: Caller): boolean => scope.criteria.length > 0 || isBound(scope, caller);

/** Search arguments that the type does not have, or that can't be read, reach no row: never more than was meant. */
function rowsOf(scope: SmartScope, type: string, caller: Caller, reading: Reading): Clause {
  const criteria = scope.criteria.map(([name, value]) => criterion(type, name, value, reading));
  return both(...(isBound(scope, caller) ? [ofPatient(type, caller.patient, reading)] : []), ...criteria);
}

function criterion(type: string, name: string, value: string, { definitions, now }: Reading): Clause {
  try {
    return readCriterion({ definitions, now, base: '', types: definitions.resourceTypes }, type, name, value) ?? NONE;
  } catch {
    return NONE;
  }
}

/** What belongs to the patient in context, and what is private to nobody. Without a patient there is nothing to reach. */
function ofPatient(type: string, patient: string | undefined, { definitions, clauses }: Reading): Clause {
  if (patient === undefined) return NONE;
  if (OPEN.has(type)) return ALL;
  // The compartment holds linked Patients as well; they are somebody else until they are in context.
  if (type === 'Patient') return clauses.ids(patient);
  const inside = compartmentClause(definitions, { type: 'Patient', id: patient }, type);
  if (inside.kind !== 'none') return inside;
  return definitions.searchParameters(type).has('patient') ? clauses.names(type, 'patient', `Patient/${patient}`) : NONE;
}
