// Puts HL7's own definitions into the store, so that the API serves them by the ordinary road. In spare time after the start, a few at a
// time, each few and the place reached in one transaction: a process that is stopped is followed by the next, and two take turns.
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Queryable } from '../db/database.js';
import { PUBLISHED_TYPES, type Published } from '../definitions/published.js';
import type { Issue } from '../fhir/issue.js';
import { readJson } from '../fhir/json-text.js';
import type { Resource } from '../fhir/resource.js';
import { storedText } from '../fhir/stored-text.js';
import type { Parts } from '../interactions/context.js';
import type { Change, Transaction } from '../store/store.js';
import { readPublication, savePublication } from './publication-row.js';

const NAME = 'hl7.fhir.r4';

/** What one transaction stores, at most. */
const PIECE_LINES = 40;
const PIECE_CHARACTERS = 400_000;

/** Requests come first. */
const PAUSE_MS = 20;
const AGAIN_MS = 1000;

export interface PublicationParts extends Pick<Parts, 'store' | 'extract' | 'clock'> {
  readonly db: Queryable;
  readonly published: Published;
  /** Our own definitions: HL7's that has the id of one of them is stored under another, `hl7-claim-type`. */
  readonly own: readonly Resource[];
  readonly onFailure: (error: unknown) => void;
}

export interface Publication {
  /** Looks how far it is, at the cost of one query. */
  look(): Promise<void>;
  /** Stores what is still missing; resolves when all is there, or it was stopped. */
  run(): Promise<void>;
  /** Resolves when nothing is being stored any more. */
  stop(): Promise<void>;
  /** What a search of these types has to say: that not all is there yet. Undefined once it is. */
  missing(types: readonly string[]): Issue | undefined;
}

const NOT_YET: Issue = {
  severity: 'warning',
  code: 'incomplete',
  text: "The server is still storing HL7's own definitions, for some seconds after its first start: those that are not there yet were not searched. Ask again in a moment",
};

export function createPublication(parts: PublicationParts): Publication {
  let done = true;
  const taken = new Set(parts.own.map(({ resourceType, id }) => `${resourceType}/${id}`));
  let stopped = false;
  let running: Promise<void> = Promise.resolve();
  const isStopped = (): boolean => stopped;
  const work = async (): Promise<void> => {
    while (!done && !isStopped()) {
      try {
        done = await publish({ ...parts, taken }, isStopped);
      } catch (error) {
        parts.onFailure(error);
      }
      // Another process is at it, or something is wrong.
      if (!done && !isStopped()) await sleep(AGAIN_MS, undefined, { ref: false });
    }
  };
  return {
    async look() {
      ({ done } = await readPublication(parts.db, NAME, parts.published.content));
    },
    run: () => (running = work()),
    stop: () => {
      stopped = true;
      return running;
    },
    missing: (types) => (!done && types.some((type) => PUBLISHED_TYPES.has(type)) ? NOT_YET : undefined),
  };
}

interface PieceParts extends PublicationParts {
  /** `CodeSystem/claim-type`. */
  readonly taken: ReadonlySet<string>;
}

/** True when everything is stored. */
async function publish(parts: PieceParts, isStopped: () => boolean): Promise<boolean> {
  let piece: string[] = [];
  let start = 0;
  let held = 0;
  const store = async (isLast: boolean): Promise<void> => {
    await storePiece(parts, start, piece, isLast);
    start += piece.length;
    [piece, held] = [[], 0];
    if (!isLast) await sleep(PAUSE_MS, undefined, { ref: false });
  };
  const { position } = await readPublication(parts.db, NAME, parts.published.content);
  for await (const line of parts.published.lines()) {
    if (isStopped()) return false;
    if (start < position) {
      start += 1;
      continue;
    }
    piece.push(line);
    held += line.length;
    if (piece.length >= PIECE_LINES || held >= PIECE_CHARACTERS) await store(false);
  }
  await store(true);
  return (await readPublication(parts.db, NAME, parts.published.content)).done;
}

/** What another process has stored meanwhile is left alone. */
async function storePiece({ store, db, published, ...making }: PieceParts, start: number, lines: readonly string[], isLast: boolean): Promise<void> {
  const end = start + lines.length;
  const now = await readPublication(db, NAME, published.content);
  if (now.done || now.position > start) return;
  const changes: Change[] = [];
  for (const line of lines) {
    changes.push(firstVersion(line, making));
    // One of them may take milliseconds: requests wait for no more than one.
    await nextTurn();
  }
  await store.transaction(async (tx) => {
    await tx.lockKey(`publication ${NAME}`);
    const { position } = await readPublication(tx.db, NAME, published.content);
    if (position !== start) return;
    const absent = await notThere(tx, changes);
    if (absent.length > 0) await tx.write(absent);
    await savePublication(tx.db, NAME, published.content, { position: end, done: isLast });
  });
}

function firstVersion(line: string, { extract, clock, taken }: Pick<PieceParts, 'extract' | 'clock' | 'taken'>): Change {
  const document = readJson(line);
  const resource = document.value as Resource;
  const { resourceType: type, id: published = '' } = resource;
  const id = taken.has(`${type}/${published}`) ? `hl7-${published}` : published;
  const updated = clock();
  return { type, id, version: 1, updated, method: 'PUT', text: storedText(document, { id, versionId: 1, lastUpdated: updated }), rows: extract({ ...resource, id }, document) };
}

/** Whatever has the id stays: a client has put it there, or deleted it. */
async function notThere(tx: Transaction, changes: readonly Change[]): Promise<readonly Change[]> {
  const absent: Change[] = [];
  for (const type of new Set(changes.map((change) => change.type))) {
    const ofType = changes.filter((change) => change.type === type);
    const there = await tx.lockAll(type, ofType.map(({ id }) => id));
    absent.push(...ofType.filter(({ id }) => !there.has(id)));
  }
  return absent;
}
