// The ids of the organisations that tokens name by ODS code, for what has to be told from the text of a resource: rows are found by the code itself.
import type { Caller } from '../fhir/caller.js';
import { serverGrant } from '../search/grant.js';
import type { Reader } from '../store/store.js';
import type { Clauses } from './clauses.js';
import { ownOrganization } from './organizations.js';

/** An organisation that is given another code keeps what it sees for so long at most. */
const KEPT_MS = 60_000;

export class OwnOrganizations {
  private readonly known = new Map<string, { readonly references: readonly string[]; readonly until: number }>();

  constructor(
    private readonly clauses: Clauses,
    private readonly clock: () => number,
  ) {}

  /** `Organization/1`; none before they have been learnt, so that nothing is shown by mistake. */
  referencesOf({ organization = '' }: Caller): readonly string[] {
    return this.known.get(organization)?.references ?? [];
  }

  /** Undefined where they are known already. */
  learn(caller: Caller, store: Pick<Reader, 'search'>): Promise<void> | undefined {
    const known = this.known.get(caller.organization ?? '');
    return known && known.until > this.clock() ? undefined : this.find(caller, store);
  }

  private async find(caller: Caller, store: Pick<Reader, 'search'>): Promise<void> {
    const where = ownOrganization(this.clauses, caller);
    const { matches } = await store.search(serverGrant(), { type: 'Organization', where, sort: [], count: 20, includes: [], total: 'none', self: [] });
    // What is not there yet is looked for again at the next request.
    const until = matches.length === 0 ? 0 : this.clock() + KEPT_MS;
    this.known.set(caller.organization ?? '', { references: matches.map(({ id }) => `Organization/${id}`), until });
  }
}
