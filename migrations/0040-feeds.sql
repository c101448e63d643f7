-- Work that goes on after its request was answered, the files it works on, and the feeds of statements besides the Home Office's.

-- One row per job. Whoever holds the lease works on it; `position` moves in the same transaction as what it stands for. Distributed by id.
create table fhir.job (
  id text collate "C" primary key,
  type text collate "C" not null,
  -- receiving, queued, running, done, failed or cancelled.
  status text collate "C" not null,
  -- Whose it is: the client of the token and its role. Nobody else sees it.
  client text collate "C" not null,
  role text collate "C" not null,
  -- JSON texts: what was asked for, how far it is, what came of it.
  request text not null,
  progress text not null default '{}',
  result text,
  position bigint not null default 0,
  size bigint not null default 0,
  created bigint not null,
  updated bigint not null,
  owner text collate "C",
  lease bigint not null default 0
);
create index job_open on fhir.job (created, id) where status in ('queued', 'running');

-- The file of a job, in pieces of one size (src/jobs/job-file.ts); gone when the job has ended. Distributed by job.
create table fhir.job_file (
  job text collate "C",
  seq integer,
  bytes bytea /*lz4*/ not null,
  primary key (job, seq)
);

-- Lines of a file that were refused, and why. Distributed by job.
create table fhir.job_line (
  job text collate "C",
  line bigint,
  text text not null,
  primary key (job, line)
);

-- The keys of a full file, to tell at its end which statements it leaves out; gone when the job has ended. Distributed by job.
create table fhir.job_key (
  job text collate "C",
  key text collate "C",
  primary key (job, key)
);

-- A feed is a row of data: src/chargeable-status/feed-definition.ts. Read on every write of a feed, so a full copy on every node.
create table fhir.status_feed (
  code text collate "C" primary key,
  name text not null,
  rank integer not null,
  -- ODS code.
  organization text collate "C",
  clients text[] not null,
  -- JSON: incoming status -> basic and category.
  mapping text not null,
  active boolean not null,
  updated bigint not null
);

-- The tables of Home Office statements hold those of every feed: a key is one statement of one source.
alter table fhir.home_office_key add column source text collate "C" not null default 'HO';
alter table fhir.home_office_key drop constraint home_office_key_pkey;
alter table fhir.home_office_key add primary key (key, source);

-- person: what a person without number is matched by (src/chargeable-status/person-key.ts). claim: what it asserts, as its source's mapping was
-- when it came; null for what came before there were others. settled: matched, detached or rejected by a person, so never tried again by itself.
alter table fhir.home_office_statement add column source text collate "C" not null default 'HO';
alter table fhir.home_office_statement add column person text collate "C";
alter table fhir.home_office_statement add column claim text;
alter table fhir.home_office_statement add column settled text collate "C";
create index home_office_statement_person on fhir.home_office_statement (person) where patient is null and person is not null and settled is null;

-- How far the Patients have been looked through for statements that wait by demographics: one row.
create table fhir.person_sweep (
  name text collate "C" primary key,
  updated bigint not null
);
