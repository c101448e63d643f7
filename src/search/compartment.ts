// The resources that belong to one, as a clause. https://hl7.org/fhir/R4/compartmentdefinition.html
import type { Definitions } from '../definitions/model.js';
import type { Compartment } from '../fhir/request.js';
import type { Clause } from './query.js';

/** The rows of `type` in the compartment: by any of the references that put a resource there, and the one in the middle by its id. */
export const compartmentClause = (definitions: Definitions, { type: name, id }: Compartment, type: string): Clause => compartmentsClause(definitions, { type: name, ids: [id] }, type);

/** The same of several, `Patient/1` or `Patient/2`, or of none: one criterion for each reference, however many they are. */
export function compartmentsClause(definitions: Definitions, compartments: { readonly type: string; readonly ids: readonly string[] }, type: string): Clause {
  if (compartments.ids.length === 0) return { kind: 'none' };
  const parameters = definitions.searchParameters(type);
  const codes = definitions.compartment(compartments.type).get(type) ?? [];
  const values = compartments.ids.map((id) => ({ text: `${compartments.type}/${id}` }));
  const of = codes.flatMap((code): Clause[] => {
    const parameter = parameters.get(code);
    return parameter ? [{ kind: 'parameter', parameter, values }] : [];
  });
  if (type === compartments.type) of.push({ kind: 'ids', ids: compartments.ids });
  const [only, ...others] = of;
  return others.length > 0 ? { kind: 'or', of } : only ?? { kind: 'none' };
}

/** The types that can be in it, sorted; its own first. */
export function compartmentTypes(definitions: Definitions, name: string): readonly string[] {
  return [name, ...[...definitions.compartment(name).keys()].filter((type) => type !== name).sort()];
}

/** The types that tell of patients. */
export const patientTypes = (definitions: Definitions): readonly string[] => compartmentTypes(definitions, 'Patient').filter((type) => definitions.resourceTypes.includes(type));

/** The rows of `type`, other than Patient, that are in the compartment of any patient, whoever that is. */
export function ofAnyPatient(definitions: Definitions, type: string): Clause {
  const parameters = definitions.searchParameters(type);
  const codes = definitions.compartment('Patient').get(type) ?? [];
  const of = codes.flatMap((code): Clause[] => {
    const parameter = parameters.get(code);
    return parameter ? [{ kind: 'names', parameter, type: 'Patient' }] : [];
  });
  return { kind: 'or', of };
}
