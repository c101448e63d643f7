-- The trail is sealed by blocks, inside the database: a row of its own for each event, made in the server, cost more than recording the event did.
-- What was sealed event by event is sealed anew by blocks: run `audit verify` before this update, and note the new head after it.
create table fhir.audit_block (
  -- The number of its last event, counted from 1.
  seq bigint primary key,
  -- In the order in which they are sealed.
  events uuid[] not null,
  -- The SHA-256 of each event's row, 32 bytes each in the same order.
  digests bytea not null,
  -- SHA-256 of the link before and of the digests.
  link bytea not null
);
drop table fhir.audit_seal;
update fhir.audit_chain set seq = 0, link = decode(repeat('00', 32), 'hex'), xid = '0', event = '00000000-0000-0000-0000-000000000000' where name = 'audit';
