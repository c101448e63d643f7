-- A status row is written over and over, and none of its indexed columns changes then: with room beside it the new row stays on its page
-- and no index is touched.
alter table fhir.chargeable_status set (fillfactor = 70);
