// The register of clients: kept in the database, looked up in memory, and at most a second behind what another server has written.
import type { Queryable } from '../db/database.js';
import { DEVELOPMENT_CLIENT, type Client } from './client.js';
import { BadRegistration } from './registration.js';
import { DEVELOPMENT_ISSUER } from './trusted-issuer.js';

/** How old what is remembered of a client may be. */
const FRESH_MS = 1000;
const MOST_REMEMBERED = 10_000;

const BY_ID = { name: 'client-by-id', text: 'select id, issuer, registration, active from fhir.client where id = $1' };
const BY_ISSUER = { name: 'client-by-issuer', text: 'select id, issuer, registration, active from fhir.client where issuer = $1 limit 1' };
const ALL = { name: 'client-all', text: 'select id, issuer, registration, active from fhir.client order by id' };
const OF_ORGANIZATION = { name: 'client-of-organization', text: `select 1 from fhir.client where (registration::json)->>'organization' = $1 limit 1` };
const OTHERS = { name: 'client-others', text: 'select 1 from fhir.client where issuer = $1 and id <> $2 limit 1' };
const PUT = {
  name: 'client-put',
  text: `insert into fhir.client (id, issuer, registration, active, changed) values ($1, $2, $3, $4, $5)
         on conflict (id) do update set issuer = excluded.issuer, registration = excluded.registration, active = excluded.active, changed = excluded.changed`,
};

interface Row {
  readonly id: string;
  readonly issuer: string;
  readonly registration: string;
  readonly active: boolean;
}

interface Remembered {
  /** The row as it was read: while it stays the same, so does the Client, and with it what is remembered of its keys. */
  readonly row: string;
  readonly client: Client | undefined;
  readonly at: number;
}

export interface Clients {
  /** At once where it was asked for within the last second, else from the database; undefined for one that nobody registered. */
  find(id: string): Client | undefined | Promise<Client | undefined>;
  /** By the `iss` of the tokens that it signs itself. */
  byIssuer(issuer: string): Client | undefined | Promise<Client | undefined>;
  /** Is this ODS code any client's? */
  knowsOrganization(organization: string): Promise<boolean>;
  all(): Promise<readonly Client[]>;
  /** Registers a client or replaces its registration; in this process it counts at once. Rejects with a BadRegistration when its issuer is another's. */
  put(client: Client): Promise<void>;
}

/** `development` says whether the tokens of the development server's command line are taken. */
export function createClients(parts: { readonly db: Queryable; readonly clock: () => number; readonly development: boolean }): Clients {
  const { db, clock, development } = parts;
  const ids = new Remembering(clock, (id) => one(db, BY_ID, id));
  const issuers = new Remembering(clock, (issuer) => one(db, BY_ISSUER, issuer));
  return {
    find: (id) => (development && id === DEVELOPMENT_CLIENT.id ? DEVELOPMENT_CLIENT : ids.find(id)),
    byIssuer: (issuer) => issuers.find(issuer),
    knowsOrganization: async (organization) => (await db.query({ ...OF_ORGANIZATION, values: [organization] })).count > 0,
    all: async () => (await db.query<Row>({ ...ALL, values: [] })).rows.map(clientOf),
    async put(client) {
      const { id, issuer, active, ...registration } = client;
      if (id === DEVELOPMENT_CLIENT.id) throw new BadRegistration(`${id} is the client of the development tokens: set AUTH_ISSUER to refuse those`);
      if (issuer === DEVELOPMENT_ISSUER || (await db.query({ ...OTHERS, values: [issuer, id] })).count > 0) throw new BadRegistration(`The issuer ${issuer} is not this client's: another signs its tokens by it`);
      await db.query({ ...PUT, values: [id, issuer, JSON.stringify(registration), active, clock()] });
      ids.forget();
      issuers.forget();
    },
  };
}

/** What was read within the last second is not read again. */
class Remembering {
  private readonly known = new Map<string, Remembered>();
  private generation = 0;

  constructor(
    private readonly clock: () => number,
    private readonly read: (key: string) => Promise<Row | undefined>,
  ) {}

  find(key: string): Client | undefined | Promise<Client | undefined> {
    const known = this.known.get(key);
    if (known !== undefined && this.clock() - known.at < FRESH_MS) return known.client;
    return this.refresh(key, known);
  }

  /** What is being read at this moment is not kept either. */
  forget(): void {
    this.generation += 1;
    this.known.clear();
  }

  private async refresh(key: string, before: Remembered | undefined): Promise<Client | undefined> {
    // By when it was asked for, not by when it came: in between it may have been changed.
    const at = this.clock();
    const { generation } = this;
    const found = await this.read(key);
    const row = JSON.stringify(found ?? null);
    const client = before?.row === row ? before.client : found && clientOf(found);
    if (this.known.size >= MOST_REMEMBERED) this.known.clear();
    if (generation === this.generation) this.known.set(key, { row, client, at });
    return client;
  }
}

async function one(db: Queryable, statement: { name: string; text: string }, value: string): Promise<Row | undefined> {
  const { rows } = await db.query<Row>({ ...statement, values: [value] });
  return rows[0];
}

function clientOf({ id, issuer, registration, active }: Row): Client {
  return Object.freeze({ ...(JSON.parse(registration) as Omit<Client, 'id' | 'issuer' | 'active'>), id, issuer, active });
}
