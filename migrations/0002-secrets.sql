-- What all servers on this database must share and nobody else may know: the key that seals page links.
create table fhir.secret (
  name text collate "C" primary key,
  value text not null
);
insert into fhir.secret (name, value) values ('page-link', gen_random_uuid()::text || gen_random_uuid()::text);
