// What Node refuses before there is a request: headers without end, bytes that are no HTTP. https://nodejs.org/api/http.html#event-clienterror
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { fail, type FhirError } from '../fhir/errors.js';
import { outcomeText } from '../fhir/outcome.js';

/** Answers on the bare socket and hangs up, as Node would, but with an OperationOutcome. */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (socket.writable) socket.write(responseText(refusalOf(error.code)));
  socket.destroy(error);
}

function refusalOf(code: string | undefined): FhirError {
  if (code === 'HPE_HEADER_OVERFLOW') return fail('headers-too-long');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return fail('too-slow');
  return fail('bad-request', { text: 'This is not an HTTP request', ...(code !== undefined && { diagnostics: code }) });
}

function responseText({ status, issues }: FhirError): string {
  const body = outcomeText(issues);
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, 'Content-Type: application/fhir+json; charset=utf-8', `Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close'];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
