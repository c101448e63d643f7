// $meta-add and $meta-delete: profiles, tags and security labels of a resource as it is, without a new version of it.
// https://hl7.org/fhir/R4/resource-operation-meta-add.html
import { patientsIn } from '../../audit/patients.js';
import { asObject, asText } from '../../fhir/elements.js';
import { fail, failWith } from '../../fhir/errors.js';
import { readJson } from '../../fhir/json-text.js';
import type { JsonObject, Resource } from '../../fhir/resource.js';
import { storedText } from '../../fhir/stored-text.js';
import { inTransaction } from '../../interactions/context.js';
import { judgeScopeAfter, judgeScopeBefore } from '../../interactions/judge-rows.js';
import { storeRecord } from '../../interactions/write-record.js';
import type { Change } from '../../store/store.js';
import { currentOf, type Current, type Inside } from '../act.js';
import { readInput } from '../input.js';
import { labelsOf, lessLabels, mergedLabels, type Labels } from './labels.js';
import { metaResponse } from './meta.js';
import type { Operation } from '../operation.js';
import { OPERATION, type TerminologyOperations } from '../terminology/terminology-parts.js';

const CHANGES = {
  'meta-add': (before: Labels, given: Labels) => mergedLabels([before, given]),
  'meta-delete': lessLabels,
} as const;

export function createAmendMetaOperation(code: keyof typeof CHANGES, { definitions: { resourceTypes }, validate }: Pick<TerminologyOperations, 'definitions' | 'validate'>): Operation {
  return {
    code,
    definition: `${OPERATION}/Resource-${code}`,
    system: false,
    types: [],
    instances: resourceTypes,
    affectsState: true,
    async handle(request, context) {
      const { type = '' } = request;
      const given = readInput(request, { meta: 'Meta' }, validate).value('meta');
      if (!given) throw fail('invalid-parameter', { text: `$${code} needs the parameter meta, a valueMeta`, expression: 'Parameters.parameter' });
      const introduced = context.parts.audit.introduce(context.access);
      if (introduced) await introduced;
      return inTransaction(context, async (inside) => {
        const current = await currentOf(type, request, inside, 'optional');
        const before = (current.resource['meta'] ?? {}) as JsonObject;
        const { profile: _profile, security: _security, tag: _tag, ...rest } = before;
        const meta = { ...rest, ...CHANGES[code](labelsOf(before), labelsOf(given)) };
        if (JSON.stringify(sorted(meta)) !== JSON.stringify(sorted(before))) await restate(code, current, meta as JsonObject, inside);
        return metaResponse(meta);
      });
    },
  };
}

const sorted = (meta: object): object => Object.fromEntries(Object.entries(meta).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Judged as an update is; the rules of the domain are about content, which stays. */
async function restate(code: string, { type, id, version, resource, document }: Current, meta: JsonObject, inside: Inside): Promise<void> {
  const { parts, grant, tx } = inside;
  const after: Resource = { ...resource, meta };
  const refusal = grant.refuseWrite(type, resource, after);
  if (refusal) throw refusal;
  await judgeScopeBefore({ type, id, kind: 'update' }, grant, tx);
  const faults = [...parts.validate(after), ...(await parts.profiles.check(after))].filter(({ severity }) => severity === 'error' || severity === 'fatal');
  if (faults.length > 0) throw failWith(422, faults);
  const updated = Date.parse(asText(asObject(resource['meta'])?.['lastUpdated']) ?? '');
  const text = storedText(document, { id, versionId: version, lastUpdated: updated, edits: { set: { meta } } });
  const next = readJson(text);
  const change: Change = { type, id, version, updated, method: 'PUT', text, before: version, restates: true, rows: parts.extract(next.value as Resource, next) };
  await tx.write([change]);
  await judgeScopeAfter({ type, id, after }, true, grant, tx);
  const what = `${type}/${id}/_history/${version}`;
  await storeRecord(parts.audit.besideWrite(inside.access, [{ interaction: `$${code}`, status: 200, what, patients: new Set(patientsIn(text)) }], parts.newId), tx);
}
