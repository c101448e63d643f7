-- When a version ended whose successor has been purged (src/store/purge-history.ts): at a moment it was not current any more it must not be
-- shown as if it had been. Null where the successor is there and says so itself.
alter table fhir.history add column ended bigint;
