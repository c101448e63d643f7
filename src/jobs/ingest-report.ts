// What the sender of a file is told, and what an administrator is: the sender learns nothing of who is known here (domain.md 6.9).
import { asText } from '../fhir/elements.js';
import { fail } from '../fhir/errors.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import { INGEST_FEED, type IngestCounts, type IngestRequest } from './ingest-feed.js';
import type { JobReport } from './job-door.js';
import { readLines } from './job-lines.js';

/** Refused lines in one answer; the rest by `after`. */
const LINES = 1000;

export const ingestReport: JobReport = {
  type: INGEST_FEED,
  progress({ progress, position, size }) {
    const { received } = JSON.parse(progress) as IngestCounts;
    return size === 0 ? 'the file is being received' : `${Math.floor((100 * position) / size)} %, ${received} rows read`;
  },
  async answer(job, request, { grant: { caller }, db }) {
    const { source, mode } = JSON.parse(job.request) as IngestRequest;
    const counts = JSON.parse(job.result ?? '{}') as IngestCounts;
    const lines = await readLines(db, job.id, afterOf(request), LINES);
    const forAdmin = caller.role === 'admin' ? adminCounts(counts) : [];
    const parameter = [
      { name: 'source', valueCode: source },
      { name: 'mode', valueCode: mode },
      number('received', counts.received),
      number('refused', counts.refused),
      number('conflicting', counts.conflicting),
      ...forAdmin,
      ...lines.map(({ line, text }) => ({ name: 'line', part: [number('number', line), { name: 'reason', valueString: text }] })),
    ];
    return parametersOf(parameter);
  },
};

const number = (name: string, value: number) => ({ name, valueInteger: value });

const adminCounts = ({ accepted, matched, quarantined, unchanged, absent }: IngestCounts): object[] => [
  number('accepted', accepted),
  number('matched', matched),
  number('quarantined', quarantined),
  number('unchanged', unchanged),
  ...(absent === undefined ? [] : [number('absent', absent)]),
];

const parametersOf = (parameter: readonly object[]): FhirResponse => ({ status: 200, body: JSON.stringify({ resourceType: 'Parameters', parameter }) });

/** `?after=1000`: refused lines behind this one. */
function afterOf({ query }: FhirRequest): number {
  let after = 0;
  for (const [name, value] of query) {
    if (name === '_format' || name === '_pretty') continue;
    if (name !== 'after' || !/^\d{1,12}$/.test(asText(value) ?? '')) throw fail('unknown-parameter', { text: 'The URL of a job takes after, the number of a line, and nothing else' });
    after = Number(value);
  }
  return after;
}
