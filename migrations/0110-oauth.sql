-- What the development authorization server has given out and taken back.

-- Codes and refresh tokens by their SHA-256: each is good for one use, whichever server it comes to. Distributed by key.
create table fhir.oauth_ticket (
  key text collate "C" primary key,
  -- 'code' or 'refresh'.
  kind text collate "C" not null,
  client text collate "C" not null,
  -- The sign-in that it goes back to: a second use of a ticket ends all of its tokens.
  grant_id text collate "C" not null,
  -- What was granted, as JSON: see src/identity/oauth-tickets.ts.
  content text not null,
  -- Milliseconds since the epoch, as below.
  expires bigint not null,
  used bigint
);
create index oauth_ticket_expires on fhir.oauth_ticket (expires);

-- Tokens (by jti) and whole sign-ins that were revoked, until the last token of theirs has expired. Distributed by key.
create table fhir.token_revocation (
  key text collate "C" primary key,
  expires bigint not null
);
create index token_revocation_expires on fhir.token_revocation (expires);
