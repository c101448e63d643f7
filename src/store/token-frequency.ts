// How common each token is, from PostgreSQL's own statistics: what lets search/ choose between walking a sort index and the GIN.
// https://www.postgresql.org/docs/current/view-pg-stats.html
import type { Database } from '../db/database.js';
import type { TokenFrequency } from '../search/token-frequency.js';
import { resourceTable } from './tables.js';

const FRESH_MS = 5 * 60_000;

interface Known {
  readonly since: number;
  readonly frequency: TokenFrequency | undefined;
}

export class TokenFrequencies {
  private readonly known = new Map<string, Known>();

  constructor(
    private readonly database: Database,
    private readonly now: () => number,
  ) {}

  /** What is known now; undefined where nothing is yet. Asks the database behind the caller's back, at most once in five minutes per type. */
  of(type: string): TokenFrequency | undefined {
    const known = this.known.get(type);
    if (!known || this.now() - known.since > FRESH_MS) void this.refresh(type, known?.frequency);
    return known?.frequency;
  }

  /** Never rejects: a search goes without. */
  async refresh(type: string, before?: TokenFrequency): Promise<void> {
    const since = this.now();
    this.known.set(type, { since, frequency: before });
    const frequency = await this.ask(type).catch(() => before);
    this.known.set(type, { since, frequency });
  }

  private async ask(type: string): Promise<TokenFrequency | undefined> {
    const { rows } = await this.database.beside.query<{ tuples: number; token: string; share: number }>({
      name: 'token frequency',
      // The shares end with three more numbers (least, greatest, of null), which have no token.
      text: `select c.reltuples as tuples, e.token::text as token, e.share
             from pg_class c, pg_stats s, unnest(s.most_common_elems::text::bigint[], s.most_common_elem_freqs) as e (token, share)
             where c.oid = $1::regclass and s.schemaname = 'fhir' and s.tablename = $2 and s.attname = 'tokens' and e.token is not null`,
      values: [resourceTable(type), type],
    });
    const [first] = rows;
    return first && { rows: first.tuples, shares: new Map(rows.map(({ token, share }) => [BigInt(token), share])) };
  }
}
