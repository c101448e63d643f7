-- Code systems too large for memory, as `entitle-fhir terminology load` fills them. Every row carries the number of its load:
-- a release is there when its row in code_system_release says so, and goes with all its rows.
create table fhir.code_system_release (
  load bigint not null,
  loaded bigint not null,
  concepts integer not null,
  system text collate "C" not null,
  version text collate "C" not null,
  name text not null,
  primary key (system, version)
);

create table fhir.concept (
  load bigint not null,
  active boolean not null,
  code text collate "C" not null,
  display text not null,
  -- All names, folded, one after another: what text is looked for in.
  folded text not null,
  words tsvector not null,
  -- JSON: definition, designation, property; see src/terminology/loaded-system.ts.
  more text /*lz4*/,
  primary key (load, code)
);
create index concept_words on fhir.concept using gin (words) with (fastupdate = off);

-- Direct parents only: what is above or below is found step by step, and there is no closure of 17 million rows to make.
create table fhir.concept_parent (
  load bigint not null,
  child text collate "C" not null,
  parent text collate "C" not null,
  primary key (load, child, parent)
);
create index concept_parent_parent on fhir.concept_parent (load, parent, child);

-- Values to filter by, and the reference sets (property `refset`) a concept is in.
create table fhir.concept_property (
  load bigint not null,
  code text collate "C" not null,
  property text collate "C" not null,
  value text collate "C" not null,
  primary key (load, code, property, value)
);
create index concept_property_value on fhir.concept_property (load, property, value, code);
