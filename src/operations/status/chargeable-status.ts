// Patient/$chargeable-status: is this patient chargeable? By NHS number at the type, by id at the instance; GET and POST.
import { fail } from '../../fhir/errors.js';
import type { FhirRequest } from '../../fhir/request.js';
import { assertionsOf, statusByNumber, statusByPatient, type StatusRow } from '../../chargeable-status/status/status-row.js';
import { effective, statusAt, type EffectiveStatus, type NonePolicy } from '../../chargeable-status/status/effective-status.js';
import { asObject, asObjects, asText, identifierOf } from '../../fhir/elements.js';
import { BASE } from '../../chargeable-status/codes.js';
import { decisionOf } from '../../chargeable-status/status/decision.js';
import { requireNhsNumber, requireNumber } from '../../chargeable-status/vm/nhs-token.js';
import { spineError } from '../../chargeable-status/vm/spine-error.js';
import { knownAt } from '../../chargeable-status/status/status-past.js';
import { statusAnswer } from '../../chargeable-status/status/status-answer.js';
import { seesPast } from '../../chargeable-status/vm/vm-history.js';
import type { AnswerContext } from '../../store/answerer.js';
import { AT } from '../input.js';
import type { Operation } from '../operation.js';

const PRESENTATION = new Set(['_format', '_pretty']);
const NO_STORE = { 'Cache-Control': 'no-store' } as const;

interface Question {
  /** Undefined at the instance, whose id names the patient. */
  readonly number?: string;
  /** Milliseconds since the epoch. */
  readonly asOf?: number;
  /** As what had been received, and not yet withdrawn, at this moment has it; milliseconds since the epoch. */
  readonly knownAt?: number;
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
      const detailed = seesPast(context.grant.caller.role);
      const { number, ...moments } = readQuestion(request);
      const isOfNow = moments.asOf === undefined && moments.knownAt === undefined;
      // Who is told the source may ask about another moment.
      if (!isOfNow && !detailed) throw fail('forbidden', { text: 'Only an Overseas Visitors Manager may ask for a status as of another moment: leave asOf and knownAt out' });
      if (moments.knownAt !== undefined && moments.knownAt > context.now) throw spineError('INVALID_PARAMETER', 'knownAt lies in the future: nobody knows what will be known');
      const row = await (number === undefined ? statusByPatient(context.db, request.id ?? '') : statusByNumber(context.db, number));
      // A supplier asks by number about anyone and sees no Patient; whoever sees some asks about those.
      if (context.grant.judges && !(row && (await context.store.read(context.grant, 'Patient', row.patient)))) throw context.grant.absent('Patient', request.id ?? number ?? '');
      if (!row) throw spineError('PATIENT_NOT_FOUND', 'No such patient is known here');
      const status = isOfNow ? statusAt(row.winner, context.now) : await statusThen(row, moments, context, nonePolicy);
      return { status: 200, body: statusAnswer(row, status, detailed), headers: NO_STORE };
    },
  };
}

/** What was true at a moment, as is known now or was known then; what was known alone asks for what was answered then. */
async function statusThen(row: StatusRow, { asOf, knownAt: known }: Question, { db, now }: AnswerContext, nonePolicy: NonePolicy): Promise<EffectiveStatus> {
  const assertions = known === undefined ? await assertionsOf(db, row.patient) : await knownAt(db, row.patient, known);
  return effective(assertions, asOf ?? known ?? now, nonePolicy);
}

/** From the query, and from the Parameters of a POST. */
function readQuestion(request: FhirRequest): Question {
  let number: string | undefined;
  let asOf: number | undefined;
  let known: number | undefined;
  for (const [name, value] of request.query) {
    if (name === 'identifier') number = once(name, number, requireNhsNumber(value));
    else if (name === 'asOf') asOf = once(name, asOf, requireMoment(name, value));
    else if (name === 'knownAt') known = once(name, known, requireMoment(name, value));
    else if (!PRESENTATION.has(name)) throw unknown(name);
  }
  for (const parameter of parametersOf(request)) {
    const name = asText(parameter['name']) ?? '';
    if (name === 'identifier') number = once(name, number, numberIn(parameter));
    else if (name === 'asOf') asOf = once(name, asOf, requireMoment(name, asText(parameter['valueDateTime'])));
    else if (name === 'knownAt') known = once(name, known, requireMoment(name, asText(parameter['valueDateTime'])));
    else throw unknown(name);
  }
  if (request.id === undefined && number === undefined) throw spineError('INVALID_PARAMETER', 'The parameter identifier is missing: the NHS number with its system');
  if (request.id !== undefined && number !== undefined) throw spineError('INVALID_PARAMETER', 'The URL names the patient already: leave identifier out');
  return { ...(number !== undefined && { number }), ...(asOf !== undefined && { asOf }), ...(known !== undefined && { knownAt: known }) };
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
  if (!identifier) throw spineError('INVALID_ELEMENT', 'identifier needs a valueIdentifier, or a valueString of system|value', { expression: AT });
  const { system, value } = identifierOf(identifier);
  return requireNumber(system, value);
}

function requireMoment(name: string, text: string | undefined): number {
  const moment = text === undefined ? undefined : decisionOf(text);
  if (!moment) throw spineError('INVALID_PARAMETER', `${name} must be a dateTime to the day at least`);
  return moment.at;
}

function once<T>(name: string, before: T | undefined, value: T): T {
  if (before !== undefined) throw spineError('INVALID_PARAMETER', `The parameter ${name} is given more than once`);
  return value;
}

const unknown = (name: string) => spineError('INVALID_PARAMETER', `This operation takes identifier, asOf and knownAt, not "${name.slice(0, 64)}"`);
