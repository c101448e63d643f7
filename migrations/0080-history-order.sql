-- The history of a type and of everything is read by time: a page is a walk of this index beside that of each current table.
create index history_order on fhir.history (type, updated, id, version);
