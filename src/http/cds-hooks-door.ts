// The CDS Hooks door: a card with the chargeable status when a patient's record is opened. https://cds-hooks.hl7.org/2.0/
import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isBasic, isCategory } from '../chargeable-status/status/category.js';
import { nhsNumbersOf } from '../chargeable-status/number/nhs-numbers.js';
import { statusCard, type CardFacts } from '../chargeable-status/status/status-card.js';
import type { Caller } from '../fhir/caller.js';
import { asObject, asObjects, asText } from '../fhir/elements.js';
import { fail, FhirError } from '../fhir/errors.js';
import { isId } from '../fhir/id.js';
import { readJson } from '../fhir/json-text.js';
import { isNhsNumber, NHS_NUMBER_SYSTEM } from '../fhir/nhs-number.js';
import type { JsonObject, Resource } from '../fhir/resource.js';
import type { CdsVerifier } from '../identity/cds-client.js';
import { identified } from './door-record.js';
import { limited, type FhirDoor } from './fhir-door.js';

export interface CdsDoor extends Pick<FhirDoor, 'baseOf' | 'presented' | 'route' | 'perform' | 'requireTransport' | 'requireCapacity' | 'limitRate' | 'limitAddress' | 'refuse'> {
  readonly authenticate: CdsVerifier;
  readonly newId: () => string;
}

const PATH = '/cds-services';
const SERVICE = {
  hook: 'patient-view',
  id: 'chargeable-status',
  title: 'Chargeable status',
  description: 'Shows whether the patient is chargeable for NHS services, since when, and what is to be done.',
  prefetch: { patient: 'Patient/{{context.patientId}}' },
  usageRequirements: 'The Patient is to be sent as prefetch, with the NHS number: this service never calls the client\'s FHIR server.',
};
/** Browsers call with a token, never with cookies, so any origin may. https://cds-hooks.hl7.org/2.0/#cross-origin-resource-sharing */
const CORS = { 'access-control-allow-origin': '*', 'access-control-allow-methods': 'GET, POST, OPTIONS', 'access-control-allow-headers': 'authorization, content-type, x-request-id', 'access-control-max-age': '86400' };

export function registerCdsHooksDoor(app: FastifyInstance, door: CdsDoor): void {
  app.get(PATH, (_request, to) => json(to, 200, { services: [SERVICE] }));
  app.options(PATH, preflight);
  for (const url of [`${PATH}/${SERVICE.id}`, `${PATH}/${SERVICE.id}/feedback`]) app.options(url, preflight);
  app.post(`${PATH}/${SERVICE.id}`, (request, to) => answer(request, to, door, async (caller) => ({ cards: await cardsFor(call(request), caller, request, door) })));
  // https://cds-hooks.hl7.org/2.0/#feedback
  app.post(`${PATH}/${SERVICE.id}/feedback`, (request, to) => answer(request, to, door, () => Promise.resolve(takeFeedback(request))));
}

