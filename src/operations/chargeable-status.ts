// Patient/$chargeable-status: is this patient chargeable? By NHS number at the type, by id at the instance; GET and POST.
import { fail } from '../fhir/errors.js';
import type { FhirRequest } from '../fhir/request.js';
import { assertionsOf, statusByNumber, statusByPatient, type StatusRow } from '../chargeable-status/status-row.js';
import { effective, statusAt, type EffectiveStatus, type NonePolicy } from '../chargeable-status/effective-status.js';
import { asObject, asObjects, asText, identifierOf } from '../fhir/elements.js';
import { BASE } from '../chargeable-status/codes.js';
import { decisionOf } from '../chargeable-status/decision.js';
import { requireNhsNumber, requireNumber } from '../chargeable-status/nhs-token.js';
import { spineError } from '../chargeable-status/spine-error.js';
import { statusAnswer } from '../chargeable-status/status-answer.js';
import type { AnswerContext } from '../store/answerer.js';
import type { Operation } from './operation.js';

/** Who is told the source, and may ask about another moment. */
const DETAILED = new Set(['ovm', 'admin']);
const PRESENTATION = new Set(['_format', '_pretty']);
const NO_STORE = { 'Cache-Control': 'no-store' } as const;

interface Question {
  /** Undefined at the instance, whose id names the patient. */
  readonly number?: string;
  /** Milliseconds since the epoch. */
  readonly asOf?: number;
}

export function createChargeableStatusOperation(nonePolicy: NonePolicy): Operation {
  return {
    code: 'chargeable-status',
    definition: `${BASE}/OperationDefinition/chargeable-status`,
    system: false,
    types: ['Patient'],
    instances: ['Patient'],
    affectsState: false,
    async handle(request, context) {
      const detailed = DETAILED.has(context.grant.caller.role);
      const { number, asOf } = readQuestion(request);
      if (asOf !== undefined && !detailed) throw fail('forbidden', { text: 'Only an Overseas Visitors Manager may ask for a status as of another moment: leave asOf out' });
      const row = await (number === undefined ? statusByPatient(context.db, request.id ?? '') : statusByNumber(context.db, number));
      // A supplier asks by number about anyone and sees no Patient; whoever sees some asks about those.
      if (context.grant.judges && !(row && (await context.store.read(context.grant, 'Patient', row.patient)))) throw context.grant.absent('Patient', request.id ?? number ?? '');
      if (!row) throw spineError('PATIENT_NOT_FOUND', 'No such patient is known here');
      const status = asOf === undefined ? statusAt(row.winner, context.now) : await statusAsOf(row, asOf, context, nonePolicy);
      return { status: 200, body: statusAnswer(row, status, detailed), headers: NO_STORE };
    },
  };
}

async function statusAsOf(row: StatusRow, asOf: number, { db }: AnswerContext, nonePolicy: NonePolicy): Promise<EffectiveStatus> {
  return effective(await assertionsOf(db, row.patient), asOf, nonePolicy);
}

/** From the query, and from the Parameters of a POST. */
function readQuestion(request: FhirRequest): Question {
  let number: string | undefined;
  let asOf: number | undefined;
  for (const [name, value] of request.query) {
    if (name === 'identifier') number = once(name, number, requireNhsNumber(value));
    else if (name === 'asOf') asOf = once(name, asOf, requireMoment(value));
    else if (!PRESENTATION.has(name)) throw unknown(name);
  }
  for (const parameter of parametersOf(request)) {
    const name = asText(parameter['name']) ?? '';
    if (name === 'identifier') number = once(name, number, numberIn(parameter));
    else if (name === 'asOf') asOf = once(name, asOf, requireMoment(asText(parameter['valueDateTime'])));
    else throw unknown(name);
  }
  if (request.id === undefined && number === undefined) throw spineError('INVALID_PARAMETER', 'The parameter identifier is missing: the NHS number with its system');
  if (request.id !== undefined && number !== undefined) throw spineError('INVALID_PARAMETER', 'The URL names the patient already: leave identifier out');
  return { ...(number !== undefined && { number }), ...(asOf !== undefined && { asOf }) };
}

function parametersOf({ body }: FhirRequest): ReturnType<typeof asObjects> {
  if (!body) return [];
  if (body.value['resourceType'] !== 'Parameters') throw spineError('INVALID_ELEMENT', 'The body must be a Parameters resource', { expression: 'resourceType' });
  return asObjects(body.value['parameter']);
}

/** valueIdentifier, or valueString as in a query. */
function numberIn(parameter: ReturnType<typeof asObjects>[number]): string {
  const text = asText(parameter['valueString']);
  if (text !== undefined) return requireNhsNumber(text);
  const identifier = asObject(parameter['valueIdentifier']);
  if (!identifier) throw spineError('INVALID_ELEMENT', 'identifier needs a valueIdentifier, or a valueString of system|value', { expression: 'Parameters.parameter' });
  const { system, value } = identifierOf(identifier);
  return requireNumber(system, value);
}

function requireMoment(text: string | undefined): number {
  const moment = text === undefined ? undefined : decisionOf(text);
  if (!moment) throw spineError('INVALID_PARAMETER', 'asOf must be a dateTime to the day at least');
  return moment.at;
}

function once<T>(name: string, before: T | undefined, value: T): T {
  if (before !== undefined) throw spineError('INVALID_PARAMETER', `The parameter ${name} is given more than once`);
  return value;
}

const unknown = (name: string) => spineError('INVALID_PARAMETER', `This operation takes identifier and asOf, not "${name.slice(0, 64)}"`);
