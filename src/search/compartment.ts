// The resources that belong to one, as a clause. https://hl7.org/fhir/R4/compartmentdefinition.html
import type { Definitions } from '../definitions/model.js';
import type { Compartment } from '../fhir/request.js';
import type { Clause } from './query.js';

/** The rows of `type` in the compartment: by any of the references that put a resource there, and the one in the middle by its id. */
export function compartmentClause(definitions: Definitions, compartment: Compartment, type: string): Clause {
  const parameters = definitions.searchParameters(type);
  const codes = definitions.compartment(compartment.type).get(type) ?? [];
  const values = [{ text: `${compartment.type}/${compartment.id}` }];
  const of = codes.flatMap((code): Clause[] => {
    const parameter = parameters.get(code);
    return parameter ? [{ kind: 'parameter', parameter, values }] : [];
  });
  if (type === compartment.type) of.push({ kind: 'ids', ids: [compartment.id] });
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
