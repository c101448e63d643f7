// The trail of who did what. A write hands its rows to the statement that stores it; reads and refusals are kept for a moment
// and stored many at once: at most 100 ms or 500 of them (storage.md rule 9).
import type { Database } from '../db/database.js';
import type { Log } from '../db/log.js';
import type { Caller } from '../fhir/caller.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import type { Beside } from '../store/store.js';
import { PAGE, peekPlace } from '../search/page-link.js';
import { scopeOf } from '../search/search-request.js';
import { agentId, agentOf, keepAgent, SERVER_AGENT, UNKNOWN_AGENT, type Agent } from './agent.js';
import { besideWrite, insertRows, type AuditRow } from './audit-row.js';
import { addPatients, addPatientsOfQuery } from './patients.js';
import { purposeOf } from './purpose.js';

const FLUSH_MS = 100;
const FLUSH_ROWS = 500;
const AWAY_MS = 1000;
/** While the database is away. What comes on top is counted, and the count recorded. */
const MOST_KEPT = 50_000;
const LONGEST_QUERY = 8_000;
const MOST_CLIENTS = 1000;

interface KnownAgent {
  readonly id: string;
  readonly agent: Agent;
  /** Set once its row is asked for. */
  kept?: Promise<void>;
}

/** One request on its way: what is known of it before its answer. */
export interface Access {
  readonly agent: KnownAgent;
  readonly request: FhirRequest;
  readonly trace: string | null;
  /** Patients that a rule or a match has named. */
  readonly about: Set<string>;
  /** The versions that this request has written in its transaction: `Patient/1/_history/2`. */
  readonly written: string[];
  /** The entries of a transaction that wrote nothing, to be recorded once it is committed. */
  entries: readonly { readonly access: Access; readonly response: FhirResponse }[];
}

/** A resource that a request writes. */
export interface WrittenResource {
  readonly interaction: 'create' | 'update' | 'patch' | 'delete' | 'delete-history' | `$${string}`;
  readonly status: number;
  /** `Patient/1/_history/2` */
  readonly what: string;
  readonly patients: ReadonlySet<string>;
}

/** What a Subscription's endpoint was sent, and whether it took it. */
export interface Notified {
  /** Logical id. */
  readonly subscription: string;
  /** The number of the event: with the Subscription's id, the `jti` of its signature. */
  readonly number: number;
  /** `Observation/1/_history/2` */
  readonly what: string;
  /** Ids. */
  readonly patients: readonly string[];
  readonly taken: boolean;
}

/** A request at a door beside the FHIR service, and how it ended. */
export interface DoorAccess {
  /** Undefined where nobody has proved who it was. */
  readonly who: Caller | { readonly client: string } | undefined;
  readonly status: number;
  /** Method and URL. */
  readonly line: string;
  readonly address: string;
  readonly requestId: string | undefined;
  readonly correlationId: string | undefined;
}

export interface TrailParts {
  readonly database: Database;
  readonly newId: () => string;
  /** Opens page links: the record tells the search, not the sealed word. */
  readonly pageSecret: string;
  readonly log: Log;
}

const PLAIN_WRITES = new Set(['create', 'update', 'patch', 'delete', 'delete-history']);
const BUNDLES = new Set(['batch', 'transaction']);

export class Trail {
  private readonly agents = new WeakMap<Caller, Map<string, KnownAgent>>();
  private readonly unknown = known(UNKNOWN_AGENT);
  private readonly server = known(SERVER_AGENT);
  private readonly clients = new Map<string, KnownAgent>();
  private readonly subscribers = new Map<string, KnownAgent>();
  private waiting: { readonly row: AuditRow; readonly agent: KnownAgent }[] = [];
  private lost = 0;
  /** The last try failed: the next comes by the clock alone. */
  private away = false;
  private timer: NodeJS.Timeout | undefined;
  private flushing: Promise<void> | undefined;

  constructor(private readonly parts: TrailParts) {}

  /** Undefined for a caller that could not be identified. */
  open(caller: Caller | undefined, request: FhirRequest): Access {
    return { agent: caller ? this.agentFor(caller, request) : this.unknown, request, trace: traceOf(request), about: new Set(), written: [], entries: [] };
  }

  /** To be awaited before a write, so that no row names an agent who is not there. At once but for a caller's first. */
  introduce({ agent }: Access): void | Promise<void> {
    return agent.kept === undefined ? this.keep(agent) : undefined;
  }

  /** The rows of what a request writes, for the statement or the transaction that writes it. `newId` gives a transaction that is run again the same ids. */
  besideWrite({ agent, request, trace }: Access, written: readonly WrittenResource[], newId: () => string): Beside {
    const query = queryOf(request, this.parts.pageSecret);
    const rows = written.map(({ interaction, status, what, patients }): AuditRow => ({
      id: newId(), agent: agent.id, status, interaction, what, patients: [...patients], reason: request.breakGlassReason ?? null, trace, query,
    }));
    return besideWrite(rows);
  }

