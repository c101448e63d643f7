// Authorization codes and refresh tokens: kept by their hash, used once, and traced back to the sign-in they came from.
// https://www.rfc-editor.org/rfc/rfc9700#section-4.14
import { createHash, randomBytes } from 'node:crypto';
import type { Queryable } from '../db/database.js';
import type { Person } from './person.js';

const ADD = { name: 'oauth-ticket-add', text: 'insert into fhir.oauth_ticket (key, kind, client, grant_id, content, expires) values ($1, $2, $3, $4, $5, $6)' };
const USE = { name: 'oauth-ticket-use', text: 'update fhir.oauth_ticket set used = $2 where key = $1 and used is null' };
const READ = { name: 'oauth-ticket-read', text: 'select kind, client, grant_id, content, expires, used from fhir.oauth_ticket where key = $1' };
const FORGET = { name: 'oauth-ticket-forget', text: 'delete from fhir.oauth_ticket where expires < $1' };

/** What somebody who signed in has granted to a client. */
export interface Granted {
  readonly person: Person;
  /** All that was granted; a refresh may ask for less. */
  readonly scope: string;
  /** Launch context: logical ids, and what the response says of it. */
  readonly patient?: string;
  readonly encounter?: string;
  readonly needPatientBanner?: boolean;
  readonly intent?: string;
  readonly nonce?: string;
  /** Milliseconds since the epoch, as `until`. */
  readonly signedInAt: number;
  /** When the last refresh token of this sign-in ends. */
  readonly until: number;
  /** Of a code: where it was sent, and the challenge that its verifier must meet. */
  readonly redirectUri?: string;
  readonly challenge?: string;
}

export interface Ticket {
  readonly kind: 'code' | 'refresh';
  readonly client: string;
  readonly grant: string;
  readonly content: Granted;
  readonly expires: number;
  readonly isUsed: boolean;
}

export interface Tickets {
  /** A new secret, of which only the hash is kept. */
  add(ticket: Omit<Ticket, 'isUsed'>): Promise<string>;
  find(secret: string): Promise<Ticket | undefined>;
  /** True for the first use; of two at once one is. */
  use(secret: string, now: number): Promise<boolean>;
  forget(now: number): Promise<void>;
}

interface Row {
  readonly kind: 'code' | 'refresh';
  readonly client: string;
  readonly grant_id: string;
  readonly content: string;
  readonly expires: number;
  readonly used: number | null;
}

export function createTickets(db: Queryable): Tickets {
  return {
    async add({ kind, client, grant, content, expires }) {
      const secret = randomBytes(32).toString('base64url');
      await db.query({ ...ADD, values: [hashOf(secret), kind, client, grant, JSON.stringify(content), expires] });
      return secret;
    },
    async find(secret) {
      const { rows: [row] } = await db.query<Row>({ ...READ, values: [hashOf(secret)] });
      return row && { kind: row.kind, client: row.client, grant: row.grant_id, content: JSON.parse(row.content) as Granted, expires: row.expires, isUsed: row.used !== null };
    },
    use: async (secret, now) => (await db.query({ ...USE, values: [hashOf(secret), now] })).count === 1,
    forget: async (now) => {
      await db.query({ ...FORGET, values: [now] });
    },
  };
}

const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url');
