// Goes through what was stored before a search parameter was switched on, and after one was switched off takes its rows away. Beside the
// requests, some resources at a time; each step and the place it ends at are one transaction, so that it goes on after any stop.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Queryable } from '../db/database.js';
import type { Definitions } from '../definitions/model.js';
import { readJson } from '../fhir/json-text.js';
import type { Resource } from '../fhir/resource.js';
import { createExtractor } from '../search/extract.js';
import { slotsOf } from '../search/slots.js';
import { makeActive, type AddedParameters } from '../store/added-parameters.js';
import { addRows, clearRows, clearTexts, hasDrained, nowMark, scanType, type AddedRows } from '../store/reindex.js';
import type { Job } from './job.js';
import { JobFault, type JobKind, type Piece, type Work } from './job-runner.js';

export const REINDEX = 'reindex';

export type ReindexRequest =
  | { readonly kind: 'add'; readonly url: string; readonly key: string; readonly types: readonly string[] }
  | { readonly kind: 'remove'; readonly url: string; readonly params: readonly number[] };

export interface ReindexProgress {
  /** Resources gone through. */
  readonly seen: number;
  /** Where it is: the type, and the last id of it. */
  readonly type?: string;
  readonly after?: string;
}

/** Resources of a step: a few milliseconds. */
const STEP = 200;
/** Requests come first: it works no more than two thirds of the time. */
const REST = 0.5;
const LEAST_REST_MS = 5;
const WAIT_MS = 100;

export interface ReindexParts {
  readonly db: Queryable;
  readonly added: Pick<AddedParameters, 'refresh' | 'definitions'>;
}

export function createReindexKind(parts: ReindexParts): JobKind {
  return {
    type: REINDEX,
    async open(job) {
      const request = JSON.parse(job.request) as ReindexRequest;
      await parts.added.refresh();
      const drained = await drainage(parts.db);
      return request.kind === 'add' ? adding(job, request, drained, parts) : removing(request, drained, parts.db);
    },
  };
}

type Drained = () => Promise<boolean>;

/** What was begun under the parameters of before may still be stored. */
async function drainage(db: Queryable): Promise<Drained> {
  const mark = await nowMark(db);
  let drained = false;
  return async () => (drained ||= await hasDrained(db, mark));
}

/** A step in which nothing is done but to wait. */
const waiting = async (position: number): Promise<Piece> => {
  await sleep(WAIT_MS);
  return { end: position, store: (_tx, progress) => Promise.resolve(progress) };
};

function adding(job: Job, { key, types }: Extract<ReindexRequest, { kind: 'add' }>, drained: Drained, { db, added: { definitions } }: ReindexParts): Work {
  const extract = createExtractor(definitions, ({ parameter }) => parameter.added?.key === key);
  const places = new Map<number, ReindexProgress>([[job.position, JSON.parse(job.progress) as ReindexProgress]]);
  let restMs = LEAST_REST_MS;
  return {
    async prepare(position) {
      requireKnown(definitions, types, key);
      if (!(await drained())) return waiting(position);
      await sleep(restMs);
      const begun = performance.now();
      const found = await nextStep(db, places.get(position) ?? { seen: 0 }, types);
      if (!found) return undefined;
      const { place, type, resources } = found;
      const rows = resources.flatMap(({ id, version, text }): AddedRows[] => {
        const one = { id, version, rows: extract(readJson(text).value as Resource) };
        return one.rows.tokens.length > 0 ? [one] : [];
      });
      places.set(position + resources.length, place);
      restMs = Math.max(LEAST_REST_MS, REST * (performance.now() - begun));
      return {
        end: position + resources.length,
        async store(tx) {
          if (rows.length > 0) await addRows(tx.db, type, rows, paramsOf(definitions, [type], key));
          return JSON.stringify(place);
        },
      };
    },
    async finish(tx, progress) {
      if (!(await makeActive(tx.db, key))) throw new JobFault('The search parameter was switched off meanwhile');
      return { progress, result: progress };
    },
  };
}

function requireKnown(definitions: Definitions, types: readonly string[], key: string): void {
  if (paramsOf(definitions, types.slice(0, 1), key).length === 0) throw new JobFault('The search parameter was switched off meanwhile');
}

/** What the rows of the parameter are told by in the side tables. */
export function paramsOf(definitions: Definitions, types: readonly string[], key: string): readonly number[] {
  return types.flatMap((type) => [...slotsOf(definitions, type).byCode.values()].filter(({ parameter }) => parameter.added?.key === key).map((slot) => slot.key));
}

interface Step {
  readonly type: string;
  readonly resources: Awaited<ReturnType<typeof scanType>>;
  /** Where it ends. */
  readonly place: ReindexProgress;
}

/** The next resources, of the type under way or one after it; undefined at the end. */
async function nextStep(db: Queryable, { seen, type: current, after = '' }: ReindexProgress, types: readonly string[]): Promise<Step | undefined> {
  const start = current === undefined ? 0 : types.indexOf(current);
  for (const type of types.slice(start)) {
    const resources = await scanType(db, type, type === current ? after : '', STEP);
    const last = resources.at(-1);
    if (last) return { type, resources, place: { seen: seen + resources.length, type, after: last.id } };
  }
  return undefined;
}

function removing({ params }: Extract<ReindexRequest, { kind: 'remove' }>, drained: Drained, db: Queryable): Work {
  return {
    async prepare(position) {
      if (!(await drained())) return waiting(position);
      await sleep(LEAST_REST_MS);
      if (!(await clearRows(db, params, STEP))) return undefined;
      return { end: position + 1, store: (_tx, progress) => Promise.resolve(progress) };
    },
    async finish(tx, progress) {
      await clearTexts(tx.db, params);
      return { progress, result: progress };
    },
  };
}
