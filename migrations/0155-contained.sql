-- Contained resources as `_contained` finds them: a row each, with rows of its own in the side tables under its id. Filled only where a resource
-- contains others; of a container that has a later version, or was deleted, the rows count no more (src/store/search-contained.ts).
create table fhir.contained (
  version bigint not null,
  updated bigint not null,
  date_lo bigint,
  date_hi bigint,
  -- `MedicationRequest/1#m1`: no resource has such an id.
  id text collate "C" primary key,
  container_type text collate "C" not null,
  container text collate "C" not null,
  type text collate "C" not null,
  -- Its id within the container.
  local text collate "C" not null,
  present text collate "C" not null,
  subject text collate "C",
  tokens bigint[] not null,
  refs text[] not null
);
create index contained_type on fhir.contained (type, id);
create index contained_container on fhir.contained (container, container_type);
create index contained_tokens on fhir.contained using gin (tokens) with (fastupdate = off);

-- What was there before this: read into the table by the first searches that ask for it.
create table fhir.contained_due (
  type text collate "C" not null,
  id text collate "C" not null,
  primary key (id, type)
);
do $$
declare
  name text;
begin
  for name in select tablename from pg_tables where schemaname = 'fhir' and tablename ~ '^[A-Z]' loop
    execute format('insert into fhir.contained_due (type, id) select %L, id from fhir.%I where res like ''%%"contained"%%''', name, name);
  end loop;
end
$$;
