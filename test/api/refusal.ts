// What every refusal looks like on the wire: a status and an OperationOutcome that a person and a program can use.
// https://hl7.org/fhir/R4/operationoutcome.html
import type { Answer } from '../server.js';

export interface Refusal {
  /** Code of the first issue. */
  readonly code?: string;
  /** In details.text of the first issue. */
  readonly text?: RegExp | string;
  /** One of the places that the issues name. */
  readonly expression?: string;
}

/** Asserts the whole shape of a refusal: status, media type, severity, code, words, and where the fault is. */
export function expectRefusal(answer: Pick<Answer, 'status' | 'headers' | 'body'>, status: number, { code, text, expression }: Refusal = {}): void {
  expect({ status: answer.status, body: answer.body }).toEqual({ status, body: expect.objectContaining({ resourceType: 'OperationOutcome', issue: expect.any(Array) }) });
  expect(answer.headers['content-type']).toBe('application/fhir+json; charset=utf-8');
  const [issue] = answer.body.issue;
  expect(issue).toMatchObject({ severity: 'error', code: code ?? expect.stringMatching(/^[a-z-]+$/), details: { text: expect.any(String) } });
  expect(issue.details.text).toMatch(text ?? /\w/);
  if (expression !== undefined) expect(answer.body.issue.flatMap((one: { expression?: string[] }) => one.expression ?? [])).toContain(expression);
}
