// What a budget refers to, read as the caller sees it: a row that the caller may not see is one that is not there.
import { asObjects, asText, codesOf, identifierOf, referenceId } from '../fhir/elements.js';
import { fail } from '../fhir/errors.js';
import type { Resource } from '../fhir/resource.js';
import type { WriteContext } from '../store/rule.js';
import { ODS_CODE } from '../fhir/ods-code.js';
import { ORGANIZATION_ROLE } from './codes.js';

type Seen = Pick<WriteContext, 'tx' | 'grant' | 'caller'>;

/**
 * The resource of a literal reference (`Organization/1`), of one of `types`. Throws 422 at `expression` where there is none to be seen, and
 * of a patient what a read is answered where that is 403 (ruling 27).
 */
export async function referred(reference: string | undefined, types: readonly string[], expression: string, { tx, grant }: Seen): Promise<Resource> {
  const [type = '', id = ''] = (reference ?? '').split('/');
  const found = types.includes(type) ? await tx.read(grant, type, id) : undefined;
  const absent = found?.text == null && type === 'Patient' && types.includes(type) ? grant.absent(type, id) : undefined;
  if (absent?.status === 403) throw absent;
  if (found?.text == null) throw fail('reference-not-found', { text: `There is no such ${types.join(' or ')}: send a reference such as ${types[0]}/[id]`, expression });
  return JSON.parse(found.text) as Resource;
}

/** The codes of organization-role; ccg, the name before 2022, counts as icb. */
export const rolesOf = (organization: Resource): string[] =>
  asObjects(organization['type']).flatMap((type) => codesOf(type, ORGANIZATION_ROLE)).map((role) => (role === 'ccg' ? 'icb' : role));

export const odsCodesOf = (organization: Resource): string[] =>
  asObjects(organization['identifier']).map(identifierOf).flatMap(({ system, value }) => (system === ODS_CODE && value !== undefined ? [value] : []));

/** Does the caller speak for this organisation? The token names it by its ODS code; an administrator speaks for all. */
export const speaksFor = (organization: Resource, { caller }: Pick<WriteContext, 'caller'>): boolean =>
  caller.role === 'admin' || (caller.organization !== undefined && odsCodesOf(organization).includes(caller.organization));

/** Organisations are merged by giving them one above: who speaks for that speaks for what came of them, so a budget of a former one is not orphaned. */
export async function speaksForSuccessor(organization: Resource, context: Seen): Promise<boolean> {
  let current: Resource | undefined = organization;
  for (let level = 0; current && level < MOST_LEVELS; level += 1) {
    if (speaksFor(current, context)) return true;
    const above = referenceId(current['partOf'], 'Organization');
    const found = above === undefined ? undefined : await context.tx.read(context.grant, 'Organization', above);
    current = found?.text == null ? undefined : (JSON.parse(found.text) as Resource);
  }
  return false;
}

const MOST_LEVELS = 8;

export const nameOf = (resource: Resource): string => asText(resource['name']) ?? resource.id ?? '';
