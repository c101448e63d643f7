-- Why a request was refused: the code of its error. Sealed with the rest where there is one, so that events sealed before keep their digests.
alter table fhir.audit_event add column refused text;
