// Organisation codes of the NHS. https://digital.nhs.uk/services/organisation-data-service

/** The system of an organisation's code in an Identifier. */
export const ODS_CODE = 'https://fhir.nhs.uk/Id/ods-organization-code';

/** A Reference to the organisation of this code, known or not. */
export const organizationReference = (code: string): { type: string; identifier: { system: string; value: string } } => ({ type: 'Organization', identifier: { system: ODS_CODE, value: code } });
