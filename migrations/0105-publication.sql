-- How far HL7's own definitions have been put into the store (src/jobs/publish-standard.ts): one row per set of them. On the coordinator alone.
create table fhir.publication (
  name text collate "C" primary key,
  -- SHA-256 of the file they come from: another file is another publication.
  content text not null,
  -- Lines of the file that are stored.
  position integer not null,
  done boolean not null
);
