-- What is known of chargeable status, kept so that the question "is this patient chargeable?" is one look-up by NHS number.

-- One row per patient who holds an NHS number or of whom something was asserted. Distributed by patient.
create table fhir.chargeable_status (
  patient text collate "C" primary key,
  -- What a look-up reads, as one text: see src/chargeable-status/status-row.ts.
  summary text not null generated always as (
    patient || '|' || coalesce(number, '') || '|' || deleted::text || '|' || coalesce(survivor, '') || '|' || observation || '|' || changes::text || '|' || changed::text
      || '|' || coalesce(winner, '') || '|' || coalesce(source, '') || '|' || coalesce(basic, '') || '|' || coalesce(category, '') || '|' || coalesce(decided, '')
      || '|' || coalesce(decided_at::text, '') || '|' || coalesce(valid_until, '') || '|' || coalesce(lapses_at::text, '')) stored,
  -- NHS number shown in answers.
  number text collate "C",
  deleted boolean not null default false,
  -- The Patient that replaces this one (link.type replaced-by), and those this one replaces.
  survivor text collate "C",
  joined text[] not null default '{}',
  -- JSON array: see src/chargeable-status/assertion.ts.
  assertions text not null default '[]',
  -- Logical id of the vm-observation, how often its answer has changed, and when last (ms).
  observation text collate "C" not null,
  changes integer not null default 0,
  changed bigint not null default 0,
  -- The winning assertion; basic is null where there is none.
  winner text collate "C",
  source text,
  basic text,
  category text,
  decided text,
  decided_at bigint,
  valid_until text,
  lapses_at bigint,
  -- Is the lapse written into the Patient already?
  lapse_shown boolean not null default false
);
create index chargeable_status_observation on fhir.chargeable_status (observation);
create index chargeable_status_lapse on fhir.chargeable_status (lapses_at) where lapses_at is not null and not lapse_shown;

-- Who holds a number. A merged patient's old number is not held any more, but still leads to that patient and on to the survivor.
-- A number of which only statements are known has no patient. Distributed by number.
create table fhir.nhs_number (
  number text collate "C" primary key,
  patient text collate "C",
  held boolean not null default false,
  -- Are there statements of this number without a patient?
  waiting boolean not null default false
);

-- Where each Home Office statement belongs; without a patient it is tried again when a Patient with its number comes. Distributed by id.
create table fhir.home_office_statement (
  id text collate "C" primary key,
  number text collate "C",
  patient text collate "C",
  received bigint not null
);
create index home_office_statement_waiting on fhir.home_office_statement (number) where patient is null;
create index home_office_statement_patient on fhir.home_office_statement (patient) where patient is not null;

-- The feed's keys: one statement each, for ever. Distributed by key.
create table fhir.home_office_key (
  key text collate "C" primary key,
  statement text collate "C" not null
);

-- A key delivered again with other content: nothing of it counts, but it is not lost. Distributed by key.
create table fhir.home_office_conflict (
  key text collate "C",
  received bigint,
  id text collate "C",
  res text not null,
  primary key (key, received, id)
);
