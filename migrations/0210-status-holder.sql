-- Does the patient hold the number that the row shows? Then a look-up by that number needs this row alone, and not fhir.nhs_number before it:
-- half the pages of a question among a million patients.
alter table fhir.chargeable_status add column held boolean not null default false;
update fhir.chargeable_status s set held = true from fhir.nhs_number n where n.number = s.number and n.patient = s.patient and n.held and s.survivor is null and not s.deleted;
create index chargeable_status_holder on fhir.chargeable_status (number) where held;
