// Whose rows may this caller write? For callers whose rows depend on who they are, judged by the same clauses as reads, in the write's own
// transaction: what was there must be theirs, what is named must be theirs, and what is stored must be theirs (domain.md ruling 21).
import { fail, type FhirError } from '../fhir/errors.js';
import type { JsonValue, Resource } from '../fhir/resource.js';
import { takingOn, type Grant } from '../search/grant.js';
import type { Clause } from '../search/query.js';
import type { Transaction } from '../store/store.js';

/** A write to be judged. */
export interface JudgedWrite {
  readonly type: string;
  readonly id: string;
  /** The server has just made the id: no row can be there. */
  readonly fresh?: boolean | undefined;
  /** Undefined for a deletion. */
  readonly after?: Resource | undefined;
}

/** References to these must lead to rows of the caller's; one that is hidden is refused as one that leads nowhere. */
const ANCHORS: ReadonlySet<string> = new Set(['Patient', 'Account', 'CarePlan', 'Claim', 'CareTeam']);
const isPatient = (reference: string): boolean => reference.startsWith('Patient/');
const LITERAL = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/.+)?$/;

/** A client's own id is no way to make a resource where rows are hidden: refused or not, it would tell whether there is one already. Throws as for a read. */
export async function judgeId({ type, id, fresh }: Pick<JudgedWrite, 'type' | 'id' | 'fresh'>, grant: Grant, tx: Transaction): Promise<void> {
  if (!fresh && grant.ownIds?.(type) && !(await tx.read(grant, type, id))) throw grant.absent(type, id);
}

/** Before anything is stored. Throws 422 (403 where there is no relationship) for what is not the caller's to name. */
export async function judgeBefore(write: JudgedWrite, made: ReadonlySet<string>, grant: Grant, tx: Transaction): Promise<void> {
  const { type, fresh } = write;
  const naming = fresh && type === 'Account' ? takingOn(grant) : grant;
  // The patient first: what is said of a stranger's must not hang on which reference stands before the other (ruling 27).
  const anchors = write.after ? [...anchorsOf(write.after)].sort((a, b) => Number(isPatient(b)) - Number(isPatient(a))) : [];
  for (const reference of anchors) {
    if (!made.has(reference)) await judgeAnchor(reference, naming, tx);
  }
}

async function judgeAnchor(reference: string, grant: Grant, tx: Transaction): Promise<void> {
  const [type = '', id = ''] = reference.split('/');
  const { kind } = grant.rows(type);
  // Of a type that the role never sees, the rules of the domain must say what may be named.
  if (kind === 'all' || kind === 'none' || (await tx.read(grant, type, id))?.text) return;
  const absent = grant.absent(type, id);
  throw absent.status === 403 && type === 'Patient' ? absent : fail('reference-not-found', { text: `There is no ${reference}` });
}

/** Do the scopes of the token reach what is there, for what is about to be done to it? */
export async function judgeScopeBefore({ type, id, kind }: Pick<JudgedWrite, 'type' | 'id'> & { readonly kind: string }, grant: Grant, tx: Transaction): Promise<void> {
  const within = grant.scoped?.(type, kind === 'delete' ? 'D' : 'U');
  if (within && !(await reaches(within, type, id, grant, tx))) throw (await tx.read(grant, type, id)) ? outOfScope(type) : grant.absent(type, id);
}

/** And what is stored? */
export async function judgeScopeAfter({ type, id, after }: JudgedWrite, wasThere: boolean, grant: Grant, tx: Transaction): Promise<void> {
  const within = after && grant.scoped?.(type, wasThere ? 'U' : 'C');
  if (within && !(await reaches(within, type, id, grant, tx))) throw outOfScope(type);
}

async function reaches(within: Clause, type: string, id: string, grant: Grant, tx: Transaction): Promise<boolean> {
  const found = await tx.read({ ...grant, rows: (one) => (one === type ? within : grant.rows(one)), view: () => undefined }, type, id);
  return found !== undefined;
}

const outOfScope = (type: string): FhirError => fail('forbidden', { text: `The scopes of this token do not reach this ${type}, as it is or as it would be` });

/** After everything is stored: the caller must see what it wrote. A patient that a caller registers may be nobody's yet. */
export async function judgeAfter({ type, id, after }: JudgedWrite, grant: Grant, tx: Transaction): Promise<void> {
  if (!grant.judges || !after || type === 'Patient' || grant.rows(type).kind === 'all') return;
  if (!(await tx.read(grant, type, id))) throw fail('forbidden', { text: `The role ${grant.caller.role} may not write this ${type}: it is not one that this caller would see` });
}

/** `Patient/1` of every literal reference, each once. */
function anchorsOf(value: JsonValue | undefined, found = new Set<string>()): ReadonlySet<string> {
  if (typeof value !== 'object' || value === null) return found;
  for (const [member, child] of Object.entries(value)) {
    if (member !== 'reference' || typeof child !== 'string') anchorsOf(child, found);
    else {
      const [, type = '', id = ''] = LITERAL.exec(child) ?? [];
      if (ANCHORS.has(type)) found.add(`${type}/${id}`);
    }
  }
  return found;
}
