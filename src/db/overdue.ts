// Statements that take longer than the server waits are called off. Not by statement_timeout: connections carry no settings of ours (storage.md rule 5),
// and a timer or a SET for each statement would cost more than most statements do.
import { connect } from 'node:net';
import type pg from 'pg';

/** A statement that can be found again among those under way. */
export interface Watched {
  /** -1 while it is not under way. */
  place: number;
}

interface Running {
  readonly query: Watched;
  readonly connection: object;
  readonly since: number;
}

/** What PostgreSQL gave a connection so that another may cancel for it; pg keeps it without a type. */
interface BackendKey {
  readonly connection: object;
  readonly processID: number | null;
  readonly secretKey: number | null;
}

/** https://www.postgresql.org/docs/current/protocol-message-formats.html: CancelRequest */
const CANCEL_REQUEST = 80_877_102;
const LOOKS_PER_LIMIT = 10;
const LONGEST_PAUSE_MS = 1000;
const CONNECT_MS = 5000;

/** The statements under way of one database. */
export class Overdue {
  /**
   * In no order. A Map that loses as many as it gains leaves a chain of its former tables behind: once one of them is old, each keeps the queries it held,
   * with all that waits for them, until old garbage is collected. Half of what a write allocates was then copied again and again.
   */
  private readonly running: Running[] = [];
  private readonly keys = new WeakMap<object, BackendKey>();
  private timer: NodeJS.Timeout | undefined;

  /** `where`: a client of the same server, which is never connected. */
  constructor(
    private readonly limitMs: number,
    private readonly where: Pick<pg.Client, 'host' | 'port'>,
  ) {}

  /** To be told of each connection of a pool. */
  know(client: pg.PoolClient): void {
    const key = client as unknown as BackendKey;
    this.keys.set(key.connection, key);
  }

  begin(query: Watched, connection: object): void {
    query.place = this.running.push({ query, connection, since: performance.now() }) - 1;
    this.timer ??= setInterval(() => { this.look(); }, Math.min(this.limitMs / LOOKS_PER_LIMIT, LONGEST_PAUSE_MS)).unref();
  }

  /** Of one that was never begun, or has ended, nothing is left to do. The last takes its place. */
  end(query: Watched): void {
    const { place } = query;
    if (place === -1) return;
    query.place = -1;
    const last = this.running.pop();
    if (!last || last.query === query) return;
    last.query.place = place;
    this.running[place] = last;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const before = performance.now() - this.limitMs;
    for (const { query, connection } of this.running.filter(({ since }) => since <= before)) {
      // Asked once: the answer, which comes in the statement's own time, is an error that says 57014.
      this.end(query);
      const key = this.keys.get(connection);
      if (key) this.cancel(key);
    }
  }

  private cancel({ processID, secretKey }: BackendKey): void {
    const message = Buffer.alloc(16);
    [message.length, CANCEL_REQUEST, processID ?? 0, secretKey ?? 0].forEach((value, index) => message.writeInt32BE(value | 0, index * 4));
    const { host, port } = this.where;
    const socket = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    socket.setTimeout(CONNECT_MS, () => { socket.destroy(); });
    // What can't be cancelled goes on; its request is answered when it ends.
    socket.on('error', () => { socket.destroy(); }).end(message);
  }
}
