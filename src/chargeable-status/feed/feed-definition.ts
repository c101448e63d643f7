// A further feed as a row of data: who may send it, what its statuses mean, and how it ranks below the Home Office (domain.md 1.3, 2.2 P4).
import type { Queryable } from '../../db/database.js';
import { CATEGORIES, isCategory, type Basic, type Category } from '../status/category.js';

/** What an incoming status means: a category, from which the basic status follows, or a basic status alone. */
export interface FeedStatus {
  readonly category?: Category;
  readonly basic?: Basic;
}

export interface FeedDefinition {
  /** Lower case, digits and hyphens. */
  readonly code: string;
  readonly name: string;
  /** Among statements of feeds made at the same instant 1 wins over 2. */
  readonly rank: number;
  /** ODS code. */
  readonly organization?: string;
  /** OAuth clients that may send it. */
  readonly clients: readonly string[];
  readonly mapping: Readonly<Record<string, FeedStatus>>;
  /** False stops it; what it has said stays. */
  readonly active: boolean;
}

interface FeedRow {
  readonly code: string;
  readonly name: string;
  readonly rank: number;
  readonly organization: string | null;
  readonly clients: string[];
  readonly mapping: string;
  readonly active: boolean;
}

const COLUMNS = 'code, name, rank, organization, clients, mapping, active';
const BY_CLIENT = { name: 'status-feed-by-client', text: `select ${COLUMNS} from fhir.status_feed where $1 = any(clients)` };
const BY_CODE = { name: 'status-feed-by-code', text: `select ${COLUMNS} from fhir.status_feed where code = $1` };
const ALL = { name: 'status-feeds', text: `select ${COLUMNS} from fhir.status_feed order by code` };
const SAVE = {
  name: 'status-feed-save',
  text: `insert into fhir.status_feed (code, name, rank, organization, clients, mapping, active, updated) values ($1, $2, $3, $4, $5, $6, $7, $8)
    on conflict (code) do update set name = excluded.name, rank = excluded.rank, organization = excluded.organization, clients = excluded.clients,
      mapping = excluded.mapping, active = excluded.active, updated = excluded.updated`,
};

/** The feed of a client; undefined where none is registered for it, or it is stopped. A client has one feed. */
export async function feedOfClient(db: Queryable, client: string): Promise<FeedDefinition | undefined> {
  const { rows } = await db.query<FeedRow>({ ...BY_CLIENT, values: [client] });
  return rows.map(feedOf).find(({ active }) => active);
}

export async function feedByCode(db: Queryable, code: string): Promise<FeedDefinition | undefined> {
  const { rows } = await db.query<FeedRow>({ ...BY_CODE, values: [code] });
  return rows[0] && feedOf(rows[0]);
}

export async function allFeeds(db: Queryable): Promise<FeedDefinition[]> {
  const { rows } = await db.query<FeedRow>({ ...ALL, values: [] });
  return rows.map(feedOf);
}

export async function saveFeed(db: Queryable, feed: FeedDefinition, now: number): Promise<void> {
  const { code, name, rank, organization, clients, mapping, active } = feed;
  await db.query({ ...SAVE, values: [code, name, rank, organization ?? null, clients, JSON.stringify(mapping), active, now] });
}

/** What is wrong with a definition, in words for who wrote it. */
export function feedFaults(feed: FeedDefinition): string[] {
  const faults: string[] = [];
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(feed.code) || feed.code === 'ho' || feed.code === 'ovm') faults.push('code is 1 to 32 characters out of a-z, 0-9 and -, begins with a letter, and is not ho or ovm');
  if (feed.name.trim() === '') faults.push('name says who sends it');
  if (!Number.isInteger(feed.rank) || feed.rank < 1 || feed.rank > 1000) faults.push('rank is a whole number from 1, the first, to 1000');
  if (feed.clients.length === 0) faults.push('client names at least one OAuth client that may send it');
  const statuses = Object.entries(feed.mapping);
  if (statuses.length === 0) faults.push('mapping gives at least one status with its category or basic status');
  return [...faults, ...statuses.flatMap(([status, meaning]) => meaningFaults(status, meaning))];
}

function meaningFaults(status: string, { category, basic }: FeedStatus): string[] {
  if (status.trim() === '' || status !== status.trim()) return ['a status of mapping is a word without blanks around it'];
  if (category !== undefined && !isCategory(category)) return [`the category of ${status} is one of ${Object.keys(CATEGORIES).join(', ')}`];
  if (basic !== undefined && !['Y', 'N', 'U'].includes(basic)) return [`the basic status of ${status} is Y, N or U`];
  if (category === undefined && basic === undefined) return [`mapping says of ${status} neither category nor basic`];
  if (category !== undefined && basic !== undefined && CATEGORIES[category].basic !== basic) return [`the category ${category} of ${status} means ${CATEGORIES[category].basic}, not ${basic}: leave basic out`];
  return [];
}

function feedOf({ organization, mapping, ...row }: FeedRow): FeedDefinition {
  return { ...row, mapping: JSON.parse(mapping) as FeedDefinition['mapping'], ...(organization !== null && { organization }) };
}
