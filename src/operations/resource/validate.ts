// $validate: all that is wrong with a resource, and what could be better, by the validator that writes meet. The rules of the service
// (money, status, uniqueness) are asked by a write alone. https://hl7.org/fhir/R4/resource-operation-validate.html
import { presumed } from '../../budgets/presumed.js';
import type { Definitions } from '../../definitions/model.js';
import { fail } from '../../fhir/errors.js';
import type { Issue } from '../../fhir/issue.js';
import { positionOf } from '../../fhir/json-text.js';
import { outcomeText } from '../../fhir/outcome.js';
import type { FhirRequest, FhirResponse } from '../../fhir/request.js';
import type { Resource } from '../../fhir/resource.js';
import type { AnswerContext } from '../../store/answerer.js';
import type { CodeChecker } from '../../validation/code-checker.js';
import { MOST_ISSUES } from '../../validation/faults.js';
import type { ProfileChecker } from '../../validation/profile-checker.js';
import type { Validator } from '../../validation/validator.js';
import type { Operation } from '../operation.js';
import { instanceOf, OPERATION } from '../terminology/terminology-parts.js';
import { readValidateInput, type ValidateInput } from './validate-input.js';

export interface ValidateParts {
  readonly definitions: Definitions;
  readonly validator: Validator;
  readonly profiles: Pick<ProfileChecker, 'check'>;
  readonly codes: CodeChecker;
  readonly newId: () => string;
}

const ALL_OK: Issue = { severity: 'information', code: 'informational', text: 'All OK' };

export function createValidateOperation(parts: ValidateParts): Operation {
  const { resourceTypes } = parts.definitions;
  return {
    code: 'validate',
    definition: `${OPERATION}/Resource-validate`,
    system: false,
    types: resourceTypes,
    instances: resourceTypes,
    affectsState: false,
    async handle(request, context) {
      const input = readValidateInput(request);
      const issues = input.mode === 'delete' ? await deletionIssues(request, context) : await contentIssues(input, request, context, parts);
      return answer(issues, parts.newId());
    },
  };
}

const isError = ({ severity }: Pick<Issue, 'severity'>): boolean => severity === 'error' || severity === 'fatal';

function answer(issues: readonly Issue[], id: string): FhirResponse {
  // Of very many only the first are told: advice must not push out an error.
  const told = issues.length <= MOST_ISSUES ? issues : [...issues.filter(isError), ...issues.filter((issue) => !isError(issue))];
  return { status: 200, body: outcomeText(issues.length === 0 ? [ALL_OK] : told, { id }), outcome: true };
}

/** May the caller delete it? Nothing of its content is asked. */
async function deletionIssues(request: FhirRequest, context: AnswerContext): Promise<readonly Issue[]> {
  if (request.id === undefined) throw fail('invalid-parameter', { text: 'mode delete is asked of one resource: POST [type]/[id]/$validate?mode=delete' });
  const before = await readable(request, context);
  return context.grant.refuseWrite(before.resourceType, before, undefined)?.issues ?? [];
}

/** The stored resource, for callers who may read it. */
async function readable(request: FhirRequest, context: AnswerContext): Promise<Resource> {
  if (!context.grant.allows('read', request.type)) throw fail('forbidden', { text: `The role ${context.grant.caller.role} may not read ${request.type ?? ''}: send the resource itself to [type]/$validate` });
  const stored = await instanceOf<Resource>(request, context);
  if (!stored) throw fail('invalid-parameter', { text: 'Send the resource to validate as the body, or as the parameter resource of a Parameters body' });
  return stored;
}

async function contentIssues(input: ValidateInput, request: FhirRequest, context: AnswerContext, parts: ValidateParts): Promise<readonly Issue[]> {
  const resource = presumed(input.resource ?? (await readable(request, context)));
  const wrong = misplaced(resource, input, request);
  if (wrong) return [wrong];
  const base = parts.validator.validate(resource, { hints: true });
  // A profile is laid over what is good R4: of anything else it has nothing to say.
  const broken = base.some(isError);
  const issues = broken ? base : [...base, ...(await furtherIssues(resource, input, parts))];
  return [...issues, ...refusedWrite(resource, input, context)].map((issue) => placed(issue, input, request));
}

async function furtherIssues(resource: Resource, { profiles }: ValidateInput, parts: ValidateParts): Promise<readonly Issue[]> {
  const ofProfiles = await parts.profiles.check(resource, { also: profiles, advice: true });
  const said = ofProfiles.filter(({ code }) => code === 'code-invalid');
  const ofCodes = await parts.codes.check(resource);
  return [...ofProfiles, ...ofCodes.filter((issue) => !said.some((one) => saysAll(one, issue)))];
}

/** A code that is in no value set is mostly in no code system: one mistake is told once. */
function saysAll(said: Issue, { code, severity, expression = '' }: Issue): boolean {
  if (code !== said.code || (isError({ severity }) && !isError(said))) return false;
  return expression === said.expression || expression.startsWith(`${said.expression ?? ''}.coding[`);
}

function misplaced(resource: Resource, { mode }: ValidateInput, { type, id }: FhirRequest): Issue | undefined {
  const { resourceType } = resource;
  if (resourceType !== type) return { severity: 'error', code: 'invalid', text: `The URL says ${type ?? ''}; the resource is a ${resourceType}`, expression: 'resourceType' };
  if (mode !== 'update' || id === undefined || resource.id === id) return undefined;
  return { severity: 'error', code: 'invalid', text: `An update of ${type}/${id} must hold the id ${JSON.stringify(id)}`, expression: `${type}.id` };
}

/** With a mode, whether the caller may write it is part of the question. */
function refusedWrite(resource: Resource, { mode }: ValidateInput, { grant }: AnswerContext): readonly Issue[] {
  if (mode !== 'create' && mode !== 'update') return [];
  return grant.refuseWrite(resource.resourceType, mode === 'update' ? resource : undefined, resource)?.issues ?? [];
}

/** With the line and column where the caller sent it. */
function placed(issue: Issue, { within }: ValidateInput, { body }: FhirRequest): Issue {
  const { expression } = issue;
  if (body === undefined || expression === undefined) return issue;
  return { ...issue, ...positionOf(body, within === undefined ? expression : expression.replace(/^[A-Za-z]+/, within)) };
}
