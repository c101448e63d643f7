// The JSON shapes every room speaks of. https://hl7.org/fhir/R4/json.html

export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export interface JsonObject {
  [member: string]: JsonValue | undefined;
}

/** Any FHIR resource, as JSON.parse gives it. Rooms that know a type use @medplum/fhirtypes for it. */
export interface Resource extends JsonObject {
  resourceType: string;
  id?: string;
}

export interface Coding {
  readonly system?: string;
  readonly code: string;
  readonly display?: string;
}
