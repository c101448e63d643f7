// The Grant of one caller: letters from the matrix, narrowed by scopes, and rows from the role's audience.
import type { Caller, Role } from '../fhir/caller.js';
import { fail } from '../fhir/errors.js';
import type { Interaction } from '../fhir/request.js';
import type { Grant } from '../search/grant.js';
import type { Clause } from '../search/query.js';
import { absence } from './absence.js';
import { aroundRelationship, AUDIENCES, takenOn } from './audiences.js';
import type { Seen } from './budget-rows.js';
import { ALL, both, either, NONE, type Clauses } from './clauses.js';
import type { OwnOrganizations } from './own-organizations.js';
import { scopesCarry } from './operation-scopes.js';
import { EVERYBODYS } from './operations.js';
import { OPEN, type RoleRights } from './rights.js';
import type { Rows } from './rows.js';
import type { Reach } from './scopes.js';
import { hiddenPlaces, seesStatus, sightOf } from './views.js';

export interface GrantParts {
  readonly clauses: Clauses;
  /** Is it a search parameter of HL7's or ours, not one that was switched on? */
  readonly isSettled: (type: string, code: string) => boolean;
  readonly rowsOf: (rule: NonNullable<RoleRights['rows']>[string] | undefined, caller: Caller) => Rows;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly organizations: Pick<OwnOrganizations, 'referencesOf'>;
  readonly reachOf: (caller: Caller) => Reach;
  /** By which letter rows are asked for, where scopes reach others by a search than by a read: of one type, or of all. */
  readonly asking?: { readonly letter: 'R' | 'S'; readonly type: string | undefined };
  /** The glass is broken: a care coordinator sees as if there were a relationship with everyone. */
  readonly broken?: boolean;
}

/** Letters of which any one allows an interaction. */
const LETTERS: Readonly<Partial<Record<Interaction, readonly string[]>>> = {
  create: ['C'], read: ['R'], vread: ['R'], history: ['R'], update: ['U', 'P'], patch: ['U', 'P'], delete: ['D'], search: ['S'],
  'delete-history': ['D'],
};

/** Who opens budgets for an organisation that pays. */
const TAKE_ON: ReadonlySet<Role> = new Set<Role>(['budget-manager', 'commissioner']);

const STATUS_OPERATION = 'chargeable-status';

export function createGrant(caller: Caller, rights: RoleRights | undefined, parts: GrantParts): Grant {
  const reach = parts.reachOf(caller);
  /** What the scopes leave of a letter that the role has. */
  const reached = (type: string, letter: string): Clause =>
    (rights?.types[type] ?? rights?.types['*'] ?? '').includes(letter) ? reach.rows(type, letter === 'P' ? 'U' : letter) : NONE;
  const may = (type: string, letter: string): boolean => reached(type, letter).kind !== 'none';
  const { asking } = parts;
  const inReach = (type: string): Clause => {
    if (asking && (asking.type ?? type) === type) return reached(type, asking.letter);
    return either(reached(type, 'R'), reached(type, 'S'), rights?.receiptsOnly === true ? reached(type, 'C') : NONE);
  };
  const seen = seenBy(caller, rights, parts);
  const rows = (type: string): Clause => {
    const within = inReach(type);
    return within.kind === 'all' ? seen(type) : within.kind === 'none' ? NONE : both(seen(type), within);
  };
  return {
    caller,
    receiptsOnly: rights?.receiptsOnly ?? false,
    ...(typeof rights?.bundles === 'string' && { entryMethod: rights.bundles }),
    judges: rights?.audience !== undefined,
    // Of the role alone: what scopes leave out of it is no secret of somebody else's.
    ownIds: (type) => seen(type).kind !== 'all',
    proposes: (type) => may(type, 'P') && !may(type, 'U'),
    rows,
    ...(reach.narrow && { scoped: (type: string, letter: string) => scopedRows(reach, type, letter) }),
    absent: (type, id) => absence(caller, type, id),
    view: (type) => sightOf(caller, type, parts.organizations)?.view,
    hides: (type, code, values) => {
      const sight = sightOf(caller, type, parts.organizations);
      // Nobody has said what an administrator's own parameter is about.
      return sight !== undefined && (!parts.isSettled(type, code) || sight.hides(code, values));
    },
    except: (type, code) => (type === 'Patient' && sightOf(caller, type, parts.organizations) ? hiddenPlaces(parts.clauses, code) : undefined),
    takesOn: TAKE_ON.has(caller.role) ? both(takenOn(parts.clauses, caller), reach.rows('Patient', 'R')) : NONE,
    allows(interaction, type, operation) {
      if (interaction === 'batch' || interaction === 'transaction') return (rights?.bundles ?? false) !== false;
      if (interaction === 'operation') return operation !== undefined && holdsOperation(rights, operation) && scopesCarry(operation, reach) && (operation !== STATUS_OPERATION || seesStatus(caller));
      const letters = LETTERS[interaction];
      if (letters === undefined) return interaction === 'capabilities';
      // All types at once: the handler leaves out those that the caller may not see.
      return type === undefined ? rights !== undefined : letters.some((letter) => may(type, letter));
    },
    refuseWrite(type, before, after) {
      const own = parts.rowsOf(rights?.rows?.[type], caller);
      const letter = after === undefined ? 'D' : before === undefined ? 'C' : 'U';
      const outside = (before !== undefined && !own.holds(before)) || (after !== undefined && !(own.takes ?? own.holds)(after));
      // Written from what was shown, the rest would be lost.
      const inPart = before !== undefined && after !== undefined && sightOf(caller, type, parts.organizations) !== undefined;
      if (may(type, letter) && !outside && !inPart) return undefined;
      return fail('forbidden', { text: `The role ${caller.role} may not write this ${type}` });
    },
  };
}

function scopedRows(reach: Reach, type: string, letter: string): Clause | undefined {
  const within = reach.rows(type, letter);
  return within.kind === 'all' ? undefined : within;
}

/** The rows of each type, whatever the letters. Made at the first question; for a nominee anew each time, since a nomination ends. */
function seenBy(caller: Caller, rights: RoleRights | undefined, { clauses, rowsOf, clock, broken }: GrantParts): (type: string) => Clause {
  const audience = rights?.audience;
  if (audience === undefined) return (type) => rowsOf(rights?.rows?.[type], caller).clause;
  let kept: Seen | undefined;
  let keptAt = 0;
  const all = (): Seen => {
    const now = clock();
    if (broken) return (kept ??= aroundRelationship(clauses, caller, ALL));
    if (!kept || (audience === 'nominee' && now !== keptAt)) [kept, keptAt] = [AUDIENCES[audience](clauses, caller, now), now];
    return kept;
  };
  return (type) => (OPEN.has(type) ? ALL : rights?.rows?.[type] === undefined ? (all()[type] ?? NONE) : rowsOf(rights.rows[type], caller).clause);
}

const holdsOperation = (rights: RoleRights | undefined, operation: string): boolean =>
  EVERYBODYS.has(operation) || rights?.operations.includes('*') === true || rights?.operations.includes(operation) === true;
