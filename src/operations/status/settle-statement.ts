// Observation/[id]/$match-statement, $unmatch-statement and $reject-statement: an administrator settles what the worklist of statements asks.
import type { NonePolicy } from '../../chargeable-status/status/effective-status.js';
import { matchStatement, rejectStatement, unmatchStatement } from '../../chargeable-status/feed/settle-statement.js';
import type { StatusContext } from '../../chargeable-status/status/patient-status.js';
import { asObject, asObjects, asText, referenceId } from '../../fhir/elements.js';
import { fail } from '../../fhir/errors.js';
import type { FhirRequest } from '../../fhir/request.js';
import { inTransaction } from '../../interactions/context.js';
import { ruleContext } from '../../interactions/rule-context.js';
import { AT } from '../input.js';
import { actOn, type Operation } from '../operation.js';

type Settle = (id: string, value: string, context: StatusContext, nonePolicy: NonePolicy) => Promise<void>;

export function createSettleOperations(nonePolicy: NonePolicy): Operation[] {
  return [
    settling('match-statement', patientIn, matchStatement, nonePolicy),
    settling('unmatch-statement', reasonIn, unmatchStatement, nonePolicy),
    settling('reject-statement', reasonIn, rejectStatement, nonePolicy),
  ];
}

function settling(code: string, read: (request: FhirRequest) => string, settle: Settle, nonePolicy: NonePolicy): Operation {
  return actOn('Observation', code, async (request, context) => {
    const value = read(request);
    return inTransaction(context, async (inside) => {
      const { id = '' } = request;
      await settle(id, value, ruleContext(inside, inside.tx), nonePolicy);
      const task = await inside.store.read(inside.grant, 'Task', `quarantine-${id}`);
      return { status: 200, ...(task?.text != null && { body: task.text, version: String(task.version) }) };
    });
  });
}

function patientIn(request: FhirRequest): string {
  const patient = referenceId(onlyParameter(request, 'patient')['valueReference'], 'Patient');
  if (patient === undefined) throw fail('required', { text: 'Say whose it is: the parameter patient, a valueReference to Patient/[id]', expression: AT });
  return patient;
}

function reasonIn(request: FhirRequest): string {
  const reason = asText(onlyParameter(request, 'reason')['valueString'])?.trim() ?? '';
  if (reason === '') throw fail('required', { text: 'Say why: the parameter reason, a valueString', expression: AT });
  return reason;
}

function onlyParameter({ body, query }: FhirRequest, name: string) {
  const parameters = body?.value['resourceType'] === 'Parameters' ? asObjects(body.value['parameter']) : [];
  const other = parameters.map((one) => asText(one['name']) ?? '').find((one) => one !== name) ?? query.find(([one]) => one !== '_format' && one !== '_pretty')?.[0];
  if (other !== undefined) throw fail('unknown-parameter', { text: `This operation takes ${name}, not ${JSON.stringify(other.slice(0, 64))}` });
  return asObject(parameters[0]) ?? {};
}
