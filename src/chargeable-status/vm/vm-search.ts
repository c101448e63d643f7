// The Visitors and Migrants search: Observation?subject:Patient.identifier=…&code=…|0001, by GET and by POST alike (domain.md 1.7).
import type { FhirRequest, FhirResponse } from '../../fhir/request.js';
import type { Caller } from '../../fhir/caller.js';
import type { Clients } from '../../identity/clients.js';
import type { Grant } from '../../search/grant.js';
import type { Answerer } from '../../store/answerer.js';
import { SPINE_ERROR, VM_CODE } from '../codes.js';
import { requireNhsNumber } from './nhs-token.js';
import { spineError } from './spine-error.js';
import { statusByNumber } from '../status/status-row.js';
import type { AuditedRequest } from './vm-audit-claims.js';
import { requireVmHeaders, type VmSetting } from './vm-headers.js';
import { requireInteraction, VM_SEARCH_SPELLINGS } from './vm-interaction.js';
import { isAnswered, vmObservation, VM_CODE_VALUE, type AnsweredRow } from './vm-observation.js';

const SUBJECT = 'subject:Patient.identifier';
const CODE = 'code';
/** Say how the answer looks, not what is asked (ruling 9). */
const PRESENTATION = new Set(['_format', '_pretty']);

export const NO_STORE = { 'Cache-Control': 'no-store' } as const;

/** May this caller ask about chargeable status at all? PHB roles may search Observations, and must not see this through it. */
export const mayAsk = (grant: Grant): boolean => grant.allows('operation', 'Patient', 'chargeable-status') && !grant.judges;

/** Who may ask by the register, and what a request must carry. */
export interface VmParts {
  readonly newId: () => string;
  readonly clients: Pick<Clients, 'find' | 'knowsOrganization'>;
  readonly setting: VmSetting;
}

export function createVmSearch(parts: VmParts): Answerer {
  const { newId } = parts;
  return {
    concerns: (request, grant) =>
      request.interaction === 'search' && request.type === 'Observation' && request.id === undefined &&
      (grant.caller.role === 'supplier' || namesVmCode(request)) && mayAsk(grant),
    async answer(request, { db, now, grant }) {
      const audited = await requireSender(request, grant.caller, parts, now);
      const number = requireQuestion(request);
      if (audited !== undefined && audited.number !== number) throw spineError('REQUEST_UNMATCHED', 'The NHS number asked about is not that of requested_record in the token');
      const row = await statusByNumber(db, number);
      if (!row) throw spineError('PATIENT_NOT_FOUND', 'No patient with this NHS number is known here');
      const body = isAnswered(row) ? matchBundle(request.base, newId(), row, now) : noRecordBundle(request.base, newId(), newId());
      return { status: 200, body, headers: NO_STORE, about: [row.patient] } satisfies FhirResponse;
    },
  };
}

/** What stands before the question (VM-32): is the client accredited for it, and are its headers and audit claims there? Others than suppliers are asked for neither. */
async function requireSender({ headers = {} }: FhirRequest, caller: Caller, { clients, setting }: VmParts, now: number): Promise<AuditedRequest | undefined> {
  if (caller.role !== 'supplier') return undefined;
  const found = clients.find(caller.client);
  const client = found instanceof Promise ? await found : found;
  if (client === undefined) throw spineError('ASID_CHECK_FAILED', 'The client of this token is not registered');
  requireInteraction(client, VM_SEARCH_SPELLINGS);
  const audited = requireVmHeaders(headers, { caller, client }, setting, now);
  if (audited !== undefined && client.organization !== undefined && audited.organization !== client.organization) throw await wrongOrganization(audited.organization, clients);
  return audited;
}

/** An organisation of which nothing is known is a bad claim; another's is one that the ASID doesn't go with (VM-45). */
async function wrongOrganization(organization: string, clients: VmParts['clients']): Promise<Error> {
  if (await clients.knowsOrganization(organization)) return spineError('ASID_CHECK_FAILED', 'The ASID of this client does not belong to requesting_organization');
  return spineError('MISSING_OR_INVALID_HEADER', 'The claim requesting_organization of the token in Authorization names an organisation that is not known here');
}

const namesVmCode = ({ query }: FhirRequest): boolean => query.some(([name, value]) => name === CODE && value.split(',').some((one) => one.startsWith(`${VM_CODE}|`)));

/** The NHS number asked about. Faults are found in the published order: parameters, identifier, code (VM-32). */
function requireQuestion({ query }: FhirRequest): string {
  let subject: string | undefined;
  let code: string | undefined;
  for (const [name, value] of query) {
    if (name === SUBJECT) subject = once(name, subject, value);
    else if (name === CODE) code = once(name, code, value);
    else if (!PRESENTATION.has(name)) throw spineError('INVALID_PARAMETER', `Only ${SUBJECT} and ${CODE} can be searched by here, not "${name.slice(0, 64)}"`);
  }
  if (!subject) throw spineError('INVALID_PARAMETER', `The parameter ${SUBJECT} is missing`);
  if (!code) throw spineError('INVALID_PARAMETER', `The parameter ${CODE} is missing`);
  const number = requireNhsNumber(subject);
  requireCode(code);
  return number;
}

function once(name: string, before: string | undefined, value: string): string {
  if (before !== undefined) throw spineError('INVALID_PARAMETER', `The parameter ${name} is given more than once`);
  return value;
}

function requireCode(token: string): void {
  const bar = token.indexOf('|');
  if (bar < 0 || token.slice(0, bar) !== VM_CODE) throw spineError('INVALID_CODE_SYSTEM', `The system of the code must be ${VM_CODE}`);
  if (token.slice(bar + 1) !== VM_CODE_VALUE) throw spineError('INVALID_CODE_VALUE', `The only code is ${VM_CODE_VALUE}`);
}

function matchBundle(base: string, id: string, row: AnsweredRow, now: number): string {
  const fullUrl = JSON.stringify(`${base}/Observation/${row.observation}`);
  return `${bundleHead(base, id, 1)}{"fullUrl":${fullUrl},"resource":${vmObservation(row, now).text},"search":{"mode":"match"}}]}`;
}

/** The patient is known and nobody ever asserted anything: a success that says so (VM-09). R4 takes no error inside a searchset. */
function noRecordBundle(base: string, id: string, outcomeId: string): string {
  return `${bundleHead(base, id, 0)}{"fullUrl":"urn:uuid:${outcomeId}","resource":{"resourceType":"OperationOutcome","id":"${outcomeId}","issue":[${NO_RECORD}]},"search":{"mode":"outcome"}}]}`;
}

const NO_RECORD = JSON.stringify({
  severity: 'warning',
  code: 'not-found',
  details: { coding: [{ system: SPINE_ERROR, code: 'NO_RECORD_FOUND', display: 'No record found' }] },
  diagnostics: 'Neither the Home Office nor an Overseas Visitors Manager has recorded a status for this patient',
});

/** The self link leaves the NHS number out: links end up in logs. */
function bundleHead(base: string, id: string, total: number): string {
  const self = JSON.stringify(`${base}/Observation?${CODE}=${VM_CODE}|${VM_CODE_VALUE}`);
  return `{"resourceType":"Bundle","id":"${id}","type":"searchset","total":${total},"link":[{"relation":"self","url":${self}}],"entry":[`;
}
