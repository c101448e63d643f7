// Stop 8 and a half: the answer in the form that the caller takes; everything before works on JSON text. https://hl7.org/fhir/R4/formats.html
import { prettyJson } from '../fhir/json-pretty.js';
import type { FhirResponse } from '../fhir/request.js';
import type { Xml } from '../xml/xml.js';
import { PLAIN, type Presentation } from './accept.js';

/** The response with its resource as `presentation` has it; as it is where it holds none. */
export function present(response: FhirResponse, presentation: Presentation, xml: Pick<Xml, 'write'>): FhirResponse {
  const { body, headers } = response;
  const type = headers?.['content-type'];
  if (presentation === PLAIN || body === undefined || body === '' || (type !== undefined && !type.startsWith('application/fhir+json'))) return response;
  const { format, pretty, contentType } = presentation;
  const written = format === 'xml' ? xml.write(body, { pretty }) : pretty ? prettyJson(body) : body;
  return { ...response, body: written, headers: { ...headers, 'content-type': contentType } };
}
