// What a create or update answers: 201 or 200, where the resource is, and as much of it as was asked for.
// https://hl7.org/fhir/R4/http.html#ops
import { patientsIn } from '../audit/patients.js';
import { outcomeText } from '../fhir/outcome.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import type { StoredVersion } from '../store/store.js';
import type { Context } from './context.js';
import type { Written } from './write.js';

/** Where exactly this version is. */
export const versionUrl = (base: string, { type, id, version }: Pick<StoredVersion, 'type' | 'id' | 'version'>): string => `${base}/${type}/${id}/_history/${version}`;

export function writtenResponse(written: Written | undefined, request: Pick<FhirRequest, 'base' | 'preferReturn'>, context: Pick<Context, 'grant'>): FhirResponse {
  if (!written) throw new Error('a create or update always writes');
  const version = String(written.version);
  const { updated } = written;
  const location = versionUrl(request.base, written);
  // What was written is on record already; what was there before, and is not shown, is not.
  const about = written.text === null || written.created ? [] : patientsIn(written.text);
  const head = { status: written.created ? 201 : 200, version, updated, location, about };
  if (context.grant.receiptsOnly || request.preferReturn === 'minimal' || written.text === null) return head;
  if (request.preferReturn !== 'OperationOutcome') return { ...head, headers: { 'content-location': location }, body: context.grant.view(written.type)?.(written.text) ?? written.text };
  const text = `${written.type}/${written.id} is ${written.unchanged ? 'as it was: it stays' : 'stored as'} version ${version}`;
  return { ...head, outcome: true, body: outcomeText([...(written.warnings ?? []), { severity: 'information', code: 'informational', text }]) };
}
