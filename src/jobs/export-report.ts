// The manifest of a bulk export and its files, for the client and the person that asked, under the Grant that they have now.
// https://hl7.org/fhir/uv/bulkdata/export.html#response---complete-status
import { addPatients } from '../audit/patients.js';
import type { Queryable } from '../db/database.js';
import { instantText } from '../fhir/date-time.js';
import { fail } from '../fhir/errors.js';
import { httpDate } from '../fhir/http-date.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import type { Context } from '../interactions/context.js';
import { readSubset } from '../interactions/subset.js';
import { isOwnJob, jobUrl, type JobReport } from './job-door.js';
import type { ExportFile, ExportProgress } from './export.js';
import { readPage, type ExportPage } from './export-pages.js';
import { EXPORT, exportCall, type ExportRequest } from './export-request.js';
import type { Job } from './job.js';

/** How long files can be fetched, in milliseconds. */
export const EXPORT_KEPT_MS = 24 * 3_600_000;
const NDJSON = 'application/fhir+ndjson';

/** Lines that are sent at once. */
const SENT = 100;

export const exportReport: JobReport = {
  type: EXPORT,
  owns: ({ request }, caller) => isOwnJob((JSON.parse(request) as ExportRequest).caller, caller),
  progress({ progress, status }) {
    const { files } = JSON.parse(progress) as ExportProgress;
    const found = files.reduce((sum, { count }) => sum + count, 0);
    return status === 'running' ? `${found} resources found${found === 0 ? '' : `, now at ${files.at(-1)?.type ?? ''}`}` : 'waiting';
  },
  answer(job, request, { grant, parts }) {
    const asked = JSON.parse(job.request) as ExportRequest;
    parts.permit(grant.caller, exportCall(asked));
    return Promise.resolve({ status: 200, headers: { 'content-type': 'application/json', expires: httpDate(job.updated + EXPORT_KEPT_MS) }, body: manifest(job, asked, request.base) });
  },
  file: (job, request, context) => Promise.resolve(fileOf(job, request, context)),
};

function manifest(job: Job, { url, since }: ExportRequest, base: string): string {
  const { at = 0, files } = JSON.parse(job.result ?? '{"files":[]}') as ExportProgress;
  const entries = (deleted: boolean): object[] => files.flatMap((file, index) => (file.deleted === true === deleted ? [{ type: file.type, url: `${jobUrl(base, job.id)}/${nameOf(file, index)}`, count: file.count }] : []));
  return JSON.stringify({ transactionTime: instantText(at), request: url, requiresAccessToken: true, output: entries(false), ...(since !== undefined && { deleted: entries(true) }), error: [] });
}

const nameOf = ({ type, deleted }: ExportFile, index: number): string => `${deleted ? 'deleted' : type}-${index + 1}.ndjson`;

function fileOf(job: Job, request: FhirRequest, context: Context): FhirResponse {
  const asked = JSON.parse(job.request) as ExportRequest;
  const { at = 0, files } = JSON.parse(job.result ?? '{"files":[]}') as ExportProgress;
  const file = files.find((one, index) => nameOf(one, index) === request.part);
  if (!file) throw fail('not-found', { text: 'The export has no such file: its manifest names those it has' });
  const grant = context.parts.permit(context.grant.caller, exportCall(asked));
  return {
    status: 200,
    headers: { 'content-type': NDJSON, 'content-disposition': `attachment; filename="${request.part ?? ''}"`, expires: httpDate(job.updated + EXPORT_KEPT_MS) },
    ...(request.method === 'HEAD' ? {} : { stream: linesOf(job, file, { asked, at }, { ...context, grant }) }),
  };
}

async function* linesOf(job: Job, file: ExportFile, { asked, at }: { readonly asked: ExportRequest; readonly at: number }, context: Context): AsyncGenerator<string> {
  for (let number = file.from; number < file.to; number += 1) {
    const page = await pageOf(context.db, job, number);
    if (file.deleted) yield deletionsLine(page.ids);
    else yield* linesOfPage(page, asked, at, context);
  }
}

async function pageOf(db: Queryable, job: Job, number: number): Promise<ExportPage> {
  const page = await readPage(db, job.id, number);
  if (!page) throw new Error(`the export ${job.id} was called off while its file was read`);
  return page;
}

/** Some lines at a time; the page is on record with the patients it tells of before any is given out. */
async function* linesOfPage({ type, ids }: ExportPage, { elements }: ExportRequest, at: number, { store, grant, parts, access }: Context): AsyncGenerator<string> {
  const lines = await store.linesAsOf(grant, type, ids, at);
  if (lines.length === 0) return;
  const about = new Set<string>();
  for (const line of lines) addPatients(line, about);
  parts.audit.record(access, { status: 200, about: [...about] });
  const subset = readSubset(parts.definitions, elementPairs(type, elements));
  const given = subset ? lines.map((line) => subset.match(type, line)) : lines;
  for (let start = 0; start < given.length; start += SENT) yield `${given.slice(start, start + SENT).join('\n')}\n`;
}

/** `Patient.name` is meant for Patients alone. */
export function elementPairs(type: string, elements: readonly string[]): FhirRequest['query'] {
  const own = elements.flatMap((name) => (name.startsWith(`${type}.`) ? [name.slice(type.length + 1)] : /^[A-Z]/.test(name) ? [] : [name]));
  return own.length === 0 ? [] : [['_elements', own.join(',')]];
}

/** https://hl7.org/fhir/uv/bulkdata/export.html#response---output-file: a transaction that deletes them elsewhere. */
function deletionsLine(references: readonly string[]): string {
  return `{"resourceType":"Bundle","type":"transaction","entry":[${references.map((url) => `{"request":{"method":"DELETE","url":"${url}"}}`).join(',')}]}\n`;
}
