// What a caller may see and do. access/ makes one per request; every function of store/ takes it, so no road is without it.
import type { Caller } from '../fhir/caller.js';
import { fail, type FhirError } from '../fhir/errors.js';
import type { Interaction } from '../fhir/request.js';
import type { Resource } from '../fhir/resource.js';
import type { Clause } from './query.js';

/** From the text of a resource to the text that is shown. */
export type View = (text: string) => string;

export interface Grant {
  readonly caller: Caller;
  /** Why the caller broke the glass, where this request was let through for that. */
  readonly brokenGlass?: string;
  /** The rows of a type that this caller may see; `none` where there are none. ANDed to every read, search, chain and include. */
  rows(type: string): Clause;
  /** May the caller use this interaction on this type at all (403 if not)? */
  allows(interaction: Interaction, type?: string, operation?: string): boolean;
  /** May the caller only propose changes of this type: each makes a Task and nothing else (domain.md ruling 28)? */
  proposes?(type: string): boolean;
  /** The only method that the entries of the caller's Bundles may have; undefined for any. HEAD goes with GET. */
  readonly entryMethod?: 'GET' | 'POST';
  /** Answers carry status, location and etag only: no resource, no outcome that tells whether someone is known (domain.md ruling 5). */
  readonly receiptsOnly: boolean;
  /** Do this caller's rows depend on who it is? Then its writes are judged by them too, in the transaction of the write (interactions/judge-rows.ts). */
  readonly judges: boolean;
  /** Are rows of the type hidden from this caller? Then it writes under no id that it sees nothing under: refused or not, it would tell whether there is a row. */
  ownIds?(type: string): boolean;
  /** The rows that the scopes of the token let this caller create (C), change (U), delete (D), read or search; undefined where they say nothing of rows. The role's rights hold beside it. */
  scoped?(type: string, letter: 'C' | 'R' | 'U' | 'D' | 'S'): Clause | undefined;
  /** The refusal for a row that is not there, or that the caller may not know to be there: the same in either case. */
  absent(type: string, id: string): FhirError;
  /** What this caller is shown of a resource, made of its JSON text; undefined where that is all of it. The store applies it to whatever it gives out. */
  view(type: string): View | undefined;
  /** Is the search parameter, asked with these values, about something that the view hides? Then it is refused, since it would tell. */
  hides(type: string, code: string, values?: readonly string[]): boolean;
  /** Rows whose view hides what the parameter is about, though others' shows it: no criterion by it holds of them. */
  except(type: string, code: string): Clause | undefined;
  /** Patients whom the caller does not see yet and may open a budget for: an organisation that pays may take on who is registered with nobody. */
  readonly takesOn: Clause;
  /** A write, seen with both versions: undefined when allowed, else the refusal to give. */
  refuseWrite(type: string, before: Resource | undefined, after: Resource | undefined): FhirError | undefined;
}

/** The server's own, for what it does by itself: sees all and may do all. */
export function serverGrant(client = 'entitle-fhir'): Grant {
  return {
    caller: { role: 'admin', client, subject: client, scopes: [] },
    receiptsOnly: false,
    judges: false,
    rows: () => ({ kind: 'all' }),
    absent: (type, id) => fail('not-found', { text: `There is no ${type}/${id}` }),
    view: () => undefined,
    hides: () => false,
    except: () => undefined,
    takesOn: { kind: 'none' },
    allows: () => true,
    refuseWrite: () => undefined,
  };
}

/** The same Grant while a budget is opened: it also sees the patients that may be taken on. */
export function takingOn(grant: Grant): Grant {
  if (grant.takesOn.kind === 'none') return grant;
  return { ...grant, rows: (type) => (type === 'Patient' ? { kind: 'or', of: [grant.rows(type), grant.takesOn] } : grant.rows(type)) };
}
