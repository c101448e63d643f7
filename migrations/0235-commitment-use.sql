-- What each purchase asks of a commitment that it fulfils: its total, or what commitments that it names before leave of that. What a commitment
-- still reserves is its own total less what all of them ask, so it is known what goes back to it when one of them becomes cheaper. Pence.
create table fhir.commitment_use (
  asked bigint not null,
  -- The purchase was the last: nothing goes back any more.
  final boolean not null,
  -- The budget that the Claims name, and the logical ids of both.
  account text collate "C" not null,
  commitment text collate "C" not null,
  claim text collate "C" not null,
  primary key (account, commitment, claim),
  constraint commitment_use_asked check (asked >= 0)
);
