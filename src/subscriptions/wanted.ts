// What a Subscription asks for: the change of chargeable statuses, as a topic or in the words of R4, or whatever a search finds.
// https://hl7.org/fhir/R4/subscription.html · http://hl7.org/fhir/uv/subscriptions-backport
import { STATUS_TOPIC, VM_CODE } from '../chargeable-status/codes.js';
import { requireNhsNumber } from '../chargeable-status/vm/nhs-token.js';
import { VM_CODE_VALUE } from '../chargeable-status/vm/vm-observation.js';
import { asObject, asObjects, asText } from '../fhir/elements.js';
import { FhirError } from '../fhir/errors.js';
import { isId } from '../fhir/id.js';
import { queryPairs } from '../fhir/query-string.js';
import type { Resource } from '../fhir/resource.js';
import { BACKPORT, readChannel, refuse, type Channel } from './channel.js';
import type { Network } from './network.js';

export interface StatusWanted {
  readonly kind: 'status';
  /** The topic form: notifications are Bundles. */
  readonly topic?: string;
  /** `Patient/1` or an NHS number; undefined for everybody. */
  readonly about?: string;
  readonly channel: Channel;
}

export interface SearchWanted {
  readonly kind: 'search';
  readonly type: string;
  /** Decoded. */
  readonly pairs: readonly (readonly [name: string, value: string])[];
  readonly channel: Channel;
}

export type Wanted = StatusWanted | SearchWanted;

const RESULT_PARAMETERS = /^_(?:count|sort|include|revinclude|summary|elements|total|contained|format|pretty)/;
const NUMBER_NAMES = new Set(['subject:Patient.identifier', 'subject.identifier', 'patient.identifier', 'patient:Patient.identifier']);

/** Throws 422 where it can't be served, saying what can. */
export function readWanted(subscription: Resource, network: Network): Wanted {
  const criteria = asText(subscription['criteria']) ?? '';
  if (/^[a-z]+:/i.test(criteria)) return readTopic(criteria, subscription, network);
  const [, type, query = ''] = /^([A-Z][A-Za-z]+)(?:\?(.*))?$/s.exec(criteria) ?? [];
  if (type === undefined) throw refuse('criteria', `The criteria are a search such as Observation?code=… or the topic ${STATUS_TOPIC}`);
  const pairs = pairsOf(query);
  const channel = readChannel(subscription, false, network);
  if (type === 'Observation' && pairs.some(([name, value]) => name === 'code' && value.startsWith(`${VM_CODE}|`))) return { kind: 'status', ...aboutOf(withoutCode(pairs)), channel };
  const result = pairs.find(([name]) => RESULT_PARAMETERS.test(name));
  if (result) throw refuse('criteria', `${result[0]} says how a search answers, not what it finds: leave it out`);
  return { kind: 'search', type, pairs, channel };
}

function readTopic(topic: string, subscription: Resource, network: Network): StatusWanted {
  if (topic !== STATUS_TOPIC) throw refuse('criteria', `The only topic here is ${STATUS_TOPIC}`);
  const url = `${BACKPORT}/StructureDefinition/backport-filter-criteria`;
  const filters = asObjects(asObject(subscription['_criteria'])?.['extension']).filter((one) => one['url'] === url);
  const pairs = filters.flatMap((one) => pairsOf((asText(one['valueString']) ?? '').replace(/^(Observation\?|\?)/, '')));
  return { kind: 'status', topic, ...aboutOf(pairs), channel: readChannel(subscription, true, network) };
}

function pairsOf(query: string): [string, string][] {
  try {
    return queryPairs(query);
  } catch (error) {
    throw error instanceof FhirError ? refuse('criteria', error.message) : error;
  }
}

function withoutCode(pairs: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  const wrong = pairs.find(([name, value]) => name === 'code' && value !== `${VM_CODE}|${VM_CODE_VALUE}`);
  if (wrong) throw refuse('criteria', `The only code of ${VM_CODE} is ${VM_CODE_VALUE}`);
  return pairs.filter(([name]) => name !== 'code');
}

/** One patient, by logical id or NHS number, or everybody. */
function aboutOf(pairs: readonly (readonly [string, string])[]): Pick<StatusWanted, 'about'> {
  const [pair, another] = pairs;
  if (pair === undefined) return {};
  if (another) throw refuse('criteria', 'One patient, or everybody: give one filter at most');
  const [name, value] = pair;
  if (NUMBER_NAMES.has(name)) return { about: numberOf(value) };
  const id = (name === 'patient' || name === 'subject') && value.replace(/^Patient\//, '');
  if (id === false || !isId(id)) throw refuse('criteria', 'Statuses are filtered by patient=Patient/[id], or by patient.identifier=https://fhir.nhs.uk/Id/nhs-number|[number]');
  return { about: `Patient/${id}` };
}

function numberOf(value: string): string {
  try {
    return requireNhsNumber(value);
  } catch (error) {
    throw error instanceof FhirError ? refuse('criteria', error.message) : error;
  }
}
