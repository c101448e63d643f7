-- Who did what: written by the server alone, never changed, chained afterwards (src/audit).

-- What accesses have in common: who, in which role, to what end. The id is a hash of the rest.
create table fhir.audit_agent (
  id uuid primary key,
  client text not null,
  subject text,
  role text,
  organization text collate "C",
  practitioner_role text,
  patient text,
  related_person text,
  purpose text
);

-- One row per access. The id is a UUIDv7, which holds the time; xid tells the sealer which rows can have no earlier ones to come.
create table fhir.audit_event (
  id uuid primary key,
  agent uuid not null,
  xid xid8 not null default pg_current_xact_id(),
  -- Of the answer, as in HTTP.
  status smallint not null,
  -- read, search, create …, $chargeable-status; start, stop and gap are the server's own.
  interaction text not null,
  -- Patient, Patient/1 or Patient/1/_history/2.
  what text,
  -- The patient it was about, and further ones.
  patient text collate "C",
  others text[] collate "C",
  reason text,
  -- X-Request-ID, a space, X-Correlation-ID.
  trace text,
  query text
);
create index audit_event_xid on fhir.audit_event (xid);
create index audit_event_patient on fhir.audit_event (patient, id) where patient is not null;
create index audit_event_others on fhir.audit_event using gin (others) with (fastupdate = off) where others is not null;

-- The chain: each link is a hash of the one before and of a row's content.
create table fhir.audit_seal (
  seq bigint primary key,
  event uuid not null,
  link bytea not null
);

-- One row: the last link, and the place in (xid, id) up to which rows are sealed.
create table fhir.audit_chain (
  name text collate "C" primary key,
  seq bigint not null,
  link bytea not null,
  xid xid8 not null,
  event uuid not null
);
insert into fhir.audit_chain (name, seq, link, xid, event)
  values ('audit', 0, decode(repeat('00', 32), 'hex'), '0', '00000000-0000-0000-0000-000000000000');

-- The processes that record: one without an end has ended unclean, or still runs.
create table fhir.audit_server (
  id uuid primary key,
  host text not null,
  pid integer not null,
  -- Up to here (ms) everything is recorded.
  recorded bigint not null,
  ended boolean not null default false
);
