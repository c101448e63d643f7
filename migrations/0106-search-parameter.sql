-- Search parameters that an administrator has switched on: src/store/added-parameters.ts. A full copy on every node.
create table fhir.search_parameter (
  -- The generation it came with: names its rows in the index tables.
  key text collate "C" primary key,
  -- Of the SearchParameter resource.
  id text collate "C" not null,
  url text collate "C" not null unique,
  -- indexing: every write indexes by it, and a job goes through what was there. active: the job is done, and it is searched by.
  state text collate "C" not null,
  -- The resource, as it was when it was switched on.
  definition text not null,
  job text collate "C" not null
);
create index search_parameter_id on fhir.search_parameter (id);

-- One row. A statement that writes index rows names the generation it was made for, and is refused where that is not this one: so no
-- server writes without a parameter that others know. `revision` moves with every change, for servers to see that there is one.
create table fhir.search_generation (
  name text collate "C" primary key,
  generation bigint not null,
  revision bigint not null
);
insert into fhir.search_generation (name, generation, revision) values ('search', 0, 0);