const preflight = (_request: FastifyRequest, to: FastifyReply): FastifyReply => to.code(204).headers(CORS).send();
const json = (to: FastifyReply, status: number, body: object, headers: Readonly<Record<string, string>> = {}): FastifyReply =>
  to.code(status).headers({ ...CORS, ...headers, 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' }).send(JSON.stringify(body));

async function answer(request: FastifyRequest, to: FastifyReply, door: CdsDoor, work: (caller: Caller) => Promise<object>): Promise<FastifyReply> {
  try {
    door.requireCapacity();
    door.requireTransport(request.headers);
    const url = `${new URL(door.baseOf(request.headers.host)).origin}${request.url}`;
    const caller = identified(request, await door.authenticate(request.headers.authorization, url, door.presented(request)));
    door.limitRate(caller, to);
    return json(to, 200, await work(caller));
  } catch (failure) {
    const error = limited(failure, request, door);
    const refused = error instanceof FhirError ? error : undefined;
    if (!refused) door.refuse(error, { interaction: 'operation', method: 'POST', query: [], headers: request.headers }, undefined);
    return json(to, refused?.status ?? 500, { error: refused?.message ?? 'The server failed; nothing was changed' }, refused?.headers);
  }
}

function bodyOf(request: FastifyRequest): JsonObject {
  const { body } = request;
  if (!Buffer.isBuffer(body) || !isUtf8(body)) throw fail('malformed-json', { text: 'Send the call as a JSON object, in UTF-8' });
  return readJson(body.toString('utf8')).value;
}

interface Call {
  readonly patientId: string;
  /** The number in the Patient that was sent along. */
  readonly number: string | undefined;
  readonly prefetched: boolean;
}

function call(request: FastifyRequest): Call {
  const { hook, hookInstance, context, prefetch } = bodyOf(request);
  if (hook !== SERVICE.hook) throw fail('bad-request', { text: `hook must be ${SERVICE.hook}` });
  if (asText(hookInstance) === undefined) throw fail('bad-request', { text: 'hookInstance is missing: a UUID for each call' });
  const patientId = asText(asObject(context)?.['patientId']);
  if (patientId === undefined) throw fail('bad-request', { text: 'context.patientId is missing: the id of the patient whose record is open' });
  const patient = asObject(asObject(prefetch)?.['patient']);
  if (patient && patient['resourceType'] !== 'Patient') throw fail('bad-request', { text: 'prefetch.patient must be a Patient' });
  const numbers = nhsNumbersOf(patient as Resource | undefined).map(({ value }) => value);
  return { patientId, number: numbers.find((value) => value !== undefined && isNhsNumber(value)), prefetched: patient !== undefined };
}

/** Asks $chargeable-status as any other caller does; of a patient who is not known here there is no card. */
async function cardsFor({ patientId, number, prefetched }: Call, caller: Caller, request: FastifyRequest, door: CdsDoor): Promise<object[]> {
  // An id of the client's own server must not be taken for one of ours.
  if (number === undefined && (prefetched || !isId(patientId))) return [];
  const base = door.baseOf(request.headers.host);
  const routed = door.route('GET', number === undefined ? `Patient/${patientId}/$chargeable-status` : 'Patient/$chargeable-status');
  const query: [string, string][] = number === undefined ? [] : [['identifier', `${NHS_NUMBER_SYSTEM}|${number}`]];
  const { status, body = '' } = await door.perform(routed.handler, { ...routed.parts, method: 'GET', query, base }, caller);
  if (status === 404) return [];
  if (status !== 200) throw fail(status === 403 ? 'forbidden' : 'not-ready', { text: wordsOf(body) });
  const uuid = door.newId();
  return [{ uuid, ...statusCard(factsOf(body)), source: { label: 'Visitors and Migrants chargeable status', url: 'https://www.gov.uk/government/publications/overseas-nhs-visitors-implementing-the-charging-regulations' },
    links: [{ label: 'Guidance on charging overseas visitors', url: 'https://www.gov.uk/government/publications/overseas-nhs-visitors-implementing-the-charging-regulations', type: 'absolute' }] }];
}

const wordsOf = (outcome: string): string => asText(asObject(asObjects((JSON.parse(outcome) as JsonObject)['issue'])[0]?.['details'])?.['text']) ?? 'The status could not be told';

function factsOf(parameters: string): CardFacts {
  const list = asObjects((JSON.parse(parameters) as JsonObject)['parameter']);
  const value = (name: string): JsonObject | undefined => list.find((one) => one['name'] === name);
  const category = asObject(value('category')?.['valueCoding'])?.['code'];
  const basic = asObject(value('basic')?.['valueCoding'])?.['code'];
  return {
    determined: value('determined')?.['valueBoolean'] === true,
    basic: isBasic(basic) ? basic : 'U',
    category: isCategory(category) ? category : undefined,
    lastUpdated: asText(value('lastUpdated')?.['valueDateTime']),
    expired: value('expired')?.['valueBoolean'] === true,
  };
}

function takeFeedback(request: FastifyRequest): object {
  const { feedback } = bodyOf(request);
  const bad = asObjects(feedback).some((one) => asText(one['card']) === undefined || (one['outcome'] !== 'accepted' && one['outcome'] !== 'overridden'));
  if (!Array.isArray(feedback) || bad) throw fail('bad-request', { text: 'feedback is an array of { card, outcome: accepted or overridden, outcomeTimestamp }' });
  return {};
}
