// What a rule of the domain is handed while a write goes through it.
import type { Issue } from '../fhir/issue.js';
import type { WriteContext } from '../store/rule.js';
import type { Transaction } from '../store/store.js';
import { add, amend } from './amend.js';
import type { Context } from './context.js';

/** What rules say of a write as they go. */
interface Said {
  /** Ids of whom it is about. */
  readonly patients: Set<string>;
  readonly warnings: Issue[];
}

/** What a rule is handed; `said` takes what it says: by itself, of the request. */
export function ruleContext(context: Context, tx: Transaction, { patients, warnings }: Said = { patients: context.access.about, warnings: [] }): WriteContext {
  return {
    about: (patient) => { patients.add(patient); },
    caller: context.grant.caller,
    grant: context.grant,
    tx,
    now: context.now,
    act: context.act,
    newId: context.parts.newId,
    put: (resource) => amend(resource, { tx, now: context.now, extract: context.parts.extract }),
    add: (resource) => add(resource, { tx, now: context.now, extract: context.parts.extract }),
    warn: (issue) => { warnings.push(issue); },
  };
}
