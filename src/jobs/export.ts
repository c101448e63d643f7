// A bulk export: gathers, under its caller's Grant of the moment it runs, the ids of what is to be given out, a piece at a time, and goes on after any
// stop. No resource is copied: each is read when its file is downloaded, as it was at the export's moment, whose versions never change.
import { setTimeout as sleep } from 'node:timers/promises';
import { FhirError } from '../fhir/errors.js';
import type { Context, Parts } from '../interactions/context.js';
import type { Clause } from '../search/query.js';
import type { Moment } from '../search/scan.js';
import { hasDrained, nowMark } from '../store/reindex.js';
import { addPage, unmet } from './export-pages.js';
import { EXPORT, exportCall, exportSteps, stepClause, type ExportRequest, type ExportStep } from './export-request.js';
import type { Job } from './job.js';
import { JobFault, type JobKind, type Piece, type Work } from './job-runner.js';
import type { Transaction } from '../store/store.js';

/** Some pages of one type. */
export interface ExportFile {
  readonly type: string;
  readonly deleted?: true;
  readonly from: number;
  /** Behind the last. */
  readonly to: number;
  /** Resources. */
  readonly count: number;
}

export interface ExportProgress {
  /** The moment that is exported, milliseconds since the epoch; undefined until nothing that is older can still come. */
  readonly at?: number;
  /** Where it is: the step, and the last id of it. */
  readonly step: number;
  readonly after?: string;
  readonly files: readonly ExportFile[];
}

/** Ids that one statement gathers: a search that sorts what it finds does so once for these. */
const SCAN = 20_000;
/** Resources of which one download is on record together. */
const PAGE = 1000;
const LARGEST_FILE = 100_000;
/** A request takes its time before it opens its transaction. */
const SETTLE_MS = 100;
const WAIT_MS = 50;

export const createExportKind = (parts: Parts): JobKind => ({
  type: EXPORT,
  async open(job) {
    const request = JSON.parse(job.request) as ExportRequest;
    return working(job, request, await contextOf(request, parts));
  },
});

/** What the caller may see now: a permission that was withdrawn since ends the job. */
async function contextOf(request: ExportRequest, parts: Parts): Promise<Context> {
  const call = exportCall(request);
  try {
    const grant = parts.permit(request.caller, call);
    await parts.standing(request.caller);
    return { parts, grant, access: parts.audit.open(request.caller, call), now: parts.clock(), store: parts.store, db: parts.db };
  } catch (error) {
    if (error instanceof FhirError) throw new JobFault(error.message);
    throw error;
  }
}

function working(job: Job, request: ExportRequest, context: Context): Work {
  const steps = exportSteps(request).filter(({ type }) => context.grant.allows('search', type));
  const begun = JSON.parse(job.progress) as ExportProgress;
  const places = new Map<number, ExportPlace>([[job.position, begun]]);
  const clauses = new Map<ExportStep, Promise<Clause>>();
  let { at } = begun;
  const clauseOf = (step: ExportStep): Promise<Clause> => {
    const known = clauses.get(step) ?? stepClause(step, request, context);
    clauses.set(step, known);
    return known;
  };
  return {
    async prepare(position) {
      if (at === undefined) {
        at = await settled(context);
        places.set(position + 1, begun);
        return { end: position + 1, store: (_tx, progress) => Promise.resolve(JSON.stringify({ ...(JSON.parse(progress) as ExportProgress), at })) };
      }
      const moment = { at, ...(request.since !== undefined && { since: request.since }) };
      let place = places.get(position) ?? begun;
      for (;;) {
        const step = steps[place.step];
        if (!step) return undefined;
        const { ids, next } = await gather(step, place, moment, step.deleted ? { kind: 'all' } : await clauseOf(step), context);
        if (ids.length > 0) {
          places.set(position + 1, next);
          return keeping(job, step, ids, next, position + 1);
        }
        place = next;
      }
    },
    finish: (_tx, progress) => Promise.resolve({ progress, result: progress }),
  };
}

type ExportPlace = Pick<ExportProgress, 'step' | 'after'>;

/** The moment, once all that bears an earlier time is stored. */
async function settled({ parts: { clock, db } }: Context): Promise<number> {
  const at = clock();
  await sleep(SETTLE_MS);
  const mark = await nowMark(db);
  while (!(await hasDrained(db, mark))) await sleep(WAIT_MS);
  return at;
}

async function gather(step: ExportStep, { step: index, after }: ExportPlace, moment: Moment, clause: Clause, { store, grant, parts }: Context): Promise<{ ids: readonly string[]; next: ExportPlace }> {
  const scan = { type: step.type, moment, count: SCAN, ...(after !== undefined && { after }) };
  const { since } = moment;
  const parameter = since === undefined ? undefined : parts.definitions.searchParameters(step.type).get('_lastUpdated');
  const changed: Clause[] = since === undefined || !parameter ? [] : [{ kind: 'parameter', parameter, values: [{ text: new Date(since).toISOString(), prefix: 'ge' }] }];
  const { ids, last } = step.deleted ? await store.deleted(grant, scan) : await store.scan(grant, { ...scan, where: { kind: 'and', of: [clause, ...changed] } });
  return { ids, next: last === undefined ? { step: index + 1 } : { step: index, after: last } };
}

function keeping(job: Job, step: ExportStep, ids: readonly string[], next: ExportPlace, end: number): Piece {
  return {
    end,
    async store(tx, progress) {
      const { at, files } = JSON.parse(progress) as ExportProgress;
      const fresh = step.patients ? await unmet(tx.db, job.id, step.type, ids) : ids;
      const kept: ExportProgress = { ...next, files: await keepPages(tx, job.id, step, fresh, files), ...(at !== undefined && { at }) };
      return JSON.stringify(kept);
    },
  };
}

async function keepPages({ db }: Transaction, job: string, { type, deleted }: ExportStep, ids: readonly string[], before: readonly ExportFile[]): Promise<readonly ExportFile[]> {
  const files = [...before];
  for (let start = 0; start < ids.length; start += PAGE) {
    const page = ids.slice(start, start + PAGE);
    const last = files.at(-1);
    const number = last?.to ?? 0;
    await addPage(db, job, number, { type, ids: deleted ? page.map((id) => `${type}/${id}`) : page });
    const goesOn = last && last.deleted === deleted && (deleted ?? last.type === type) && last.count + page.length <= LARGEST_FILE;
    if (goesOn) files[files.length - 1] = { ...last, to: number + 1, count: last.count + page.length };
    else files.push({ type: deleted ? 'Bundle' : type, ...(deleted && { deleted }), from: number, to: number + 1, count: page.length });
  }
  return files;
}
