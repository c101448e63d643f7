// read and vread. https://hl7.org/fhir/R4/http.html#read
import { patientsIn } from '../audit/patients.js';
import { fail, type FhirError } from '../fhir/errors.js';
import { etag } from '../fhir/etag.js';
import { httpDate } from '../fhir/http-date.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import type { StoredVersion } from '../store/store.js';
import type { Context, Handler } from './context.js';
import { notModified } from './preconditions.js';
import { readSubset } from './subset.js';
import { versionUrl } from './written-response.js';

export const read: Handler = async (request, context) => {
  const { type = '', id = '' } = request;
  const found = await context.store.read(context.grant, type, id);
  if (!found) throw context.grant.absent(type, id);
  return versionResponse(found, request, context);
};

export const vread: Handler = async (request, context) => {
  const { type = '', id = '', version = '' } = request;
  const found = /^[1-9]\d{0,14}$/.test(version) ? await context.store.vread(context.grant, type, id, Number(version)) : undefined;
  if (!found) throw absentVersion(context.grant.absent(type, id), `There is no version ${version} of ${type}/${id}`);
  return versionResponse(found, request, context);
};

const absentVersion = (refusal: FhirError, text: string): FhirError => (refusal.status === 404 ? fail('not-found', { text }) : refusal);

function versionResponse(found: StoredVersion, request: FhirRequest, { parts: { definitions } }: Context): FhirResponse {
  const version = String(found.version);
  if (found.text === null) throw fail('gone', { text: `${found.type}/${found.id} is gone: it was deleted in version ${version}` }, { etag: etag(version), 'last-modified': httpDate(found.updated) });
  if (notModified(request, found)) return { status: 304, version, updated: found.updated, about: patientsIn(found.text) };
  const headers = { 'content-location': versionUrl(request.base, found) };
  const subset = request.query.length === 0 ? undefined : readSubset(definitions, request.query);
  if (subset) return { status: 200, body: subset.match(found.type, found.text), version, updated: found.updated, headers, about: patientsIn(found.text) };
  return { status: 200, body: found.text, version, updated: found.updated, headers };
}
