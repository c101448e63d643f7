// $ingest-status-feed: takes a file of statements and answers at once; the work is a job (domain.md 3.6). The file is the body (CSV,
// NDJSON, a Bundle of type collection) or the content of a Binary; it is kept durably before the answer goes out.
import { BASE } from '../../chargeable-status/codes.js';
import { feedByCode, feedOfClient } from '../../chargeable-status/feed/feed-definition.js';
import { noFeed, otherFeed } from '../../chargeable-status/feed/statement-rule.js';
import { HOME_OFFICE } from '../../chargeable-status/feed/statement-source.js';
import type { Database } from '../../db/database.js';
import type { Caller } from '../../fhir/caller.js';
import { asObject, asObjects, asText } from '../../fhir/elements.js';
import { fail } from '../../fhir/errors.js';
import { memberDocument, type JsonDocument } from '../../fhir/json-text.js';
import { minify } from '../../fhir/json-minify.js';
import { parseReference } from '../../fhir/reference.js';
import type { FhirRequest } from '../../fhir/request.js';
import type { Resource } from '../../fhir/resource.js';
import type { FileFormat } from '../../jobs/file-records.js';
import { INGEST_FEED, NOTHING_YET, readHeader, type IngestRequest } from '../../jobs/ingest-feed.js';
import { jobUrl } from '../../jobs/job-door.js';
import { keepFile, readFrom } from '../../jobs/job-file.js';
import { JobFault } from '../../jobs/job-runner.js';
import { makeJob, queueJob, removeJob } from '../../jobs/job-table.js';
import type { AnswerContext } from '../../store/answerer.js';
import type { Operation } from '../operation.js';

export interface IngestOperationParts {
  readonly db: Database;
  readonly clock: () => number;
  readonly newId: () => string;
  readonly fileLimitBytes: number;
  /** Told when there is a job to be done. */
  readonly jobQueued: () => void;
}

interface Asked {
  readonly source: string | undefined;
  readonly mode: string | undefined;
  /** Of a Binary. */
  readonly url: string | undefined;
  readonly bundle: JsonDocument | undefined;
}

