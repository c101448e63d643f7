-- What a quantity is in the base units of UCUM, so that 1 g and 1000 mg are one amount; and the other end of a range, which has a row for each.
-- Rows written before keep nulls until their resources are written again.
alter table fhir.quantity_index
  add column other numeric,
  add column dimension bigint,
  add column canonical numeric,
  add column canonical_other numeric;
create index on fhir.quantity_index (param, key, dimension, canonical, id) where dimension is not null;
