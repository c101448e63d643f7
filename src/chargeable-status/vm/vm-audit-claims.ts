// The claims by which a token says who asks for whom and why (VM-40 to VM-46; audit and provenance of the published API).
import { asObject, asObjects, codingsOf, identifierOf } from '../../fhir/elements.js';
import { ODS_CODE } from '../../fhir/ods-code.js';
import { NHS_NUMBER } from '../codes.js';
import { spineError } from './spine-error.js';

export interface AuditedRequest {
  /** The NHS number that the token is for. */
  readonly number: string;
  /** ODS code of the organisation that the request comes from. */
  readonly organization: string;
}

type Claims = Readonly<Record<string, unknown>>;

const REQUIRED = [
  'iss', 'sub', 'aud', 'exp', 'iat', 'reason_for_request', 'requested_record', 'requested_scopes', 'requesting_device', 'requesting_organization', 'requesting_practitioner',
] as const;
const AUDIENCE = 'https://authorize.fhir.nhs.uk/token';
const REASON = 'directcare';
/** The table of the published page says the one, its sample the other. */
const SCOPES = new Set<unknown>(['patient/Observation.read', 'patient/*.read']);
/** Also as one published sample has it, without /Id. */
const PRACTITIONER_SYSTEM = /^https:\/\/fhir\.nhs\.uk\/(?:Id\/)?(?:sds-role-profile-id|sds-user-id|local-practitioner-identifier)$/;
const ODS = /^[A-Z0-9]{3,10}$/i;
const DEVICE_TYPE = { system: 'http://snomed.info/sct', code: '462240000' };

const LONGEST_SECONDS = 300;
/** By how much the clock of the one who signed may be ahead. */
const SKEW_SECONDS = 30;

/** Throws 400 MISSING_OR_INVALID_HEADER or INVALID_ELEMENT, naming the claim. `now` in milliseconds. */
export function readAuditClaims(claims: Claims, now: number): AuditedRequest {
  for (const name of REQUIRED) if (claims[name] === undefined || claims[name] === null || claims[name] === '') throw invalid(name, 'is missing');
  requireTimes(claims, now / 1000);
  if (claims['aud'] !== AUDIENCE) throw invalid('aud', `must be ${AUDIENCE}`);
  if (claims['reason_for_request'] !== REASON) throw invalid('reason_for_request', `must be ${REASON}`);
  if (!SCOPES.has(claims['requested_scopes'])) throw invalid('requested_scopes', 'must be patient/Observation.read');
  requireDevice(resource(claims, 'requesting_device', 'Device'));
  requirePractitioner(resource(claims, 'requesting_practitioner', 'Practitioner'), claims['sub']);
  const organization = onlyIdentifier(resource(claims, 'requesting_organization', 'Organization'), 'requesting_organization', ODS_CODE);
  if (!ODS.test(organization)) throw invalid('requesting_organization', 'must be identified by an ODS code');
  return { organization, number: onlyIdentifier(record(claims), 'requested_record', NHS_NUMBER) };
}

function requireTimes({ exp, iat }: Claims, now: number): void {
  if (typeof exp !== 'number' || !(exp > now)) throw invalid('exp', 'must be a time to come, in seconds since 1970');
  if (typeof iat !== 'number' || !(iat <= now + SKEW_SECONDS)) throw invalid('iat', 'must be the time of issue, in seconds since 1970');
  if (!(exp - iat <= LONGEST_SECONDS)) throw invalid('exp', `must be at most ${LONGEST_SECONDS} seconds after iat`);
}

/** A claim that holds a resource; of another kind it is a bad element (VM-25). */
function resource(claims: Claims, name: string, type: string): Claims {
  const value = asObject(claims[name]);
  if (value?.['resourceType'] !== type) throw badElement(name, `must be a ${type} resource`);
  return value;
}

/** What is asked for is judged as a header, whatever is wrong with it (VM-43). */
function record(claims: Claims): Claims {
  const value = asObject(claims['requested_record']);
  if (value?.['resourceType'] !== 'Patient') throw invalid('requested_record', 'must be a Patient resource');
  return value;
}

function onlyIdentifier({ identifier }: Claims, name: string, system: string): string {
  const [one, ...others] = asObjects(identifier).map(identifierOf);
  if (others.length > 0 || one?.system !== system || one.value === undefined) throw invalid(name, `must have exactly one identifier, of the system ${system}`);
  return one.value;
}

/** Some identifier of a known system is the subject of the token (VM-44, VM-46). */
function requirePractitioner({ identifier }: Claims, subject: unknown): void {
  const known = asObjects(identifier).map(identifierOf).filter(({ system }) => system !== undefined && PRACTITIONER_SYSTEM.test(system));
  if (known.length === 0) throw invalid('requesting_practitioner', 'must have an identifier that is an SDS role profile id, an SDS user id or a local practitioner identifier');
  if (!known.some(({ value }) => value === subject)) throw invalid('sub', 'must be the identifier of requesting_practitioner');
}

/** The published sample has a plain string as its type. */
function requireDevice({ type }: Claims): void {
  if (asObject(type) === undefined) return;
  const [coding] = codingsOf(type);
  if (coding?.system !== DEVICE_TYPE.system || coding.code !== DEVICE_TYPE.code) throw badElement('requesting_device', `must have the type ${DEVICE_TYPE.system}|${DEVICE_TYPE.code}`);
}

const invalid = (claim: string, what: string): Error => spineError('MISSING_OR_INVALID_HEADER', `The claim ${claim} of the token in Authorization ${what}`);
const badElement = (claim: string, what: string): Error => spineError('INVALID_ELEMENT', `The claim ${claim} of the token in Authorization ${what}`);
