// $diff: what makes one version of a resource another, or one resource another, as a FHIRPath Patch that can be sent as it is.
// Not of R4's own list: as clients know it from other servers.
import { BASE } from '../../budgets/codes.js';
import { fail } from '../../fhir/errors.js';
import { parseTree, treeText, type JsonMembers, type JsonTree } from '../../fhir/json-tree.js';
import type { FhirRequest } from '../../fhir/request.js';
import type { Context } from '../../interactions/context.js';
import { fhirpathDiff } from '../../interactions/fhirpath-diff.js';
import type { StoredVersion } from '../../store/store.js';
import { readInput } from '../input.js';
import type { Operation } from '../operation.js';
import type { TerminologyOperations } from '../terminology/terminology-parts.js';

const OF_ONE = { fromVersion: 'count', includeMeta: 'boolean' } as const;
const OF_TWO = { from: 'Reference', to: 'Reference', includeMeta: 'boolean' } as const;
const REFERENCE = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/([1-9]\d{0,14}))?$/;

export function createDiffOperation({ definitions, validate }: Pick<TerminologyOperations, 'definitions' | 'validate'>): Operation {
  return {
    code: 'diff',
    definition: `${BASE}/OperationDefinition/diff`,
    system: true,
    types: [],
    instances: definitions.resourceTypes,
    affectsState: false,
    async handle(request, context) {
      const input = readInput(request, request.id === undefined ? OF_TWO : OF_ONE, validate);
      const [from, to] = request.id === undefined ? await twoOf(input.reference('from'), input.reference('to'), request, context) : await versionsOf(request, input.count('fromVersion'), context);
      const omits = new Set(input.flag('includeMeta') === true ? ['id'] : ['id', 'meta']);
      const parameter: JsonTree[] = [...fhirpathDiff(from, to, omits, definitions)];
      const answer: JsonMembers = new Map<string, JsonTree>([['resourceType', 'Parameters'], ...(parameter.length > 0 ? [['parameter', parameter] as const] : [])]);
      return { status: 200, body: treeText(answer) };
    },
  };
}

/** The version before, where none is named. */
async function versionsOf({ type = '', id = '' }: FhirRequest, fromVersion: number | undefined, context: Context): Promise<readonly [JsonMembers, JsonMembers]> {
  const current = await currentOf(type, id, context);
  const from = fromVersion ?? current.version - 1;
  if (from < 1 && fromVersion === undefined) throw fail('invalid-parameter', { text: `${type}/${id} has one version only: there is none before it`, expression: 'fromVersion' });
  return [await versionOf(type, id, from, context), treeOf(current.text, `${type}/${id}`)];
}

/** May be a deletion. */
async function currentOf(type: string, id: string, { store, grant }: Context): Promise<StoredVersion> {
  const current = await store.read(grant, type, id);
  if (!current) throw grant.absent(type, id);
  return current;
}

async function versionOf(type: string, id: string, version: number, { store, grant }: Context): Promise<JsonMembers> {
  const found = await store.vread(grant, type, id, version);
  if (!found) throw fail('not-found', { text: `There is no version ${version} of ${type}/${id}` });
  return treeOf(found.text, `version ${version} of ${type}/${id}`);
}

function treeOf(text: string | null, what: string): JsonMembers {
  const tree = text === null ? undefined : parseTree(text);
  if (!(tree instanceof Map)) throw fail('gone', { text: `There is no content to compare: ${what} is a deletion` });
  return tree;
}

async function twoOf(from: string | undefined, to: string | undefined, { base }: FhirRequest, context: Context): Promise<readonly [JsonMembers, JsonMembers]> {
  const [one, other] = await Promise.all([resourceAt('from', from, base, context), resourceAt('to', to, base, context)]);
  if (one.get('resourceType') !== other.get('resourceType')) throw fail('invalid-parameter', { text: 'from and to must be of one type', expression: 'to' });
  return [one, other];
}

async function resourceAt(name: string, reference: string | undefined, base: string, context: Context): Promise<JsonMembers> {
  const [, type = '', id = '', version] = REFERENCE.exec(reference?.startsWith(`${base}/`) ? reference.slice(base.length + 1) : (reference ?? '')) ?? [];
  if (id === '' || !context.parts.definitions.resourceTypes.includes(type)) throw fail('invalid-parameter', { text: `${name} must be a reference such as Patient/1 or Patient/1/_history/2`, expression: name });
  if (!context.grant.allows('read', type)) throw fail('forbidden', { text: `The role ${context.grant.caller.role} may not read ${type}` });
  if (version !== undefined) return versionOf(type, id, Number(version), context);
  return treeOf((await currentOf(type, id, context)).text, `${type}/${id}`);
}
