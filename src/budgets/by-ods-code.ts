// References to an organisation by its ODS code alone, as PDS and practices' systems give them: the one that is held here is named beside the code, so that
// searches, rights and rules find it (domain.md 3.2 patient-vmphb, C32E12).
import { organizationsOf } from '../access/organizations.js';
import type { Definitions } from '../definitions/model.js';
import { asObject, identifierOf } from '../fhir/elements.js';
import { ODS_CODE } from '../fhir/ods-code.js';
import type { JsonObject, JsonValue } from '../fhir/resource.js';
import { serverGrant } from '../search/grant.js';
import type { WriteContext, WriteRule } from '../store/rule.js';

type Known = Pick<Definitions, 'searchParameters'>;

/** The ODS code of a reference that names no resource. */
function codeAlone(reference: unknown): string | undefined {
  const { reference: literal, identifier } = asObject(reference) ?? {};
  const { system, value } = identifierOf(identifier);
  return literal === undefined && system === ODS_CODE && value !== '' ? value : undefined;
}

/** The reference with the organisation's id; undefined where it is not by code alone, and where none or several here have the code. Who writes need not see organisations: a practice does not. */
export async function namedByCode(reference: unknown, known: Known, { tx }: Pick<WriteContext, 'tx'>): Promise<JsonObject | undefined> {
  const code = codeAlone(reference);
  if (code === undefined) return undefined;
  const [only, another] = await organizationsOf(code, known, { tx, grant: serverGrant() });
  return only !== undefined && another === undefined ? { reference: only, ...asObject(reference) } : undefined;
}

/** As sent: what stands there may be anything before it is validated. */
const listOf = (value: JsonValue | undefined): readonly JsonValue[] => (Array.isArray(value) ? value : []);

/** Where a Patient is registered, and which commissioner answers for them. */
export function createRegistrationRule(known: Known): WriteRule {
  return {
    concerns: ({ type, after }) => type === 'Patient' && [after?.['managingOrganization'], ...listOf(after?.['generalPractitioner'])].some((one) => codeAlone(one) !== undefined),
    async complete({ after }, context) {
      const managing = await namedByCode(after?.['managingOrganization'], known, context);
      const sent = listOf(after?.['generalPractitioner']);
      const practices: JsonValue[] = [];
      for (const practice of sent) practices.push((await namedByCode(practice, known, context)) ?? practice);
      return { ...(managing && { managingOrganization: managing }), ...(practices.some((one, at) => one !== sent[at]) && { generalPractitioner: practices }) };
    },
  };
}
