// The answer of /metadata: the statement, or 304 for a caller that has it already. https://hl7.org/fhir/R4/http.html#capabilities
import { createHash } from 'node:crypto';
import { namesTag } from '../fhir/etag.js';
import type { FhirResponse } from '../fhir/request.js';

/** Makes the answer out of the statement's text and the request's If-None-Match. */
export type MetadataAnswer = (text: string, ifNoneMatch: string | undefined) => FhirResponse;

/** The last text's tag is remembered: callers ask for the same one again and again, and it is long. */
export function createMetadataAnswer(): MetadataAnswer {
  let last: { readonly text: string; readonly tag: string } | undefined;
  return (text, ifNoneMatch) => {
    if (last?.text !== text) last = { text, tag: createHash('sha256').update(text).digest('base64url').slice(0, 22) };
    const { tag } = last;
    if (ifNoneMatch !== undefined && namesTag(ifNoneMatch, tag)) return { status: 304, version: tag };
    return { status: 200, version: tag, body: text };
  };
}
