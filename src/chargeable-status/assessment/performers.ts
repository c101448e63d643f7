// Who made an assessment: a person in a role, and the trust that answers for it and alone may change it (domain.md 1.6, ruling 6).
import { fail } from '../../fhir/errors.js';
import type { Issue } from '../../fhir/issue.js';
import type { Resource } from '../../fhir/resource.js';
import type { WriteContext } from '../../store/rule.js';
import { ODS_CODE } from '../../fhir/ods-code.js';
import { asObject, asObjects, asText, identifierOf, referenceId } from '../../fhir/elements.js';
import { fault } from '../../fhir/faults.js';

/** Role profiles of the care identity service. */
const ROLE_PROFILE = 'https://fhir.nhs.uk/Id/sds-role-profile-id';

export function performerFaults(assessment: Resource): Issue[] {
  const expression = 'Observation.performer';
  const performers = asObjects(assessment['performer']);
  const faults: Issue[] = [];
  if (!performers.some(isAssessor)) faults.push(fault('required', 'Say who assessed: a performer that is a PractitionerRole', expression));
  if (!performers.some(isOrganization)) faults.push(fault('required', `Say for which trust: a performer that is an Organization, with its ODS code (${ODS_CODE})`, expression));
  return faults;
}

/** Throws 403 unless the caller's organisation is one that made the assessment; `act` completes the sentence. */
export async function refuseOtherTrust(assessment: Resource, act: string, context: WriteContext): Promise<void> {
  const { role, organization } = context.caller;
  if (role === 'admin') return;
  if (organization === undefined) throw fail('forbidden', { text: `Your token names no organisation, so it can't ${act}`, expression: 'Observation.performer' });
  if ((await organizationsOf(assessment, context)).includes(organization)) return;
  throw fail('forbidden', { text: `Only the organisation named as performer may ${act}: add an assessment of your own`, expression: 'Observation.performer' });
}

/** ODS codes of the performing organisations, given outright or by reference. */
async function organizationsOf(assessment: Resource, { tx, grant }: WriteContext): Promise<string[]> {
  const codes: string[] = [];
  for (const performer of asObjects(assessment['performer']).filter(isOrganization)) {
    const { system, value } = identifierOf(performer['identifier']);
    if (system === ODS_CODE && value !== undefined) codes.push(value);
    const id = referenceId(performer, 'Organization');
    const stored = id === undefined ? undefined : await tx.read(grant, 'Organization', id);
    if (stored?.text != null) codes.push(...odsCodes(JSON.parse(stored.text) as Resource));
  }
  return codes;
}

const odsCodes = (organization: Resource): string[] =>
  asObjects(organization['identifier']).map(identifierOf).flatMap(({ system, value }) => (system === ODS_CODE && value !== undefined ? [value] : []));

function isAssessor(performer: unknown): boolean {
  if (referenceId(performer, 'PractitionerRole') !== undefined) return true;
  const { system, value } = identifierOf(asObject(performer)?.['identifier']);
  return value !== undefined && (system === ROLE_PROFILE || typeOf(performer) === 'PractitionerRole');
}

function isOrganization(performer: unknown): boolean {
  if (referenceId(performer, 'Organization') !== undefined) return true;
  const { system, value } = identifierOf(asObject(performer)?.['identifier']);
  return system === ODS_CODE && value !== undefined && value !== '';
}

const typeOf = (reference: unknown): string | undefined => asText(asObject(reference)?.['type']);
