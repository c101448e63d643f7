// A file of statements, taken in batch by batch. Each batch is one transaction with the place in the file it ends at, so that every
// row is read once whatever happens to the process (domain.md 3.6 $ingest-status-feed, ruling 5).
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Queryable } from '../db/database.js';
import { FhirError } from '../fhir/errors.js';
import type { Issue } from '../fhir/issue.js';
import { readJson, type JsonDocument } from '../fhir/json-text.js';
import type { Resource } from '../fhir/resource.js';
import { storedText } from '../fhir/stored-text.js';
import type { NonePolicy } from '../chargeable-status/status/effective-status.js';
import { feedByCode } from '../chargeable-status/feed/feed-definition.js';
import { Outdated } from '../chargeable-status/feed/foreseen.js';
import type { NextVersion } from '../chargeable-status/status/many-patients.js';
import { KeyTaken } from '../chargeable-status/feed/statement-register.js';
import { judgeBatch, storeBatch, wordsOfError, type JudgedBatch, type ReadStatement, type Refused } from '../chargeable-status/feed/statement-batch.js';
import { NEEDED_COLUMNS, STATEMENT_COLUMNS, statementOfRow, type StatementColumn, type StatementRow } from '../chargeable-status/feed/statement-row.js';
import { feedSource, HOME_OFFICE, type StatementSource } from '../chargeable-status/feed/statement-source.js';
import { amend, firstVersion, withMember } from '../interactions/amend.js';
import type { Parts } from '../interactions/context.js';
import { VersionConflict, type Change, type Transaction } from '../store/store.js';
import { cellsOf, readRecords, type FileFormat, type FileRecord } from './file-records.js';
import { absentCount, addJobKeys } from './full-file.js';
import type { Job } from './job.js';
import { readFrom } from './job-file.js';
import { addLines } from './job-lines.js';
import { recordWrites, type WrittenStatement } from './job-record.js';
import { JobFault, StalePiece, type JobKind, type Piece, type Work } from './job-runner.js';

export const INGEST_FEED = 'ingest-status-feed';

export interface IngestRequest {
  /** HO, or the code of a feed. */
  readonly source: string;
  readonly mode: 'delta' | 'full';
  readonly format: FileFormat;
}

/** Of rows read so far; the next is at `line`. */
export interface IngestCounts {
  readonly line: number;
  readonly received: number;
  readonly accepted: number;
  readonly matched: number;
  readonly quarantined: number;
  readonly unchanged: number;
  /** Malformed, and those under a used key with other content. */
  readonly refused: number;
  readonly conflicting: number;
  /** Of a full file: statements of the source that it leaves out. They stay as they are. */
  readonly absent?: number;
}

export const NOTHING_YET: IngestCounts = { line: 1, received: 0, accepted: 0, matched: 0, quarantined: 0, unchanged: 0, refused: 0, conflicting: 0 };

/** Rows of a transaction: with more, what is alive at once costs the collector more than the saved round trips. */
const BATCH = 500;

export interface IngestParts extends Pick<Parts, 'db' | 'validate' | 'profiles' | 'extract' | 'shift' | 'clock' | 'newId'> {
  readonly nonePolicy: NonePolicy;
}

export function createIngestKind(parts: IngestParts): JobKind {
  return { type: INGEST_FEED, open: (job) => openFile(job, parts) };
}

async function openFile(job: Job, parts: IngestParts): Promise<Work> {
  const request = JSON.parse(job.request) as IngestRequest;
  const source = await sourceOf(parts.db, request.source);
  const read = (position: number): Promise<Buffer | undefined> => readFrom(parts.db, job.id, position);
  const header = request.format === 'csv' ? await readHeader(read) : undefined;
  const lines = new Map([[job.position, (JSON.parse(job.progress) as IngestCounts).line]]);
  /** Of the piece that is being stored while the next is prepared. */
  let storing: ReadonlySet<string> = new Set();
  return {
    async prepare(position, stale) {
      const from = position === 0 && header ? { position: header.end, line: header.line } : { position, line: lines.get(position) ?? 1 };
      const page = await readRecords(read, request.format, from, BATCH);
      if (!page) return undefined;
      lines.set(page.end, page.line);
      const judged = await judgeRecords(page.records, header?.columns, source, { ...parts, taken: stale ? undefined : storing });
      storing = new Set(judged.fresh.flatMap(({ number }) => number ?? []));
      return pieceOf(judged, { end: page.end, line: page.line, rows: page.records.length }, { job, request, source }, parts);
    },
    async finish(tx, progress) {
      const counts = JSON.parse(progress) as IngestCounts;
      const absent = request.mode === 'full' ? { absent: await absentCount(tx.db, job.id, source.code) } : {};
      const result = JSON.stringify({ ...counts, ...absent });
      return { progress: result, result };
    },
  };
}

export async function sourceOf(db: Queryable, code: string): Promise<StatementSource> {
  if (code === HOME_OFFICE.code) return HOME_OFFICE;
  const feed = await feedByCode(db, code);
  if (!feed) throw new JobFault(`There is no feed ${code} any more`);
  return feedSource(feed);
}

export interface CsvHeader {
  readonly columns: readonly StatementColumn[];
  /** Where the rows begin. */
  readonly end: number;
  readonly line: number;
}

