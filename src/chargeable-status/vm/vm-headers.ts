// What a supplier's request to the V&M search carries beside its question: X-Request-ID today, the Ssp headers of Spine before (VM-29, VM-34, VM-35).
import type { Caller } from '../../fhir/caller.js';
import type { RequestHeaders } from '../../fhir/request.js';
import type { Client } from '../../identity/client.js';
import { spineError } from './spine-error.js';
import { readAuditClaims, type AuditedRequest } from './vm-audit-claims.js';
import { VM_SEARCH, VM_SEARCH_SPELLINGS } from './vm-interaction.js';

export type VmProfile = 'modern' | 'legacy' | 'both';

export interface VmSetting {
  readonly profile: VmProfile;
  /** The server's own ASID, which Ssp-To must name; undefined takes any. */
  readonly asid: string | undefined;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const ASID = /^[0-9]{1,12}$/;
const MARKS = ['ssp-traceid', 'ssp-from', 'ssp-to', 'ssp-interactionid'] as const;

/** Throws 400 MISSING_OR_INVALID_HEADER or 403 ASID_CHECK_FAILED. What the token's audit claims say, where it has any. */
export function requireVmHeaders(headers: RequestHeaders, from: { readonly caller: Caller; readonly client: Client }, setting: VmSetting, now: number): AuditedRequest | undefined {
  const legacy = setting.profile === 'legacy' || (setting.profile === 'both' && MARKS.some((name) => headers[name] !== undefined));
  if (legacy) requireSspHeaders(headers, from.client, setting);
  else if (!UUID.test(sent(headers, 'x-request-id'))) throw invalid('X-Request-ID must be there, and be a UUID');
  const { audit } = from.caller;
  if (legacy && audit === undefined) throw invalid('The token in Authorization must carry the audit claims: requested_record, requesting_practitioner and the others');
  return audit && readAuditClaims(audit, now);
}

function requireSspHeaders(headers: RequestHeaders, client: Client, setting: VmSetting): void {
  if (!UUID.test(sent(headers, 'ssp-traceid'))) throw invalid('Ssp-TraceID must be there, and be a UUID');
  const [from, to] = [sent(headers, 'ssp-from'), sent(headers, 'ssp-to')];
  if (!ASID.test(from)) throw invalid('Ssp-From must be there, and be the ASID of your system');
  if (!ASID.test(to)) throw invalid('Ssp-To must be there, and be the ASID of this service');
  if (!VM_SEARCH_SPELLINGS.has(sent(headers, 'ssp-interactionid'))) throw invalid(`Ssp-InteractionID must be there, and for this search be ${VM_SEARCH}`);
  if ((headers['ssp-version'] ?? '1') !== '1') throw invalid('Ssp-Version must be 1, or left out');
  if (client.asid !== undefined && from !== client.asid) throw spineError('ASID_CHECK_FAILED', 'Ssp-From is not the ASID that this client is registered with');
  if (setting.asid !== undefined && to !== setting.asid) throw spineError('ASID_CHECK_FAILED', 'Ssp-To is not the ASID of this service');
}

function sent(headers: RequestHeaders, name: string): string {
  const value = headers[name];
  return typeof value === 'string' ? value : '';
}

const invalid = (diagnostics: string): Error => spineError('MISSING_OR_INVALID_HEADER', diagnostics);
