// A row of the trail as an AuditEvent, made when it is read. https://hl7.org/fhir/R4/auditevent.html · https://profiles.ihe.net/ITI/BALP/
import { STATUS_CODES } from 'node:http';
import { instantText } from '../fhir/date-time.js';
import { organizationReference } from '../fhir/ods-code.js';
import type { JsonObject } from '../fhir/resource.js';
import type { AuditRows } from './audit-rows.js';
import { timeOf, type EventRow } from './event-row.js';
import { ACT_REASON, PURPOSES } from './purpose.js';
import { eventId } from './server-made.js';

export const EVENT_TYPE = 'http://terminology.hl7.org/CodeSystem/audit-event-type';
export const RESTFUL = 'http://hl7.org/fhir/restful-interaction';
export const DICOM = 'http://dicom.nema.org/resources/ontology/DCM';
export const LIFECYCLE = 'http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle';
export const ENTITY_TYPE = 'http://terminology.hl7.org/CodeSystem/audit-entity-type';
export const OBJECT_ROLE = 'http://terminology.hl7.org/CodeSystem/object-role';
export const RESOURCE_TYPES = 'http://hl7.org/fhir/resource-types';
export const BALP_ENTITY = 'https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType';
export const CALLER_ROLE = 'https://fhir.entitle.example/CodeSystem/caller-role';
const CORRELATION = 'https://fhir.entitle.example/Id/correlation';
const SOURCE_TYPE = 'http://terminology.hl7.org/CodeSystem/security-source-type';

/** `R` read, `E` execute (searches and operations), and the letters of writes. */
const ACTIONS: Readonly<Record<string, string>> = { notification: 'R', create: 'C', update: 'U', patch: 'U', delete: 'D', 'delete-history': 'D', read: 'R', vread: 'R', history: 'R', 'history-type': 'R', 'history-system': 'R' };
export const actionOf = (interaction: string): string => ACTIONS[interaction] ?? 'E';
export const interactionsOf = (action: string): string[] => Object.keys(ACTIONS).filter((name) => ACTIONS[name] === action);

/** Codes of restful-interaction whose names differ from ours. */
const CODES: Readonly<Record<string, string>> = { search: 'search-type', history: 'history-instance', 'delete-history': 'delete' };

const SERVER_EVENTS: Readonly<Record<string, { readonly type: JsonObject; readonly subtype?: JsonObject[] }>> = {
  start: { type: coding(DICOM, '110100', 'Application Activity'), subtype: [coding(DICOM, '110120', 'Application Start')] },
  stop: { type: coding(DICOM, '110100', 'Application Activity'), subtype: [coding(DICOM, '110121', 'Application Stop')] },
  gap: { type: coding(DICOM, '110113', 'Security Alert') },
  flood: { type: coding(DICOM, '110113', 'Security Alert') },
};

/** Which rule stood in the way is for those who act in a patient's matters. */
function ending({ interaction, reason, status, refused }: EventRow, { kind }: AuditRows): string | null {
  if (interaction in SERVER_EVENTS) return reason;
  const ended = `${status} ${STATUS_CODES[status] ?? ''}`.trim();
  return refused === null || kind === 'patient' ? ended : `${ended}: ${refused}`;
}

/** The JSON text; `rows` decides how much of it its reader is told. */
export function auditEventText(row: EventRow, rows: AuditRows): string {
  const recorded = instantText(timeOf(row.id));
  const { interaction, status } = row;
  return JSON.stringify({
    resourceType: 'AuditEvent',
    id: eventId(row.id),
    meta: { versionId: '1', lastUpdated: recorded },
    ...kindOf(interaction),
    action: actionOf(interaction),
    recorded,
    outcome: status < 400 ? '0' : status < 500 ? '4' : '8',
    outcomeDesc: ending(row, rows),
    ...purposeOf(row, rows),
    agent: agents(row),
    source: { observer: { display: 'entitle-fhir' }, type: [coding(SOURCE_TYPE, '4', 'Application Server')] },
    ...entities(row, rows),
  });
}

function coding(system: string, code: string, display?: string): JsonObject {
  return { system, code, ...(display !== undefined && { display }) };
}

/** What is no request to the FHIR service: a client that asks for a token, one that is registered, a notification that goes out. */
const DOORS: Readonly<Record<string, JsonObject>> = {
  token: { type: coding(DICOM, '110114', 'User Authentication'), subtype: [coding(DICOM, '110122', 'Login')] },
  notification: { type: coding(LIFECYCLE, 'transmit', 'Transmit Record Lifecycle Event') },
  clients: { type: coding(DICOM, '110113', 'Security Alert'), subtype: [coding(DICOM, '110137', 'User Security Attributes Changed')] },
};

