-- What was believed of each patient and from when: a row per change of what is asserted, never rewritten. Distributed by patient.
create table fhir.chargeable_status_past (
  patient text collate "C" not null,
  -- Counts up by the changes of the patient's row in fhir.chargeable_status.
  step integer not null,
  -- Milliseconds; never less than that of the step before.
  known_from bigint not null,
  -- How often the answer had changed, and when last.
  changes integer not null,
  changed bigint not null,
  -- All that counted towards the answer, those of merged patients too: a JSON array as in fhir.chargeable_status.
  assertions text /*lz4*/ not null,
  primary key (patient, step)
);

alter table fhir.chargeable_status add column steps integer not null default 0, add column known bigint not null default 0;

-- Of what came before this table only the present is known: it counts from its last change.
update fhir.chargeable_status set steps = 1, known = changed where assertions <> '[]' or joined <> '{}';
insert into fhir.chargeable_status_past (patient, step, known_from, changes, changed, assertions)
  select patient, 1, changed, changes, changed, assertions from fhir.chargeable_status where assertions <> '[]' or joined <> '{}';
