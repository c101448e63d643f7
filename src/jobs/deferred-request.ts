// A request that is answered later (Prefer: respond-async): kept as a job, performed for its caller under a Grant made anew, its answer kept for a day.
// https://hl7.org/fhir/R4/async.html · https://hl7.org/fhir/R5/async-bundle.html
import { responseText } from '../fhir/bundle.js';
import type { Caller } from '../fhir/caller.js';
import { httpDate } from '../fhir/http-date.js';
import { readJson } from '../fhir/json-text.js';
import type { FhirRequest, FhirResponse, RequestHeaders } from '../fhir/request.js';
import { isOwnJob, type JobReport } from './job-door.js';
import type { JobKind } from './job-runner.js';

export const DEFERRED = 'request';
/** How long an answer can be fetched, in milliseconds. */
export const ANSWER_KEPT_MS = 24 * 3_600_000;

interface Kept {
  readonly request: Omit<FhirRequest, 'body' | 'file'>;
  readonly body: string | undefined;
  readonly caller: Caller;
}

/** Headers that are about the connection, or about the form of an answer that now stands in a Bundle. */
const DROPPED = new Set(['authorization', 'cookie', 'accept', 'accept-encoding', 'prefer', 'host', 'connection', 'content-length', 'content-type', 'content-encoding']);

/** A request and whose it is, as the job's JSON. */
export function deferredText({ body, file: _file, headers = {}, ...request }: FhirRequest, caller: Caller): string {
  const left: RequestHeaders = Object.fromEntries(Object.entries(headers).filter(([name]) => !DROPPED.has(name)));
  const kept: Kept = { request: { ...request, headers: left, respondAsync: false }, body: body?.text.slice(body.start, body.end), caller };
  return JSON.stringify(kept);
}

/**
 * `perform` walks the ordinary road. A job whose server was killed is performed again: a request that writes carries the id of its job as its
 * X-Request-ID, so that what was carried out already is answered as before and not done twice.
 */
export function createDeferredKind(perform: (request: FhirRequest, caller: Caller) => Promise<FhirResponse>): JobKind {
  return {
    type: DEFERRED,
    open: (job) => {
      const { request, body, caller } = JSON.parse(job.request) as Kept;
      let result = '';
      return Promise.resolve({
        async prepare() {
          const asked = { ...request, requestId: request.requestId ?? `job-${job.id}`, ...(body !== undefined && { body: readJson(body) }) };
          result = resultText(await perform(asked, caller));
          return undefined;
        },
        finish: (_tx, progress) => Promise.resolve({ progress, result }),
      });
    },
  };
}

/** The answer of a batch or transaction is itself the Bundle of answers; any other is the one entry of such a Bundle. */
function resultText(response: FhirResponse): string {
  const { body } = response;
  if (response.status === 200 && body !== undefined && /^\{"resourceType":"Bundle","type":"(?:batch|transaction)-response"/.test(body)) return body;
  return responseText('batch-response', [response]);
}

export const deferredReport: JobReport = {
  type: DEFERRED,
  progress: ({ status }) => (status === 'running' ? 'in progress' : 'waiting'),
  owns: ({ request }, caller) => caller.role === 'admin' || isOwnJob((JSON.parse(request) as Pick<Kept, 'caller'>).caller, caller),
  answer: ({ result = '', updated }) => Promise.resolve({ status: 200, body: result, headers: { expires: httpDate(updated + ANSWER_KEPT_MS) } }),
};
