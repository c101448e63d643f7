-- The words of resources, for _text and _content. Filled by the first search that asks for those of a type, and kept up by the next
-- ones (src/store/text-index.ts): a write that also filled two such indexes would take twice as long.
create table fhir.text_index (
  version bigint not null,
  id text collate "C" not null,
  type text collate "C" not null,
  narrative tsvector not null,
  content tsvector not null,
  primary key (id, type)
);
create index on fhir.text_index using gin (narrative) with (fastupdate = off);
create index on fhir.text_index using gin (content) with (fastupdate = off);

-- How far a type has been read: what was changed before is in the index.
create table fhir.text_reached (
  updated bigint not null,
  type text collate "C" primary key
);