  /** Records the answer of a request, unless it is a write that was recorded as it was stored. */
  record(access: Access, response: FhirResponse): void {
    const { request, agent, trace } = access;
    if (response.status < 400) for (const entry of access.entries) this.record(entry.access, entry.response);
    if (access.written.length > 0 && response.status < 400 && PLAIN_WRITES.has(request.interaction)) return;
    this.add(agent, {
      id: this.parts.newId(), agent: agent.id, status: response.status, interaction: nameOf(request), what: whatOf(request),
      patients: [...patientsOf(access, response)], reason: request.breakGlassReason ?? null, trace, query: queryOf(request, this.parts.pageSecret),
      refused: response.refused,
    });
  }

  /** A request refused before it was read: `line` tells what came, and `from` which address it came from, where nobody knows more. */
  recordUnread(caller: Caller | undefined, status: number, line: string, request: FhirRequest, from: string | null = null): void {
    const { agent, trace } = this.open(caller, request);
    const patients = new Set<string>();
    addPatients(line, patients);
    this.add(agent, {
      id: this.parts.newId(), agent: agent.id, status, interaction: nameOf(request), what: whatOf(request),
      patients: [...patients], reason: caller ? null : from, trace, query: line.slice(0, LONGEST_QUERY),
    });
  }

  /** A request at a door beside the FHIR service; `interaction` names the door. */
  recordDoor(interaction: string, { who, status, line, address, ...ids }: DoorAccess): void {
    const agent = who === undefined ? this.unknown : 'role' in who ? this.agentFor(who, {}) : this.clientAgent(who.client);
    const reason = who === undefined ? address : null;
    this.add(agent, { id: this.parts.newId(), agent: agent.id, status, interaction, what: null, patients: [], reason, trace: traceOf(ids), query: line.slice(0, LONGEST_QUERY) });
  }

  /** A notification that went out: its subscriber has been told. */
  recordNotification(subscriber: Caller, { subscription, number, what, patients, taken }: Notified): void {
    const agent = this.subscriberAgent(subscriber);
    const query = `Subscription/${subscription}`;
    this.add(agent, { id: this.parts.newId(), agent: agent.id, status: taken ? 200 : 502, interaction: 'notification', what, patients, reason: null, trace: `${subscription}/${number} `, query });
  }

  /** Refusals of a flood that were not recorded each by itself. */
  recordFlood(source: string, count: number): void {
    const agent = this.unknown;
    this.add(agent, { id: this.parts.newId(), agent: agent.id, status: 429, interaction: 'flood', what: null, patients: [], reason: `${count} more requests of ${source} were refused`, trace: null, query: null });
  }

  /** What happened to the server itself. */
  recordServer(interaction: 'start' | 'stop' | 'gap', status: number, reason: string): void {
    this.add(this.server, { id: this.parts.newId(), agent: this.server.id, status, interaction, what: null, patients: [], reason, trace: null, query: null });
  }

  /** Stores all that was recorded so far. Rejects when it can't: the rows are kept. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    while (this.flushing) await this.flushing.catch(() => undefined);
    this.flushing = this.storeWaiting();
    try {
      await this.flushing;
    } finally {
      this.flushing = undefined;
      this.away = false;
    }
    // What came in the meantime is gathered for its own while.
    if (this.waiting.length > 0) this.flushSoon(FLUSH_MS);
  }

  /** A client that has proved itself and has no token yet. */
  private clientAgent(client: string): KnownAgent {
    let agent = this.clients.get(client);
    if (this.clients.size >= MOST_CLIENTS) this.clients.clear();
    if (!agent) this.clients.set(client, (agent = known({ ...UNKNOWN_AGENT, client, subject: client })));
    return agent;
  }

  /** A subscriber is read anew with each turn of work: it is the same agent all the same. */
  private subscriberAgent(caller: Caller): KnownAgent {
    const agent = known(agentOf(caller, purposeOf(caller.role, {})));
    const before = this.subscribers.get(agent.id);
    if (before) return before;
    if (this.subscribers.size >= MOST_CLIENTS) this.subscribers.clear();
    this.subscribers.set(agent.id, agent);
    return agent;
  }

  private agentFor(caller: Caller, request: Pick<FhirRequest, 'purposeOfUse' | 'breakGlassReason'>): KnownAgent {
    const purpose = purposeOf(caller.role, request);
    let byPurpose = this.agents.get(caller);
    if (!byPurpose) this.agents.set(caller, (byPurpose = new Map<string, KnownAgent>()));
    let agent = byPurpose.get(purpose);
    if (!agent) byPurpose.set(purpose, (agent = known(agentOf(caller, purpose))));
    return agent;
  }

