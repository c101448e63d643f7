// What every question of terminology stands on.
import type { ValueSet } from '@medplum/fhirtypes';
import type { Queryable } from '../db/database.js';
import { importsOf, planOf, type Plan } from './plan.js';
import type { Remote } from './remote.js';
import type { Sources } from './sources.js';

export interface Ground {
  readonly sources: Sources;
  readonly db: Queryable;
  /** Undefined where no server is named by TERMINOLOGY_URL. */
  readonly remote: Remote | undefined;
}

const MOST_IMPORTS = 1000;

/** The plan of a value set, whatever it imports fetched first. */
export async function planFor(valueSet: ValueSet, { sources }: Pick<Ground, 'sources'>): Promise<Plan> {
  const known = new Map<string, ValueSet | undefined>();
  const waiting = [...importsOf(valueSet)];
  for (let next = waiting.shift(); next !== undefined && known.size < MOST_IMPORTS; next = waiting.shift()) {
    if (known.has(next)) continue;
    const found = await sources.valueSet(next);
    known.set(next, found);
    if (found) waiting.push(...importsOf(found));
  }
  return planOf(valueSet, (canonical) => known.get(canonical));
}

/** Words on what another server could have said. */
export function remoteWords({ remote }: Pick<Ground, 'remote'>): string {
  return remote ? `The terminology server ${remote.url} does not know it either.` : 'No other terminology server is asked: TERMINOLOGY_URL is not set.';
}
