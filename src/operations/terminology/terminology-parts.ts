// What the operations of terminology are made of, and the resource that an instance-level call names.
import { fail } from '../../fhir/errors.js';
import type { Issue } from '../../fhir/issue.js';
import type { FhirRequest } from '../../fhir/request.js';
import type { Resource } from '../../fhir/resource.js';
import type { Definitions } from '../../definitions/model.js';
import type { AnswerContext } from '../../store/answerer.js';
import type { Terminology } from '../../terminology/terminology.js';
import { present } from '../present.js';

export interface TerminologyOperations {
  readonly terminology: Terminology;
  readonly definitions: Definitions;
  readonly validate: (resource: Resource) => readonly Issue[];
  readonly newId: () => string;
}

/** HL7 publishes the definitions of its operations here. */
export const OPERATION = 'http://hl7.org/fhir/OperationDefinition';

/** The resource that the URL of the request names; undefined at the type. */
export async function instanceOf<T>({ type, id }: FhirRequest, context: AnswerContext): Promise<T | undefined> {
  return type === undefined || id === undefined ? undefined : ((await present(type, id, context)) as T);
}

/** Refuses parameters that are given beside each other, where one says it all. */
export function oneOf(names: readonly string[], given: (name: string) => unknown): void {
  const found = names.filter((name) => given(name) !== undefined);
  if (found.length > 1) throw fail('invalid-parameter', { text: `Give one of ${found.join(', ')}, not ${found.length} of them` });
}

export const missing = (text: string) => fail('invalid-parameter', { text });

/** `url`, perhaps with a version that stands beside it. */
export function canonicalOf(url: string, version: string | undefined): string {
  return version === undefined ? url : `${url}|${version}`;
}
