-- What organisations decided about who may have a budget: the latest decision of each patient and basis, kept with the Observation that tells it.
-- Distributed by patient.
create table fhir.eligibility_decision (
  decided bigint not null,
  eligible boolean not null,
  patient text collate "C" not null,
  -- A code of eligibility-basis.
  basis text collate "C" not null,
  observation text collate "C" not null,
  primary key (patient, basis)
);
