// The end of old versions, for administrators: all that are not current, or one of them. https://hl7.org/fhir/R5/http.html#delete-history
import { storeBeside } from '../audit/audit-row.js';
import { patientsIn } from '../audit/patients.js';
import { fail } from '../fhir/errors.js';
import type { FhirRequest } from '../fhir/request.js';
import type { Resource } from '../fhir/resource.js';
import type { StoredVersion, Transaction } from '../store/store.js';
import { inTransaction, type Context, type Handler } from './context.js';
import { judgeScopeBefore } from './judge-rows.js';
import { checkPreconditions } from './preconditions.js';

type Inside = Context & { readonly tx: Transaction };

/** Whose history is read by the service itself, or is evidence, and why. */
const KEPT: Readonly<Partial<Record<string, string>>> = {
  Account: 'what was decided about a budget names its versions',
  AuditEvent: 'it says who did what',
  Claim: 'what was decided about a purchase names its versions',
  HealthcareService: 'the purchases of one that was deleted are told by its last version',
  Provenance: 'it says how something came to be as it is',
};

export const deleteHistory: Handler = (request, context) => {
  const { type = '' } = request;
  if (context.grant.caller.role !== 'admin') throw fail('forbidden', { text: 'Only an administrator may purge old versions' });
  const reason = KEPT[type];
  if (reason !== undefined) throw kept(type, reason);
  return inTransaction(context, async (inside) => {
    const introduced = inside.parts.audit.introduce(inside.access);
    if (introduced) await introduced;
    return purge(request, inside);
  });
};

async function purge(request: FhirRequest, inside: Inside): ReturnType<Handler> {
  const { type = '', id = '', version, ifMatch } = request;
  const { tx, grant } = inside;
  const current = await tx.lock(type, id);
  if (!current) throw grant.absent(type, id);
  await judgeScopeBefore({ type, id, kind: 'delete' }, grant, tx);
  checkPreconditions({ ifMatch }, current);
  const newest = current.text === null ? await lastText(type, id, inside) : current.text;
  if (type === 'Observation' && newest !== undefined && isRuled(JSON.parse(newest) as Resource, inside)) throw kept(type, 'a chargeable status rests on it');
  await purgeVersions({ type, id, version }, current, tx);
  await recordPurge(request, newest, inside);
  return { status: 204 };
}

async function purgeVersions({ type = '', id = '', version }: Pick<FhirRequest, 'type' | 'id' | 'version'>, current: StoredVersion, tx: Transaction): Promise<void> {
  if (version === undefined) {
    await tx.purgeHistory(type, id);
    return;
  }
  if (version === String(current.version)) throw fail('still-needed', { text: `Version ${version} of ${type}/${id} is the current one: only versions that were superseded can be purged` });
  const purged = /^[1-9]\d{0,14}$/.test(version) ? await tx.purgeHistory(type, id, Number(version)) : 0;
  if (purged === 0) throw fail('not-found', { text: `There is no version ${version.slice(0, 20)} of ${type}/${id}` });
}

/** What it was before it was deleted; undefined where that is purged already. */
async function lastText(type: string, id: string, { tx, grant }: Inside): Promise<string | undefined> {
  const { versions } = await tx.history(grant, type, id, { count: 2 });
  return versions.find(({ text }) => text !== null)?.text ?? undefined;
}

const isRuled = (before: Resource, { parts }: Inside): boolean =>
  parts.rules.some((rule) => rule.concerns({ type: before.resourceType, id: before.id ?? '', kind: 'delete', before, after: undefined, document: undefined, ifMatch: undefined }));

/** With the purge, or not at all. */
async function recordPurge({ type = '', id = '', version }: FhirRequest, text: string | undefined, { parts, access, tx }: Inside): Promise<void> {
  const what = `${type}/${id}${version === undefined ? '' : `/_history/${version}`}`;
  const patients = new Set([...(text === undefined ? [] : patientsIn(text)), ...(type === 'Patient' ? [id] : [])]);
  await storeBeside(tx.db, parts.audit.besideWrite(access, [{ interaction: 'delete-history', status: 204, what, patients }], parts.newId));
  access.written.push(what);
}

const kept = (type: string, reason: string): Error => fail('still-needed', { text: `The history of ${type === 'Observation' ? 'this Observation' : `${type} resources`} is kept: ${reason}` });