function kindOf(interaction: string): JsonObject {
  const server = SERVER_EVENTS[interaction];
  if (DOORS[interaction]) return DOORS[interaction];
  if (server) return { type: server.type, ...(server.subtype && { subtype: server.subtype }) };
  const type = coding(EVENT_TYPE, 'rest', 'RESTful Operation');
  if (interaction === 'unknown') return { type };
  const code = interaction.startsWith('$') ? 'operation' : CODES[interaction] ?? interaction;
  return { type, subtype: [coding(RESTFUL, code, code)] };
}

function purposeOf({ purpose, reason, others }: EventRow, { kind }: AuditRows): JsonObject {
  if (purpose === null) return {};
  // Why the glass was broken is the patient's to know; but what was said of several may be about another.
  const text = reason !== null && (kind !== 'patient' || !others?.length) ? { text: reason } : {};
  return { purposeOfEvent: [{ coding: [coding(ACT_REASON, purpose, PURPOSES[purpose])], ...text }] };
}

/** The person or system that asked, the client it asked through, and the organisation it asked for. */
function agents(row: EventRow): JsonObject[] {
  const { role, client, organization, reason } = row;
  const list: JsonObject[] = [{
    ...(role !== null && { role: [{ coding: [coding(CALLER_ROLE, role)] }] }),
    who: whoOf(row), altId: row.subject ?? client, requestor: true,
    // Of one that nobody knows, the address is all there is to say. Code 2: an IP address.
    ...(client === 'unknown' && reason !== null && row.interaction !== 'flood' && { network: { address: reason, type: '2' } }),
  }];
  if (role !== null) list.push({ type: { coding: [coding(DICOM, '110153', 'Source Role ID')] }, who: { identifier: { value: client } }, altId: client, requestor: false });
  if (organization !== null) list.push({ who: organizationReference(organization), requestor: false });
  return list;
}

function whoOf({ practitioner_role: practitionerRole, related_person: relatedPerson, agent_patient: patient, subject, client }: EventRow): JsonObject {
  const [type, id] = practitionerRole !== null ? ['PractitionerRole', practitionerRole] : relatedPerson !== null ? ['RelatedPerson', relatedPerson] : ['Patient', patient];
  return { ...(id !== null && { reference: `${type}/${id}` }), identifier: { value: subject ?? client } };
}

function entities(row: EventRow, rows: AuditRows): JsonObject {
  const all = [...resourceEntity(row, rows), ...patientEntities(row, rows), ...(rows.kind === 'patient' ? [] : [...queryEntity(row), ...traceEntities(row)])];
  return all.length === 0 ? {} : { entity: all };
}

function resourceEntity({ what, interaction }: EventRow, rows: AuditRows): JsonObject[] {
  // R4 has no code for the end of old versions: it is a deletion, of the history.
  const name = interaction.startsWith('$') ? { name: interaction } : interaction === 'delete-history' ? { name: '_history' } : {};
  if (what === null) return interaction.startsWith('$') ? [{ type: coding(ENTITY_TYPE, '2', 'System Object'), ...name }] : [];
  const [type = '', id] = what.split('/');
  const another = rows.kind === 'patient' && type === 'Patient' && id !== rows.patient;
  const reference = id === undefined || another ? {} : { what: { reference: what } };
  return [{ ...reference, type: coding(RESOURCE_TYPES, type, type), role: coding(OBJECT_ROLE, '4', 'Domain Resource'), ...name }];
}

function patientEntities({ patient, others }: EventRow, rows: AuditRows): JsonObject[] {
  const ids = patient === null ? [] : [patient, ...(others ?? [])];
  const told = rows.kind === 'patient' ? ids.filter((id) => id === rows.patient) : ids;
  return told.map((id) => ({ what: { reference: `Patient/${id}` }, type: coding(ENTITY_TYPE, '1', 'Person'), role: coding(OBJECT_ROLE, '1', 'Patient') }));
}

function queryEntity({ query }: EventRow): JsonObject[] {
  if (query === null) return [];
  return [{ type: coding(ENTITY_TYPE, '2', 'System Object'), role: coding(OBJECT_ROLE, '24', 'Query'), query: Buffer.from(query, 'utf8').toString('base64') }];
}

function traceEntities({ trace }: EventRow): JsonObject[] {
  const [request = '', correlation = ''] = trace?.split(' ') ?? [];
  return [
    ...(request === '' ? [] : [{ what: { identifier: { value: request } }, type: coding(BALP_ENTITY, 'XrequestId') }]),
    ...(correlation === '' ? [] : [{ what: { identifier: { system: CORRELATION, value: correlation } }, type: coding(ENTITY_TYPE, '4', 'Other') }]),
  ];
}