  /** Beside: a caller's first write may have its transaction open already, for whose locks those wait that hold all other connections. */
  private keep(agent: KnownAgent): Promise<void> {
    const kept = keepAgent(this.parts.database.beside, agent.id, agent.agent);
    agent.kept = kept;
    kept.catch(() => { delete agent.kept; });
    return kept;
  }

  private add(agent: KnownAgent, row: AuditRow): void {
    if (this.waiting.length >= MOST_KEPT) {
      this.lost += 1;
      return;
    }
    this.waiting.push({ row, agent });
    if (this.flushing || this.away) return;
    if (this.waiting.length === FLUSH_ROWS) this.flushSoon(0);
    else if (this.timer === undefined) this.flushSoon(FLUSH_MS);
  }

  private flushSoon(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.flush().catch((error: unknown) => {
        this.away = true;
        this.flushSoon(AWAY_MS);
        this.parts.log.error({ err: error, waiting: this.waiting.length, lost: this.lost }, 'the audit trail could not be stored; tried again soon');
      });
    }, ms).unref();
  }

  private async storeWaiting(): Promise<void> {
    for (let left = this.waiting.length; left > 0; left -= FLUSH_ROWS) await this.storeSome(this.waiting.slice(0, Math.min(left, FLUSH_ROWS)));
    if (this.lost === 0) return;
    const { lost } = this;
    this.lost = 0;
    this.recordServer('gap', 500, `${lost} events were lost while the database was away`);
  }

  private async storeSome(some: typeof this.waiting): Promise<void> {
    for (const agent of new Set(some.map((one) => one.agent))) await (agent.kept ?? this.keep(agent));
    await this.parts.database.query(insertRows(some.map(({ row }) => row)));
    this.waiting = this.waiting.slice(some.length);
  }
}

const known = (agent: Agent): KnownAgent => ({ id: agentId(agent), agent });

/** The entries of a bundle are traced by its X-Request-ID. */
function traceOf({ requestId, bundleRequestId, correlationId }: Pick<FhirRequest, 'requestId' | 'bundleRequestId' | 'correlationId'>): string | null {
  const own = word(bundleRequestId ?? requestId);
  const correlation = word(correlationId);
  return own === '' && correlation === '' ? null : `${own} ${correlation}`;
}

/** As it is echoed: anything else is no trace. */
function word(id: string | undefined): string {
  return id !== undefined && id.length <= 200 && /^[\x21-\x7e]+$/.test(id) ? id : '';
}

function nameOf({ interaction, operation, type, id, compartment, body }: FhirRequest): string {
  if (interaction === 'history' && id === undefined) return type === undefined ? 'history-system' : 'history-type';
  if (interaction === 'search' && type === undefined && !compartment) return 'search-system';
  // What has no name is a look at a job that an operation began.
  if (interaction === 'operation') return `$${(operation ?? 'job').slice(0, 64)}`;
  return interaction === 'batch' && body?.value['type'] === 'transaction' ? 'transaction' : interaction;
}

function whatOf({ type, id, version }: FhirRequest): string | null {
  if (type === undefined) return null;
  if (id === undefined) return type;
  return version === undefined ? `${type}/${id}` : `${type}/${id}/_history/${version.slice(0, 20)}`;
}

/** Criteria as they were sent, not escaped, and the compartment they stood in; NHS numbers included, which are to be seen here and in no log. */
function queryOf(request: FhirRequest, secret: string): string | null {
  const { query, type, id, compartment, ifNoneExist } = request;
  if (type === undefined && id !== undefined) return id;
  if (query.length === 0 && !compartment) return ifNoneExist?.slice(0, LONGEST_QUERY) ?? null;
  const page = query.find(([name]) => name === PAGE)?.[1];
  const pairs = (page === undefined ? undefined : peekPlace(page, secret)?.pairs) ?? query;
  const text = pairs.map(([name, value]) => `${name}=${value}`).join('&');
  return (compartment ? `${scopeOf(request)}?${text}` : text).slice(0, LONGEST_QUERY);
}

function patientsOf({ request, about }: Access, response: FhirResponse): Set<string> {
  const { type, id, query, compartment, body, interaction } = request;
  const found = new Set(about);
  if (type === 'Patient' && id !== undefined) found.add(id);
  if (compartment?.type === 'Patient') found.add(compartment.id);
  for (const one of response.about ?? []) found.add(one);
  if (query.length > 0) addPatientsOfQuery(query, found);
  // The entries of a bundle that succeeded are recorded each by itself.
  const succeeded = response.status < 400;
  if (response.body !== undefined && response.outcome !== true && response.aboutAll !== true && !BUNDLES.has(interaction)) addPatients(response.body, found);
  if (body && !(succeeded && BUNDLES.has(interaction))) addPatients(body.text.slice(body.start, body.end), found);
  return found;
}