interface StatementFile {
  readonly format: FileFormat;
  readonly bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

const FORMATS: Readonly<Record<string, FileFormat>> = { 'text/csv': 'csv', 'application/fhir+ndjson': 'ndjson', 'application/ndjson': 'ndjson', 'application/x-ndjson': 'ndjson' };

export function createIngestOperation(parts: IngestOperationParts): Operation {
  return {
    code: INGEST_FEED,
    definition: `${BASE}/OperationDefinition/${INGEST_FEED}`,
    system: true,
    types: [],
    instances: [],
    affectsState: true,
    async handle(request, context) {
      const asked = readAsked(request);
      const source = await sourceOf(asked.source, context.grant.caller, parts.db);
      const file = await fileOf(request, asked, context);
      const id = await keep(file, { source, mode: modeOf(asked.mode), format: file.format }, context.grant.caller, parts);
      parts.jobQueued();
      return { status: 202, headers: { 'content-location': jobUrl(request.base, id) } };
    },
  };
}

/** From the query, and from the Parameters that may be the body. */
function readAsked({ query, body }: FhirRequest): Asked {
  const values = new Map<string, string>();
  const set = (name: string, value: string | undefined): void => {
    if (!['source', 'mode', 'url'].includes(name)) throw fail('unknown-parameter', { text: `This operation takes source, mode, url and bundle, not ${JSON.stringify(name.slice(0, 64))}` });
    if (value === undefined || value === '' || values.has(name)) throw fail('invalid-parameter', { text: `The parameter ${name} is given once, as one word` });
    values.set(name, value);
  };
  for (const [name, value] of query) if (name !== '_format' && name !== '_pretty') set(name, value);
  let bundle = body?.value['resourceType'] === 'Bundle' ? body : undefined;
  if (body?.value['resourceType'] === 'Parameters') {
    for (const [index, parameter] of asObjects(body.value['parameter']).entries()) {
      const name = asText(parameter['name']) ?? '';
      // `file` is what it was called first.
      if (name === 'bundle' || name === 'file') bundle = once(bundle, memberDocument(body, 'parameter', index));
      else set(name, asText(Object.entries(parameter).find(([member]) => member.startsWith('value'))?.[1]));
    }
  }
  return { source: values.get('source'), mode: values.get('mode'), url: values.get('url'), bundle };
}

function once(earlier: JsonDocument | undefined, bundle: JsonDocument | undefined): JsonDocument {
  if (!bundle) throw fail('invalid-parameter', { text: 'The parameter bundle holds the statements as its resource: a Bundle of type collection', expression: 'bundle' });
  if (earlier) throw fail('invalid-parameter', { text: 'The parameter bundle is given once', expression: 'bundle' });
  return bundle;
}

/** A sender speaks for itself alone; an administrator says for whom. */
async function sourceOf(asked: string | undefined, caller: Caller, db: Database): Promise<string> {
  const named = asked?.toLowerCase() === 'ho' ? HOME_OFFICE.code : asked;
  if (caller.role === 'home-office') {
    if (named === undefined || named === HOME_OFFICE.code) return HOME_OFFICE.code;
    throw fail('forbidden', { text: 'The Home Office speaks for no other source: leave source out, or say HO' });
  }
  if (caller.role === 'feed') {
    const own = await feedOfClient(db, caller.client);
    if (!own) throw noFeed(caller.client);
    if (named !== undefined && named !== own.code) throw otherFeed(own.code);
    return own.code;
  }
  if (named === undefined) throw fail('required', { text: 'Say whose statements these are: source, HO or the code of a feed' });
  if (named !== HOME_OFFICE.code && !(await feedByCode(db, named))) throw fail('code-invalid', { text: `There is no feed ${named.slice(0, 64)}: define it with $define-feed` });
  return named;
}

function modeOf(mode = 'delta'): IngestRequest['mode'] {
  if (mode === 'delta' || mode === 'full') return mode;
  throw fail('code-invalid', { text: 'mode is delta, for what is new, or full, for all there is' });
}

async function fileOf({ file, base }: FhirRequest, { url, bundle }: Asked, context: AnswerContext): Promise<StatementFile> {
  if ([file, url, bundle].filter((one) => one !== undefined).length !== 1)
    throw fail('required', { text: 'Send one file: as the body (text/csv, application/fhir+ndjson, or a Bundle of type collection), or url, that of a Binary' });
  if (file) return { format: FORMATS[file.contentType] ?? 'ndjson', bytes: file.bytes };
  return bundle ? { format: 'ndjson', bytes: linesOf(bundle) } : fileOfBinary(url ?? '', base, context);
}

/** Each entry is a line: what is refused is told by the number of its entry. */
function* linesOf(bundle: JsonDocument): Generator<Uint8Array> {
  const { resourceType, type } = bundle.value;
  if (resourceType !== 'Bundle' || type !== 'collection') throw fail('invalid', { text: 'The statements come as a Bundle of type collection', expression: 'Bundle.type' });
  const entries = asObjects(bundle.value['entry']);
  for (const index of entries.keys()) {
    const entry = memberDocument(bundle, 'entry', index);
    yield Buffer.from(`${entry ? minify(entry.text, entry.start, entry.end) : '{}'}\n`);
  }
}

async function fileOfBinary(url: string, base: string, { store, grant }: AnswerContext): Promise<StatementFile> {
  const reference = parseReference(url, base);
  if (reference?.kind !== 'resource' || reference.type !== 'Binary') throw fail('invalid-parameter', { text: 'url is that of a Binary of this server: Binary/[id]' });
  const stored = await store.read(grant, 'Binary', reference.id);
  if (stored?.text == null) throw fail('reference-not-found', { text: 'There is no such Binary' });
  const binary = JSON.parse(stored.text) as Resource;
  const format = FORMATS[(asText(binary['contentType']) ?? '').split(';')[0]?.trim().toLowerCase() ?? ''];
  if (!format) throw fail('unsupported-media-type', { text: `The contentType of the Binary is one of ${Object.keys(FORMATS).join(', ')}` });
  return { format, bytes: [Buffer.from(asText(binary['data']) ?? '', 'base64')] };
}

/** Durably, before the answer: what breaks off on its way in leaves nothing. */
async function keep(file: StatementFile, request: IngestRequest, caller: Caller, { db, clock, newId, fileLimitBytes }: IngestOperationParts): Promise<string> {
  const id = newId();
  await makeJob(db, { id, type: INGEST_FEED, client: caller.client, role: caller.role, request: JSON.stringify(request), progress: JSON.stringify(NOTHING_YET), now: clock() });
  try {
    const size = await keepFile(db, id, limited(file.bytes, fileLimitBytes));
    if (size === 0) throw fail('required', { text: 'The file is empty' });
    if (request.format === 'csv') await readHeader((position) => readFrom(db, id, position));
    if (!(await queueJob(db, id, size, clock()))) throw fail('not-found', { text: 'The job was called off while its file was sent' });
    return id;
  } catch (error) {
    await removeJob(db, id);
    if (error instanceof JobFault) throw fail('invalid', { text: error.message });
    throw isBrokenOff(error) ? fail('bad-request', { text: 'The file broke off: send it again' }) : error;
  }
}

async function* limited(bytes: StatementFile['bytes'], most: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const part of bytes) {
    size += part.length;
    if (size > most) throw fail('body-too-long', { text: `The file is longer than ${most} bytes: send it in parts` });
    yield part;
  }
}

const isBrokenOff = (error: unknown): boolean => ['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE'].includes(asText(asObject(error)?.['code']) ?? '');