/** Throws a JobFault that says what the first line must be. */
export async function readHeader(read: (position: number) => Promise<Buffer | undefined>): Promise<CsvHeader> {
  const page = await readRecords(read, 'csv', { position: 0, line: 1 }, 1);
  const cells = cellsOf((page?.records[0]?.text ?? '').replace(/^\uFEFF/, '')) ?? [];
  const unknown = cells.find((cell) => !STATEMENT_COLUMNS.some((column) => column === cell));
  const missing = NEEDED_COLUMNS.find((column) => !cells.includes(column));
  if (page && unknown === undefined && missing === undefined && new Set(cells).size === cells.length) return { columns: cells as StatementColumn[], end: page.end, line: page.line };
  throw new JobFault(`The first line of a CSV file names its columns, each once: ${STATEMENT_COLUMNS.join(',')}, of which ${NEEDED_COLUMNS.join(', ')} are needed`);
}

interface Judged extends JudgedBatch {
  /** When it was judged, milliseconds since the epoch: the moment of its writes. */
  readonly now: number;
}

interface JudgeParts extends IngestParts {
  /** NHS numbers of the piece that is still being stored; undefined where nothing is to be foreseen. */
  readonly taken: ReadonlySet<string> | undefined;
}

async function judgeRecords(records: readonly FileRecord[], columns: readonly StatementColumn[] | undefined, source: StatementSource, parts: JudgeParts): Promise<Judged> {
  const { db, newId, validate, profiles, extract, shift, clock, nonePolicy, taken } = parts;
  const now = clock();
  const read: ReadStatement[] = [];
  const unreadable: Refused[] = [];
  for (const [index, record] of records.entries()) {
    if (index % AT_ONCE === 0) await breathe();
    const document = documentOf(record, columns, source);
    if (typeof document === 'string') unreadable.push({ line: record.line, text: document });
    else read.push({ line: record.line, document });
  }
  const first = (statement: Resource, document: JsonDocument): Change => {
    const { id = '' } = statement;
    return { type: 'Observation', id, version: 1, updated: now, method: 'POST', text: storedText(document, { id, versionId: 1, lastUpdated: now }), rows: extract(statement, document) };
  };
  const check = (resource: Resource): readonly Issue[] | Promise<readonly Issue[]> => profiles.check(resource);
  const judged = await judgeBatch(read, { db, source, now, newId, validate, first, profiles: check, next: nextBy({ now, extract, shift }), nonePolicy, taken, breathe });
  return { ...judged, now, refused: [...unreadable, ...judged.refused] };
}

/** Records that are read in one go: what the database answers meanwhile to others is not kept waiting longer. */
const AT_ONCE = 25;
const breathe = async (): Promise<void> => { await nextTurn(); };

/** The statement of a record; words where it can't be read. */
function documentOf({ text }: FileRecord, columns: readonly StatementColumn[] | undefined, source: StatementSource): JsonDocument | string {
  try {
    if (text.includes('\uFFFD')) return 'The line holds bytes that are not UTF-8';
    if (!columns) return readJson(text);
    const cells = cellsOf(text);
    if (!cells) return 'A quote is left open, or stands within a cell that is not quoted';
    if (cells.length !== columns.length) return `The line has ${cells.length} cells, the first has ${columns.length}`;
    const row: StatementRow = Object.fromEntries(columns.map((column, index) => [column, cells[index]]));
    return readJson(JSON.stringify(statementOfRow(row, source)));
  } catch (error) {
    if (error instanceof FhirError) return wordsOfError(error);
    throw error;
  }
}

interface Place {
  readonly end: number;
  readonly line: number;
  readonly rows: number;
}

interface Task {
  readonly job: Job;
  readonly request: IngestRequest;
  readonly source: StatementSource;
}

function pieceOf(judged: Judged, { end, line, rows }: Place, { job, request, source }: Task, parts: IngestParts): Piece {
  const { now } = judged;
  return {
    end,
    async store(tx, progress) {
      const before = JSON.parse(progress) as IngestCounts;
      const context = contextOf(tx, now, parts);
      const record = (written: readonly WrittenStatement[]): Promise<void> => recordWrites(tx.db, job, written, parts.newId);
      const stored = await storeBatch(judged, source, { ...context, record }, parts.nonePolicy).catch((error: unknown) => {
        throw isOutdated(error) ? new StalePiece(error.message) : error;
      });
      await addLines(tx.db, job.id, refusedLines(judged));
      if (request.mode === 'full') await addJobKeys(tx.db, job.id, judged.keys);
      const after: IngestCounts = {
        line,
        received: before.received + rows,
        accepted: before.accepted + stored.accepted,
        matched: before.matched + stored.matched,
        quarantined: before.quarantined + stored.quarantined,
        unchanged: before.unchanged + judged.unchanged,
        refused: before.refused + judged.refused.length + judged.conflicts.length,
        conflicting: before.conflicting + judged.conflicts.length,
      };
      return JSON.stringify(after);
    },
  };
}

/** Another was quicker with something that the batch was judged by. */
const isOutdated = (error: unknown): error is Error => error instanceof KeyTaken || error instanceof Outdated || error instanceof VersionConflict;

function contextOf(tx: Transaction, now: number, { newId, extract, shift }: IngestParts) {
  return {
    tx, now, newId,
    put: (resource: Resource) => amend(resource, { tx, now, extract }),
    next: nextBy({ now, extract, shift }),
    made: (resource: Resource) => firstVersion(resource, { now, extract }),
  };
}

const nextBy = (changing: Parameters<typeof withMember>[3]): NextVersion => (current, member, change) => withMember(current, member, change, changing);

const CONFLICT = 'CONFLICTING_VALUES: this key was used before with other content; a changed status comes under a new key';

const refusedLines = ({ refused, conflicts }: Judged): Refused[] =>
  [...refused, ...conflicts.map(({ line }) => ({ line, text: CONFLICT }))];
