// From start to stop of one process: what a crash may have lost is known afterwards, and put on record.
import type { Database } from '../db/database.js';
import { instantText } from '../fhir/date-time.js';
import type { Trail } from './trail.js';

export interface RecordingParts {
  readonly database: Database;
  readonly trail: Trail;
  readonly newId: () => string;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly host: string;
  readonly pid: number;
}

export interface Recording {
  /** Every few seconds: says up to when all is stored, and records the gaps of processes that have gone without a word. */
  beat(): Promise<void>;
  /** Stores what is left, and that this process stopped in order. */
  end(): Promise<void>;
}

/** A process of another machine that has not been heard of for so long is gone. */
const SILENT_MS = 60_000;
/** One of this machine that does not run any more; but containers may share a machine's name without seeing each other's processes. */
const SILENT_HERE_MS = 6_000;

interface ServerRow {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly recorded: string | number;
}

const REGISTER = { name: 'audit register', text: 'insert into fhir.audit_server (id, host, pid, recorded) values ($1, $2, $3, $4)' };
const BEAT = { name: 'audit beat', text: 'update fhir.audit_server set recorded = $2 where id = $1' };
const OPEN = { name: 'audit open', text: 'select id, host, pid, recorded from fhir.audit_server where not ended and id <> $1' };
/** Of several that see the same gap, one records it. */
const END = { name: 'audit end', text: 'update fhir.audit_server set ended = true where id = $1 and not ended' };

/** Registers the process, records its start, and the gaps of those before it. */
export async function startRecording(parts: RecordingParts): Promise<Recording> {
  const { database, trail, clock, host, pid } = parts;
  const id = parts.newId();
  await database.query({ ...REGISTER, values: [id, host, pid, clock()] });
  trail.recordServer('start', 200, `server started on ${host}, process ${pid}`);
  await recordGaps(id, parts);
  await trail.flush();
  return {
    async beat() {
      const now = clock();
      await trail.flush();
      await database.query({ ...BEAT, values: [id, now] });
      await recordGaps(id, parts);
    },
    async end() {
      trail.recordServer('stop', 200, `server stopped on ${host}, process ${pid}`);
      await trail.flush();
      await database.query({ ...END, values: [id] });
    },
  };
}

async function recordGaps(self: string, parts: RecordingParts): Promise<void> {
  const { database, trail } = parts;
  const { rows } = await database.query<ServerRow>({ ...OPEN, values: [self] });
  for (const row of rows) {
    if (!isGone(row, parts)) continue;
    const { count } = await database.query({ ...END, values: [row.id] });
    if (count === 1) trail.recordServer('gap', 500, `server on ${row.host}, process ${row.pid}: unclean stop; events since ${instantText(Number(row.recorded))} may be missing`);
  }
}

function isGone({ host, pid, recorded }: ServerRow, here: RecordingParts): boolean {
  const silentMs = here.clock() - Number(recorded);
  if (host !== here.host) return silentMs > SILENT_MS;
  // Our own process id on another's row was that of one before us.
  return silentMs > SILENT_HERE_MS && (pid === here.pid || !runs(pid));
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
