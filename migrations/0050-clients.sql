-- Client systems that an administrator has registered, and the assertions by which they have proved who they are.

-- Never deleted: a client that was switched off stays switched off.
create table fhir.client (
  id text collate "C" primary key,
  -- `iss` of the tokens that it signs itself: its id, where nothing else is said. One client per issuer is a rule of the application.
  issuer text collate "C" not null,
  -- Everything else that is registered, as JSON: see src/identity/registration.ts.
  registration text not null,
  active boolean not null,
  -- Milliseconds since the epoch.
  changed bigint not null
);
create index client_issuer on fhir.client (issuer);

-- Client and jti of each assertion until it expires: the second use of one is refused by whichever server it comes to. Distributed by key.
create table fhir.client_assertion (
  key text collate "C" primary key,
  expires bigint not null
);
create index client_assertion_expires on fhir.client_assertion (expires);
