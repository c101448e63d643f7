// The register of clients: kept in the database, looked up in memory, and at most a second behind what another server has written.
import type { Queryable } from '../db/database.js';
import { DEVELOPMENT_CLIENT, type Client } from './client.js';

/** How old what is remembered of a client may be. */
const FRESH_MS = 1000;
const MOST_REMEMBERED = 10_000;

const BY_ID = { name: 'client-by-id', text: 'select id, issuer, registration, active from fhir.client where id = $1' };
const BY_ISSUER = { name: 'client-by-issuer', text: 'select id, issuer, registration, active from fhir.client where issuer = $1 limit 1' };
const ALL = { name: 'client-all', text: 'select id, issuer, registration, active from fhir.client order by id' };
const OF_ORGANIZATION = { name: 'client-of-organization', text: `select 1 from fhir.client where (registration::json)->>'organization' = $1 limit 1` };
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
  readonly client: Client | undefined;
  readonly at: number;
}

export interface Clients {
  /** At once where it was asked for within the last second, else from the database; undefined for one that nobody registered. */
  find(id: string): Client | undefined | Promise<Client | undefined>;
  /** By the `iss` of the tokens that it signs itself. */
  byIssuer(issuer: string): Promise<Client | undefined>;
  /** Is this ODS code any client's? */
  knowsOrganization(organization: string): Promise<boolean>;
  all(): Promise<readonly Client[]>;
  /** Registers a client or replaces its registration; in this process it counts at once. */
  put(client: Client): Promise<void>;
}

/** `development` says whether the tokens of the development server's command line are taken. */
export function createClients(parts: { readonly db: Queryable; readonly clock: () => number; readonly development: boolean }): Clients {
  const { db, clock, development } = parts;
  const remembered = new Map<string, Remembered>();
  const remember = (id: string, client: Client | undefined): Client | undefined => {
    if (remembered.size >= MOST_REMEMBERED) remembered.clear();
    remembered.set(id, { client, at: clock() });
    return client;
  };
  return {
    find(id) {
      if (development && id === DEVELOPMENT_CLIENT.id) return DEVELOPMENT_CLIENT;
      const known = remembered.get(id);
      if (known !== undefined && clock() - known.at < FRESH_MS) return known.client;
      return one(db, BY_ID, id).then((client) => remember(id, client));
    },
    byIssuer: (issuer) => one(db, BY_ISSUER, issuer),
    knowsOrganization: async (organization) => (await db.query({ ...OF_ORGANIZATION, values: [organization] })).count > 0,
    all: async () => (await db.query<Row>({ ...ALL, values: [] })).rows.map(clientOf),
    async put(client) {
      const { id, issuer, active, ...registration } = client;
      await db.query({ ...PUT, values: [id, issuer, JSON.stringify(registration), active, clock()] });
      remember(id, client);
    },
  };
}

async function one(db: Queryable, statement: { name: string; text: string }, value: string): Promise<Client | undefined> {
  const { rows } = await db.query<Row>({ ...statement, values: [value] });
  return rows[0] && clientOf(rows[0]);
}

function clientOf({ id, issuer, registration, active }: Row): Client {
  return Object.freeze({ ...(JSON.parse(registration) as Omit<Client, 'id' | 'issuer' | 'active'>), id, issuer, active });
}
