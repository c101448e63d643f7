-- The resource tables: one per concrete R4 type, all alike, and what they share: side tables, history, keys.
-- The resource id leads every unique index, so all rows of a resource can live together; no sequences, triggers or foreign keys.
-- /*lz4*/ becomes `compression lz4` where the server can do that (src/db/migrate.ts).
create schema fhir;

-- Fixed-width columns come first: no padding between them, and what follows starts at a known place.
-- All types carry all indexes: 146 tables x 5 cost 40 ms of a migration and nothing measurable of a template clone.
do $body$
declare
  t text;
begin
  foreach t in array array[
    'Account', 'ActivityDefinition', 'AdverseEvent', 'AllergyIntolerance', 'Appointment', 'AppointmentResponse', 'AuditEvent',
    'Basic', 'Binary', 'BiologicallyDerivedProduct', 'BodyStructure', 'Bundle', 'CapabilityStatement', 'CarePlan', 'CareTeam',
    'CatalogEntry', 'ChargeItem', 'ChargeItemDefinition', 'Claim', 'ClaimResponse', 'ClinicalImpression', 'CodeSystem',
    'Communication', 'CommunicationRequest', 'CompartmentDefinition', 'Composition', 'ConceptMap', 'Condition', 'Consent',
    'Contract', 'Coverage', 'CoverageEligibilityRequest', 'CoverageEligibilityResponse', 'DetectedIssue', 'Device',
    'DeviceDefinition', 'DeviceMetric', 'DeviceRequest', 'DeviceUseStatement', 'DiagnosticReport', 'DocumentManifest',
    'DocumentReference', 'EffectEvidenceSynthesis', 'Encounter', 'Endpoint', 'EnrollmentRequest', 'EnrollmentResponse',
    'EpisodeOfCare', 'EventDefinition', 'Evidence', 'EvidenceVariable', 'ExampleScenario', 'ExplanationOfBenefit',
    'FamilyMemberHistory', 'Flag', 'Goal', 'GraphDefinition', 'Group', 'GuidanceResponse', 'HealthcareService', 'ImagingStudy',
    'Immunization', 'ImmunizationEvaluation', 'ImmunizationRecommendation', 'ImplementationGuide', 'InsurancePlan', 'Invoice',
    'Library', 'Linkage', 'List', 'Location', 'Measure', 'MeasureReport', 'Media', 'Medication', 'MedicationAdministration',
    'MedicationDispense', 'MedicationKnowledge', 'MedicationRequest', 'MedicationStatement', 'MedicinalProduct',
    'MedicinalProductAuthorization', 'MedicinalProductContraindication', 'MedicinalProductIndication', 'MedicinalProductIngredient',
    'MedicinalProductInteraction', 'MedicinalProductManufactured', 'MedicinalProductPackaged', 'MedicinalProductPharmaceutical',
    'MedicinalProductUndesirableEffect', 'MessageDefinition', 'MessageHeader', 'MolecularSequence', 'NamingSystem', 'NutritionOrder',
    'Observation', 'ObservationDefinition', 'OperationDefinition', 'OperationOutcome', 'Organization', 'OrganizationAffiliation',
    'Parameters', 'Patient', 'PaymentNotice', 'PaymentReconciliation', 'Person', 'PlanDefinition', 'Practitioner',
    'PractitionerRole', 'Procedure', 'Provenance', 'Questionnaire', 'QuestionnaireResponse', 'RelatedPerson', 'RequestGroup',
    'ResearchDefinition', 'ResearchElementDefinition', 'ResearchStudy', 'ResearchSubject', 'RiskAssessment', 'RiskEvidenceSynthesis',
    'Schedule', 'SearchParameter', 'ServiceRequest', 'Slot', 'Specimen', 'SpecimenDefinition', 'StructureDefinition', 'StructureMap',
    'Subscription', 'Substance', 'SubstanceNucleicAcid', 'SubstancePolymer', 'SubstanceProtein', 'SubstanceReferenceInformation',
    'SubstanceSourceMaterial', 'SubstanceSpecification', 'SupplyDelivery', 'SupplyRequest', 'Task', 'TerminologyCapabilities',
    'TestReport', 'TestScript', 'ValueSet', 'VerificationResult', 'VisionPrescription'
  ] loop
    execute format($ddl$
      create table fhir.%1$I (
        version bigint not null,
        updated bigint not null,
        self bigint not null,
        date_lo bigint,
        date_hi bigint,
        id text collate "C" primary key,
        method text not null,
        subject text collate "C",
        present text not null,
        tokens bigint[] not null,
        refs text[] not null,
        res text /*lz4*/
      )$ddl$, t);
    -- No pending list: flushing one takes 200 ms of somebody's request.
    execute format('create index on fhir.%1$I using gin (tokens) with (fastupdate = off)', t);
    execute format('create index on fhir.%1$I (updated, id)', t);
    -- Rows without a subject are never looked for by it.
    execute format('create index on fhir.%1$I (subject, date_lo desc nulls last, id desc) where subject is not null', t);
    execute format('create index on fhir.%1$I (date_lo desc nulls last, id desc)', t);
  end loop;
end
$body$;

-- Ordered values that repeat. `param` is a hash of `Type.code`, so a row knows its resource type by it.
create table fhir.string_index (
  param integer not null,
  value text collate "C" not null,
  id text collate "C" not null,
  raw text not null
);
create index on fhir.string_index (param, value, id);
create index on fhir.string_index (id);

-- The distinct words of codes, folded: `:text` looks up here which tokens to look for. Rows stay when their resources go.
create table fhir.code_text (
  token bigint not null,
  param integer not null,
  value text collate "C" not null,
  primary key (param, value)
);

create table fhir.date_index (
  lo bigint not null,
  hi bigint not null,
  param integer not null,
  id text collate "C" not null
);
create index on fhir.date_index (param, lo, id);
create index on fhir.date_index (id);

create table fhir.quantity_index (
  key bigint not null,
  unit bigint not null,
  code bigint not null,
  display bigint not null,
  param integer not null,
  value numeric not null,
  id text collate "C" not null
);
create index on fhir.quantity_index (param, key, value, id);
create index on fhir.quantity_index (id);

-- Superseded versions only: the current one lives in its resource table.
create table fhir.history (
  version bigint not null,
  updated bigint not null,
  type text collate "C" not null,
  id text collate "C" not null,
  method text not null,
  res text /*lz4*/,
  primary key (id, type, version)
);

-- Rows to lock for what must be unique beyond a resource: conditional creates, identifiers.
create table fhir.resource_key (
  touched bigint not null,
  key text collate "C" primary key
);
